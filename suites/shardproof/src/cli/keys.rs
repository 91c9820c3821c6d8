//! Keys on the command line: a file, standard input, a pattern that counts, or live nodes.

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use clap::Args;
use shardproof::fleet::{Member, Scanning, Stream};
use shardproof::keys::{Form, Lines, Pattern, Source};

use testbed::address::Address;

use super::{ADDRESS, Connect, Connector, Console, Usage};

/// The default pattern of keys.
const PATTERN: &str = "key:{n}";
/// The default number of keys.
const COUNT: u64 = 1_000_000;

/// A file of keys.
#[derive(Debug, Args)]
pub(super) struct KeyFile {
    /// File of keys, one per line, as bytes; - for stdin. An empty line is the empty key
    #[arg(long, value_name = "FILE")]
    pub(super) keys: Option<PathBuf>,
    /// The lines of --keys are hexadecimal digits
    #[arg(long, requires = "keys")]
    pub(super) hex: bool,
}

/// Keys to plan over.
#[derive(Debug, Args)]
pub(super) struct Keys {
    #[command(flatten)]
    file: KeyFile,
    /// Generate keys from a pattern: n in braces counts from 0. Default: "key:" and such a number
    #[arg(long, value_name = "PATTERN", conflicts_with = "keys")]
    generate: Option<String>,
    /// Number of keys to generate. Default: 1000000
    #[arg(long, value_name = "COUNT", conflicts_with = "keys", value_parser = clap::value_parser!(u64).range(1..))]
    count: Option<u64>,
    /// Read the keys of a live node with SCAN; repeat per node
    #[arg(long = "scan", value_name = ADDRESS, value_parser = super::connect::address, conflicts_with_all = ["keys", "generate", "count"])]
    scanned: Vec<Address>,
    /// Scan only keys with this prefix
    #[arg(long, value_name = "TEXT", requires = "scanned")]
    prefix: Option<OsString>,
    /// Maximum number of keys to scan per second over all nodes. Default: no limit
    #[arg(long, value_name = "KEYS", requires = "scanned", value_parser = clap::value_parser!(u64).range(1..))]
    rate: Option<u64>,
    #[command(flatten)]
    connect: Connect,
}

impl KeyFile {
    /// The lines of the file that was given.
    pub(super) fn lines(&self) -> anyhow::Result<Option<Lines>> {
        let form = if self.hex { Form::Hex } else { Form::Plain };
        let file = self.keys.as_deref();
        Ok(file.map(|file| Lines::open(file, form)).transpose()?)
    }
}

impl Keys {
    /// The source of keys, and its name.
    pub(super) async fn source(
        &self,
        console: &Console,
    ) -> anyhow::Result<(Box<dyn Source>, String)> {
        if !self.scanned.is_empty() {
            return self.scan(console).await;
        }
        if let (Some(lines), Some(file)) = (self.file.lines()?, &self.file.keys) {
            return Ok((Box::new(lines), format!("from {}", file.display())));
        }
        let text = self.generate.as_deref().unwrap_or(PATTERN);
        let Some(pattern) = Pattern::new(text) else {
            let usage = format!("--generate {text}: expected to contain {{n}}");
            return Err(Usage(usage).into());
        };
        let generated = pattern.generate(self.count.unwrap_or(COUNT));
        let made_up = match (&self.generate, self.count) {
            (None, None) => {
                format!("generated as {text}, because neither --keys nor --generate is given")
            }
            _ => format!("generated as {text}"),
        };
        Ok((Box::new(generated), made_up))
    }

    /// The options of connections.
    pub(super) fn connector(&self, console: &Console) -> anyhow::Result<Connector> {
        self.connect.connector(console)
    }

    async fn scan(&self, console: &Console) -> anyhow::Result<(Box<dyn Source>, String)> {
        let prefix = self.prefix.as_deref().unwrap_or_default();
        let scanning = Scanning {
            prefix: prefix.as_bytes().to_vec(),
            ..Scanning::default()
        };
        let connector = self.connector(console)?;
        let mut nodes = Vec::new();
        for address in &self.scanned {
            let endpoint = connector.node("--scan", address).await?;
            nodes.push(Member::at(&address.site.to_string(), endpoint));
        }
        let stream = Stream::open(nodes, scanning, self.rate);
        let names: Vec<String> = self.scanned.iter().map(ToString::to_string).collect();
        Ok((Box::new(stream), format!("scanned on {}", names.join(", "))))
    }
}
