//! Options of connections to proxies and nodes: passwords, TLS, and how long to wait for a server that starts.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context;
use clap::Args;
use shardproof::fleet;
use testbed::address::{Address, Mistake, Secret};
use testbed::client;
use testbed::endpoint::{self, Access, AuthFile, Endpoint, Role, TlsOptions};
use testbed::wait::Wait;

use super::node::NodeFlag;
use super::{Console, Usage};

/// How help shows an address of a server.
pub(super) const ADDRESS: &str = "ADDRESS";

/// Between two questions to a server that does not answer yet.
const BETWEEN: Duration = Duration::from_millis(100);

/// How to connect. An address is HOST:PORT, `redis://[USER[:PASSWORD]@]HOST:PORT[/DATABASE]`, `rediss://` or unix:/PATH.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Connections to --proxy and --node")]
pub(super) struct Connect {
    /// Passwords, as TOML: tables [proxy], [node] or ["HOST:PORT"], each with password and perhaps user. Passwords are
    /// also taken from $SHARDPROOF_PROXY_PASSWORD and $SHARDPROOF_NODE_PASSWORD, or as redis://USER:PASSWORD@HOST:PORT
    #[arg(long, value_name = "FILE")]
    auth_file: Option<PathBuf>,
    /// Certificates of authorities to trust for rediss://, as PEM. Default: those of the system
    #[arg(long, value_name = "FILE", conflicts_with = "insecure")]
    cacert: Option<PathBuf>,
    /// Trust any certificate for rediss://
    #[arg(long)]
    insecure: bool,
    /// Client certificate for rediss://, as PEM
    #[arg(long, value_name = "FILE", requires = "key")]
    cert: Option<PathBuf>,
    /// Key of the client certificate, as PEM
    #[arg(long, value_name = "FILE", requires = "cert")]
    key: Option<PathBuf>,
    /// Wait until servers answer PING, each at most this long, such as 30s. Default: they must answer at once
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    wait: Option<Duration>,
}

/// Connects to the servers of one command line.
pub(super) struct Connector {
    access: Access,
    wait: Option<Duration>,
}

impl Connect {
    /// Reads the passwords.
    pub(super) fn connector(&self, console: &Console) -> anyhow::Result<Connector> {
        let secret = |name| (console.variable)(name).map(Secret::new);
        let file = match &self.auth_file {
            None => AuthFile::default(),
            Some(path) => {
                let named = || format!("--auth-file {}", path.display());
                let text = std::fs::read_to_string(path).with_context(named)?;
                let read = AuthFile::read(&text);
                read.map_err(|why| Usage(format!("{}: {why}", named())))?
            }
        };
        Ok(Connector {
            access: Access {
                proxy: secret("SHARDPROOF_PROXY_PASSWORD"),
                node: secret("SHARDPROOF_NODE_PASSWORD"),
                file,
                tls: TlsOptions {
                    cacert: self.cacert.clone(),
                    insecure: self.insecure,
                    cert: self.cert.clone(),
                    key: self.key.clone(),
                },
            },
            wait: self.wait,
        })
    }

    /// The flags in the form of a command line.
    pub(super) fn repeat(&self, repeat: &mut super::repeat::Flags) {
        let files = [
            ("--auth-file", &self.auth_file),
            ("--cacert", &self.cacert),
            ("--cert", &self.cert),
            ("--key", &self.key),
        ];
        for (flag, file) in files {
            if let Some(file) = file {
                repeat.value(flag, file.display());
            }
        }
        repeat.switch("--insecure", self.insecure);
    }
}

impl Connector {
    /// A proxy that a flag names. Waits for it if asked for.
    pub(super) async fn proxy(&self, flag: &str, address: &Address) -> anyhow::Result<Endpoint> {
        self.open(flag, address, Role::Proxy).await
    }

    /// A node that a flag names. Waits for it if asked for.
    pub(super) async fn node(&self, flag: &str, address: &Address) -> anyhow::Result<Endpoint> {
        self.open(flag, address, Role::Node).await
    }

    /// The nodes of --node, where weights have no effect.
    pub(super) async fn nodes(&self, flags: &[NodeFlag]) -> anyhow::Result<Vec<Endpoint>> {
        let mut nodes = Vec::with_capacity(flags.len());
        for flag in flags {
            nodes.push(flag.unweighted()?.endpoint(self).await?);
        }
        Ok(nodes)
    }

    /// Refuses a node that --node gives twice.
    pub(super) fn distinct(nodes: &[Endpoint]) -> Result<(), Usage> {
        let given = |(place, node): &(usize, &Endpoint)| nodes[..*place].contains(node);
        match nodes.iter().enumerate().find(given) {
            Some((_, node)) => Err(Usage(format!("--node {node}: given twice"))),
            None => Ok(()),
        }
    }

    /// A node at the address of a description, which calls it `seen`.
    pub(super) async fn described(&self, seen: &str, reach: &str) -> anyhow::Result<Endpoint> {
        let failed = |why: String| fleet::Error::NoAddress {
            seen: seen.to_owned(),
            addr: reach.to_owned(),
            why,
        };
        let address: Address = reach
            .parse()
            .map_err(|wrong: Mistake| failed(wrong.to_string()))?;
        let endpoint = self.access.endpoint(&address, Role::Node);
        let endpoint = endpoint.map_err(|why| match why {
            endpoint::Error::Resolve { why, .. } => failed(why.to_string()),
            why => failed(why.to_string()),
        })?;
        self.answers("node", endpoint).await
    }

    async fn open(&self, flag: &str, address: &Address, role: Role) -> anyhow::Result<Endpoint> {
        let endpoint = self.access.endpoint(address, role);
        let endpoint = endpoint.map_err(|why| Usage(format!("{flag}: {why}")))?;
        self.answers(flag, endpoint).await
    }

    /// The endpoint, when it answers PING or need not yet.
    async fn answers(&self, named: &str, endpoint: Endpoint) -> anyhow::Result<Endpoint> {
        if let Some(within) = self.wait {
            answers(endpoint, within)
                .await
                .with_context(|| format!("{named} {endpoint}"))?;
        }
        Ok(endpoint)
    }
}

/// Waits until a server answers PING. An answer that waiting does not change ends the wait: the caller meets it again.
async fn answers(endpoint: Endpoint, within: Duration) -> anyhow::Result<()> {
    let mut wait = Wait::begin("an answer to PING", within);
    loop {
        match client::ping(endpoint).await {
            Ok(()) | Err(client::Error::Refused { .. } | client::Error::Malformed(_)) => {
                return Ok(());
            }
            Err(why) => {
                // The server may be another's: it is not asked as often as a node of our own.
                tokio::time::sleep(BETWEEN).await;
                wait.pause(why.to_string()).await?;
            }
        }
    }
}

/// An address of a server to connect to.
pub(super) fn address(text: &str) -> Result<Address, String> {
    text.parse::<Address>().map_err(|wrong| wrong.to_string())
}

/// A whole number of seconds, or of milliseconds with `ms`.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let (digits, of): (&str, fn(u64) -> Duration) = match text.strip_suffix("ms") {
        Some(digits) => (digits, Duration::from_millis),
        None => (text.strip_suffix('s').unwrap_or(text), Duration::from_secs),
    };
    let number = digits
        .parse()
        .ok()
        .filter(|_| digits.bytes().all(|byte| byte.is_ascii_digit()));
    number
        .map(of)
        .ok_or_else(|| "expected seconds, such as 30s, or milliseconds, such as 500ms".to_owned())
}
