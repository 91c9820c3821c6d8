//! Random as in twemproxy, and any other balancing that ignores keys: a placement only over one node.

use super::{NEUTRAL, Policy, Properties, Row};
use crate::hosts::Host;
use crate::table::Table;

pub(super) static ROW: Row = Row {
    name: "random",
    default: Policy::Random,
    properties: Properties {
        scatters: true,
        ..NEUTRAL
    },
};

/// There is one host: see `scatters`.
pub(super) fn table(hosts: &[Host<'_>]) -> Table {
    Table::remainder(hosts.iter().map(|host| host.id).collect())
}
