//! Descriptions in words, for people.

use refproxy::hash::TagRule;
use refproxy::placement::{Policy, RING_SIZE_MAX};

use super::theory::Theory;

/// In what two theories differ, said of the other one.
pub(super) fn difference(theory: &Theory, other: &Theory) -> String {
    let (one, two) = (&theory.candidate, &other.candidate);
    let mut parts = Vec::new();
    if one.cluster.policy != two.cluster.policy {
        parts.push(policy(&two.cluster.policy));
    }
    if theory.tags != other.tags {
        parts.push(tags(other.tags));
    }
    if one.naming != two.naming {
        parts.push(format!("hashed are {}", two.naming.name()));
    }
    if one.weights() != two.weights() {
        parts.push(format!("weights {}", list(&two.weights())));
    }
    if one.order != two.order {
        let places: Vec<u32> = two.order.iter().map(|place| *place as u32 + 1).collect();
        parts.push(format!("nodes in the order {}", list(&places)));
    }
    parts.join(", ")
}

/// A policy with the parameters that matter.
pub(super) fn policy(policy: &Policy) -> String {
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
        other => other.name().to_owned(),
    }
}

/// A rule of tags.
pub(super) fn tags(rule: TagRule) -> String {
    match rule {
        TagRule::WholeKey => "whole keys are hashed".to_owned(),
        TagRule::Between(open, close) => format!(
            "tags between `{}` and `{}`",
            open.escape_ascii(),
            close.escape_ascii()
        ),
    }
}

fn list(numbers: &[u32]) -> String {
    let numbers: Vec<String> = numbers.iter().map(ToString::to_string).collect();
    numbers.join(",")
}
