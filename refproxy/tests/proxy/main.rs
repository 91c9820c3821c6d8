//! The real binary over real Redis nodes: behaviour for clients, also when nodes fail and the cluster changes.
//!
//! One binary, so that it is linked once.

#![expect(
    clippy::unwrap_used,
    reason = "clippy takes only the functions marked as tests for tests"
)]

mod admin;
mod auth;
mod broken_node;
mod clients;
mod commands;
mod fan_out;
mod large;
mod lost_reply;
mod numkeys;
mod output;
mod pressure;
mod protocol;
mod rescale;
mod resp3;
mod scan;
mod scripts;
mod slow_node;
mod start;
mod streams;
mod support;
#[cfg(feature = "tls")]
mod tls;
mod transactions;
mod unequal_nodes;
mod unix;
