//! The verdict of a law on a run: kept, broken with the records that prove it, or unknown.

/// The verdict of one law on one run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Everything that could be judged was as promised.
    Kept {
        /// How much was judged: at least one.
        judged: usize,
        /// The evidence, in one sentence.
        evidence: String,
    },
    /// The run breaks the law.
    Broken(Violation),
    /// The target does not promise it.
    NotPromised {
        /// The promise that its file lacks.
        missing: String,
    },
    /// Nothing could be judged.
    Unknown {
        /// What the run lacks for a judgement.
        missing: String,
    },
}

/// The first violation of a law in a run, and how many there are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// What happened, when, and to which keys, in one sentence.
    pub sentence: String,
    /// The few records that prove it: places in the history, ascending.
    pub records: Vec<usize>,
    /// Violations in the whole run, this one included.
    pub count: usize,
}
