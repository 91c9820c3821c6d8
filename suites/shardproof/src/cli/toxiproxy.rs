//! `shardproof toxiproxy`: the fault server on its own, for any Toxiproxy client.

use std::path::PathBuf;

use anyhow::Context;
use clap::Args;
use testbed::toxiproxy::Server;
use tokio::signal::unix::{SignalKind, signal};

use super::{Console, Exit, fresh_seed, seed};

/// Serve Toxiproxy's REST API until interrupted
#[derive(Debug, Args)]
pub(super) struct Flags {
    /// Address to serve the API on; port 0 for any free port
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:8474")]
    listen: String,
    /// File of proxies to create at start: a JSON array as for POST /populate
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Seed for toxicity, jitter and sizes. Printed at start
    #[arg(long, value_name = "HEX", value_parser = seed)]
    seed: Option<u64>,
}

pub(super) async fn run(flags: Flags, console: &Console) -> anyhow::Result<Exit> {
    let config = match &flags.config {
        None => None,
        Some(file) => {
            let read = std::fs::read(file);
            Some(read.with_context(|| format!("cannot read {}", file.display()))?)
        }
    };
    let seed = flags.seed.unwrap_or_else(fresh_seed);
    let mut interrupted = signal(SignalKind::interrupt())?;
    let mut terminated = signal(SignalKind::terminate())?;
    let server = Server::start(&flags.listen, config.as_deref(), seed).await?;
    (console.err)(&format!("seed {seed:x}"));
    (console.err)(&format!("fault server on http://{}", server.addr()));
    tokio::select! {
        _ = interrupted.recv() => {}
        _ = terminated.recv() => {}
    }
    Ok(Exit::Expected)
}
