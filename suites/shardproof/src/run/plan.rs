//! Plans over any number of keys: the effect of a change on them, counted on every core.

use std::io::{self, Write};

use crate::keys::threads::{self, on_every_core};
use crate::keys::{self, Block, Source};
use crate::planner::plan::{Change, Counts, Move};
use testbed::text::push_escaped;

/// The keys cannot be counted.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The keys cannot be read.
    #[error(transparent)]
    Keys(#[from] keys::Error),
    /// The list of moved keys cannot be written.
    #[error("cannot write the moved keys: {0}")]
    Write(#[from] io::Error),
}

impl From<threads::Error> for Error {
    fn from(why: threads::Error) -> Self {
        match why {
            threads::Error::Keys(why) => Self::Keys(why),
            threads::Error::Write(why) => Self::Write(why),
        }
    }
}

/// Counts all keys of `source` on every core. Keys that move are written to `moved` in their order, one line each: the
/// key, its node before and its node after, separated by tabs. `say` is called from time to time with the number of
/// counted keys.
///
/// # Errors
/// A key or the source cannot be read, or a line cannot be written.
pub fn count<'a>(
    change: &'a Change,
    source: &'a mut (dyn Source + 'a),
    moved: Option<&'a mut (dyn Write + Send + 'a)>,
    say: &dyn Fn(u64),
) -> Result<Counts, Error> {
    let part = || Part {
        change,
        counts: change.counts(),
    };
    Ok(on_every_core(source, moved, &part, say)?.counts)
}

/// The counts of one thread.
struct Part<'a> {
    change: &'a Change,
    counts: Counts,
}

impl threads::Part for Part<'_> {
    fn take(&mut self, block: &Block, lines: Option<&mut Vec<u8>>) -> Result<u64, keys::Error> {
        let Self { change, counts } = self;
        match lines {
            None => block.each(|key| {
                change.count(counts, key);
            }),
            Some(lines) => block.each(|key| {
                if let Some(moves) = change.count(counts, key) {
                    line(lines, change, key, moves);
                }
            }),
        }
    }

    fn add(&mut self, other: Self) {
        self.counts.add(other.counts);
    }
}

fn line(lines: &mut Vec<u8>, change: &Change, key: &[u8], moves: Move) {
    let addresses = change.addresses();
    push_escaped(lines, key);
    for node in [moves.from, moves.to] {
        lines.push(b'\t');
        lines.extend_from_slice(addresses[node].as_bytes());
    }
    lines.push(b'\n');
}

#[cfg(test)]
mod tests;
