//! Every chaos scenario on every target, one named test each: `scenarios::envoy::node-paused`. Those whose faults act on
//! nodes also run on nodes in containers, on three and on four: `scenarios::docker::refproxy::4-nodes::node-paused`.

use chaos::report::{ScenarioReport, Verdict};
use chaos::scenario::{self, Scenario};
use libtest_mimic::{Failed, Trial};
use shardproof::report::terminal;
use shardproof::run::{self, RunOptions};
use testbed::cluster::Source;
use testbed::fixtures::Fixtures;
use testbed::targets::Target;

use crate::support::{self, Presence, docker};
use crate::turns;

const SEED: u64 = 1;
/// Ports of links, for processes and containers as nodes.
const PORT_BASE: u16 = 21101;
const CONTAINERS_PORT_BASE: u16 = 21601;
/// Runs of a scenario, each with the next seed, while there is no verdict: the machine stalled too often, or chance left
/// nothing to judge.
const RUNS_MAX: u64 = 3;

/// Scenarios on nodes in containers. The proxy is the workspace's own, because these test the suite.
const IN_CONTAINERS: &[&str] = &[
    "all-nodes-down",
    "late-reply",
    "node-partitioned",
    "node-paused",
    "node-replaced",
    "node-restarted-empty",
    "node-restarted-with-data",
    "rescale-under-load",
];

/// Scenarios that run alone: several would open more connections than a process may have.
const ALONE: &[&str] = &["ten-thousand-idle-connections"];

/// Sizes of the clusters in containers.
const SIZES: [u16; 2] = [3, 4];

pub(crate) fn trials() -> Vec<Trial> {
    let sources = scenario::files(&Fixtures::compiled_in()).expect("scenario files");
    let scenarios = scenario::load_all(&sources).unwrap_or_else(|error| panic!("{error}"));
    let targets = support::targets();
    // Neighbours are of different targets, so that they run at the same time.
    let mut trials: Vec<Trial> = scenarios
        .iter()
        .flat_map(|scenario| targets.iter().map(move |target| (target, scenario)))
        .map(|(target, scenario)| on_processes(target, scenario))
        .collect();
    let ours = |target: &&Target| target.program.package.is_some();
    for target in targets.iter().filter(ours) {
        // One of them next to each scenario.
        let mut next = 0;
        for trial in in_containers(target, &scenarios) {
            trials.insert(next.min(trials.len()), trial);
            next += targets.len() + 1;
        }
    }
    trials
}

/// The first port of the links of a target's scenarios. Each target has ports of its own, and so have containers.
fn port_base(target: &Target, nodes: &Source) -> u16 {
    let mut targets = support::targets().into_iter();
    let place = targets.position(|other| other.name == target.name);
    let place = u16::try_from(place.unwrap_or_default()).unwrap_or_default();
    match nodes {
        Source::Docker { .. } => CONTAINERS_PORT_BASE + 100 * place,
        Source::Process | Source::External(_) => PORT_BASE + 100 * place,
    }
}

fn on_processes(target: &Target, scenario: &Scenario) -> Trial {
    let name = format!("scenarios::{}::{}", target.name, scenario.id);
    let base = port_base(target, &Source::Process);
    let repeat = format!(
        "shardproof chaos {} --target {} --seed {SEED:x} --link-port-base {base}",
        scenario.id, target.name
    );
    let run = Run {
        target: target.clone(),
        scenario: scenario.clone(),
        nodes: Source::Process,
        repeat,
    };
    run.trial(name, Presence::Expected)
}

fn in_containers(target: &Target, scenarios: &[Scenario]) -> Vec<Trial> {
    let presence = docker::presence();
    let mut trials = Vec::new();
    for id in IN_CONTAINERS {
        let found = scenarios.iter().find(|scenario| scenario.id == *id);
        let scenario = found.unwrap_or_else(|| panic!("no scenario {id}"));
        for size in SIZES.into_iter().filter(|size| fits(*size, scenario)) {
            let name = format!("scenarios::docker::{}::{size}-nodes::{id}", target.name);
            let run = Run {
                target: target.clone(),
                scenario: Scenario {
                    nodes: size,
                    ..scenario.clone()
                },
                nodes: Source::Docker { image: None },
                repeat: format!(
                    "cargo test -p shardproof --features docker --test conformance -- --exact {name}"
                ),
            };
            trials.push(run.trial(name, presence.clone()));
        }
    }
    trials
}

/// Whether every rescale of the scenario changes a cluster that begins with this size.
fn fits(size: u16, scenario: &Scenario) -> bool {
    let first = scenario.rescales.first();
    first.is_none_or(|rescale| rescale.nodes != size)
}

/// One scenario on one target.
struct Run {
    target: Target,
    scenario: Scenario,
    nodes: Source,
    repeat: String,
}

impl Run {
    fn trial(self, name: String, nodes: Presence) -> Trial {
        let able = match run::obstacle(&self.options(), &self.target, &self.scenario) {
            None => Presence::Expected,
            Some(why) => Presence::Missing(why),
        };
        let presence = support::presence(&self.target).and(nodes).and(able);
        match ALONE.contains(&self.scenario.id.as_str()) {
            true => turns::alone(name, presence, move || self.judge()),
            false => turns::shared(name, presence, move || self.judge()),
        }
    }

    fn options(&self) -> RunOptions {
        RunOptions {
            nodes: self.nodes.clone(),
            link_port_base: port_base(&self.target, &self.nodes),
            ..RunOptions::new(support::search(), SEED)
        }
    }

    fn judge(&self) -> Result<(), Failed> {
        support::prepare(&self.target);
        let runtime = tokio::runtime::Runtime::new()?;
        let mut runs = 0;
        let mut report = loop {
            let options = RunOptions {
                seed: SEED + runs,
                ..self.options()
            };
            let running = run::chaos(&options, &self.target, &self.scenario, &|_| ());
            let report = runtime.block_on(running)?.report;
            runs += 1;
            if report.verdict != Verdict::Unknown || runs == RUNS_MAX {
                break report;
            }
        };
        report.repeat.clone_from(&self.repeat);
        outcome(&report).map_err(|why| {
            let story = terminal::scenario(&report);
            Failed::from(format!("{why}\n\n{story}"))
        })
    }
}

fn stalled(report: &ScenarioReport) -> bool {
    let observed = report.observed.as_ref();
    observed.is_some_and(|observed| !observed.timeline.stalls_ms.is_empty())
}

/// An optional law does not fail a test, nor does a law that a stalled machine leaves unknown.
fn outcome(report: &ScenarioReport) -> Result<(), String> {
    let counts = |verdict| {
        let mut laws = report.laws.iter();
        laws.any(|law| law.verdict == verdict && !law.optional)
    };
    match report.verdict {
        Verdict::Broken if counts(Verdict::Broken) => Err("a law is broken".to_owned()),
        Verdict::Mended => Err("a recorded violation no longer occurs: remove its row".to_owned()),
        Verdict::Unknown if !stalled(report) => Err("it could not be judged".to_owned()),
        Verdict::Skipped => Err("it was skipped".to_owned()),
        _ => Ok(()),
    }
}
