//! `shardproof links`: a link before each node of a proxy that already runs, driven by `chaos --toxiproxy`.

use std::net::SocketAddr;

use clap::Args;
use testbed::cluster::LINK_PORT_BASE;
use testbed::toxiproxy::Server;
use tokio::signal::unix::{SignalKind, signal};

use super::{Console, Exit, fresh_seed, seed};

/// Serve a link before each node until interrupted. Put the printed addresses into the configuration of the proxy in the
/// place of its nodes, then run `shardproof chaos --proxy` with the printed --toxiproxy
#[derive(Debug, Args)]
pub(super) struct Flags {
    /// Node of the proxy; repeat per node, in the order of its configuration
    #[arg(long = "node", value_name = "HOST:PORT", value_parser = super::address, required = true)]
    nodes: Vec<SocketAddr>,
    /// First port of the links. Placements hash these addresses
    #[arg(long, value_name = "PORT", default_value_t = LINK_PORT_BASE)]
    link_port_base: u16,
    /// Address to serve the control API on, which is Toxiproxy's; port 0 for any free port
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:8474")]
    listen: String,
    /// Seed for toxicity, jitter and sizes. Printed at start
    #[arg(long, value_name = "HEX", value_parser = seed)]
    seed: Option<u64>,
}

pub(super) async fn run(flags: Flags, console: &Console) -> anyhow::Result<Exit> {
    let seed = flags.seed.unwrap_or_else(fresh_seed);
    let mut interrupted = signal(SignalKind::interrupt())?;
    let mut terminated = signal(SignalKind::terminate())?;
    let ports = flags.link_port_base..;
    let links: Vec<(SocketAddr, SocketAddr)> = ports
        .zip(&flags.nodes)
        .map(|(port, node)| (SocketAddr::from(([127, 0, 0, 1], port)), *node))
        .collect();
    let config = serde_json::to_vec(&links.iter().map(proxy).collect::<Vec<_>>())?;
    let server = Server::start(&flags.listen, Some(&config), seed).await?;
    (console.err)(&format!("seed {seed:x}"));
    for (link, node) in &links {
        (console.out)(&format!("{link} before node {node}\n"));
    }
    (console.out)(&format!("control: --toxiproxy {}\n", server.addr()));
    tokio::select! {
        _ = interrupted.recv() => {}
        _ = terminated.recv() => {}
    }
    Ok(Exit::Expected)
}

/// A link as the control API describes it.
fn proxy((link, node): &(SocketAddr, SocketAddr)) -> serde_json::Value {
    serde_json::json!({
        "name": format!("shardproof-{}", link.port()),
        "listen": link.to_string(),
        "upstream": node.to_string(),
        "enabled": true,
    })
}
