//! The subcommands: flags in, exit code out. Prints only through the console that main passes in.

mod baseline;
mod chaos;
mod check;
mod check_history;
mod clusters;
mod conformance;
mod connect;
mod console;
mod diff;
mod differential;
#[cfg(test)]
mod documented;
mod explain;
mod fingerprint;
mod fleet;
mod help;
mod init;
mod keys;
mod links;
mod list;
mod locate;
mod matrix;
mod migrate;
mod node;
mod output;
pub(crate) mod paint;
mod plan;
mod probe;
mod repeat;
mod rescale;
mod running;
mod secrets;
mod selection;
mod shell;
pub(crate) mod signals;
mod target;
mod toxiproxy;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use ::chaos::scenario;
use ::conformance::files as conformance_files;
use anyhow::Context;
use clap::{Args, FromArgMatches, Parser, Subcommand};
use shardproof::report;
use shardproof::run::RunOptions;
use testbed::cluster::{LINK_PORT_BASE, Source};
use testbed::endpoint::Endpoint;
use testbed::fault::Links;
use testbed::fixtures::Fixtures;
use testbed::program::Search;
use testbed::targets::Target;
use testbed::toxiproxy::Client;

use connect::{ADDRESS, Connect, Connector};
pub(crate) use console::{Console, Stop};
use node::{NODE, NodeFlag};

/// Conformance and chaos for RESP (Redis protocol) sharding proxies.
#[derive(Debug, Parser)]
#[command(
    version,
    propagate_version = true,
    arg_required_else_help = true,
    max_term_width = 100
)]
pub(crate) struct Cli {
    /// No progress on stderr, only notes and errors
    #[arg(short, long, global = true, display_order = 900)]
    quiet: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    List(list::Flags),
    Explain(explain::Flags),
    Run(conformance::Flags),
    Chaos(chaos::Flags),
    Matrix(matrix::Flags),
    Diff(diff::Flags),
    Differential(differential::Flags),
    Probe(probe::Flags),
    Init(init::Flags),
    Rescale(rescale::Flags),
    Plan(plan::Flags),
    Locate(locate::Flags),
    Fingerprint(fingerprint::Flags),
    Check(check::Flags),
    CheckHistory(check_history::Flags),
    Migrate(migrate::Flags),
    Links(links::Flags),
    Toxiproxy(toxiproxy::Flags),
    Completions(shell::Completions),
    Man(shell::Man),
}

/// The grammar of `plan --check`, which is `check` by another name: it has other flags than `plan`.
#[derive(Debug, Parser)]
#[command(name = env!("CARGO_PKG_NAME"), version, propagate_version = true)]
enum PlanCheck {
    /// Check live nodes: which keys the proxy can reach and which it cannot. Writes nothing to nodes
    Plan {
        /// Check live nodes instead of computing a plan
        #[arg(long, required = true)]
        check: bool,
        /// No progress on stderr, only notes and errors
        #[arg(short, long)]
        quiet: bool,
        #[command(flatten)]
        flags: check::Flags,
    },
}

impl Cli {
    /// Reads a command line, the program's name first.
    pub(crate) fn read(words: &[OsString]) -> Result<Self, clap::Error> {
        secrets::check(words)?;
        let is_plan = words.get(1).is_some_and(|command| command == "plan");
        if is_plan && words.iter().any(|word| word == "--check") {
            let PlanCheck::Plan { flags, quiet, .. } = PlanCheck::try_parse_from(words)?;
            return Ok(Self {
                quiet,
                command: Command::Check(flags),
            });
        }
        let mut command = help::command();
        let matches = command.try_get_matches_from_mut(words)?;
        Self::from_arg_matches(&matches).map_err(|wrong| wrong.format(&mut command))
    }

    /// Whether progress is unwanted.
    pub(crate) fn is_quiet(&self) -> bool {
        self.quiet
    }

    /// Whether the subcommand ends by itself when it is stopped, and writes its report before.
    pub(crate) fn reports_when_stopped(&self) -> bool {
        matches!(
            self.command,
            Command::Run(_) | Command::Matrix(_) | Command::Chaos(_)
        )
    }

    /// Whether signals are the usual way to end the subcommand.
    pub(crate) fn ends_by_signals(&self) -> bool {
        matches!(self.command, Command::Links(_) | Command::Toxiproxy(_))
    }
}

/// The exit code of the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// As expected.
    Expected,
    /// A promise is broken.
    Broken,
    /// It could not be judged.
    Unjudged,
    /// The command line is wrong.
    Usage,
}

impl From<report::Exit> for Exit {
    fn from(exit: report::Exit) -> Self {
        match exit {
            report::Exit::Expected => Self::Expected,
            report::Exit::Broken => Self::Broken,
            report::Exit::Unjudged => Self::Unjudged,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Expected => 0,
            Exit::Broken => 1,
            Exit::Unjudged => 2,
            Exit::Usage => 64,
        })
    }
}

/// The command line asks for something that does not exist.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Usage(pub(crate) String);

/// Who runs the nodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum NodeSource {
    Process,
    Docker,
}

/// Where cases and targets come from.
#[derive(Debug, Args)]
struct Folder {
    /// Folder with own files besides the built-in ones, in conformance/, targets/, chaos/ and matrix/. A file replaces the
    /// built-in one of the same name
    #[arg(long, value_name = "DIR")]
    fixtures: Option<PathBuf>,
}

/// The folders of fixtures.
const FIXTURES: [&str; 4] = ["conformance", "targets", "chaos", "matrix"];

impl Folder {
    fn fixtures(&self) -> Fixtures {
        self.fixtures
            .clone()
            .map_or_else(Fixtures::compiled_in, Fixtures::with)
    }

    /// Says which files replace built-in ones. A folder without any of the folders of fixtures is a usage error.
    fn announce(&self, console: &Console) -> anyhow::Result<()> {
        let Some(folder) = &self.fixtures else {
            return Ok(());
        };
        if !FIXTURES.iter().any(|name| folder.join(name).is_dir()) {
            let (folder, expected) = (folder.display(), FIXTURES.join(", "));
            let usage = format!("--fixtures {folder}: expected a folder with one of {expected}");
            return Err(Usage(usage).into());
        }
        let fixtures = self.fixtures();
        let mut replacing = fixtures.replacing_targets()?;
        replacing.extend(conformance_files::replacing(&fixtures)?);
        replacing.extend(scenario::replacing(&fixtures)?);
        for source in replacing {
            (console.err)(&format!("{} replaces the built-in file", source.path));
        }
        Ok(())
    }
}

/// Where cases and targets come from, over nodes of our own.
#[derive(Debug, Args)]
struct Basics {
    #[command(flatten)]
    folder: Folder,
    /// First port of the links between proxy and nodes. Placements hash these addresses
    #[arg(long, value_name = "PORT", default_value_t = LINK_PORT_BASE)]
    link_port_base: u16,
    /// Seed that repeats a run. Every run prints its seed
    #[arg(long, value_name = "HEX", value_parser = seed)]
    seed: Option<u64>,
}

/// Where cases, targets and nodes come from.
#[derive(Debug, Args)]
struct Common {
    #[command(flatten)]
    basics: Basics,
    /// How to run Redis nodes: as child processes or in containers. Default: process, or docker with --redis-image
    #[arg(long = "nodes", value_name = "SOURCE", value_enum)]
    source: Option<NodeSource>,
    /// Image of nodes in containers, which it implies. Default: $SHARDPROOF_REDIS_IMAGE, else shardproof/redis:local if present, else redis:7.2-alpine
    #[arg(long, value_name = "IMAGE")]
    redis_image: Option<String>,
    /// Running Redis server to use as a node; repeat per node. SEEN is its address as the proxy sees it
    #[arg(long = "node", value_name = NODE, conflicts_with_all = ["source", "redis_image"])]
    nodes: Vec<NodeFlag>,
    /// Running Toxiproxy server to inject faults with, instead of the suite's own links. It records no traffic
    #[arg(long, value_name = "HOST:PORT", value_parser = address)]
    toxiproxy: Option<std::net::SocketAddr>,
    #[command(flatten)]
    connect: Connect,
}

impl std::ops::Deref for Common {
    type Target = Basics;

    fn deref(&self) -> &Basics {
        &self.basics
    }
}

impl Common {
    /// Refuses flags that would have no effect.
    fn check(&self) -> Result<(), Usage> {
        match self.redis_image.is_some() && self.source() != NodeSource::Docker {
            true => Err(Usage(
                "--redis-image: has no effect with --nodes process".to_owned(),
            )),
            false => Ok(()),
        }
    }

    fn source(&self) -> NodeSource {
        self.source.unwrap_or(match self.redis_image {
            Some(_) => NodeSource::Docker,
            None => NodeSource::Process,
        })
    }

    /// The options of one run, with nodes from where they are to come from: `nodes` are those of --node.
    fn run_options(&self, search: Search, nodes: Vec<Endpoint>) -> RunOptions {
        RunOptions {
            nodes: match self.source() {
                _ if !nodes.is_empty() => Source::External(nodes),
                NodeSource::Process => Source::Process,
                NodeSource::Docker => Source::Docker {
                    image: self.redis_image.clone(),
                },
            },
            toxiproxy: self.toxiproxy,
            ..self.basics.run_options(search)
        }
    }

    /// As [`Common::run_options`]. A server of --toxiproxy is asked once which faults it has.
    async fn run_options_with_links(
        &self,
        search: Search,
        connector: &Connector,
    ) -> anyhow::Result<RunOptions> {
        let nodes = connector.nodes(&self.nodes).await?;
        Ok(RunOptions {
            toxiproxy_links: self.links().await?.unwrap_or_default(),
            ..self.run_options(search, nodes)
        })
    }

    /// The kind of the server of --toxiproxy: only shardproof's has toxics of replies.
    async fn links(&self) -> anyhow::Result<Option<Links>> {
        let Some(server) = self.toxiproxy else {
            return Ok(None);
        };
        let links = Client::new(server).links().await;
        Ok(Some(
            links.with_context(|| format!("--toxiproxy {server}"))?,
        ))
    }
}

impl Basics {
    fn fixtures(&self) -> Fixtures {
        self.folder.fixtures()
    }

    /// The options of one run: its seed is the given one, or a fresh one.
    fn run_options(&self, search: Search) -> RunOptions {
        RunOptions {
            link_port_base: self.link_port_base,
            ..RunOptions::new(search, self.seed.unwrap_or_else(fresh_seed))
        }
    }

    /// The targets that `--target` asks for, in that order.
    fn targets(&self, arguments: &[String]) -> anyhow::Result<Vec<Target>> {
        target::targets(&self.folder, arguments)
    }
}

/// A seed that is short enough to type.
fn fresh_seed() -> u64 {
    use std::hash::{BuildHasher, RandomState};
    RandomState::new().hash_one(()) & 0xffff_ffff
}

/// The address of an API or a node of links, by number or name; IPv4 first if a name has both, as nodes and proxies listen by default.
fn address(text: &str) -> Result<std::net::SocketAddr, String> {
    use std::net::ToSocketAddrs;
    let found: Vec<_> = text
        .to_socket_addrs()
        .map_err(|why| format!("expected HOST:PORT, and {why}"))?
        .collect();
    let first = found.iter().find(|addr| addr.is_ipv4()).or(found.first());
    first
        .copied()
        .ok_or_else(|| "the name has no address".to_owned())
}

fn seed(text: &str) -> Result<u64, String> {
    u64::from_str_radix(text, 16).map_err(|_| "expected up to 16 hexadecimal digits".to_owned())
}

impl Command {
    /// The folder of own files, of commands that have one.
    fn folder(&self) -> Option<&Folder> {
        match self {
            Self::List(flags) => Some(&flags.folder),
            Self::Explain(flags) => Some(&flags.folder),
            Self::Run(flags) => Some(&flags.common.basics.folder),
            Self::Chaos(flags) => Some(&flags.common.basics.folder),
            Self::Matrix(flags) => Some(&flags.basics.folder),
            Self::Differential(flags) => Some(&flags.basics.folder),
            Self::Probe(flags) => Some(&flags.common.basics.folder),
            Self::Init(flags) => Some(&flags.common.basics.folder),
            Self::Rescale(flags) => Some(&flags.common.basics.folder),
            _ => None,
        }
    }
}

/// Executes the command line.
pub(crate) async fn run(cli: Cli, search: Search, console: &Console) -> anyhow::Result<Exit> {
    if let Some(folder) = cli.command.folder() {
        folder.announce(console)?;
    }
    match cli.command {
        Command::Completions(flags) => shell::completions(&flags, console),
        Command::Man(flags) => shell::man(&flags, console),
        Command::List(flags) => list::run(&flags, console),
        Command::Explain(flags) => explain::run(&flags, console),
        Command::Run(flags) => conformance::run(flags, search, console).await,
        Command::Locate(flags) => locate::run(&flags, console).await,
        Command::Plan(flags) => plan::run(&flags, console).await,
        Command::Chaos(flags) => chaos::run(flags, search, console).await,
        Command::Matrix(flags) => matrix::run(flags, search, console).await,
        Command::Diff(flags) => diff::run(&flags, console),
        Command::Differential(flags) => differential::run(flags, search, console).await,
        Command::Probe(flags) => probe::run(flags, search, console).await,
        Command::Init(flags) => init::run(flags, search, console).await,
        Command::Rescale(flags) => rescale::run(flags, search, console).await,
        Command::Check(flags) => check::run(flags, console).await,
        Command::CheckHistory(flags) => check_history::run(&flags, console),
        Command::Migrate(flags) => migrate::run(flags, console).await,
        Command::Fingerprint(flags) => fingerprint::run(flags, console).await,
        Command::Links(flags) => links::run(flags, console).await,
        Command::Toxiproxy(flags) => toxiproxy::run(flags, console).await,
    }
}
