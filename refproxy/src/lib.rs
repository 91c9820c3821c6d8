//! refproxy: a reference RESP sharding proxy, as a library and a binary.
//!
//! The pure rooms (`command`, `hash`, `placement`) double as the executable specification that the suite's planner
//! predicts with.

pub mod command;
pub mod hash;
pub mod placement;
pub mod resp;
