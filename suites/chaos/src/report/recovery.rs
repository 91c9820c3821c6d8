//! Recovery: how long a node stayed unserved after its fault was healed.

use schemars::JsonSchema;
use serde::Serialize;

use crate::history::{Completion, Record};
use crate::observed::{Observed, Subject, Window};

const MILLISECOND: u64 = 1_000_000;

/// A healed fault of a node, and the first request that the node served again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Recovery {
    /// The fault as the scenario writes it.
    pub fault: String,
    /// The node.
    pub node: String,
    /// When it was healed, in milliseconds.
    pub healed_at_ms: u64,
    /// From then to the first reply to a request that was sent later, in milliseconds. None if none came during the load.
    pub served_after_ms: Option<u64>,
}

/// One entry per fault of a node.
pub(super) fn recoveries(observed: &Observed) -> Vec<Recovery> {
    let of_nodes = observed
        .windows
        .iter()
        .filter_map(|window| match window.on {
            Subject::Node(node) => Some(recovery(observed, window, node)),
            Subject::Proxy | Subject::Clients => None,
        });
    of_nodes.collect()
}

fn recovery(observed: &Observed, window: &Window, node: u16) -> Recovery {
    let healed = window.span.to;
    let records = &observed.history.records;
    let from = records.partition_point(|record| record.sent < healed);
    let served = records[from..]
        .iter()
        .filter(|record| record.completion == Completion::Ok && is_of(observed, record, node))
        .filter_map(|record| record.received)
        .min();
    Recovery {
        fault: window.fault.clone(),
        node: window.on.to_string(),
        healed_at_ms: healed / MILLISECOND,
        served_after_ms: served.map(|at| at.saturating_sub(healed) / MILLISECOND),
    }
}

/// Whether a node is the owner of the record's only key.
fn is_of(observed: &Observed, record: &Record, node: u16) -> bool {
    let key = record.request.get(1);
    key.and_then(|key| observed.owners.get(key)) == Some(&node)
}
