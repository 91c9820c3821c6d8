//! Keys by the million: read from a source one block at a time, without memory per key.
//!
//! A source returns blocks one after the other and cheaply; taking the keys out of a block is the work, and any number
//! of threads can do it at once, each with a block of its own.

mod generate;
mod lines;
pub mod threads;

use std::ops::Range;

pub use generate::Pattern;
pub use lines::{Form, Lines, from_hex};

/// The longest key: Redis accepts no longer string (`proto-max-bulk-len`).
pub const KEY_BYTES_MAX: usize = 512 * 1024 * 1024;

/// Where keys come from.
pub trait Source: Send {
    /// Puts the next keys into `block`, and drops its previous ones. False when there are no more.
    ///
    /// # Errors
    /// The source cannot be read, or contains an invalid key.
    fn fill(&mut self, block: &mut Block) -> Result<bool, Error>;
}

/// Keys cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The file.
    #[error("cannot read {file}: {why}")]
    Unreadable {
        /// Its name.
        file: String,
        /// The error of the system.
        why: String,
    },
    /// A line of hexadecimal digits is invalid.
    #[error("{file}:{line}: not hexadecimal, expected pairs of the digits 0-9 and a-f")]
    NotHex {
        /// The file's name.
        file: String,
        /// From 1.
        line: u64,
    },
    /// A node that keys are scanned on.
    #[error("{0}")]
    Scan(String),
    /// No Redis would take it.
    #[error("{file}:{line}: key of more than {max} bytes, the limit of Redis")]
    TooLong {
        /// The file's name.
        file: String,
        /// From 1.
        line: u64,
        /// The limit.
        max: usize,
    },
}

/// Some keys of a source. Its memory is used again for the next ones.
#[derive(Debug, Default)]
pub struct Block {
    /// How many blocks of the source came before.
    pub number: u64,
    held: Held,
    bytes: Vec<u8>,
}

/// The contents of a block.
#[derive(Debug, Clone, Default)]
enum Held {
    #[default]
    Nothing,
    /// The block's bytes are lines of this file.
    Lines(lines::Place),
    Numbers(Pattern, Range<u64>),
    /// The block's bytes are keys that end here.
    Listed(Vec<usize>),
}

impl Block {
    /// Empties the block for keys that are listed one by one.
    pub fn list(&mut self) {
        self.bytes.clear();
        self.held = Held::Listed(Vec::new());
    }

    /// Adds a key to a block that was emptied by [`Block::list`].
    pub fn push(&mut self, key: &[u8]) {
        self.bytes.extend_from_slice(key);
        if let Held::Listed(ends) = &mut self.held {
            ends.push(self.bytes.len());
        }
    }

    /// Passes each key to `take`, in order; returns how many there were.
    ///
    /// # Errors
    /// A line is invalid. The keys before it were passed.
    pub fn each(&self, mut take: impl FnMut(&[u8])) -> Result<u64, Error> {
        match &self.held {
            Held::Nothing => Ok(0),
            Held::Lines(place) => place.each(&self.bytes, take),
            Held::Numbers(pattern, range) => {
                pattern.each(range.clone(), take);
                Ok(range.end - range.start)
            }
            Held::Listed(ends) => {
                let mut start = 0;
                for end in ends {
                    take(&self.bytes[start..*end]);
                    start = *end;
                }
                Ok(ends.len() as u64)
            }
        }
    }
}

/// Keys that are given one by one.
#[derive(Debug, Clone)]
pub struct Given(Option<Vec<Vec<u8>>>);

impl Given {
    /// These keys, in one block.
    #[must_use]
    pub fn new(keys: Vec<Vec<u8>>) -> Self {
        Self(Some(keys))
    }
}

impl Source for Given {
    fn fill(&mut self, block: &mut Block) -> Result<bool, Error> {
        let Some(keys) = self.0.take() else {
            return Ok(false);
        };
        block.list();
        for key in &keys {
            block.push(key);
        }
        block.number = 0;
        Ok(true)
    }
}

#[cfg(test)]
mod tests;
