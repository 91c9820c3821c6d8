//! Every command on the proxies that are at hand: the one of this workspace is wrong nowhere, and that the judge can tell
//! wrong from right is shown on the others.

mod support;

use std::process::ExitCode;

use conformance::matrix::{Cell, Matrix, Row, load};
use conformance::verdict::Class;
use libtest_mimic::{Arguments, Failed, Trial};
use shardproof::report::terminal;
use shardproof::run;
use testbed::cluster::RunOptions;
use testbed::fixtures::Fixtures;
use testbed::program::{Program, Search};
use testbed::targets::Target;
use tokio::runtime::Builder;

use support::Presence;

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    arguments.test_threads = Some(1);
    let targets = support::targets();
    let mut trials: Vec<Trial> = targets.iter().cloned().map(trial).collect();
    for target in targets.iter().filter(|target| is_ours(target)) {
        trials.extend(Program::newer_servers().map(|server| over(target.clone(), server)));
    }
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn trial(target: Target) -> Trial {
    let ignored = match support::presence(&target) {
        Presence::Missing(why) => Some(why),
        Presence::Expected => None,
    };
    let ours = is_ours(&target);
    let promise = if ours {
        "no-command-is-wrong"
    } else {
        "what-is-wrong-is-found"
    };
    Trial::test(format!("{}::{promise}", target.name), move || {
        let matrix = judge(&target, support::search())?;
        if ours {
            nothing_wrong(&matrix)
        } else {
            wrong_found(&matrix)
        }
    })
    .with_ignored_flag(ignored.is_some())
    .with_kind(ignored.unwrap_or_default())
}

/// The same over nodes that are newer servers, beside one of them: what they have beyond Redis 7.0 is judged there.
fn over(target: Target, server: Program) -> Trial {
    let found = support::search().find(&server);
    let missing = found.as_ref().err().map(ToString::to_string);
    let ignored = missing.is_some() && !support::required(&server.name);
    let name = format!("{}::no-command-is-wrong-over-{}", target.name, server.name);
    Trial::test(name, move || {
        let matrix = judge(&target, support::search().with_server(found?))?;
        let newer = ["HEXPIRE", "HGETEX", "HTTL"];
        for command in newer {
            match cell(&matrix, command)?.class {
                Class::Correct => {}
                other => return Err(format!("{command} is {}", other.name()).into()),
            }
        }
        nothing_wrong(&matrix)
    })
    .with_ignored_flag(ignored)
    .with_kind(missing.unwrap_or_default())
}

fn is_ours(target: &Target) -> bool {
    target.program.package.is_some()
}

fn cell<'a>(matrix: &'a Matrix, command: &str) -> Result<&'a Cell, Failed> {
    let mut cells = matrix.rows.iter();
    let cell = cells.find(|cell| cell.command == command);
    cell.ok_or_else(|| format!("no row of {command}").into())
}

fn rows() -> Vec<Row> {
    let sources = conformance::files::sheets(&Fixtures::compiled_in()).expect("sheets");
    load(&sources).expect("valid sheets")
}

fn judge(target: &Target, search: Search) -> Result<Matrix, Failed> {
    support::prepare(target);
    let options = RunOptions::new(search, 1);
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let (rows, targets) = (rows(), std::slice::from_ref(target));
    let judged = run::matrix(&options, targets, &rows, &|_, _, _| {});
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
    let wrong = cell(matrix, "SUNIONSTORE")?;
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
    match cell(matrix, "GET")?.class {
        Class::Correct => Ok(()),
        other => Err(format!("GET is {}", other.name()).into()),
    }
}
