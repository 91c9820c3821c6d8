//! Predixy's groups of servers: the digest of the key by remainder, in the order of the file.
//!
//! Source: predixy at commit fb1ac64, `src/StandaloneServerPool.cpp` (`getServer`) and `src/HashFunc.cpp`. Read from the source,
//! never compared with a running predixy. A key of more than 512 bytes that spans two of its buffers is hashed by its first
//! 512 bytes there (`src/Buffer.h`, `SegmentStr`), which depends on the requests before it; here the whole key counts.

use super::{NEUTRAL, Policy, Properties, Row, Weights};
use crate::hash::PredixyHash;
use crate::hosts::Host;
use crate::table::Table;

pub(super) static ROW: Row = Row {
    name: "predixy",
    default: Policy::Predixy {
        hash: PredixyHash::Crc16,
    },
    properties: Properties {
        weights: Weights::Unsupported,
        is_like_another: true,
        ..NEUTRAL
    },
};

pub(super) fn table(hosts: &[Host<'_>]) -> Table {
    Table::remainder(hosts.iter().map(|host| host.id).collect())
}
