//! Every command on the proxies that are at hand: the one of this workspace is wrong nowhere, and that the judge can tell
//! wrong from right is shown on the others.

mod support;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Failed, Trial};
use shardproof::cluster::Ground;
use shardproof::conformance::matrix::{Row, load};
use shardproof::fixtures::Fixtures;
use shardproof::report::terminal;
use shardproof::run::{self, Matrix};
use shardproof::target::Target;
use shardproof::verdict::Class;
use tokio::runtime::Builder;

use support::Presence;

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    arguments.test_threads = Some(1);
    let trials = support::targets().into_iter().map(trial).collect();
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn trial(target: Target) -> Trial {
    let ignored = match support::presence(&target) {
        Presence::Missing(why) => Some(why),
        Presence::Expected => None,
    };
    let ours = target.program.package.is_some();
    let promise = if ours {
        "no-command-is-wrong"
    } else {
        "what-is-wrong-is-found"
    };
    Trial::test(format!("{}::{promise}", target.name), move || {
        let matrix = judge(&target)?;
        if ours {
            nothing_wrong(&matrix)
        } else {
            wrong_found(&matrix)
        }
    })
    .with_ignored_flag(ignored.is_some())
    .with_kind(ignored.unwrap_or_default())
}

fn rows() -> Vec<Row> {
    let sources = Fixtures::compiled_in().matrix().expect("sheets");
    load(&sources).expect("valid sheets")
}

fn judge(target: &Target) -> Result<Matrix, Failed> {
    support::prepare(target);
    let ground = Ground::new(support::search(), 1);
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let (rows, targets) = (rows(), std::slice::from_ref(target));
    let judged = run::matrix(&ground, targets, &rows, &|_, _, _| {});
    Ok(runtime.block_on(judged)?)
}

fn nothing_wrong(matrix: &Matrix) -> Result<(), Failed> {
    let well = |class| matches!(class, Class::Correct | Class::Refused);
    let correct = matrix
        .rows
        .iter()
        .filter(|cell| cell.class == Class::Correct);
    if matrix.rows.iter().all(|cell| well(cell.class)) && correct.count() >= 200 {
        return Ok(());
    }
    Err(terminal::matrix(matrix).into())
}

/// A union of sets over nodes is stored by no proxy that sends the whole command to one of them, and reading one back is
/// what they all do well.
fn wrong_found(matrix: &Matrix) -> Result<(), Failed> {
    let cell = |command: &str| {
        let mut cells = matrix.rows.iter();
        cells
            .find(|cell| cell.command == command)
            .ok_or("no such row")
    };
    let wrong = cell("SUNIONSTORE")?;
    let evidence = wrong.evidence.as_ref().ok_or("no evidence")?;
    let sides = |party: &str| {
        evidence
            .transcript
            .iter()
            .any(|line| line.party.starts_with(party))
    };
    if wrong.class != Class::Wrong || !sides("client") || !sides("node") {
        return Err(format!("{wrong:?}").into());
    }
    match cell("GET")?.class {
        Class::Correct => Ok(()),
        other => Err(format!("GET is {}", other.name()).into()),
    }
}
