//! Coverage conditions: evidence that a scenario really exercised its fault. Without it the verdict is unknown.
//!
//! A condition is one file of this folder, whose stem is its name, and one row of the table below. It counts events of
//! a run; the scenario sets the threshold. Pure: like a law, it does not know the kind of a fault.

mod completed_per_workload;
mod errors_seen;
mod keys_on_several_nodes;
mod keys_per_node;
mod late_replies;
mod reconnects;
mod requests_in_fault;

#[cfg(test)]
mod tests;

use crate::observed::Observed;

/// Something that a run must have had.
pub trait Condition: Sync {
    /// The name in scenarios and reports: the stem of its file, with hyphens.
    fn id(&self) -> &'static str;

    /// The events that are counted.
    fn counts(&self) -> &'static str;

    /// Whether it counts events that only taps record.
    fn needs_taps(&self) -> bool {
        false
    }

    /// How many there were.
    fn count(&self, observed: &Observed) -> usize;
}

/// Every condition, in the order of reports.
pub static CONDITIONS: &[&dyn Condition] = &[
    &requests_in_fault::RequestsInFault,
    &late_replies::LateReplies,
    &keys_per_node::KeysPerNode,
    &keys_on_several_nodes::KeysOnSeveralNodes,
    &reconnects::Reconnects,
    &errors_seen::ErrorsSeen,
    COMPLETED,
];

/// The condition of every run: a proxy that answers nothing breaks few laws.
pub static COMPLETED: &dyn Condition = &completed_per_workload::CompletedPerWorkload;

/// The condition of an id.
#[must_use]
pub fn condition(id: &str) -> Option<&'static dyn Condition> {
    CONDITIONS
        .iter()
        .copied()
        .find(|condition| condition.id() == id)
}

/// What a run lacks for a condition with a threshold; `None` if it meets it.
#[must_use]
pub fn missing(condition: &dyn Condition, at_least: usize, observed: &Observed) -> Option<String> {
    let (id, counted) = (condition.id(), condition.count(observed));
    let counts = condition.counts();
    (counted < at_least).then(|| format!("{id}: {counted} {counts}, at least {at_least} expected"))
}
