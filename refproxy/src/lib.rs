//! refproxy: a reference RESP sharding proxy, as a library and a binary.
//!
//! Read from the top: `server` starts workers, a `worker` owns `session`s (clients) and `upstream`s (nodes), `route`
//! decides what a session does with each request by `command` and the crate `placement`, and `join` makes one reply of many.

pub mod admin;
pub mod auth;
pub mod command;
pub mod config;
pub mod resp;
pub mod route;
pub mod server;

mod buffer;
mod client;
mod clock;
mod cursor;
mod descriptors;
mod error;
mod join;
mod local;
mod output;
mod session;
mod socket;
mod split;
mod stats;
mod upstream;
mod worker;
