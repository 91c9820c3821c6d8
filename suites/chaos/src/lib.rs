//! Chaos: what clients lose while a cluster changes or its nodes fail.
//!
//! - `rescale`: the rescale experiment, with or without a fault meanwhile.
//! - `checker`: whether the registers of a history are linearizable, with session order.
//! - `scenario`: cluster, workloads, timed faults and laws, one file each. `workload`: what clients send.
//! - `run`: the run of a scenario.
//! - `report`: what a run came to, for every format.
//! - `history`: every request of a run, its completion, and what the nodes saw of it.
//! - `cover`: what a run must have had to be judged.
//! - `law`: what a history must satisfy.
//! - `ledger`: one line per acknowledged key: found, unreachable, lost.
//! - `observed`: what a chaos run observed, for laws and reports.
//!
//! Black-box: where a key lives is learned by looking on the nodes. A prediction is data that the caller passes in.

pub mod checker;
pub mod cover;
pub mod history;
pub mod law;
pub mod ledger;
pub mod observed;
pub mod report;
pub mod rescale;
pub mod run;
pub mod scenario;
pub mod workload;
