//! Toxiproxy's REST API over links: the fault server, and the suite's own client.
//!
//! The API is that of Toxiproxy 2.x (its README, "HTTP API", and its code of 2.12 and 2.13).

mod api;
pub mod client;
#[cfg(feature = "fault-server")]
pub mod server;

pub use api::{Failure, Proxy};
pub use client::Client;
#[cfg(feature = "fault-server")]
pub use server::Server;
