//! The fingerprint: finds the placement that explains observed keys.
//!
//! Pure: it chooses keys, a witness writes them and reports their nodes. Never opens a socket, never reads a clock.

mod finding;
mod home_made;
mod hypothesis;
mod investigation;
mod keys;
mod naming;
mod near_equal;
mod numbered;
mod observation;
mod order;
mod policies;
mod query;
mod ranking;
pub mod report;
mod residues;
mod ring_points;
mod ring_sizes;
mod search_stage;
mod slot_runs;
mod survivors;
mod weighing;
mod weights;
mod words;

pub use finding::{Finding, Found, NearMiss, Outcome, Quality};
pub use home_made::HomeMade;
pub use naming::Naming;
pub use query::{Known, Query};
pub use search_stage::is_table_size;

use investigation::Investigation;

/// Writes keys and observes their nodes.
pub trait Observer {
    /// Why it could not.
    type Error;

    /// Writes each key `times` times in a row through the proxy, and returns the nodes that then have it, by their
    /// place in the question.
    ///
    /// # Errors
    /// A key was refused, or a node could not be read.
    fn write(&mut self, keys: &[Vec<u8>], times: usize) -> Result<Vec<Vec<usize>>, Self::Error>;
}

/// Why the placement cannot be identified. Never a finding.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure<E> {
    /// The witness could not do its work.
    #[error(transparent)]
    Observer(E),
    /// Keys are on none of the given nodes.
    #[error(
        "{missing} of {written} keys are on none of the given nodes: is a node missing from --node, or is another database in use?"
    )]
    Missing {
        /// Keys that were found nowhere.
        missing: usize,
        /// Keys that were written.
        written: usize,
    },
    /// Keys that were written once are on several nodes.
    #[error(
        "{copied} of {written} keys are on several of the given nodes after one write: is one a replica, or given twice?"
    )]
    Copied {
        /// Keys that were found on several nodes.
        copied: usize,
        /// Keys that were written.
        written: usize,
    },
    /// There is nothing to find out.
    #[error("at least 2 nodes and 1 key are needed")]
    Nothing,
}

/// Finds out how keys are placed. `say` is called with each step.
///
/// # Errors
/// Why it cannot be found out.
pub fn identify<W: Observer>(
    question: &Query,
    witness: &mut W,
    say: &dyn Fn(&str),
) -> Result<Finding, Failure<W::Error>> {
    if question.nodes.len() < 2 || question.keys_max == 0 {
        return Err(Failure::Nothing);
    }
    Investigation::new(question, witness, say).run()
}

#[cfg(test)]
mod tests;
