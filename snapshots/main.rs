//! Recorded output, reviewed with cargo-insta. Snapshots are memory: they show the effect of a change.

mod cli;
mod everything;
mod fixed;
mod fleet;
mod hostile;
mod placement;
mod report;
mod routing;
mod stressed;
