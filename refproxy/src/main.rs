//! The refproxy binary: the only file that reads argv and the environment, prints, and exits.

use std::io::IsTerminal as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use clap::{Parser, ValueEnum};
use placement::hash::TagRule;
use placement::{Cluster, Node, Placed, Policy, Value};
use refproxy::admin;
use refproxy::auth::Users;
use refproxy::command::{Rules, ScriptsWithoutKeys};
use refproxy::config::{self, Config, Limits, ListenAddress, Timeouts};
use refproxy::server::{Handle, Server};
use tokio::signal::unix::{SignalKind, signal};

/// A bad flag.
const USAGE: u8 = 64;
/// A configuration that cannot be used, a port in use.
const UNUSABLE: u8 = 2;

/// A RESP sharding proxy: right in every corner, and fast.
#[derive(Parser)]
#[command(version)]
struct Args {
    /// YAML file with everything; SIGHUP reads its `cluster:` part again.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["listen", "admin", "policy", "node", "hash_tags", "table_size", "workers", "op_timeout_ms", "no_admin_fan_out", "scripts_without_keys"])]
    config: Option<PathBuf>,
    /// Address to listen on for clients.
    #[arg(
        long,
        value_name = "IP:PORT|unix:/PATH",
        default_value = "127.0.0.1:6400"
    )]
    listen: ListenAddress,
    /// Where the admin interface listens; off without it.
    #[arg(long, value_name = "ADDR")]
    admin: Option<SocketAddr>,
    /// How keys are placed on nodes, with the policy's defaults; the file knows all parameters.
    #[arg(long, default_value = "maglev", value_parser = policy)]
    policy: Policy,
    /// A node; repeat for each.
    #[arg(long, value_name = "HOST:PORT|unix:/PATH", required_unless_present = "config", value_parser = address)]
    node: Vec<String>,
    /// Hash only the part of a key in braces.
    #[arg(long)]
    hash_tags: bool,
    /// Slots of the maglev table, a prime. [default: 65537]
    #[arg(long, value_name = "N")]
    table_size: Option<u32>,
    /// Threads that serve clients; one a core without it.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    workers: Option<u16>,
    /// Refuse what changes or empties every node (FLUSHALL, CONFIG SET, FUNCTION LOAD, ...), and scripts that may write.
    #[arg(long)]
    no_admin_fan_out: bool,
    /// Scripts that declare no keys: `refuse` them, or run them on one of the nodes (`any_node`).
    #[arg(long, value_name = "WHAT", default_value = "refuse", value_parser = scripts)]
    scripts_without_keys: ScriptsWithoutKeys,
    /// From reading a request to its reply.
    #[arg(long, value_name = "MS", default_value_t = 1000, value_parser = clap::value_parser!(u64).range(1..))]
    op_timeout_ms: u64,
    /// Shape of the log on stderr; RUST_LOG says how much of it.
    #[arg(long, default_value = "text")]
    log: LogShape,
}

#[derive(Clone, Copy, ValueEnum)]
enum LogShape {
    Text,
    Json,
}

fn policy(text: &str) -> Result<Policy, String> {
    Policy::named(text).ok_or_else(|| {
        let known: Vec<&str> = Policy::all().map(|policy| policy.name()).collect();
        format!("expected one of {}", known.join(", "))
    })
}

fn scripts(text: &str) -> Result<ScriptsWithoutKeys, &'static str> {
    match text {
        "refuse" => Ok(ScriptsWithoutKeys::Refuse),
        "any_node" => Ok(ScriptsWithoutKeys::AnyNode),
        _ => Err("expected refuse or any_node"),
    }
}

fn address(text: &str) -> Result<String, config::Error> {
    config::read_address(text)
}

fn main() -> ExitCode {
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(error) => {
            // Help and version are asked for; the rest is not.
            let code = if error.use_stderr() { USAGE } else { 0 };
            // Nowhere to complain when printing fails.
            let _ = error.print();
            return ExitCode::from(code);
        }
    };
    start_log(args.log);
    match run(&args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("refproxy: {error:#}");
            ExitCode::from(UNUSABLE)
        }
    }
}

fn start_log(shape: LogShape) {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("warn"));
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    match shape {
        LogShape::Text => builder.init(),
        LogShape::Json => builder.json().init(),
    }
}

impl Args {
    fn config(&self) -> Result<Config, config::Error> {
        if let Some(path) = &self.config {
            return Config::read(path);
        }
        let mut policy = self.policy.clone();
        if let Some(size) = self.table_size {
            policy
                .set("table_size", &Value::Number(size))
                .map_err(|error| config::Error(format!("--table-size: {error}")))?;
        }
        let mut cluster = Cluster::new(policy, self.node.iter().map(Node::at).collect());
        if self.hash_tags {
            cluster.tags = TagRule::BRACES;
        }
        let cluster = Placed::new(cluster).map_err(|error| config::Error(error.to_string()))?;
        Ok(Config {
            listen: self.listen.clone(),
            admin: self.admin,
            workers: self
                .workers
                .map_or_else(config::default_workers, usize::from),
            users: Users::default(),
            node_auth: None,
            tls: None,
            node_tls: None,
            rules: Rules {
                admin_fan_out: !self.no_admin_fan_out,
                scripts_without_keys: self.scripts_without_keys,
            },
            cluster,
            timeouts: Timeouts {
                op: Duration::from_millis(self.op_timeout_ms),
                ..Timeouts::default()
            },
            limits: Limits::default(),
        })
    }
}

fn run(args: &Args) -> anyhow::Result<()> {
    let config = args.config()?;
    let admin = config
        .admin
        .map(|address| {
            admin::bind(address)
                .with_context(|| format!("listen on {address} for the admin interface"))
        })
        .transpose()?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    // Before the first client can come: a signal is not lost.
    let (mut hangup, mut terminate, mut interrupt) = {
        let _context = runtime.enter();
        (
            signal(SignalKind::hangup())?,
            signal(SignalKind::terminate())?,
            signal(SignalKind::interrupt())?,
        )
    };
    let (workers, nodes) = (config.workers, config.cluster.cluster().nodes.len());
    let server = Server::start(config)?;
    let handle = server.handle();
    eprintln!(
        "refproxy: listening on {} with {workers} workers over {nodes} nodes",
        server.address(),
    );
    runtime.block_on(async {
        if let Some(listener) = admin {
            let handle = handle.clone();
            tokio::spawn(async move {
                if let Err(error) = admin::serve(listener, handle).await {
                    tracing::error!(%error, "admin interface");
                }
            });
        }
        let path = args.config.clone();
        tokio::spawn(async move {
            while hangup.recv().await.is_some() {
                reread(path.as_deref(), &handle).await;
            }
        });
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("draining");
        // The admin interface still answers.
        tokio::task::spawn_blocking(|| server.drain()).await
    })?;
    // A placement that is being built is not waited for.
    runtime.shutdown_background();
    Ok(())
}

/// Handles SIGHUP. A file that cannot be used changes nothing.
async fn reread(path: Option<&Path>, handle: &Handle) {
    let Some(path) = path.map(Path::to_owned) else {
        return eprintln!("refproxy: SIGHUP: there is no --config to read again");
    };
    match swap(path, handle).await {
        Ok(generation) => eprintln!("refproxy: SIGHUP: cluster generation {generation}"),
        Err(error) => eprintln!("refproxy: SIGHUP: {error:#}: the cluster stays as it is"),
    }
}

async fn swap(path: PathBuf, handle: &Handle) -> anyhow::Result<u64> {
    // Reading a file may block.
    let read = tokio::task::spawn_blocking(move || Config::read_cluster(&path)).await?;
    let (cluster, place) = read?;
    handle.reload(cluster).await.context(place)
}
