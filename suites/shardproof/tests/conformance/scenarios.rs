//! Every chaos scenario on every target, one named test each: `scenarios::envoy::node-paused`.

use chaos::report::{ScenarioReport, Verdict};
use chaos::scenario::{self, Scenario};
use libtest_mimic::{Failed, Trial};
use shardproof::report::terminal;
use shardproof::run::{self, RunOptions};
use testbed::fixtures::Fixtures;
use testbed::targets::Target;

use crate::support::{self, Presence};

const SEED: u64 = 1;

pub(crate) fn trials() -> Vec<Trial> {
    let sources = scenario::files(&Fixtures::compiled_in()).expect("scenario files");
    let scenarios = scenario::load_all(&sources).unwrap_or_else(|error| panic!("{error}"));
    let of_target = |target: Target| {
        let trials = scenarios.iter().map(|scenario| trial(&target, scenario));
        trials.collect::<Vec<_>>()
    };
    support::targets().into_iter().flat_map(of_target).collect()
}

fn trial(target: &Target, scenario: &Scenario) -> Trial {
    let name = format!("scenarios::{}::{}", target.name, scenario.id);
    let lacking = scenario.lacking(target);
    let able = match lacking.is_empty() {
        true => Presence::Expected,
        false => Presence::Missing(format!("needs {}", lacking.join(", "))),
    };
    let (target, scenario) = (target.clone(), scenario.clone());
    let presence = support::presence(&target).and(able);
    support::trial(name, presence, move || judge(&target, &scenario))
}

fn judge(target: &Target, scenario: &Scenario) -> Result<(), Failed> {
    support::prepare(target);
    let options = RunOptions::new(support::search(), SEED);
    let runtime = tokio::runtime::Runtime::new()?;
    let mut judged = runtime.block_on(run::chaos(&options, target, scenario, &|_| ()))?;
    judged.report.repeat = format!(
        "shardproof chaos {} --target {} --seed {SEED:x}",
        scenario.id, target.name
    );
    outcome(&judged.report).map_err(|why| {
        let story = terminal::scenario(&judged.report);
        Failed::from(format!("{why}\n\n{story}"))
    })
}

/// A law that is optional does not fail a test, nor does what a stalled machine leaves unknown.
fn outcome(report: &ScenarioReport) -> Result<(), String> {
    let counts = |verdict| {
        let mut laws = report.laws.iter();
        laws.any(|law| law.verdict == verdict && !law.optional)
    };
    let stalled = report
        .observed
        .as_ref()
        .is_some_and(|observed| !observed.timeline.stalls_ms.is_empty());
    match report.verdict {
        Verdict::Broken if counts(Verdict::Broken) => Err("a law is broken".to_owned()),
        Verdict::Mended => Err("a recorded violation no longer occurs: remove its row".to_owned()),
        Verdict::Unknown if !stalled => Err("it could not be judged".to_owned()),
        _ => Ok(()),
    }
}
