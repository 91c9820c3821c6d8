//! The scenarios that are tried in the place of a larger one. Each is smaller in one way, and valid.

use super::time;
use crate::scenario::{Load, Scenario};

/// A smaller scenario.
#[derive(Clone)]
pub struct Candidate {
    /// What makes it smaller.
    pub cut: Cut,
    /// The scenario.
    pub scenario: Scenario,
}

/// A way to make a scenario smaller, in the order in which they are tried: what explains most comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cut {
    /// Without one fault.
    Fault,
    /// Without one change of the number of nodes.
    Rescale,
    /// Without one workload.
    Workload,
    /// Shorter.
    Duration,
    /// One fault only once.
    Repetition,
    /// With fewer clients.
    Clients,
    /// With fewer keys.
    Keys,
    /// Fewer requests sent together.
    Pipeline,
    /// With fewer nodes.
    Nodes,
}

impl Cut {
    /// The part that is smaller, for progress.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Fault => "fewer faults",
            Self::Rescale => "fewer rescales",
            Self::Workload => "fewer workloads",
            Self::Duration => "less time",
            Self::Repetition => "no repetition",
            Self::Clients => "fewer clients",
            Self::Keys => "fewer keys",
            Self::Pipeline => "shorter pipelines",
            Self::Nodes => "fewer nodes",
        }
    }
}

/// Every candidate for `scenario`, in the order in which they are tried.
#[must_use]
pub fn smaller(scenario: &Scenario) -> Vec<Candidate> {
    let cuts = [
        (Cut::Fault, without(scenario, |it| &mut it.faults)),
        (Cut::Rescale, without(scenario, |it| &mut it.rescales)),
        (Cut::Workload, without(scenario, |it| &mut it.loads)),
        (Cut::Duration, time::shorter(scenario)),
        (Cut::Repetition, once(scenario)),
        (Cut::Clients, loads(scenario, CLIENTS)),
        (Cut::Keys, loads(scenario, KEYS)),
        (Cut::Pipeline, loads(scenario, PIPELINE)),
        (Cut::Nodes, fewer_nodes(scenario)),
    ];
    let candidates = cuts.into_iter().flat_map(|(cut, scenarios)| {
        let scenarios = scenarios.into_iter();
        scenarios.map(move |scenario| Candidate { cut, scenario })
    });
    // Not valid: a fault on a node that is gone, a repetition that is shorter than its fault, no workload.
    let is_valid = |it: &Candidate| !it.scenario.loads.is_empty() && it.scenario.check().is_ok();
    candidates.filter(is_valid).collect()
}

/// Without one of its rows each.
fn without<T>(scenario: &Scenario, rows: impl Fn(&mut Scenario) -> &mut Vec<T>) -> Vec<Scenario> {
    let count = rows(&mut scenario.clone()).len();
    let without = |row: usize| {
        let mut scenario = scenario.clone();
        rows(&mut scenario).remove(row);
        scenario
    };
    (0..count).map(without).collect()
}

/// With one of its repeated faults only once.
fn once(scenario: &Scenario) -> Vec<Scenario> {
    let once = |row: usize| {
        let mut scenario = scenario.clone();
        scenario.faults[row].every.take().map(|_| scenario)
    };
    (0..scenario.faults.len()).filter_map(once).collect()
}

/// A number of each workload.
#[derive(Clone, Copy)]
struct Number {
    read: fn(&Load) -> u32,
    write: fn(&mut Load, u32),
}

const CLIENTS: Number = Number {
    read: |load| load.clients.into(),
    write: |load, clients| load.clients = u16::try_from(clients).unwrap_or(load.clients),
};
const KEYS: Number = Number {
    read: |load| load.keys,
    write: |load, keys| load.keys = keys,
};
const PIPELINE: Number = Number {
    read: |load| load.pipeline,
    write: |load, requests| load.pipeline = requests,
};

/// A smaller number in every workload at once, then in one workload each.
fn loads(scenario: &Scenario, number: Number) -> Vec<Scenario> {
    let mut candidates = Vec::new();
    let count = scenario.loads.len();
    let all = (count > 1).then_some(0..count);
    let each = (0..count).map(|place| place..place + 1);
    for places in all.into_iter().chain(each) {
        let numbers = scenario.loads[places.clone()].iter().map(number.read);
        for step in fewer(numbers.max().unwrap_or(1).into()) {
            let mut candidate = scenario.clone();
            for load in &mut candidate.loads[places.clone()] {
                let at_most = u32::try_from(step).unwrap_or(u32::MAX);
                (number.write)(load, (number.read)(load).min(at_most));
            }
            candidates.push(candidate);
        }
    }
    candidates
}

/// With fewer nodes. A scenario that changes their number keeps it, and so does one with a fault on the last one, which
/// would not be valid.
fn fewer_nodes(scenario: &Scenario) -> Vec<Scenario> {
    if !scenario.rescales.is_empty() {
        return Vec::new();
    }
    let with = |nodes: u64| Scenario {
        nodes: u16::try_from(nodes).unwrap_or(scenario.nodes),
        ..scenario.clone()
    };
    let counts = fewer(scenario.nodes.into());
    counts.into_iter().map(with).collect()
}

/// Smaller numbers to try: 1, which explains most, then half and three quarters; one less where that is not much less.
fn fewer(number: u64) -> Vec<u64> {
    let mut steps = vec![1, number / 2, number - number / 4];
    if number <= 8 {
        steps.push(number.saturating_sub(1));
    }
    steps.retain(|step| (1..number).contains(step));
    let mut seen = Vec::new();
    for step in steps {
        if !seen.contains(&step) {
            seen.push(step);
        }
    }
    seen
}
