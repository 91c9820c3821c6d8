//! Random requests through each installed proxy, and on one plain Redis: no difference, and a planted one is found.
//!
//! `SHARDPROOF_REQUESTS` is their number, by default 200,000, and 20,000 for other proxies and newer servers;
//! `SHARDPROOF_SEED` repeats a run.

use conformance::differential::{self, Report, Wanted};
use conformance::{
    self,
    matrix::{Row, Subject, load},
};
use libtest_mimic::{Failed, Trial};
use testbed::cluster::RunOptions;
use testbed::fixtures::{Fixtures, Source};
use testbed::program::{Program, Search};
use testbed::targets::Target;
use tokio::runtime::Builder;

use crate::support;
use crate::turns;

pub(crate) fn trials() -> Vec<Trial> {
    let mut trials: Vec<Trial> = support::targets().into_iter().flat_map(of).collect();
    for target in support::targets() {
        if target.program.package.is_some() {
            trials.extend(Program::newer_servers().map(|server| over(target.clone(), server)));
        }
    }
    trials
}

fn of(target: Target) -> [Trial; 2] {
    let requests = match target.program.package {
        Some(_) => 200_000,
        None => 20_000,
    };
    let presence = support::presence(&target);
    let name = |promise| format!("differential::{}::{promise}", target.name);
    let (same, found) = (name("no-difference"), name("a-difference-is-found"));
    let other = target.clone();
    [
        turns::alone(same, presence.clone(), move || {
            no_difference(&target, support::search(), requests)
        }),
        turns::alone(found, presence, move || difference_found(&other)),
    ]
}

/// The same over nodes that are newer servers, compared with one of them.
fn over(target: Target, server: Program) -> Trial {
    let presence = support::program(&server.name, &server);
    let promise = format!("no-difference-over-{}", server.name);
    let name = format!("differential::{}::{promise}", target.name);
    turns::alone(name, presence, move || {
        let server = support::search().find(&server)?;
        no_difference(&target, support::search().with_server(server), 20_000)
    })
}

fn number(name: &str, otherwise: u64, radix: u32) -> u64 {
    let given = std::env::var(name).ok();
    given.map_or(otherwise, |given| {
        u64::from_str_radix(&given, radix).unwrap_or_else(|why| panic!("{name}={given}: {why}"))
    })
}

fn seed() -> u64 {
    number("SHARDPROOF_SEED", 1, 16)
}

fn play(
    target: &Target,
    search: Search,
    requests: usize,
    meddle: Option<&[&str]>,
) -> Result<Report, Failed> {
    support::prepare(target);
    let options = RunOptions {
        link_port_base: 22821,
        ..RunOptions::new(search, seed())
    };
    let sources = conformance::files::sheets(&Fixtures::compiled_in()).expect("sheets");
    let mut rows = load(&sources).expect("valid sheets");
    rows.retain(|row| !is_known(target, row));
    let wanted = Wanted {
        requests,
        place: None,
    };
    let runtime = Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let subject = Subject::Target(Box::new(target.clone()));
        let (commands, _) = differential::accepted(&subject, &options, &rows).await?;
        let ran = differential::run(&subject, &options, &commands, wanted, meddle, &|_| {});
        Ok(ran.await?)
    })
}

/// Whether a target has a recorded deviation in the command with which the row begins or ends, which shows in more than
/// one way: without EXEC no transactions are drawn, and without WATCH none that watch.
fn is_known(target: &Target, row: &Row) -> bool {
    let case = match row.command.as_str() {
        "EXEC" => "transactions/requests-after-exec",
        "WATCH" => "transactions/watch-aborts-after-write",
        _ => return false,
    };
    target.deviation(case).is_some()
}

fn no_difference(target: &Target, search: Search, requests: u64) -> Result<(), Failed> {
    let requests = usize::try_from(number("SHARDPROOF_REQUESTS", requests, 10))?;
    let report = play(target, search, requests, None)?;
    if let Some(difference) = &report.difference {
        return Err(format!("SHARDPROOF_SEED={:x}\n{}", seed(), difference.case()).into());
    }
    // Only targets with a recorded deviation refuse a request by closing the connection.
    if report.cut_short > 0 && target.deviation("refusals/connection-stays-open").is_none() {
        return Err(format!("{} rounds ended early", report.cut_short).into());
    }
    // A proxy that refuses everything differs nowhere.
    if report.answered * 3 < report.requests {
        return Err(format!("{} of {} answered", report.answered, report.requests).into());
    }
    Ok(())
}

/// The printed text can be put into a file below `fixtures/conformance`.
fn is_a_case(text: &str) -> Result<(), Failed> {
    let source = Source {
        path: "found.case".to_owned(),
        id: "found".to_owned(),
        text: text.to_owned(),
    };
    match conformance::load(&[source]) {
        Ok(_) => Ok(()),
        Err(errors) => Err(format!("{errors:?} in:\n{text}").into()),
    }
}

/// A key is overwritten on its node behind the proxy's back: the difference is found, and a few steps are enough to
/// show it.
fn difference_found(target: &Target) -> Result<(), Failed> {
    let report = play(
        target,
        support::search(),
        3000,
        Some(&["SET", "$key", "meddled"]),
    )?;
    match report.difference {
        Some(difference) if difference.steps.len() <= 3 => is_a_case(&difference.case()),
        Some(difference) => Err(format!("not short: {}", difference.case()).into()),
        None => Err("an overwritten key was not found".into()),
    }
}
