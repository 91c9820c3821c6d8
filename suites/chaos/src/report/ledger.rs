//! The final places of keys with an acknowledged write.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::Serialize;

use crate::history::Completion;
use crate::observed::{Key, Observed};

/// Keys with an acknowledged write, by where they are in the end. A key that was deleted, or whose node lost its data, may
/// be nowhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, JsonSchema)]
pub struct KeyCounts {
    /// Keys with an acknowledged write.
    pub acknowledged: u64,
    /// On the node that the proxy asks, and on no other.
    pub found: u64,
    /// On the node that the proxy asks, and on others.
    pub duplicated: u64,
    /// On another node only.
    pub unreachable: u64,
    /// On no node.
    pub missing: u64,
}

/// Commands whose first word after the name is a key that exists afterwards.
const WRITES: &[&str] = &["GETSET", "INCR", "RPUSH", "SET"];

impl KeyCounts {
    pub(super) fn new(observed: &Observed) -> Self {
        let mut counts = Self::default();
        for key in acknowledged(observed) {
            counts.acknowledged += 1;
            let holders = observed.contents.get(key).map_or(&[][..], Vec::as_slice);
            let owners = match observed.owners_after.is_empty() {
                true => &observed.owners,
                false => &observed.owners_after,
            };
            let owner = owners.get(key);
            let on_owner = holders.iter().any(|(node, _)| Some(node) == owner);
            *match (on_owner, holders.len()) {
                (_, 0) => &mut counts.missing,
                (true, 1) => &mut counts.found,
                (true, _) => &mut counts.duplicated,
                (false, _) => &mut counts.unreachable,
            } += 1;
        }
        counts
    }
}

fn acknowledged(observed: &Observed) -> BTreeSet<&Key> {
    let records = observed.history.records.iter();
    let written = records.filter(|record| {
        let writes = WRITES
            .iter()
            .any(|word| word.as_bytes() == record.request[0]);
        writes && record.completion == Completion::Ok
    });
    written.filter_map(|record| record.request.get(1)).collect()
}
