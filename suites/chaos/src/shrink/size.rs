//! How large a scenario is, in what shrinking makes smaller.

use std::fmt;

use schemars::JsonSchema;
use serde::Serialize;

use crate::scenario::Scenario;

/// The size of a scenario.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Size {
    /// Faults, one per row.
    pub faults: usize,
    /// How many of them are repeated.
    pub repeated_faults: usize,
    /// Changes of the number of nodes.
    pub rescales: usize,
    /// Workloads.
    pub workloads: usize,
    /// Clients of all workloads.
    pub clients: u32,
    /// Keys of all workloads.
    pub keys: u64,
    /// Requests that a client sends together, summed over the workloads.
    pub pipeline: u64,
    /// Nodes at the start.
    pub nodes: u16,
    /// How long clients send requests, in milliseconds.
    pub duration_ms: u64,
}

impl Size {
    /// The size of `scenario`.
    #[must_use]
    pub fn of(scenario: &Scenario) -> Self {
        let (loads, faults) = (&scenario.loads, &scenario.faults);
        Self {
            faults: faults.len(),
            repeated_faults: faults.iter().filter(|row| row.every.is_some()).count(),
            rescales: scenario.rescales.len(),
            workloads: loads.len(),
            clients: loads.iter().map(|load| u32::from(load.clients)).sum(),
            keys: loads.iter().map(|load| u64::from(load.keys)).sum(),
            pipeline: loads.iter().map(|load| u64::from(load.pipeline)).sum(),
            nodes: scenario.nodes,
            duration_ms: u64::try_from(scenario.duration.as_millis()).unwrap_or(u64::MAX),
        }
    }

    /// Whether it is smaller than `other` in something, and larger in nothing.
    #[must_use]
    pub fn is_below(&self, other: &Self) -> bool {
        let pairs = self.all().into_iter().zip(other.all());
        self != other && pairs.into_iter().all(|(this, other)| this <= other)
    }

    fn all(&self) -> [u64; 9] {
        [
            self.faults as u64,
            self.repeated_faults as u64,
            self.rescales as u64,
            self.workloads as u64,
            self.clients.into(),
            self.keys,
            self.pipeline,
            self.nodes.into(),
            self.duration_ms,
        ]
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = vec![counted(self.faults as u64, "fault")];
        if self.rescales > 0 {
            parts.push(counted(self.rescales as u64, "rescale"));
        }
        parts.push(counted(self.clients.into(), "client"));
        parts.push(counted(self.keys, "key"));
        parts.push(counted(self.nodes.into(), "node"));
        write!(
            f,
            "{}, {} s",
            parts.join(", "),
            self.duration_ms as f64 / 1000.0
        )
    }
}

fn counted(count: u64, what: &str) -> String {
    match count {
        1 => format!("1 {what}"),
        _ => format!("{count} {what}s"),
    }
}
