//! Jump consistent hash: no table, nodes are numbers, and only the last can be removed.
//!
//! Source: Lamping and Veach, "A Fast, Minimal Memory, Consistent Hash Algorithm" (2014), figure 1.

use super::{NEUTRAL, Policy, Properties, Row, Weights};
use crate::NodeId;
use crate::hosts::Host;
use crate::table::Table;

pub(super) static ROW: Row = Row {
    name: "jump",
    default: Policy::Jump,
    properties: Properties {
        weights: Weights::Unsupported,
        caveat: Some("nodes are numbered: only the last one comes or goes cheaply"),
        ..NEUTRAL
    },
};

pub(super) fn table(hosts: &[Host<'_>]) -> Table {
    // At most the number of ids.
    Table::Jump(hosts.len() as u32)
}

/// The bucket of `digest` among `nodes`, at least one and at most 65535.
pub(crate) fn node(digest: u64, nodes: u32) -> NodeId {
    // Below the number of nodes.
    NodeId(jump_bucket(digest, nodes) as u16)
}

/// The bucket of a digest, from 0: the paper's `JumpConsistentHash`. `buckets` is at least one.
#[must_use]
pub fn jump_bucket(mut digest: u64, buckets: u32) -> u32 {
    let (mut bucket, mut next) = (0_i64, 0_i64);
    while next < i64::from(buckets) {
        bucket = next;
        digest = digest
            .wrapping_mul(2_862_933_555_777_941_757)
            .wrapping_add(1);
        let unit = (1_i64 << 31) as f64 / ((digest >> 33) + 1) as f64;
        next = ((bucket + 1) as f64 * unit) as i64;
    }
    // Below the number of buckets.
    bucket as u32
}

#[cfg(test)]
mod tests {
    use super::node;

    /// From the tests of Guava and of Go's `dgryski/go-jump`, which agree.
    #[test]
    fn published_vectors() {
        for (digest, nodes, expected) in [
            (1, 1, 0),
            (42, 57, 43),
            (0xdead_10cc, 1, 0),
            (0xdead_10cc, 666, 361),
            (256, 1024, 520),
        ] {
            assert_eq!(node(digest, nodes).0, expected, "{digest} among {nodes}");
        }
    }
}
