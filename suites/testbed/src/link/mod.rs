//! Links: the relay between a proxy and each of its nodes, with a tap on both directions and toxics on the bytes.
//!
//! Does not know the node or the proxy: a toxic decides, the relay acts.

mod answers;
mod chain;
mod door;
mod ending;
mod frames;
mod pump;
mod relay;
mod tap;
mod toxics;
mod traffic;

pub use answers::{Answer, Answers, Then};
pub use door::Error;
pub use ending::Ending;
pub use relay::{Link, Setup};
pub use tap::{Event, Passage, Tap, TapPosition, What};
pub use toxics::{Taken, Toxics};
pub use traffic::Traffic;

#[cfg(test)]
mod tests;
