//! Descriptions for people.

use placement::hash::TagRule;

use super::hypothesis::Hypothesis;
use super::policies;

/// The differences of the others from a hypothesis, each once: a difference that some other has alone is not repeated
/// together with more.
pub(super) fn differences(hypothesis: &Hypothesis, others: &[Hypothesis]) -> Vec<String> {
    let all: Vec<Vec<String>> = others
        .iter()
        .map(|other| difference(hypothesis, other))
        .collect();
    let alone: Vec<&String> = all
        .iter()
        .filter_map(|parts| match parts.as_slice() {
            [only] => Some(only),
            _ => None,
        })
        .collect();
    let mut texts: Vec<String> = Vec::new();
    for parts in &all {
        let joined = parts.join(", ");
        let is_news = parts.len() == 1 || !parts.iter().any(|part| alone.contains(&part));
        if is_news && !texts.contains(&joined) {
            texts.push(joined);
        }
    }
    texts
}

/// The differences of two hypotheses, as text about the other one.
fn difference(hypothesis: &Hypothesis, other: &Hypothesis) -> Vec<String> {
    let (one, two) = (&hypothesis.candidate, &other.candidate);
    let mut parts = Vec::new();
    // Whether host names are hashed is a matter of naming.
    let policy = policies::words(&two.cluster.policy);
    if policies::words(&one.cluster.policy) != policy {
        parts.push(policy);
    }
    if hypothesis.tags != other.tags {
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
    parts
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
