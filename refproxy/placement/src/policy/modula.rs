//! Modula as twemproxy builds it: a list that contains each server once per unit of weight, read by remainder.
//!
//! Source: nutcracker 0.5.0 `src/hashkit/nc_modula.c`.

use super::{Policy, Properties, Row, TWEMPROXY, Weights};
use crate::NodeId;
use crate::hash::Digest;
use crate::hosts::Host;
use crate::table::Table;

/// Each unit of weight takes an entry of the list.
const WEIGHTS_MAX: u32 = 1 << 28;

pub(super) static ROW: Row = Row {
    name: "modula",
    default: Policy::Modula {
        digest: Digest::Fnv1a64,
    },
    properties: Properties {
        weights: Weights::UpTo(WEIGHTS_MAX),
        ..TWEMPROXY
    },
};

pub(super) fn table(hosts: &[Host<'_>]) -> Table {
    Table::remainder(slots(hosts))
}

/// The owner of each remainder. Hosts are expected in twemproxy's order, which decides everything.
fn slots(hosts: &[Host<'_>]) -> Vec<NodeId> {
    hosts
        .iter()
        .flat_map(|host| std::iter::repeat_n(host.id, host.weight as usize))
        .collect()
}
