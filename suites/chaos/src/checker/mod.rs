//! The checker: whether the registers of a history are linearizable, with session order.
//!
//! Requests of one connection are pipelined, so that they overlap in time and plain linearizability allows them in any
//! order. Here an operation also comes before the later ones of its session, if its client read its reply. Both
//! conditions are local: a history is linearizable exactly if it is so for each key.
//!
//! - `options`, `verdict`: input and result.
//! - `request`, `extract`: from records to operations. `operation`: the effects of these.
//! - `witness`, `clusters`, `search`: the ways to judge, by growing cost. `judge`: the choice among them.
//! - `minimise`, `explanation`: the smallest part of a history that is a violation. `report`: all of it.
//!
//! Pure: never asks a node, and does not know which fault ran.

mod chains;
mod clusters;
mod explanation;
mod extract;
mod intern;
mod judge;
mod minimise;
mod operation;
mod options;
mod order;
mod registers;
mod report;
mod request;
mod search;
mod taken;
mod topological;
mod verdict;
mod witness;

#[cfg(test)]
mod tests;

pub use explanation::{Explanation, Reason};
pub use options::{Method, Options, SessionOrder};
pub use registers::registers;
pub use report::{Linearizable, Report, Unknown, Violation};
pub use verdict::{Checked, Verdict};
