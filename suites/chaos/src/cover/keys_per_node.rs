//! Every node had keys of the workloads.

use super::Condition;
use crate::observed::Observed;

pub(super) struct KeysPerNode;

impl Condition for KeysPerNode {
    fn id(&self) -> &'static str {
        "keys-per-node"
    }

    fn counts(&self) -> &'static str {
        "keys on the node with the fewest"
    }

    fn count(&self, observed: &Observed) -> usize {
        let mut keys = vec![0; observed.node_names.len()];
        for owner in observed.owners.values() {
            if let Some(keys) = keys.get_mut(usize::from(*owner)) {
                *keys += 1;
            }
        }
        keys.into_iter().min().unwrap_or(0)
    }
}
