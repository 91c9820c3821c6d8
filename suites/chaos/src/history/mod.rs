//! The history of a run: every request, its reply and completion, and what the taps saw of it at the nodes.
//!
//! - `header`, `record`: the types. `read`, `write`: JSON lines. `edn`: export for Jepsen's checkers.
//! - `bytes`, `reply`: bytes and replies as JSON.
//! - `evidence`: decides indefinite completions by what the nodes saw.
//!
//! Pure: times are data, and no code here reads a clock.

mod bytes;
mod edn;
mod evidence;
mod header;
mod read;
mod record;
mod reply;
mod write;

#[cfg(test)]
mod tests;

use schemars::JsonSchema;

pub use bytes::escaped;
pub use edn::write as write_edn;
pub(crate) use evidence::may_be_split;
pub use evidence::settle;
pub use header::{FORMAT, Header, Known};
pub use read::{Malformed, read};
pub use record::{Answered, Completion, Library, Passage, Record, Seen};
pub use write::write;

/// One line of a file: the first is the header, each other one a record.
#[derive(JsonSchema)]
#[schemars(untagged)]
pub enum Line {
    /// The run.
    Header(Header),
    /// One request.
    Record(Record),
}

/// A run, as its clients and its taps recorded it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct History {
    /// The run.
    pub header: Header,
    /// One per request. Those of one session are in the order of their sequence numbers.
    pub records: Vec<Record>,
}
