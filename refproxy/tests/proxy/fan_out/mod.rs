//! One request to every node, exactly once, answered as one plain Redis would answer it.

mod info;
mod measured;
mod parts;
mod scripts;
mod settings;

use std::net::SocketAddr;

use testbed::client::Client;
use testbed::node::Process;

use crate::commands::Pair;
use crate::support::{DEADLINE, Proxy, ask, nodes};
pub(crate) use info::fields;

/// A proxy over all nodes but the last, which is the plain Redis for comparison.
struct Setup {
    nodes: Vec<Process>,
    addrs: Vec<SocketAddr>,
    proxy: Proxy,
    pair: Pair,
}

impl Setup {
    async fn start(settings: &str) -> Self {
        let (nodes, mut addrs) = nodes(4).await;
        let plain = addrs.pop().unwrap();
        let proxy = Proxy::start(&addrs, settings).await;
        let pair = Pair {
            proxy: proxy.client().await,
            plain: Client::connect(plain, DEADLINE).await.unwrap(),
        };
        Self {
            nodes,
            addrs,
            proxy,
            pair,
        }
    }

    /// The proxy's reply.
    async fn told(&mut self, line: &str) -> String {
        let args: Vec<&str> = line.split(' ').collect();
        ask(&mut self.pair.proxy, &args).await
    }

    async fn node(&self, place: usize) -> Client {
        Client::connect(self.addrs[place], DEADLINE).await.unwrap()
    }

    /// The reply of a single node.
    async fn at(&self, place: usize, line: &str) -> String {
        let args: Vec<&str> = line.split(' ').collect();
        ask(&mut self.node(place).await, &args).await
    }
}
