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
/// Runs of a scenario while the machine stalls too often for a verdict.
const RUNS_MAX: u64 = 3;

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
    let runtime = tokio::runtime::Runtime::new()?;
    let mut run = 0;
    let report = loop {
        let seed = SEED + run;
        let options = RunOptions::new(support::search(), seed);
        let mut judged = runtime.block_on(run::chaos(&options, target, scenario, &|_| ()))?;
        judged.report.repeat = format!(
            "shardproof chaos {} --target {} --seed {seed:x}",
            scenario.id, target.name
        );
        run += 1;
        let is_unknown = judged.report.verdict == Verdict::Unknown && stalled(&judged.report);
        if !is_unknown || run == RUNS_MAX {
            break judged.report;
        }
    };
    outcome(&report).map_err(|why| {
        let story = terminal::scenario(&report);
        Failed::from(format!("{why}\n\n{story}"))
    })
}

fn stalled(report: &ScenarioReport) -> bool {
    let observed = report.observed.as_ref();
    observed.is_some_and(|observed| !observed.timeline.stalls_ms.is_empty())
}

/// A law that is optional does not fail a test, nor does what a stalled machine leaves unknown.
fn outcome(report: &ScenarioReport) -> Result<(), String> {
    let counts = |verdict| {
        let mut laws = report.laws.iter();
        laws.any(|law| law.verdict == verdict && !law.optional)
    };
    match report.verdict {
        Verdict::Broken if counts(Verdict::Broken) => Err("a law is broken".to_owned()),
        Verdict::Mended => Err("a recorded violation no longer occurs: remove its row".to_owned()),
        Verdict::Unknown if !stalled(report) => Err("it could not be judged".to_owned()),
        _ => Ok(()),
    }
}
