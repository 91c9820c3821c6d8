//! refproxy: a reference RESP sharding proxy, as a library and a binary.
//!
//! Read from the top: `server` starts workers, `accept` gives each client of a worker a `session`, `route` decides what
//! the session does with each request by `command` and the crate `placement`, `upstream` sends it to its node, and
//! `join` makes one reply of many. `worker` is the shared state of sessions, `routing` the placement with its
//! connections.

pub mod admin;
pub mod auth;
pub mod command;
pub mod config;
pub mod resp;
pub mod route;
pub mod server;
#[cfg(feature = "tls")]
pub mod tls;
#[cfg(not(feature = "tls"))]
#[path = "no_tls.rs"]
pub mod tls;

mod accept;
mod buffer;
mod client;
mod clients;
mod clock;
mod cursor;
mod descriptors;
mod error;
mod join;
mod listen;
mod local;
mod orders;
mod output;
mod routing;
mod session;
mod socket;
mod split;
mod stats;
mod stream;
mod upstream;
mod worker;
