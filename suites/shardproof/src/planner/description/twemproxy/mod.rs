//! Twemproxy's file: pools of servers by name. Names of servers are hashed as they are written, and nothing is resolved.
//!
//! Source: nutcracker 0.5.0 `src/nc_conf.c`, `notes/recommendation.md`, and `nutcracker -t`: every value is a word,
//! regardless of its type in YAML. Only the described pool must be valid.

mod block;
mod settings;

use ::placement::hash::{Digest, TagRule};
use ::placement::{Cluster, Node, Policy};

use super::tree::{Content, Tree};
use super::{
    Described, Error, Hints, Why, agrees, check_address, described, moves_by_itself, on_only_node,
    pick,
};

/// The greatest weight: nutcracker reads a signed number.
const WEIGHT_MAX: u32 = i32::MAX as u32;

/// The setting that takes failing nodes out.
const EJECTS: &str = "auto_eject_hosts";

/// Whether a file is one of pools.
pub(super) fn has_pools(top: &Tree) -> bool {
    let pools = top.entries().iter();
    let mut servers = pools.filter_map(|(_, pool)| pool.get("servers"));
    servers.any(|servers| !matches!(servers.content, Content::Map(_)))
}

/// Reads the pool that is asked for, or the only one.
pub(super) fn read(
    (text, top): (&str, &Tree),
    name: &str,
    hints: &Hints,
) -> Result<Described, Error> {
    block::check(text, name)?;
    if let Some((_, unnamed)) = top.entries().iter().find(|(name, _)| name.is_empty()) {
        let why = Why::field("pool", "expected a name before its settings");
        return Err(why.at(format!("{name}:{}", unnamed.line)));
    }
    let pool = pick("pools", top.entries(), hints).map_err(|why| why.at(name))?;
    let at = |tree: &Tree| format!("{name}:{}", tree.line);
    settings::check(pool, name)?;
    let servers = match pool.get("servers").map(|servers| &servers.content) {
        Some(Content::List(servers)) => servers,
        _ => {
            let why = Why::field("servers", "expected a list, one server per line");
            return Err(why.at(at(pool)));
        }
    };
    let nodes = servers
        .iter()
        .map(|server| {
            let text = server.text().unwrap_or_default();
            node(text).map_err(|why| why.at(at(server)))
        })
        .collect::<Result<Vec<Node>, Error>>()?;
    let wrong = |why: Why| why.at(at(pool));
    let mut cluster = Cluster::new(policy(pool).map_err(wrong)?, nodes);
    cluster.tags = tags(pool).map_err(wrong)?;
    agrees(cluster.tags, hints).map_err(wrong)?;
    let scatters = cluster.policy.scatters().then_some("distribution random");
    if let (Some(what), [_, _, ..]) = (scatters, &*cluster.nodes) {
        return Err(wrong(Why::Scatters(what.to_owned())));
    }
    let ejects = (setting(pool, EJECTS) == Some("true")).then(|| moves_by_itself(EJECTS));
    let reach = cluster.nodes.iter().map(|node| node.address.clone());
    let reach = reach.collect();
    Ok(Described {
        database: database(pool).map_err(wrong)?,
        notes: scatters
            .map(on_only_node)
            .into_iter()
            .chain(ejects)
            .collect(),
        ..described(cluster, reach, at(pool))?
    })
}

/// Selected on every node as soon as it is connected.
fn database(pool: &Tree) -> Result<Option<u32>, Why> {
    let given = setting(pool, "redis_db");
    let number = given.map(|text| {
        text.parse()
            .ok()
            .ok_or_else(|| Why::field("redis_db", "expected the number of a database"))
    });
    number.transpose()
}

/// The word of a setting.
fn setting<'a>(pool: &'a Tree, name: &str) -> Option<&'a str> {
    pool.get(name).and_then(Tree::text)
}

fn policy(pool: &Tree) -> Result<Policy, Why> {
    let digest = match setting(pool, "hash") {
        None => Digest::Fnv1a64,
        Some(name) => Digest::named(name).ok_or_else(|| {
            let known: Vec<&str> = Digest::all().map(Digest::name).collect();
            let expected = format!("expected one of {}", known.join(", "));
            Why::field(format!("hash `{name}`"), expected)
        })?,
    };
    match setting(pool, "distribution") {
        None | Some("ketama") => Ok(Policy::Ketama { digest }),
        Some("modula") => Ok(Policy::Modula { digest }),
        Some("random") => Ok(Policy::Random),
        Some(other) => {
            let expected = "expected ketama, modula or random";
            Err(Why::field(format!("distribution `{other}`"), expected))
        }
    }
}

fn tags(pool: &Tree) -> Result<TagRule, Why> {
    match setting(pool, "hash_tag").map(str::as_bytes) {
        None => Ok(TagRule::WholeKey),
        Some([open, close]) => Ok(TagRule::Between(*open, *close)),
        Some(other) => {
            let field = format!("hash_tag `{}`", String::from_utf8_lossy(other));
            Err(Why::field(field, "expected two characters"))
        }
    }
}

/// `HOST:PORT:WEIGHT [NAME]` or `/PATH:WEIGHT [NAME]`.
fn node(server: &str) -> Result<Node, Why> {
    let wrong = || {
        let expected = "expected HOST:PORT:WEIGHT or /PATH:WEIGHT, optionally followed by a name";
        Why::field(format!("server `{server}`"), expected)
    };
    check_address(server.split(' ').next().unwrap_or_default())?;
    let (place, name) = match server.split_once(' ') {
        Some((place, name)) if !name.contains(' ') => (place, Some(name.to_owned())),
        Some(_) => return Err(wrong()),
        None => (server, None),
    };
    let (address, weight) = place.rsplit_once(':').ok_or_else(wrong)?;
    let weight = weight.parse().map_err(|_| wrong())?;
    if weight > WEIGHT_MAX {
        return Err(wrong());
    }
    let is_path = address.starts_with('/');
    let is_address = address.rsplit_once(':').is_some_and(|(host, port)| {
        !host.is_empty() && port.parse::<u16>().is_ok_and(|port| port > 0)
    });
    if !is_path && !is_address {
        return Err(wrong());
    }
    Ok(Node {
        weight,
        hash_key: name.clone(),
        name,
        ..Node::at(address)
    })
}
