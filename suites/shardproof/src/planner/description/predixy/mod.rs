//! Predixy's file: a pool of groups of servers, or the seeds of a Redis Cluster.
//!
//! Source: predixy at commit fb1ac64, `src/Conf.cpp`, `src/StandaloneServerPool.cpp` and `src/ClusterServerPool.cpp`. Read from the
//! source, never compared with a running predixy. Writes go to the first server of a group, and names are never hashed.

mod conf;
mod settings;

use std::collections::BTreeMap;
use std::collections::btree_map;

use ::placement::hash::{PredixyHash, TagRule};
use ::placement::{Cluster, Node, Policy};

use super::{
    Described, Description, Error, Hints, Routing, Seeds, Why, agrees, described, on_only_node,
    pick,
};
use conf::Entry;

const CLUSTER: &str = "ClusterServerPool";
const SENTINEL: &str = "SentinelServerPool";
const STANDALONE: &str = "StandaloneServerPool";

/// Whether a file is predixy's: it has a pool, or it begins with a setting and includes other files.
pub(super) fn is_one(text: &str) -> bool {
    let begins = conf::first_key(text);
    let is_setting = settings::GLOBAL
        .iter()
        .any(|name| begins.eq_ignore_ascii_case(name));
    let is_include = begins.eq_ignore_ascii_case(conf::INCLUDE);
    conf::has_pool(text, &[CLUSTER, SENTINEL, STANDALONE])
        || ((is_setting || is_include) && !conf::includes(text, "").is_empty())
}

/// The texts of all files that a description includes, by their paths. `read` gets the `file:line` of an include and the
/// path, and returns the text.
///
/// # Errors
/// The first one of `read`.
pub fn included<E>(
    text: &str,
    name: &str,
    mut read: impl FnMut(&str, &str) -> Result<String, E>,
) -> Result<BTreeMap<String, String>, E> {
    let mut included = BTreeMap::new();
    let mut named = match is_one(text) {
        true => conf::includes(text, name),
        false => Vec::new(),
    };
    while let Some((place, path)) = named.pop() {
        if let btree_map::Entry::Vacant(vacant) = included.entry(path) {
            let path = vacant.key();
            let text = read(&place, path)?;
            named.extend(conf::includes(&text, path));
            vacant.insert(text);
        }
    }
    Ok(included)
}

/// Reads the pool.
pub(super) fn read(text: &str, name: &str, hints: &Hints) -> Result<Description, Error> {
    let entries = conf::read(text, name, &hints.included)?;
    settings::check_global(&entries)?;
    // The last one of a kind counts.
    let last = |kinds: &[&str]| {
        let mut entries = entries.iter().rev();
        entries.find(|entry| kinds.iter().any(|kind| entry.is(kind)))
    };
    let (cluster, groups) = (last(&[CLUSTER]), last(&[SENTINEL, STANDALONE]));
    let pool = match (cluster, groups) {
        (Some(_), Some(other)) => {
            let expected = format!("{CLUSTER} is given too, expected only one pool");
            return Err(other.wrong(&*other.key, expected));
        }
        (Some(pool), None) | (None, Some(pool)) => pool,
        (None, None) => return Err(Why::Nothing.at(name)),
    };
    pick("pools", &[(pool.key.clone(), ())], hints).map_err(|why| why.at(name))?;
    if pool.scope.is_empty() {
        return Err(pool.wrong(&*pool.key, "expected a scope: { at the end of the line"));
    }
    match pool.is(CLUSTER) {
        true => seeds(pool, hints).map(Description::RedisCluster),
        false => groups_of(pool, hints).map(Description::Cluster),
    }
}

/// The last entry with this key.
fn setting<'a>(pool: &'a Entry, name: &str) -> Option<&'a Entry> {
    pool.scope.iter().rev().find(|entry| entry.is(name))
}

/// The seeds of a Redis Cluster. Its hash tags are part of predixy.
fn seeds(pool: &Entry, hints: &Hints) -> Result<Seeds, Error> {
    settings::check_pool(pool, settings::CLUSTER)?;
    agrees(TagRule::BRACES, hints).map_err(|why| why.at(&*pool.place))?;
    let databases = setting(pool, "Databases").filter(|entry| entry.text() != "1");
    if let Some(databases) = databases {
        return Err(databases.wrong("Databases", format!("expected 1 in {CLUSTER}")));
    }
    let lists = pool.scope.iter().filter(|entry| entry.is("Servers"));
    let mut addresses = Vec::new();
    for list in lists {
        addresses.extend(servers(list, hints)?);
    }
    if addresses.is_empty() {
        return Err(pool.wrong("Servers", "expected at least one server"));
    }
    Ok(Seeds {
        place: pool.place.clone(),
        setting: CLUSTER,
        addresses,
        routing: Routing::default(),
        notes: reads_of_replicas(pool),
    })
}

/// The first server of each group, in the order of groups.
fn groups_of(pool: &Entry, hints: &Hints) -> Result<Described, Error> {
    settings::check_pool(pool, settings::STANDALONE)?;
    check_method(pool)?;
    let mut nodes = Vec::new();
    let mut notes = reads_of_replicas(pool);
    for group in pool.scope.iter().filter(|entry| entry.is("Group")) {
        let servers = servers(group, hints)?;
        let Some(master) = servers.into_iter().next() else {
            return Err(group.wrong(format!("Group {}", group.text()), "expected its servers"));
        };
        nodes.push(Node {
            name: Some(group.text()).filter(|name| !name.is_empty()),
            ..Node::at(master)
        });
    }
    let hash = hash(pool)?;
    let scatters = distribution(pool)?;
    match (nodes.len(), scatters, hash) {
        (0, ..) => return Err(pool.wrong("Group", "expected at least one group")),
        (1, Some(Distribution::Random), _) => notes.push(on_only_node("Distribution random")),
        (1, ..) => {}
        (_, Some(Distribution::Random), _) => {
            return Err(Why::Scatters("Distribution random".to_owned()).at(&*pool.place));
        }
        (_, None, _) => {
            return Err(pool.wrong("Distribution", "expected modula, for several groups"));
        }
        (_, _, None) => {
            return Err(pool.wrong("Hash", "expected atol or crc16, for several groups"));
        }
        _ => {}
    }
    let mut cluster = Cluster::new(
        Policy::Predixy {
            // The key is not hashed where there is one group.
            hash: hash.unwrap_or(PredixyHash::Crc16),
        },
        nodes,
    );
    cluster.tags = tags(pool)?;
    agrees(cluster.tags, hints).map_err(|why| why.at(&*pool.place))?;
    let reach = cluster.nodes.iter().map(|node| node.address.clone());
    let reach = reach.collect();
    Ok(Described {
        notes,
        ..described(cluster, reach, pool.place.clone())?
    })
}

/// Refuses a pool whose masters are not in the file.
fn check_method(pool: &Entry) -> Result<(), Error> {
    let unsaid = "the sentinels know the masters, and the file does not; expected StandaloneServerPool with RefreshMethod \
                  fixed, and the master of each group as its first server";
    let method = setting(pool, "RefreshMethod");
    match method.map(Entry::text) {
        None if pool.is(SENTINEL) => Err(pool.wrong(SENTINEL, unsaid)),
        None => Err(pool.wrong("RefreshMethod", "expected fixed")),
        Some(text) if text.eq_ignore_ascii_case("fixed") => no_sentinels(pool),
        Some(text) => {
            let is_sentinel = text.eq_ignore_ascii_case("sentinel");
            let expected = if is_sentinel {
                unsaid
            } else {
                "expected fixed"
            };
            let place = method.unwrap_or(pool);
            Err(place.wrong(format!("RefreshMethod `{text}`"), expected))
        }
    }
}

fn no_sentinels(pool: &Entry) -> Result<(), Error> {
    match setting(pool, "Sentinels") {
        None => Ok(()),
        Some(sentinels) => {
            Err(sentinels.wrong("Sentinels", "expected none with RefreshMethod fixed"))
        }
    }
}

/// How keys are distributed over groups.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Distribution {
    Modula,
    Random,
}

fn distribution(pool: &Entry) -> Result<Option<Distribution>, Error> {
    let Some(entry) = setting(pool, "Distribution") else {
        return Ok(None);
    };
    let text = entry.text();
    match &*text.to_ascii_lowercase() {
        "modula" => Ok(Some(Distribution::Modula)),
        "random" => Ok(Some(Distribution::Random)),
        _ => Err(entry.wrong(
            format!("Distribution `{text}`"),
            "expected modula or random",
        )),
    }
}

fn hash(pool: &Entry) -> Result<Option<PredixyHash>, Error> {
    let Some(entry) = setting(pool, "Hash") else {
        return Ok(None);
    };
    let text = entry.text();
    let hash = PredixyHash::named(&text);
    hash.map(Some)
        .ok_or_else(|| entry.wrong(format!("Hash `{text}`"), "expected atol or crc16"))
}

fn tags(pool: &Entry) -> Result<TagRule, Error> {
    let Some(entry) = setting(pool, "HashTag") else {
        return Ok(TagRule::WholeKey);
    };
    match &*entry.value {
        [] => Ok(TagRule::WholeKey),
        [open, close] => Ok(TagRule::Between(*open, *close)),
        _ => {
            let field = format!("HashTag `{}`", entry.text());
            Err(entry.wrong(field, "expected two characters"))
        }
    }
}

/// The addresses of a list of servers, `+ [PASSWORD@]ADDRESS`. No error shows a password.
fn servers(list: &Entry, hints: &Hints) -> Result<Vec<String>, Error> {
    let servers = list.scope.iter().map(|entry| {
        if entry.key != "+" {
            let expected = "expected servers, each as + HOST:PORT";
            return Err(entry.wrong(format!("line in {}", list.key), expected));
        }
        let text = entry.text();
        let address = text.split_once('@').map_or(&*text, |(_, address)| address);
        let address = address.split_ascii_whitespace().next().unwrap_or_default();
        server(address, hints).ok_or_else(|| {
            entry.wrong(
                "server",
                "expected + HOST:PORT or + /PATH, perhaps with PASSWORD@ before it",
            )
        })
    });
    servers.collect()
}

fn server(address: &str, hints: &Hints) -> Option<String> {
    if address.starts_with('/') {
        return Some(address.to_owned());
    }
    let (host, port) = address.rsplit_once(':')?;
    let port: u16 = port.parse().ok().filter(|port| *port > 0)?;
    let is_valid = !host.is_empty() && !host.contains('@');
    is_valid.then(|| hints.address(host.trim_matches(['[', ']']), port))
}

/// A note, if reads may go to replicas.
fn reads_of_replicas(pool: &Entry) -> Vec<String> {
    let priorities = ["StaticSlaveReadPriority", "DynamicSlaveReadPriority"];
    let set = priorities.iter().filter(|name| {
        let entry = setting(pool, name);
        entry.is_some_and(|entry| entry.text() != "0")
    });
    set.map(|name| format!("{name}: reads may go to replicas, which may not have the last writes"))
        .collect()
}
