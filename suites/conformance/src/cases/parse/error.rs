//! An error in a case file, as one line with its location.

use std::fmt;

/// A case file is wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct ParseError {
    /// The file.
    pub path: String,
    /// The line, from 1; 0 for the file as a whole.
    pub line: usize,
    /// The text found, and the expected one.
    pub complaint: Problem,
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "{}: {}", self.path, self.complaint),
            line => write!(f, "{}:{line}: {}", self.path, self.complaint),
        }
    }
}

/// The text found, and the expected one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The text found.
    pub what: String,
    /// The expected text.
    pub expected: String,
}

impl Problem {
    pub(crate) fn new(what: impl Into<String>, expected: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            expected: expected.into(),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, expected {}", self.what, self.expected)
    }
}
