//! The cost of one more node, by the number of nodes, under each policy.

use schemars::JsonSchema;
use serde::Serialize;

use super::alternatives::{moved, under};
use super::{Change, share};
use crate::planner::{Cluster, Node, Placement, Policy};

/// The numbers of nodes that a node is added to.
const NODES: std::ops::RangeInclusive<usize> = 2..=64;
/// Keys that are asked for: enough for half a percent.
pub(super) const KEYS: usize = 8192;

/// Cost of adding one node under one policy.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Curve {
    /// Name of the target.
    pub policy: String,
    /// One entry per number of nodes.
    pub points: Vec<Point>,
}

/// Cost of adding one node.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, JsonSchema)]
pub struct Point {
    /// Number of nodes before the change.
    pub nodes: usize,
    /// Share of keys that move.
    pub moved_share: f64,
}

/// The curves of all policies that are placements, over nodes of equal weight: the known ones first, then made-up ones.
pub(super) fn curves(change: &Change, keys: &[(&[u8], u64)]) -> Vec<Curve> {
    let nodes = nodes(change);
    let all = keys.iter().map(|(_, times)| times).sum();
    let place = |policy: &Policy, count: usize| {
        let plain = Cluster {
            nodes: nodes[..count].to_vec(),
            ..change.to.cluster.clone()
        };
        Placement::new(&under(&plain, policy)).ok()
    };
    let curve = Policy::compared().map(|policy| {
        let mut points = Vec::new();
        let mut before = place(&policy, *NODES.start());
        for count in NODES {
            let after = place(&policy, count + 1);
            if let (Some(before), Some(after)) = (&before, &after) {
                let moved = moved(keys, before, after, |from, to| from != to);
                points.push(Point {
                    nodes: count,
                    moved_share: share(moved, all),
                });
            }
            before = after;
        }
        Curve {
            policy: policy.name().to_owned(),
            points,
        }
    });
    curve.collect()
}

/// As many nodes as the last point needs.
fn nodes(change: &Change) -> Vec<Node> {
    let known = change.to.cluster.nodes.iter().map(|node| Node {
        hostname: node.hostname.clone(),
        hash_key: node.hash_key.clone(),
        ..Node::at(&node.address)
    });
    let made_up = (1..).map(|number| Node {
        hostname: Some(format!("made-up-{number}")),
        ..Node::at(format!("203.0.113.{number}:6379"))
    });
    known.chain(made_up).take(NODES.end() + 1).collect()
}
