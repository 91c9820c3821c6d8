//! An observation: a key and its node.

/// Why a key was written: keys differ in what they can prove.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Why {
    /// Drawn, without a tag: a fair sample.
    Drawn,
    /// One of a group with the same tag: the number of the group.
    Tagged(usize),
    /// One of keys that count up.
    Counted,
    /// Chosen, because hypotheses differ about it.
    Chosen,
}

/// A key that was seen on exactly one node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Observation {
    pub(super) key: Vec<u8>,
    /// Keys that were written before it.
    pub(super) number: usize,
    /// The node, by its place in the question.
    pub(super) place: usize,
    pub(super) why: Why,
}
