//! Chaos: what clients lose while a cluster changes or its nodes fail.
//!
//! - `rescale`: the rescale experiment, with or without a fault.
//! - `checker`: whether the registers of a history are linearizable, with session order.
//! - `scenario`: cluster, workloads, timed faults and laws, one file each. `workload`: the requests of clients.
//! - `run`: the run of a scenario.
//! - `shrink`: the smallest scenario that still fails.
//! - `report`: the result of a run, for every format.
//! - `history`: every request of a run, its completion, and how the nodes saw it.
//! - `cover`: conditions that a run must meet to be judged.
//! - `law`: rules that a history must satisfy.
//! - `ledger`: one line per acknowledged key: found, unreachable, lost.
//! - `observed`: the observations of a chaos run, for laws and reports.
//!
//! Black-box: the nodes are asked where a key is. A prediction is data that the caller passes in.

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
pub mod shrink;
pub mod workload;
