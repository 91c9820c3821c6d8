//! How one key lies on one node, and the list of all of them.

use std::io::{self, Write};

use crate::fleet::Member;

/// How a key lies on one node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CopyState {
    /// It is placed here.
    Kept,
    /// It is placed elsewhere and does not lie there.
    Unreachable,
    /// The same, and a third node has it with another value.
    Conflict,
    /// It is placed elsewhere and lies there too, with the same value.
    Duplicated,
    /// It is placed elsewhere and lies there too, with another value.
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
    /// The place of the node that it is placed on.
    pub right: usize,
    /// The place of the node that it was seen on.
    pub on: usize,
    /// What it is there.
    pub lies: CopyState,
    /// The database that it was seen in.
    pub database: u32,
}

/// Says what the columns of [`write_line`] are.
///
/// # Errors
/// As the writer.
pub fn write_head(out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "# key\tplaced on\tlies on\twhat it is there\tdatabase")
}

/// Writes what was seen of a key on one node, separated by tabs.
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
