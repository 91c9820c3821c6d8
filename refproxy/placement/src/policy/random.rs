//! Random as twemproxy has it, and any other balancing that ignores keys: a placement only over one node.

use super::{Names, Nodes, Policy, Row, Weights};
use crate::digest::KeyDigest;
use crate::setting;
use crate::table::Table;

pub(super) static ROW: Row = Row {
    name: "random",
    default: Policy::Random,
    settings: setting::none,
    nodes: Nodes::All,
    names: Names::Address,
    weights: Weights::UpTo(u32::MAX),
    scatters: true,
    tags: None,
    digest: |_| KeyDigest::Murmur2,
    // There is one host: see `scatters`.
    table: |_, _, hosts| Ok(Table::remainder(hosts.iter().map(|host| host.id).collect())),
    caveat: None,
};
