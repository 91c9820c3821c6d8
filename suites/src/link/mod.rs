//! Links: the relay between a proxy and each of its nodes, with a tap on both directions and toxics on the bytes.
//!
//! Never knows what is behind a node or before a proxy; a toxic decides, the relay acts.

mod pump;
mod relay;
mod tap;
pub mod toxic;

pub use relay::{Error, Link};
pub use tap::{Event, Mark, Tap, What};

#[cfg(test)]
mod tests;
