//! Ketama as its authors wrote it: points from MD5 as in twemproxy, counted and named a little differently.
//!
//! Bit-exact with libketama (`libketama/ketama.c` of Last.fm, 2c6284c).

use super::{NEUTRAL, Policy, Row};
use crate::NodeId;
use crate::hash::md5_words;
use crate::hosts::Host;
use crate::ring::Ring;
use crate::table::Table;

pub(super) static ROW: Row = Row {
    name: "libketama",
    default: Policy::Libketama,
    properties: NEUTRAL,
};

pub(super) fn table(hosts: &[Host<'_>]) -> Table {
    Table::Ketama(Ring::new(&points(hosts)))
}

/// Hashes of a server of average weight, with four points each.
const HASHES_PER_SERVER: f64 = 40.0;

/// The points in ascending order with their owners. A server is hashed by its whole address, and the order
/// of the description decides between equal points.
fn points(hosts: &[Host<'_>]) -> Vec<(u32, NodeId)> {
    let total: u64 = hosts.iter().map(|host| u64::from(host.weight)).sum();
    let mut points = Vec::with_capacity(hosts.len() * 160);
    for host in hosts {
        for number in 0..hashes(host.weight, total, hosts.len()) {
            let name = format!("{}-{number}", host.key);
            points.extend(md5_words(name.as_bytes()).map(|point| (point, host.id)));
        }
    }
    points.sort_by_key(|(point, _)| *point);
    points
}

/// The share is rounded to single precision, the product is not before its fraction is dropped.
fn hashes(weight: u32, total: u64, servers: usize) -> u32 {
    let share = weight as f32 / total as f32;
    let product = f64::from(share) * HASHES_PER_SERVER * servers as f64;
    (product as f32).floor() as u32
}
