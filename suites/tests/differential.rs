//! Random requests through each proxy that is at hand, and on one plain Redis: no difference, and one that is made is found.
//!
//! `SHARDPROOF_REQUESTS` says how many, 200,000 otherwise; `SHARDPROOF_SEED` repeats a run.

mod support;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Failed, Trial};
use shardproof::cluster::Ground;
use shardproof::conformance::differential::{self, Report, Wanted};
use shardproof::conformance::matrix::load;
use shardproof::fixtures::Fixtures;
use shardproof::target::Target;
use tokio::runtime::Builder;

use support::Presence;

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    arguments.test_threads = Some(1);
    let trials = support::targets().into_iter().flat_map(|target| {
        let other = target.clone();
        let names = ["no-difference", "a-difference-is-found"]
            .map(|name| format!("{}::{name}", target.name));
        let [same, found] = names;
        let missing = match support::presence(&target) {
            Presence::Missing(why) => Some(why),
            Presence::Expected => None,
        };
        let ours = target.program.package.is_some();
        [
            // What others are known to do wrongly shows in more ways than anybody recorded: they are asked for it only.
            Trial::test(same, move || no_difference(&target)).with_ignored_flag(!ours),
            Trial::test(found, move || difference_found(&other))
                .with_ignored_flag(missing.is_some())
                .with_kind(missing.unwrap_or_default()),
        ]
    });
    libtest_mimic::run(&arguments, trials.collect()).exit_code()
}

fn number(name: &str, otherwise: u64, radix: u32) -> u64 {
    let given = std::env::var(name).ok();
    given.map_or(otherwise, |given| {
        u64::from_str_radix(&given, radix).unwrap_or_else(|why| panic!("{name}={given}: {why}"))
    })
}

fn play(target: &Target, requests: usize, meddle: Option<&[&str]>) -> Result<Report, Failed> {
    support::prepare(target);
    let seed = number("SHARDPROOF_SEED", 1, 16);
    let ground = Ground {
        link_port_base: 22821,
        ..Ground::new(support::search(), seed)
    };
    let sources = Fixtures::compiled_in().matrix().expect("sheets");
    let rows = load(&sources).expect("valid sheets");
    let wanted = Wanted {
        requests,
        place: None,
    };
    let runtime = Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let commands = differential::accepted(target, &ground, &rows).await?;
        let ran = differential::run(target, &ground, &commands, wanted, meddle, &|_| {});
        Ok(ran.await?)
    })
}

fn no_difference(target: &Target) -> Result<(), Failed> {
    let requests = usize::try_from(number("SHARDPROOF_REQUESTS", 200_000, 10))?;
    let report = play(target, requests, None)?;
    if let Some(difference) = &report.difference {
        return Err(difference.case().into());
    }
    // A proxy that refuses everything differs nowhere.
    if report.answered * 3 < report.requests {
        return Err(format!("{} of {} answered", report.answered, report.requests).into());
    }
    Ok(())
}

/// A key is overwritten on its node behind the proxy's back: that is found, and a few steps are enough to show it.
fn difference_found(target: &Target) -> Result<(), Failed> {
    let report = play(target, 3000, Some(&["SET", "$key", "meddled"]))?;
    match report.difference {
        Some(difference) if difference.steps.len() <= 3 => Ok(()),
        Some(difference) => Err(format!("not short: {}", difference.case()).into()),
        None => Err("an overwritten key was not found".into()),
    }
}
