//! Descriptions of clusters on the command line: a file of the proxy's own, or one word.

use std::net::IpAddr;
use std::path::Path;
use std::str::FromStr;

use clap::Args;
use shardproof::fleet;
use shardproof::planner::description::{self, Described, Description, Hints, Seeds};
use testbed::address::Address;
use testbed::endpoint::Endpoint;

use super::{ADDRESS, Connector, Usage};

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
    /// Node to ask for the slots of a Redis Cluster, instead of the seeds in the description; repeat for several
    #[arg(long = "seed-node", value_name = ADDRESS, value_parser = super::connect::address)]
    seeds: Vec<Address>,
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
            ..Hints::default()
        }
    }

    /// The cluster that `text` describes or whose file it names; `flag` is where it was given. A Redis Cluster is asked for
    /// its slots.
    pub(super) async fn read(
        &self,
        flag: &str,
        text: &str,
        connector: &Connector,
    ) -> anyhow::Result<Described> {
        match self.description(flag, text)? {
            Description::Cluster(described) => Ok(described),
            Description::RedisCluster(seeds) => self.ask(&seeds, connector).await,
        }
    }

    /// The same without asking any node. An error in a word of the command line is a usage error, an error in a file is not.
    pub(super) fn description(&self, flag: &str, text: &str) -> anyhow::Result<Description> {
        let hints = self.hints();
        let is_file = Path::new(text).exists();
        if !is_file {
            description::check_address(text).map_err(|why| Usage(format!("{flag}: {why}")))?;
        }
        if !is_file && (description::is_inline(text) || text.contains(':')) {
            let described = description::inline(text, &hints);
            let described = described.map_err(|why| Usage(format!("{flag} {why}")))?;
            return Ok(Description::Cluster(described));
        }
        let content = std::fs::read_to_string(text)
            .map_err(|why| anyhow::anyhow!("cannot read {text}: {why}"))?;
        let hints = Hints {
            included: description::included(&content, text, |place, path| {
                std::fs::read_to_string(path)
                    .map_err(|why| anyhow::anyhow!("{place}: cannot read {path}: {why}"))
            })?,
            ..hints
        };
        Ok(description::read_description(&content, text, &hints)?)
    }

    /// The Redis Cluster with the slots that its seeds answer.
    async fn ask(&self, seeds: &Seeds, connector: &Connector) -> anyhow::Result<Described> {
        let asked = self.seeds(seeds, connector).await?;
        let slots = fleet::ask_slots(&asked).await?;
        let mut described = seeds.described(&slots.seed, &slots.ranges, &self.hints())?;
        described.notes.push(format!(
            "slots as seed {} answers now: the proxy follows later changes",
            slots.seed
        ));
        described.notes.extend(slots.silent);
        Ok(described)
    }

    async fn seeds(
        &self,
        seeds: &Seeds,
        connector: &Connector,
    ) -> anyhow::Result<Vec<(String, Endpoint)>> {
        let mut asked = Vec::new();
        for address in &self.seeds {
            let endpoint = connector.node("--seed-node", address).await?;
            asked.push((address.site.to_string(), endpoint));
        }
        if asked.is_empty() {
            for seed in &seeds.addresses {
                asked.push((seed.clone(), connector.described(seed, seed).await?));
            }
        }
        Ok(asked)
    }
}
