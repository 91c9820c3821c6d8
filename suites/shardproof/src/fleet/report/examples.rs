//! The few examples that a report names.

/// Examples that a report names.
const EXAMPLES: usize = 5;

/// Adds examples up to the limit.
pub(super) fn add_examples(all: &mut Vec<String>, more: Vec<String>) {
    all.extend(more.into_iter().take(EXAMPLES - all.len()));
}
