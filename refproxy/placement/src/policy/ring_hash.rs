//! Ring hash as Envoy builds it: every node has points on a ring of 64-bit numbers, a key belongs to the next point.
//!
//! Bit-exact with Envoy 1.40 (`ring_hash_lb.cc`): points are dealt by accumulating floating-point targets in the order of
//! the description, so the order of nodes can decide about a point.

use xxhash_rust::xxh64::xxh64;

use super::{ENVOY, Policy, Row};
use crate::hash::murmur2_64;
use crate::hosts::Host;
use crate::ring::Ring;
use crate::setting::{Setting, Value};
use crate::table::Table;
use crate::{Error, NodeId};

/// Envoy's default for the least number of points.
pub const SIZE_MIN_DEFAULT: u32 = 1024;
/// Envoy's largest ring, and its default for the greatest number of points.
pub const SIZE_MAX: u32 = 8_388_608;

pub(super) static ROW: Row = Row {
    name: "ring_hash",
    default: Policy::RingHash {
        size_min: SIZE_MIN_DEFAULT,
        size_max: SIZE_MAX,
        function: RingFunction::XxHash,
        hash_hostnames: false,
    },
    properties: ENVOY,
};

/// A ring of points between these two numbers of them.
pub(super) fn table(
    hosts: &[Host<'_>],
    sizes: (u32, u32),
    function: RingFunction,
) -> Result<Table, Error> {
    let points = points(hosts, sizes, function)?;
    Ok(Table::Ring(Ring::new(&points)))
}

/// The function that places the points of a node: Envoy's `hash_function`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum RingFunction {
    /// `XX_HASH`: XXH64, the default.
    #[default]
    XxHash,
    /// `MURMUR_HASH_2`: also the digest of keys.
    Murmur2,
}

impl RingFunction {
    /// Both of them.
    pub const ALL: [Self; 2] = [Self::XxHash, Self::Murmur2];

    /// The name in Envoy's configuration.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::XxHash => "XX_HASH",
            Self::Murmur2 => "MURMUR_HASH_2",
        }
    }

    fn of(self, bytes: &[u8]) -> u64 {
        match self {
            Self::XxHash => xxh64(bytes, 0),
            Self::Murmur2 => murmur2_64(bytes),
        }
    }
}

impl Setting for RingFunction {
    fn value(&self) -> Value {
        Value::Word(self.name().to_owned())
    }

    fn set(&mut self, value: &Value) -> Result<(), String> {
        let known = |function: &Self| *value == function.value();
        match Self::ALL.into_iter().find(known) {
            Some(function) => *self = function,
            None => return Err(Self::ALL.map(Self::name).join(" or ")),
        }
        Ok(())
    }
}

/// The points in ascending order with their owners.
fn points(
    hosts: &[Host<'_>],
    (size_min, size_max): (u32, u32),
    function: RingFunction,
) -> Result<Vec<(u64, NodeId)>, Error> {
    check_size(size_min, size_max)?;
    // Each step below rounds as Envoy's does; a fused multiply-add would not.
    let least = hosts.iter().fold(1.0_f64, |min, host| min.min(host.share));
    let scale = ((least * f64::from(size_min)).ceil() / least).min(f64::from(size_max));
    let mut points = Vec::with_capacity(scale.ceil() as usize + 1);
    let (mut dealt, mut target) = (0.0, 0.0);
    let mut name = Vec::new();
    for host in hosts {
        target += scale * host.share;
        name.clear();
        name.extend_from_slice(host.key.as_bytes());
        name.push(b'_');
        let stem = name.len();
        let mut number = 0_u32;
        while dealt < target {
            name.truncate(stem);
            name.extend_from_slice(number.to_string().as_bytes());
            points.push((function.of(&name), host.id));
            number += 1;
            dealt += 1.0;
        }
    }
    // Stable, so that the node described first wins between equal points.
    points.sort_by_key(|(point, _)| *point);
    Ok(points)
}

fn check_size(size_min: u32, size_max: u32) -> Result<(), Error> {
    for size in [size_min, size_max] {
        if !(1..=SIZE_MAX).contains(&size) {
            return Err(Error::RingSize(size));
        }
    }
    if size_min > size_max {
        return Err(Error::RingSizes { size_min, size_max });
    }
    Ok(())
}
