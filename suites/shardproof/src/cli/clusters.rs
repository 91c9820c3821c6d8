//! Descriptions of clusters on the command line: a file of the proxy's own, or one word.

use std::net::IpAddr;
use std::path::Path;
use std::str::FromStr;

use clap::Args;
use shardproof::planner::description::{self, Described, Hints};

use super::Usage;

/// How descriptions are read.
#[derive(Debug, Args)]
pub(super) struct Hinting {
    /// Address that the proxy resolves a host name to; repeat per name or address
    #[arg(long = "resolve", value_name = "NAME=IP", value_parser = resolved)]
    resolve: Vec<(String, IpAddr)>,
    /// Name of the cluster (Envoy) or pool (twemproxy) to use from a file with several
    #[arg(long, value_name = "NAME")]
    cluster_name: Option<String>,
    /// Whether only the part of a key between { and } is hashed, if the description does not say so
    #[arg(long, value_name = "on|off")]
    hash_tags: Option<Switch>,
}

/// Whether something is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Switch {
    On,
    Off,
}

impl FromStr for Switch {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "on" => Ok(Self::On),
            "off" => Ok(Self::Off),
            _ => Err("expected on or off"),
        }
    }
}

fn resolved(text: &str) -> Result<(String, IpAddr), String> {
    let found = text
        .split_once('=')
        .and_then(|(name, ip)| Some((name, ip.parse().ok()?)))
        .filter(|(name, _)| !name.is_empty());
    let (name, ip) = found.ok_or("expected NAME=IP")?;
    Ok((name.to_owned(), ip))
}

impl Hinting {
    pub(super) fn hints(&self) -> Hints {
        Hints {
            resolve: self.resolve.clone(),
            pick: self.cluster_name.clone(),
            hash_tags: self.hash_tags.map(|tags| tags == Switch::On),
        }
    }

    /// The cluster that `text` describes or whose file it names; `flag` is where it was given. An error in a word of
    /// the command line is a usage error, an error in a file is not.
    pub(super) fn read(&self, flag: &str, text: &str) -> anyhow::Result<Described> {
        let hints = self.hints();
        let is_file = Path::new(text).exists();
        if !is_file {
            description::check_address(text).map_err(|why| Usage(format!("{flag}: {why}")))?;
        }
        if !is_file && (description::is_inline(text) || text.contains(':')) {
            let described = description::inline(text, &hints);
            return described.map_err(|why| Usage(format!("{flag} {why}")).into());
        }
        let content = std::fs::read_to_string(text)
            .map_err(|why| anyhow::anyhow!("cannot read {text}: {why}"))?;
        Ok(description::read(&content, text, &hints)?)
    }
}
