//! A case out of a chaos run that broke a law: the requests around the violation in the order of the run, with the
//! faults of nodes and links at their places among them.
//!
//! - `batch`: which requests. `draft`: their keys and values in the notation of cases, and the order of everything.
//! - `doubt`: which replies are certain, so that no case expects what a fault may have prevented.
//! - `text`: the case file.
//!
//! Pure: the caller asks the plain Redis for the expected replies, and runs the case.

mod batch;
mod doubt;
mod draft;
mod text;

#[cfg(test)]
mod tests;

pub use batch::{Act, Reach};
pub use draft::Draft;
pub use text::Header;

/// Most requests of a case.
pub const REQUESTS_MAX: usize = 40;

/// A run has no case.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The violation is not one of replies.
    #[error("replies do not show a violation of {0}")]
    NotInReplies(&'static str),
    /// The violation is proven by no request.
    #[error("no request proves the violation")]
    NoRequest,
    /// Too many requests for a file that a person reads.
    #[error("the violation takes more than {REQUESTS_MAX} requests")]
    TooMany,
    /// A fault that cases do not have.
    #[error("`{0}` is no fault of a node or its link")]
    NoFaultOfCases(String),
    /// A fault that acts on some keys.
    #[error("`{0}` acts on some keys, and a case has other ones")]
    NamesKey(String),
    /// A key whose node is not known.
    #[error("the node of a key is not known")]
    Unplaced,
    /// A node that cases do not have.
    #[error("it uses node {0}, and cases have A, B and C")]
    NoSuchNode(u16),
    /// The text is not a case.
    #[error("the case cannot be written: {0}")]
    Unwritable(String),
}
