//! State of one key on one node, and the list of all.

use std::io::{self, Write};

use crate::fleet::Member;

/// State of a key on one node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CopyState {
    /// It is placed here.
    Kept,
    /// It is placed on another node and missing there.
    Unreachable,
    /// The same, and a third node has it with another value.
    Conflict,
    /// It is placed on another node, which has the same value.
    Duplicated,
    /// It is placed on another node, which has a different value.
    OnConflict,
}

impl CopyState {
    /// The word in reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Kept => "kept",
            Self::Unreachable => "unreachable",
            Self::Conflict => "conflict",
            Self::Duplicated => "duplicated",
            Self::OnConflict => "stale",
        }
    }
}

/// One key on one node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyCopy {
    /// The key.
    pub key: Vec<u8>,
    /// The place of its right node.
    pub right: usize,
    /// The place of the node on which it was seen.
    pub on: usize,
    /// Its state there.
    pub lies: CopyState,
    /// The database that it was seen in.
    pub database: u32,
}

/// Writes the names of the columns of [`write_line`].
///
/// # Errors
/// As the writer.
pub fn write_head(out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "# key\tplaced on\tstored on\tstate\tdatabase")
}

/// Writes the state of a key on one node, separated by tabs.
///
/// # Errors
/// As the writer.
pub fn write_line(out: &mut dyn Write, nodes: &[Member], sighting: &KeyCopy) -> io::Result<()> {
    writeln!(
        out,
        "{}\t{}\t{}\t{}\t{}",
        sighting.key.escape_ascii(),
        nodes[sighting.right].seen,
        nodes[sighting.on].seen,
        sighting.lies.name(),
        sighting.database,
    )
}
