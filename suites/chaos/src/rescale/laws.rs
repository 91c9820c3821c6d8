//! Laws of every placement, judged by what the nodes held and what clients read. They need no specification of the policy.
//!
//! Pure.

use schemars::JsonSchema;
use serde::Serialize;

use super::{Observed, Plan};
use crate::ledger::KeyOutcome;

/// Examples of a broken law.
const EXAMPLES: usize = 5;
/// Keys per node from which on a node without any is unused, and not just unlucky.
const KEYS_PER_NODE: usize = 100;

/// A law of every placement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Law {
    /// Each acknowledged value is on one node, a node of the cluster at that time.
    OneOwner,
    /// Each node of the changed cluster gets keys.
    EachNodeUsed,
    /// After the change a key is found if its node stayed, and missing if it moved.
    ReadsFollowWrites,
    /// After the change back each key is read where it was written first.
    WayBack,
}

/// The verdict on a law.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum LawVerdict {
    /// It holds.
    Kept,
    /// It does not hold.
    Broken,
    /// Too few keys for a verdict.
    Unknown,
}

/// A law with its verdict.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct JudgedLaw {
    /// The law.
    pub law: Law,
    /// Whether it holds.
    pub verdict: LawVerdict,
    /// Number of violations.
    pub violations: usize,
    /// Examples.
    pub examples: Vec<String>,
}

impl Law {
    /// Its name in reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::OneOwner => "one-owner",
            Self::EachNodeUsed => "each-node-used",
            Self::ReadsFollowWrites => "reads-follow-writes",
            Self::WayBack => "way-back",
        }
    }
}

/// Judges all laws.
pub(super) fn judge(plan: &Plan, observed: &Observed) -> Vec<JudgedLaw> {
    let keys = 0..observed.keys.len();
    let unused: Vec<String> = (0..plan.to)
        .filter(|node| !observed.after.contains(&Some(*node)))
        .map(|node| format!("node {node}"))
        .collect();
    let enough = observed.keys.len() >= KEYS_PER_NODE * plan.to;
    let of_keys = |law, violation: &dyn Fn(usize) -> Option<String>| {
        let found = keys.clone().filter_map(|index| {
            let why = violation(index)?;
            Some(format!("{}: {why}", observed.keys[index].escape_ascii()))
        });
        judged(law, found.collect(), LawVerdict::Broken)
    };
    let some_unused = match enough {
        true => LawVerdict::Broken,
        false => LawVerdict::Unknown,
    };
    vec![
        of_keys(Law::OneOwner, &|index| {
            several_owners(plan, observed, index)
        }),
        judged(Law::EachNodeUsed, unused, some_unused),
        of_keys(Law::ReadsFollowWrites, &|index| {
            read_elsewhere(observed, index)
        }),
        of_keys(Law::WayBack, &|index| not_back(observed, index)),
    ]
}

fn judged(law: Law, violations: Vec<String>, otherwise: LawVerdict) -> JudgedLaw {
    JudgedLaw {
        law,
        verdict: match violations.is_empty() {
            true => LawVerdict::Kept,
            false => otherwise,
        },
        violations: violations.len(),
        examples: violations.into_iter().take(EXAMPLES).collect(),
    }
}

fn several_owners(plan: &Plan, observed: &Observed, index: usize) -> Option<String> {
    let wrong = |owners: &[usize], count: usize| match owners {
        [owner] => *owner >= count,
        _ => true,
    };
    let (first, second) = (&observed.first_on[index], &observed.second_on[index]);
    if wrong(first, plan.from) {
        return Some(format!("first value on {}", nodes(first)));
    }
    // A write that was not acknowledged promises nothing.
    observed.back[index]?;
    wrong(second, plan.to).then(|| format!("second value on {}", nodes(second)))
}

/// The nodes of a key before and after the change, if both are known.
fn places(observed: &Observed, index: usize) -> Option<(usize, usize)> {
    observed.before[index].zip(observed.after[index])
}

fn read_elsewhere(observed: &Observed, index: usize) -> Option<String> {
    let (before, after) = places(observed, index)?;
    let expected = match before == after {
        true => KeyOutcome::Found,
        false => KeyOutcome::Unreachable,
    };
    differs(before, after, expected, observed.there[index])
}

fn not_back(observed: &Observed, index: usize) -> Option<String> {
    let (before, after) = places(observed, index)?;
    let expected = match before == after {
        true => KeyOutcome::Found,
        // The first value is still on the first node.
        false => KeyOutcome::Stale,
    };
    differs(before, after, expected, observed.back[index]?)
}

fn differs(before: usize, after: usize, expected: KeyOutcome, seen: KeyOutcome) -> Option<String> {
    (seen != expected).then(|| {
        let (expected, seen) = (expected.name(), seen.name());
        format!("on node {before}, then on node {after}: {seen} instead of {expected}")
    })
}

fn nodes(nodes: &[usize]) -> String {
    let names: Vec<String> = nodes.iter().map(usize::to_string).collect();
    match names.is_empty() {
        true => "no node".to_owned(),
        false => format!("nodes {}", names.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEYS: usize = 400;

    fn plan() -> Plan {
        Plan {
            from: 3,
            to: 4,
            keys: Vec::new(),
            ttl_s: 60,
            seed: 1,
        }
    }

    /// Keys that go around the nodes; each fourth one moves to the new node.
    fn observed(keys: usize) -> Observed {
        let before = |index: usize| index % 3;
        let after = |index: usize| if index % 4 == 3 { 3 } else { index % 3 };
        let moved = |index: usize| before(index) != after(index);
        let each = || 0..keys;
        Observed {
            keys: each().map(|index| index.to_string().into_bytes()).collect(),
            refused: 0,
            before: each().map(|index| Some(before(index))).collect(),
            after: each().map(|index| Some(after(index))).collect(),
            first_on: each().map(|index| vec![before(index)]).collect(),
            second_on: each().map(|index| vec![after(index)]).collect(),
            there: each()
                .map(|index| match moved(index) {
                    true => KeyOutcome::Unreachable,
                    false => KeyOutcome::Found,
                })
                .collect(),
            back: each()
                .map(|index| match moved(index) {
                    true => Some(KeyOutcome::Stale),
                    false => Some(KeyOutcome::Found),
                })
                .collect(),
            held_after: vec![0; 4],
        }
    }

    /// Expects these laws not to hold, with their violations.
    #[track_caller]
    fn check(observed: &Observed, expected: &[(Law, LawVerdict, usize)]) {
        let judged = judge(&plan(), observed);
        let not_kept: Vec<(Law, LawVerdict, usize)> = judged
            .iter()
            .filter(|law| law.verdict != LawVerdict::Kept)
            .map(|law| (law.law, law.verdict, law.violations))
            .collect();
        assert_eq!(not_kept, expected, "{judged:#?}");
    }

    #[test]
    fn a_placement_keeps_every_law() {
        check(&observed(KEYS), &[]);
    }

    #[test]
    fn a_value_on_two_nodes_or_none_or_a_node_outside_breaks_one_owner() {
        let broken = [(Law::OneOwner, LawVerdict::Broken, 1)];
        for owners in [vec![0, 1], vec![], vec![3]] {
            let mut seen = observed(KEYS);
            seen.first_on[0] = owners;
            check(&seen, &broken);
        }
        let mut seen = observed(KEYS);
        seen.second_on[3] = vec![0, 3];
        check(&seen, &broken);
        // Without an acknowledgement nothing is promised.
        seen.back[3] = None;
        check(&seen, &[]);
    }

    #[test]
    fn a_new_node_without_keys_is_unused_if_there_are_enough_keys() {
        let without = |keys: usize| {
            let same = observed(keys).before;
            let found = vec![KeyOutcome::Found; keys];
            Observed {
                after: same.clone(),
                second_on: observed(keys).first_on,
                back: found.iter().copied().map(Some).collect(),
                there: found,
                ..observed(keys)
            }
        };
        check(
            &without(KEYS),
            &[(Law::EachNodeUsed, LawVerdict::Broken, 1)],
        );
        check(&without(12), &[(Law::EachNodeUsed, LawVerdict::Unknown, 1)]);
    }

    #[test]
    fn a_key_that_is_read_elsewhere_than_written_breaks_a_law() {
        let mut seen = observed(KEYS);
        // It moved, and is still read on its first node; it stayed, and is looked for elsewhere.
        seen.there[3] = KeyOutcome::Found;
        seen.there[4] = KeyOutcome::Unreachable;
        check(&seen, &[(Law::ReadsFollowWrites, LawVerdict::Broken, 2)]);
    }

    #[test]
    fn a_key_that_does_not_come_back_breaks_the_way_back() {
        let mut seen = observed(KEYS);
        seen.back[3] = Some(KeyOutcome::Found);
        seen.back[4] = Some(KeyOutcome::Unreachable);
        check(&seen, &[(Law::WayBack, LawVerdict::Broken, 2)]);
    }
}
