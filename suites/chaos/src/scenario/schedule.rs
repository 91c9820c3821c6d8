//! The schedule of a run: when each fault is applied and healed, with all draws that the file leaves to the seed.

use std::fmt;
use std::time::Duration;

use testbed::chance::Chance;
use testbed::fault::Fault;

use super::{FaultRow, Moment, On, Scenario};
use crate::observed::Subject;

/// Every change of a run, in the order of time.
#[derive(Debug, Clone, PartialEq)]
pub struct Schedule {
    /// The changes.
    pub steps: Vec<Step>,
}

/// One change.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// When, from the start of the load.
    pub at: Duration,
    /// The change.
    pub change: Change,
}

/// A change.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// A fault begins; the number tells which one ends later.
    Apply(usize, Fault, Subject),
    /// The fault of this number ends.
    Heal(usize, Fault, Subject),
    /// The proxy gets this number of nodes.
    Rescale(u16),
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Apply(_, fault, on) => write!(f, "{fault} on {on}"),
            Self::Heal(_, fault, on) => write!(f, "{fault} on {on} healed"),
            Self::Rescale(nodes) => write!(f, "rescale to {nodes} nodes"),
        }
    }
}

impl Schedule {
    /// The schedule of a scenario for a seed. No fault is applied after the load, and all are healed by its end.
    #[must_use]
    pub fn new(scenario: &Scenario, chance: Chance) -> Self {
        let mut steps = Vec::new();
        for (number, row) in scenario.faults.iter().enumerate() {
            fault(
                scenario,
                row,
                chance.named("fault").of(number as u64),
                &mut steps,
            );
        }
        for (number, row) in scenario.rescales.iter().enumerate() {
            steps.push(Step {
                at: drawn(row.at, chance.named("rescale").of(number as u64)),
                change: Change::Rescale(row.nodes),
            });
        }
        // At the same time, faults are healed before others are applied.
        steps.sort_by_key(|step| (step.at, matches!(step.change, Change::Apply(..))));
        Self { steps }
    }
}

fn fault(scenario: &Scenario, row: &FaultRow, chance: Chance, steps: &mut Vec<Step>) {
    let mut at = drawn(row.at, chance.named("at"));
    for round in 0_u64.. {
        if at >= scenario.duration {
            return;
        }
        let chance = chance.of(round);
        let ends = (at + drawn(row.lasts, chance.named("for"))).min(scenario.duration);
        for subject in subjects(row.on, scenario.nodes, chance.named("on")) {
            let number = steps.len();
            let step = |at, change| Step { at, change };
            steps.push(step(at, Change::Apply(number, row.fault.clone(), subject)));
            steps.push(step(ends, Change::Heal(number, row.fault.clone(), subject)));
        }
        match row.every {
            Some(every) => at += every.0,
            None => return,
        }
    }
}

fn subjects(on: On, nodes: u16, chance: Chance) -> Vec<Subject> {
    match on {
        On::Node(node) => vec![Subject::Node(node)],
        On::Any => {
            let node = chance.number() % u64::from(nodes);
            vec![Subject::Node(u16::try_from(node).unwrap_or(0))]
        }
        On::All => (0..nodes).map(Subject::Node).collect(),
        On::Proxy => vec![Subject::Proxy],
        On::Clients => vec![Subject::Clients],
    }
}

/// A time of a range, in whole milliseconds.
fn drawn(moment: Moment, chance: Chance) -> Duration {
    let (from, to) = (moment.from.0, moment.to.0);
    let milliseconds = u64::try_from((to - from).as_millis()).unwrap_or(0);
    from + Duration::from_millis(chance.number() % (milliseconds + 1))
}
