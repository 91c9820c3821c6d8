//! Properties of each policy for the search: which are tried first, how their weights are found, and their
//! descriptions.
//!
//! The steps of the search use this module, or the policy itself, and name no policy.

use placement::hash::Digest;
use placement::{Policy, RING_SIZE_MAX, RingFunction};

/// The usual minimum size of a ring.
pub(super) const RING_SIZE: u32 = 1024;

/// Policies with default settings, and with every digest, the likeliest first.
pub(super) fn usual() -> Vec<Policy> {
    let mut policies = vec![
        Policy::maglev(),
        Policy::ring_hash(),
        Policy::ketama(),
        Policy::modula(),
        Ring::uncut(RING_SIZE, RingFunction::Murmur2).policy(),
    ];
    for digest in Digest::all() {
        for policy in [Policy::Ketama { digest }, modula(digest)] {
            if !policies.contains(&policy) {
                policies.push(policy);
            }
        }
    }
    // Where counts of points agree, this is ketama with md5, which a proxy has.
    policies.push(Policy::Libketama);
    policies
}

/// Policies that number nodes instead of hashing them.
pub(super) fn numbered() -> [Policy; 2] {
    [Policy::Slots, Policy::Jump]
}

/// Maglev with a table of this size.
pub(super) fn maglev(table_size: u32) -> Policy {
    Policy::Maglev {
        table_size,
        hash_hostnames: false,
    }
}

/// Modula with this digest.
pub(super) fn modula(digest: Digest) -> Policy {
    Policy::Modula { digest }
}

/// A ring, as in ring_hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ring {
    pub(super) size_min: u32,
    pub(super) size_max: u32,
    pub(super) function: RingFunction,
}

impl Ring {
    /// The functions that place points, the usual one first.
    pub(super) const FUNCTIONS: [RingFunction; 2] = [RingFunction::XxHash, RingFunction::Murmur2];

    /// A ring of at least this size.
    pub(super) fn uncut(size_min: u32, function: RingFunction) -> Self {
        Self {
            size_min,
            size_max: RING_SIZE_MAX,
            function,
        }
    }

    /// A ring of exactly this size.
    pub(super) fn cut(size: u32, function: RingFunction) -> Self {
        Self {
            size_min: size,
            size_max: size,
            function,
        }
    }

    /// The ring of a policy that has one with sizes.
    pub(super) fn of(policy: &Policy) -> Option<Self> {
        match *policy {
            Policy::RingHash {
                size_min,
                size_max,
                function,
                ..
            } => Some(Self {
                size_min,
                size_max,
                function,
            }),
            _ => None,
        }
    }

    /// The policy, which hashes addresses.
    pub(super) fn policy(self) -> Policy {
        let Self {
            size_min,
            size_max,
            function,
        } = self;
        Policy::RingHash {
            size_min,
            size_max,
            function,
            hash_hostnames: false,
        }
    }

    /// Whether its maximum size does not cut it.
    pub(super) fn is_uncut(self) -> bool {
        self.size_max == RING_SIZE_MAX
    }
}

/// The policy with which weights are tried if `policy` comes close, and how many random points its ring has among
/// `nodes`. `None` for a policy without weights, or if its weights are read from observations.
pub(super) fn weighed(policy: &Policy, nodes: usize) -> Option<(Policy, f64)> {
    match policy {
        Policy::Maglev { table_size, .. } => Some((policy.clone(), f64::from(*table_size).powi(2))),
        Policy::RingHash { function, .. } => {
            let ring = Ring::uncut(RING_SIZE, *function).policy();
            Some((ring, f64::from(RING_SIZE)))
        }
        Policy::Ketama { .. } | Policy::Libketama => Some((policy.clone(), 160.0 * nodes as f64)),
        Policy::Modula { .. }
        | Policy::Predixy { .. }
        | Policy::Random
        | Policy::Slots
        | Policy::Jump
        | Policy::Rendezvous => None,
    }
}

/// A policy with its relevant parameters, as text.
pub(super) fn words(policy: &Policy) -> String {
    match policy {
        Policy::Maglev { table_size, .. } => format!("maglev of table size {table_size}"),
        Policy::RingHash {
            size_min,
            size_max,
            function,
            ..
        } => {
            let size = if *size_max == RING_SIZE_MAX {
                format!("minimum ring size {size_min}")
            } else {
                format!("minimum ring size {size_min}, maximum {size_max}")
            };
            format!("ring_hash by {}, {size}", function.name())
        }
        Policy::Ketama { digest } | Policy::Modula { digest } => {
            format!("{} with {}", policy.name(), digest.name())
        }
        Policy::Predixy { hash } => format!("{} with {}", policy.name(), hash.name()),
        other => other.name().to_owned(),
    }
}
