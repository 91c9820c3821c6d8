//! Recorded output, reviewed with cargo-insta. Snapshots are memory: they show what a change changes.

mod cli;
mod everything;
mod fixed;
mod fleet;
mod hostile;
mod placement;
mod report;
mod routing;
mod stressed;
