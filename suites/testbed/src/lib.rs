//! The testbed: real nodes, real proxies, and the links with faults between them.
//!
//! - `address`: the grammar of addresses. Pure. `endpoint`: an address resolved, with passwords and TLS; `stream`: a
//!   connection to it.
//! - `wire`: RESP2 and RESP3 as bytes and as values, for both sides of a proxy. Pure.
//! - `client`: a client that shows every reply as it is; `http`: a client for admin ports.
//! - `node`: Redis servers, as child processes, in containers, or elsewhere.
//! - `targets`: the proxies under test, one TOML file each, and how they are started.
//! - `link`: the relay between proxy and node, and the tap that records what passed.
//! - `fault`: everything that can be done to a link, a node, a client or a proxy, one file each, and their injector.
//! - `toxiproxy`: Toxiproxy's API over these links, and links that a real Toxiproxy provides.
//! - `cluster`: nodes, each behind a link.
//! - `exists`: finds the keys that a node has, or that a proxy finds.
//! - `leftovers`: keys that must be removed from nodes that the suite did not start.
//! - `class`: outcome classes of a client. `fixtures`: files that are compiled in or below a folder.
//! - `command`: commands of the operator that change something and change it back. `reload`: the one that changes a cluster.
//! - `child`, `mark`, `folder`, `port`, `program`, `text`: processes and what they started, folders, leases on ports,
//!   programs, texts.
//! - `chance`: draws from one seed. `wait`: waiting for events with a deadline.
//!
//! Never judges, and never computes where a key is: it asks the nodes.

pub mod address;
pub mod chance;
pub mod child;
pub mod class;
pub mod client;
pub mod cluster;
pub mod command;
pub mod endpoint;
pub mod exists;
pub mod fault;
pub mod fixtures;
pub mod folder;
pub mod http;
pub mod leftovers;
pub mod link;
mod mark;
pub mod node;
pub mod port;
pub mod program;
pub mod reload;
pub mod scheduling;
pub mod stream;
pub mod targets;
pub mod text;
pub mod toxiproxy;
pub mod wait;
pub mod wire;
