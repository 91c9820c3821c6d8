//! Ketama as twemproxy builds it: points from MD5, four at a time, their number from single-precision arithmetic.
//!
//! Bit-exact with nutcracker 0.5.0 (`src/hashkit/nc_ketama.c`).

use super::{Policy, Row, TWEMPROXY};
use crate::NodeId;
use crate::hash::{Digest, md5_words};
use crate::hosts::Host;
use crate::ring::Ring;
use crate::table::Table;

pub(super) static ROW: Row = Row {
    name: "ketama",
    default: Policy::Ketama {
        digest: Digest::Fnv1a64,
    },
    properties: TWEMPROXY,
};

pub(super) fn table(hosts: &[Host<'_>]) -> Table {
    Table::Ketama(Ring::new(&points(hosts)))
}

/// Points of a server of average weight, before rounding.
const POINTS_PER_SERVER: f32 = 160.0;
/// Points that one MD5 makes.
const POINTS_PER_HASH: f32 = 4.0;
/// Longer names of points are cut.
const NAME_BYTES_MAX: usize = 272;

/// The points in ascending order with their owners. Hosts are expected in twemproxy's order, which decides between equal
/// points.
fn points(hosts: &[Host<'_>]) -> Vec<(u32, NodeId)> {
    let mut points = Vec::with_capacity(hosts.len() * 160);
    for (host, hashes) in hosts.iter().zip(hashes_per_host(hosts)) {
        for number in 0..hashes {
            let mut name = format!("{}-{number}", host.key).into_bytes();
            name.truncate(NAME_BYTES_MAX);
            points.extend(md5_words(&name).map(|point| (point, host.id)));
        }
    }
    points.sort_by_key(|(point, _)| *point);
    points
}

/// A quarter of the points of each host. Every step rounds to single precision, which costs a few points: 25 equal
/// servers get 39 instead of 40. A host of very small weight gets none.
fn hashes_per_host(hosts: &[Host<'_>]) -> impl Iterator<Item = u32> {
    // The original adds up in 32 bits as well.
    let total: u32 = hosts.iter().map(|host| host.weight).sum();
    let count = hosts.len() as f32;
    hosts.iter().map(move |host| {
        let share = host.weight as f32 / total as f32;
        let quarter = share * POINTS_PER_SERVER / POINTS_PER_HASH * count;
        (f64::from(quarter) + 1e-10) as f32 as u32
    })
}

#[cfg(test)]
mod tests {
    use super::{Host, hashes_per_host};
    use crate::NodeId;

    #[track_caller]
    fn check(weights: &[u32], points: &[u32]) {
        let hosts: Vec<_> = weights
            .iter()
            .map(|weight| Host {
                id: NodeId(0),
                key: "",
                weight: *weight,
                share: 0.0,
            })
            .collect();
        let counts: Vec<u32> = hashes_per_host(&hosts).map(|hashes| hashes * 4).collect();
        assert_eq!(counts, points, "weights {weights:?}");
    }

    #[test]
    fn counts_are_rounded_as_twemproxy_rounds_them() {
        check(&[1, 2, 3], &[80, 160, 240]);
        check(&[1, 2, 1, 3], &[88, 180, 88, 272]);
        check(&[1, 4], &[64, 256]);
        check(&[1, 1, 2], &[120, 120, 240]);
        check(&[29, 41, 50], &[112, 164, 200]);
        check(&[1, 2, 6, 8, 8], &[28, 60, 188, 252, 252]);
        check(&[100_000, 1], &[316, 0]);
        check(&[300, 1, 1], &[476, 0, 0]);
    }

    #[test]
    fn some_counts_of_equal_servers_lose_a_hash() {
        let short: Vec<usize> = (1..=200)
            .filter(|count| {
                let equal = vec![1; *count];
                let hosts: Vec<_> = equal
                    .iter()
                    .map(|weight| Host {
                        id: NodeId(0),
                        key: "",
                        weight: *weight,
                        share: 0.0,
                    })
                    .collect();
                hashes_per_host(&hosts).all(|hashes| hashes == 39)
            })
            .collect();
        assert_eq!(
            short,
            [
                25, 47, 50, 55, 61, 71, 94, 100, 107, 109, 110, 115, 122, 142, 159, 163, 188, 193,
                200
            ]
        );
    }
}
