//! Rendezvous hashing: every node bids for a key, the highest bid wins, weights by the logarithm method.
//!
//! Source: Thaler and Ravishankar, "Using Name-Based Mappings to Increase Hit Rates" (1998); weights after Schindelhauer and
//! Schomaker, "Weighted Distributed Hash Tables" (2005). The mix of the two digests is refproxy's own: no other proxy has this policy.

use xxhash_rust::xxh64::xxh64;

use super::{NEUTRAL, Policy, Row};
use crate::NodeId;
use crate::hosts::Host;
use crate::table::Table;

pub(super) static ROW: Row = Row {
    name: "rendezvous",
    default: Policy::Rendezvous,
    properties: NEUTRAL,
};

pub(super) fn table(hosts: &[Host<'_>]) -> Table {
    Table::Rendezvous(NodeDigests::new(hosts))
}

/// The digest of each node, computed once.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct NodeDigests(Box<[(u64, f64, NodeId)]>);

impl NodeDigests {
    fn new(hosts: &[Host<'_>]) -> Self {
        Self(
            hosts
                .iter()
                .map(|host| {
                    (
                        xxh64(host.key.as_bytes(), 0),
                        f64::from(host.weight),
                        host.id,
                    )
                })
                .collect(),
        )
    }

    /// Computes the bid of every node: work in proportion to their number.
    pub(crate) fn node(&self, digest: u64) -> NodeId {
        let mut best = (f64::NEG_INFINITY, 0, NodeId(0));
        for (host, weight, id) in &self.0 {
            let bid = (weight / -unit(mix(digest ^ host)).ln(), *host, *id);
            // The node's own digest decides between equal bids, so that the order of nodes never does.
            if (bid.0, bid.1) > (best.0, best.1) {
                best = bid;
            }
        }
        best.2
    }

    /// In proportion to the weights.
    pub(crate) fn shares(&self, nodes: usize) -> Vec<f64> {
        let sum: f64 = self.0.iter().map(|(_, weight, _)| weight).sum();
        let mut shares = vec![0.0; nodes];
        for (_, weight, id) in &self.0 {
            shares[id.index()] = weight / sum;
        }
        shares
    }
}

/// The finish of MurmurHash3's 64-bit half: each bit of the input reaches each bit of the output.
fn mix(mut value: u64) -> u64 {
    value ^= value >> 33;
    value = value.wrapping_mul(0xff51_afd7_ed55_8ccd);
    value ^= value >> 33;
    value = value.wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    value ^ (value >> 33)
}

/// Strictly between 0 and 1.
fn unit(value: u64) -> f64 {
    ((value >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
}
