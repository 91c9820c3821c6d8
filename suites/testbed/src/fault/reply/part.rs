//! The two parts of a reply: its header, with its type and length, and its body.

use serde::{Deserialize, Serialize};

/// A part of a reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Part {
    /// The line with the type and the length; only the type if there is no length.
    #[default]
    Header,
    /// What follows the header.
    Body,
}

impl Part {
    /// The words of both.
    pub(in crate::fault) const WORDS: &'static [&'static str] = &["header", "body"];
}

/// Types whose line has a length or a count.
const MEASURED: &[u8] = b"$*!=%~>|";

/// Number of bytes of the head of a reply.
#[must_use]
pub(in crate::fault) fn head_length(reply: &[u8]) -> usize {
    match length_range(reply) {
        Some(length) => length.end + 2,
        None => 1.min(reply.len()),
    }
}

/// Where the digits of the length are, if the reply has a length. A null has none.
pub(in crate::fault) fn length_range(reply: &[u8]) -> Option<std::ops::Range<usize>> {
    let kind = reply.first()?;
    let end = reply.iter().position(|byte| *byte == b'\r')?;
    let is_measured = MEASURED.contains(kind) && reply.get(1) != Some(&b'-');
    is_measured.then_some(1..end)
}
