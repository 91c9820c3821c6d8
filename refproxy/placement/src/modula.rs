//! Modula as twemproxy builds it: a list in which each server stands as often as it weighs, read by remainder.
//!
//! Source: nutcracker 0.5.0 `src/hashkit/nc_modula.c`.

use super::{Host, NodeId};

/// The owner of each remainder. Hosts are expected in twemproxy's order, which decides everything.
pub(super) fn slots(hosts: &[Host<'_>]) -> Vec<NodeId> {
    hosts
        .iter()
        .flat_map(|host| std::iter::repeat_n(host.id, host.weight as usize))
        .collect()
}
