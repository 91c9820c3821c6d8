//! Every command on the installed proxies: the one of this workspace is never wrong, and the others show that the judge
//! can distinguish wrong from right.

use conformance::matrix::{Cell, Matrix, Row, load};
use conformance::verdict::Class;
use libtest_mimic::{Failed, Trial};
use shardproof::report::terminal;
use shardproof::run;
use testbed::cluster::RunOptions;
use testbed::fixtures::Fixtures;
use testbed::program::{Program, Search};
use testbed::targets::Target;
use tokio::runtime::Builder;

use crate::support;
use crate::turns;

/// A law for a whole matrix.
type Law = fn(&Matrix) -> Result<(), Failed>;

pub(crate) fn trials() -> Vec<Trial> {
    let targets = support::targets();
    let mut trials: Vec<Trial> = targets.iter().cloned().map(trial).collect();
    for target in targets.iter().filter(|target| is_ours(target)) {
        trials.extend(Program::newer_servers().map(|server| over(target.clone(), server)));
    }
    trials
}

fn trial(target: Target) -> Trial {
    let (promise, law): (_, Law) = if is_ours(&target) {
        ("no-command-is-wrong", nothing_wrong)
    } else {
        ("what-is-wrong-is-found", wrong_found)
    };
    let name = format!("matrix::{}::{promise}", target.name);
    turns::alone(name, support::presence(&target), move || {
        law(&judge(&target, support::search())?)
    })
}

/// The same over nodes that are newer servers, compared with one of them: commands beyond Redis 7.0 are judged there.
fn over(target: Target, server: Program) -> Trial {
    let presence = support::program(&server.name, &server);
    let promise = format!("no-command-is-wrong-over-{}", server.name);
    let name = format!("matrix::{}::{promise}", target.name);
    turns::alone(name, presence, move || {
        let server = support::search().find(&server)?;
        let matrix = judge(&target, support::search().with_server(server))?;
        for command in ["HEXPIRE", "HGETEX", "HTTL"] {
            is_correct(&matrix, command)?;
        }
        nothing_wrong(&matrix)
    })
}

fn is_correct(matrix: &Matrix, command: &str) -> Result<(), Failed> {
    match cell(matrix, command)?.class {
        Class::Correct => Ok(()),
        other => Err(format!("{command} is {}", other.name()).into()),
    }
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
    let is_correct = |cell: &&Cell| cell.class == Class::Correct;
    let correct = matrix.rows.iter().filter(is_correct).count();
    // A proxy that refuses everything is wrong nowhere.
    let serves = correct > matrix.rows.len() / 2;
    if serves && matrix.rows.iter().all(|cell| well(cell.class)) {
        return Ok(());
    }
    Err(terminal::matrix(matrix).into())
}

/// No proxy that sends the whole command to one node stores a union of sets over several nodes; all of them read one
/// back correctly.
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
    is_correct(matrix, "GET")
}
