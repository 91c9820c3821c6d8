//! The cost of the same change under other policies, on a sample of the keys.

use placement;
use schemars::JsonSchema;
use serde::Serialize;

use super::balance::{Balance, balance, expected};
use super::{Change, share};
use crate::planner::{Cluster, NodeId, Placement, Policy};

/// The change under each policy.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Alternatives {
    /// Keys that were requested.
    pub keys: u64,
    /// Whether all nodes are listed.
    pub all_keys: bool,
    /// One entry per policy that can place the keys.
    pub policies: Vec<Alternative>,
}

/// The change under one policy, before and after.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Alternative {
    /// Name of the target.
    pub policy: String,
    /// Share of keys that would move; null if the policy cannot place them.
    pub moved_share: Option<f64>,
    /// The balance after the change.
    pub balance: Option<Balance>,
    /// A note about the policy, or the reason why it cannot place the keys.
    pub note: Option<String>,
}

/// Every policy that is a placement, over the nodes of the change and on these keys.
pub(super) fn alternatives(change: &Change, keys: &[(&[u8], u64)], all_keys: bool) -> Alternatives {
    let policies = Policy::compared().map(|policy| {
        alternative(change, &policy, keys).unwrap_or_else(|why| Alternative {
            policy: policy.name().to_owned(),
            moved_share: None,
            balance: None,
            note: Some(why.to_string()),
        })
    });
    Alternatives {
        keys: keys.iter().map(|(_, times)| times).sum(),
        all_keys,
        policies: policies.collect(),
    }
}

fn alternative(
    change: &Change,
    policy: &Policy,
    keys: &[(&[u8], u64)],
) -> Result<Alternative, placement::Error> {
    let from = under(&change.from.cluster, policy);
    let to = under(&change.to.cluster, policy);
    let (before, after) = (Placement::new(&from)?, Placement::new(&to)?);
    let moved = moved(keys, &before, &after, |from, to| {
        change.rows[from.index()] != change.columns[to.index()]
    });
    let mut counts = vec![0; to.nodes.len()];
    for (key, times) in keys {
        counts[after.node(key).index()] += times;
    }
    let all = keys.iter().map(|(_, times)| times).sum();
    Ok(Alternative {
        policy: policy.name().to_owned(),
        moved_share: Some(share(moved, all)),
        balance: Some(balance(&counts, &expected(&to, &after))),
        note: policy.caveat().map(str::to_owned),
    })
}

/// How many of `keys` move, where `differ` tells one node from another.
pub(super) fn moved(
    keys: &[(&[u8], u64)],
    before: &Placement,
    after: &Placement,
    differ: impl Fn(NodeId, NodeId) -> bool,
) -> u64 {
    let moving = keys
        .iter()
        .filter(|(key, _)| differ(before.node(key), after.node(key)));
    moving.map(|(_, times)| times).sum()
}

/// The cluster with another policy; with its own settings if the policy is the same.
pub(super) fn under(cluster: &Cluster, policy: &Policy) -> Cluster {
    let same = cluster.policy.name() == policy.name();
    let policy = if same { &cluster.policy } else { policy };
    Cluster {
        policy: policy.clone(),
        ..cluster.clone()
    }
}
