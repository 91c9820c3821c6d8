//! INFO of all nodes as one text: what can be added up is, what is the proxy's own is told by the proxy, and what clients
//! decide by is what holds for every node ([`fields::Way`]). What one value cannot say is left out. Of what is not known
//! here, words are told that all nodes say alike; never numbers, which would come and go as they happen to be equal.
//!
//! A node that does not answer is told under `# Nodes`, whatever was asked for; sums are left out then, because they would
//! be too small.

mod fields;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::rc::Rc;
use std::sync::Arc;

use bytes::Bytes;

use fields::Way::{Alike, Human, Least, Limit, Most, OneServer, Peak, Ratio, Sum, Unless, Version};

use crate::command::goes_to_every_node;
use crate::resp::{Protocol, error_text, is_error, put_verbatim, text};

/// What the proxy tells of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Facts {
    /// Connected to all workers.
    pub(crate) clients: usize,
    /// How many may be.
    pub(crate) clients_max: usize,
    pub(crate) uptime_seconds: u64,
    pub(crate) port: u16,
    pub(crate) process_id: u32,
    /// 40 hexadecimal digits that are other ones after each start.
    pub(crate) run_id: Arc<str>,
    /// How it stands with each node, in a word.
    pub(crate) health: Vec<&'static str>,
}

/// What each node's line under `# Nodes` repeats of what it says.
const OF_EACH: [&str; 3] = ["redis_version", "role", "used_memory"];

/// A part of the request that the section of the proxy's own belongs to.
const WITH_NODES: [&[u8]; 4] = [b"all", b"default", b"everything", b"nodes"];

/// Whether a request with these sections, none for the usual ones, asks for the section about nodes too.
pub(super) fn wants_nodes<'a>(mut sections: impl Iterator<Item = &'a [u8]>) -> bool {
    let named = |section: &[u8]| {
        WITH_NODES
            .iter()
            .any(|name| section.eq_ignore_ascii_case(name))
    };
    match sections.next() {
        None => true,
        Some(first) => named(first) || sections.any(named),
    }
}

/// One node's text: its sections in order, and its fields by name.
struct NodeInfo<'a> {
    sections: Vec<(&'a str, Vec<&'a str>)>,
    /// Each with its values; more than one where the name repeats, as that of modules does.
    fields: BTreeMap<&'a str, Vec<&'a str>>,
}

impl<'a> NodeInfo<'a> {
    fn read(text: &'a str) -> Self {
        let mut told = Self {
            sections: Vec::new(),
            fields: BTreeMap::new(),
        };
        for line in text.lines() {
            if let Some(name) = line.strip_prefix("# ") {
                told.sections.push((name, Vec::new()));
            } else if let Some((name, value)) = line.split_once(':') {
                if let Some((_, names)) = told.sections.last_mut() {
                    names.push(name);
                }
                told.fields.entry(name).or_default().push(value);
            }
        }
        told
    }

    fn values(&self, name: &str) -> &[&'a str] {
        self.fields.get(name).map_or(&[], Vec::as_slice)
    }

    /// The value of a field whose name does not repeat.
    fn value(&self, name: &str) -> Option<&'a str> {
        self.values(name).last().copied()
    }
}

/// The one text of all replies; none when one of them is neither text nor an error.
pub(super) fn info(
    replies: &[Bytes],
    nodes: &[Rc<str>],
    facts: &Facts,
    with_nodes: bool,
) -> Option<Vec<u8>> {
    let protocol = match replies.iter().find(|reply| !is_error(reply))?.first() {
        Some(b'=') => Protocol::Resp3,
        _ => Protocol::Resp2,
    };
    let mut texts = Vec::new();
    for reply in replies {
        texts.push(match is_error(reply) {
            true => None,
            false => Some(widened(text(reply)?)),
        });
    }
    let told = texts
        .iter()
        .map(|text| Some(NodeInfo::read(text.as_deref()?)));
    let told: Vec<Option<NodeInfo<'_>>> = told.collect();
    let mut out = String::new();
    let said: Vec<&NodeInfo<'_>> = told.iter().flatten().collect();
    for (section, names) in sections(&said) {
        begin(&mut out, section);
        for name in names {
            for value in values(name, &said, said.len() == replies.len(), facts) {
                let _ = write!(out, "{name}:{value}\r\n");
            }
        }
    }
    // Else what is left out would look like nothing.
    if with_nodes || said.len() < replies.len() {
        put_nodes(&mut out, &told, replies, nodes, facts);
    }
    let mut reply = Vec::with_capacity(out.len() + 16);
    put_verbatim(&mut reply, protocol, &narrowed(&out));
    Some(reply)
}

/// A character a byte. Clients make some of the names, of any bytes, and each is to come out as it went in.
fn widened(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| char::from(*byte)).collect()
}

/// The bytes of what was widened.
fn narrowed(text: &str) -> Vec<u8> {
    let bytes = text.chars().map(u8::try_from);
    bytes.filter_map(Result::ok).collect()
}

fn begin(out: &mut String, section: &str) {
    let between = if out.is_empty() { "" } else { "\r\n" };
    let _ = write!(out, "{between}# {section}\r\n");
}

/// All sections in the order of the first node that has them, each with its fields.
fn sections<'a>(said: &[&NodeInfo<'a>]) -> Vec<(&'a str, Vec<&'a str>)> {
    let mut sections: Vec<(&str, Vec<&str>)> = Vec::new();
    // There may be as many as clients make errors.
    let mut seen = BTreeSet::new();
    for (section, names) in said.iter().flat_map(|told| &told.sections) {
        let place = sections.iter().position(|(known, _)| known == section);
        let place = place.unwrap_or_else(|| {
            sections.push((section, Vec::new()));
            sections.len() - 1
        });
        for name in names {
            if seen.insert((place, *name)) {
                sections[place].1.push(name);
            }
        }
    }
    sections
}

/// The values of a field, one unless its name repeats; none where they cannot say what the nodes say. `all` is whether every
/// node has answered.
fn values(name: &str, said: &[&NodeInfo<'_>], all: bool, facts: &Facts) -> Vec<String> {
    if let Some(own) = own(name, facts) {
        return vec![own];
    }
    if let ([only], true) = (said, all) {
        let values = only.values(name).iter();
        return values.map(|value| (*value).to_owned()).collect();
    }
    let each: Vec<&str> = said.iter().filter_map(|told| told.value(name)).collect();
    let one = match fields::way(name) {
        Some(Sum) => all.then(|| added(&each)).flatten(),
        Some(Most) => most(&each, |one, other| one > other),
        Some(Least) => most(&each, |one, other| one < other),
        Some(Human(field)) => {
            let bytes = values(field, said, all, facts).pop();
            bytes.and_then(|bytes| human(bytes.parse().ok()?))
        }
        Some(Alike) => return alike(name, said),
        Some(Version) => (each.len() == said.len()).then(|| lowest(&each)).flatten(),
        Some(Limit) => all.then(|| limit(&each)).flatten(),
        Some(Unless(word)) => {
            let other = each.iter().find(|value| **value != word);
            other.or(each.first()).map(|value| (*value).to_owned())
        }
        Some(Ratio | Peak | OneServer) => None,
        None if is_tally(name) => all.then(|| tally(name, &each)).flatten(),
        None if said.iter().any(|told| told.values(name).len() > 1) => return alike(name, said),
        None => {
            let mut words = alike(name, said);
            words.retain(|value| !value.contains(|at: char| at.is_ascii_digit()));
            return words;
        }
    };
    one.into_iter().collect()
}

/// The values that all nodes say, in the order of the first.
fn alike(name: &str, said: &[&NodeInfo<'_>]) -> Vec<String> {
    let Some((first, others)) = said.split_first() else {
        return Vec::new();
    };
    let everywhere = |value: &&&str| others.iter().all(|told| told.values(name).contains(value));
    let values = first.values(name).iter().filter(everywhere);
    values.map(|value| (*value).to_owned()).collect()
}

/// What is true of the proxy, whatever the nodes say of themselves. To its clients it is a server of its own, and no
/// cluster, as HELLO says too.
fn own(name: &str, facts: &Facts) -> Option<String> {
    Some(match name {
        "cluster_enabled" => "0".to_owned(),
        "redis_mode" | "server_mode" => "standalone".to_owned(),
        "run_id" => facts.run_id.to_string(),
        "connected_clients" => facts.clients.to_string(),
        "maxclients" => facts.clients_max.to_string(),
        "process_id" => facts.process_id.to_string(),
        "tcp_port" => facts.port.to_string(),
        "uptime_in_seconds" => facts.uptime_seconds.to_string(),
        "uptime_in_days" => (facts.uptime_seconds / (24 * 60 * 60)).to_string(),
        _ => return None,
    })
}

/// The names of [`own`].
#[cfg(test)]
fn own_names() -> [&'static str; 10] {
    [
        "cluster_enabled",
        "connected_clients",
        "maxclients",
        "process_id",
        "redis_mode",
        "run_id",
        "server_mode",
        "tcp_port",
        "uptime_in_days",
        "uptime_in_seconds",
    ]
}

/// The lowest version, number by number.
fn lowest(versions: &[&str]) -> Option<String> {
    let numbers = |version: &&str| -> Vec<u64> {
        let parts = version.split('.').map(|part| {
            let rest = part.trim_start_matches(|at: char| at.is_ascii_digit());
            part[..part.len() - rest.len()].parse().unwrap_or(0)
        });
        parts.collect()
    };
    let lowest = versions.iter().min_by_key(|version| numbers(version));
    lowest.map(|version| (*version).to_owned())
}

fn limit(values: &[&str]) -> Option<String> {
    match values.contains(&"0") {
        true => Some("0".to_owned()),
        false => added(values),
    }
}

/// The sum, with as many places behind the point as the values have.
fn added(values: &[&str]) -> Option<String> {
    let whole: Option<Vec<i64>> = values.iter().map(|value| value.parse().ok()).collect();
    if let Some(whole) = whole {
        let sum = whole.into_iter().try_fold(0_i64, i64::checked_add)?;
        return Some(sum.to_string());
    }
    let places = values.iter().filter_map(|value| value.split_once('.'));
    let places = places.map(|(_, behind)| behind.len()).max()?;
    let parts: Option<Vec<f64>> = values.iter().map(|value| value.parse().ok()).collect();
    Some(format!("{:.places$}", parts?.iter().sum::<f64>()))
}

fn most(values: &[&str], wins: impl Fn(i64, i64) -> bool) -> Option<String> {
    let numbers: Option<Vec<i64>> = values.iter().map(|value| value.parse().ok()).collect();
    let better = |one, other| if wins(other, one) { other } else { one };
    Some(numbers?.into_iter().reduce(better)?.to_string())
}

/// Whether a field counts several things: `db0:keys=1,expires=0,avg_ttl=0`, `db0_distrib_lists_items:1=7,1K=2`.
fn is_tally(name: &str) -> bool {
    let database = name.strip_prefix("db");
    let of_it = database.map(|name| name.trim_start_matches(|at: char| at.is_ascii_digit()));
    of_it.is_some_and(|of_it| of_it.is_empty() || of_it.starts_with(BY_SIZE))
        || name.starts_with("cmdstat_")
        || name.starts_with("errorstat_")
}

/// How many keys there are of which size.
const BY_SIZE: &str = "_distrib_";

/// What a size is in numbers, as `human` and Redis write it: `512`, `1K`.
fn size(label: &str) -> Option<u64> {
    let number = label.trim_end_matches(|at: char| at.is_ascii_alphabetic());
    let shift = match &label[number.len()..] {
        "" => 0,
        "K" => 10,
        "M" => 20,
        "G" => 30,
        "T" => 40,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_shl(shift)
}

/// Counts add up; averages are weighed by what they are averages of. What a client asks once, every node counts once, if the
/// proxy sends it to all: that is as many calls as the node has that counts most.
fn tally(name: &str, values: &[&str]) -> Option<String> {
    let command = name.strip_prefix("cmdstat_");
    let is_fan_out = command.is_some_and(goes_to_every_node);
    let mut names: Vec<&str> = Vec::new();
    let mut sums: BTreeMap<&str, f64> = BTreeMap::new();
    for value in values {
        let parts: Option<Vec<(&str, f64)>> = value
            .split(',')
            .map(|part| {
                let (name, number) = part.split_once('=')?;
                Some((name, number.parse().ok()?))
            })
            .collect();
        let parts = parts?;
        let of = |wanted: &str| parts.iter().find(|(name, _)| *name == wanted);
        for (name, number) in &parts {
            let weight = match *name {
                "avg_ttl" => of("expires").map_or(0.0, |(_, expires)| *expires),
                _ => 1.0,
            };
            if !names.contains(name) {
                names.push(name);
            }
            let sum = sums.entry(name).or_default();
            match is_fan_out && name.ends_with("calls") {
                true => *sum = sum.max(*number),
                false => *sum += weight * number,
            }
        }
    }
    if name.contains(BY_SIZE) {
        names.sort_by_key(|label| size(label));
    }
    let of = |name: &str| sums.get(name).copied().unwrap_or_default();
    let ratio = |sum: f64, count: f64| if count > 0.0 { sum / count } else { 0.0 };
    let shown = names.iter().map(|name| match *name {
        "avg_ttl" => format!("{name}={:.0}", ratio(of(name), of("expires")).floor()),
        "usec_per_call" => format!("{name}={:.2}", ratio(of("usec"), of("calls"))),
        _ => format!("{name}={:.0}", of(name)),
    });
    Some(shown.collect::<Vec<_>>().join(","))
}

/// Source: Redis 7.0 `src/util.c`, `bytesToHuman`.
fn human(bytes: u64) -> Option<String> {
    let units = [(40, 'T'), (30, 'G'), (20, 'M'), (10, 'K')];
    let unit = units.iter().find(|(shift, _)| bytes >> shift > 0);
    Some(match unit {
        None => format!("{bytes}B"),
        Some((shift, letter)) => format!("{:.2}{letter}", bytes as f64 / (1_u64 << shift) as f64),
    })
}

fn put_nodes(
    out: &mut String,
    told: &[Option<NodeInfo<'_>>],
    replies: &[Bytes],
    nodes: &[Rc<str>],
    facts: &Facts,
) {
    begin(out, "Nodes");
    let _ = write!(
        out,
        "refproxy_version:{}\r\nnodes:{}\r\n",
        env!("CARGO_PKG_VERSION"),
        nodes.len()
    );
    for (place, ((node, told), reply)) in nodes.iter().zip(told).zip(replies).enumerate() {
        let state = facts.health.get(place).copied().unwrap_or("unknown");
        let address = widened(node.as_bytes());
        let _ = write!(out, "node{place}:address={address},state={state}");
        for (name, value) in told.iter().flat_map(|told| {
            let of = |name| told.value(name).map(|value| (name, value));
            OF_EACH.into_iter().filter_map(of)
        }) {
            let _ = write!(out, ",{name}={value}");
        }
        if let Some(error) = error_text(reply) {
            // Whoever splits the line at its commas gets the error in one piece.
            let error = widened(error).replace([',', '\r', '\n'], ";");
            let _ = write!(out, ",error={error}");
        }
        out.push_str("\r\n");
    }
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use bytes::Bytes;

    use super::{Facts, human, info, wants_nodes};

    fn facts() -> Facts {
        Facts {
            clients: 7,
            clients_max: 100,
            uptime_seconds: 90_000,
            port: 6400,
            process_id: 4711,
            run_id: "0a1b".into(),
            health: vec!["up", "up"],
        }
    }

    /// Texts with `|` for the ends of lines; an error is one by its `-`.
    #[track_caller]
    fn check(replies: &[&str], with_nodes: bool, expected: &str) {
        let replies: Vec<&[u8]> = replies.iter().map(|text| text.as_bytes()).collect();
        check_bytes(&replies, with_nodes, expected.as_bytes());
    }

    #[track_caller]
    fn check_bytes(replies: &[&[u8]], with_nodes: bool, expected: &[u8]) {
        let lines = |text: &[u8]| {
            text.split(|byte| *byte == b'|')
                .collect::<Vec<_>>()
                .join(&b"\r\n"[..])
        };
        let framed =
            |text: &[u8]| [format!("${}\r\n", text.len()).as_bytes(), text, b"\r\n"].concat();
        let nodes = (0..replies.len()).map(|node| format!("n{node}").into());
        let nodes: Vec<Rc<str>> = nodes.collect();
        let replies = replies.iter().map(|text| match text.starts_with(b"-") {
            true => [*text, b"\r\n"].concat().into(),
            false => framed(&lines(text)).into(),
        });
        let replies: Vec<Bytes> = replies.collect();
        let reply = info(&replies, &nodes, &facts(), with_nodes).expect("the replies fit together");
        let expected = framed(&lines(expected));
        assert_eq!(
            reply.escape_ascii().to_string(),
            expected.escape_ascii().to_string()
        );
    }

    #[test]
    fn what_adds_up_is_added_and_what_differs_is_left_out() {
        check(
            &[
                "# Memory|used_memory:1048576|used_memory_human:1.00M|maxmemory_policy:noeviction|mem_fragmentation_ratio:1.5|",
                "# Memory|used_memory:524288|used_memory_human:512.00K|maxmemory_policy:noeviction|mem_fragmentation_ratio:2.5|",
            ],
            false,
            "# Memory|used_memory:1572864|used_memory_human:1.50M|maxmemory_policy:noeviction|",
        );
        check(
            &[
                "# CPU|used_cpu_sys:0.003462|",
                "# CPU|used_cpu_sys:1.100000|",
            ],
            false,
            "# CPU|used_cpu_sys:1.103462|",
        );
        check(
            &["# Persistence|loading:0|", "# Persistence|loading:1|"],
            false,
            "# Persistence|loading:1|",
        );
    }

    #[test]
    fn tallies_add_up_and_averages_are_weighed() {
        check(
            &[
                "# Keyspace|db0:keys=5,expires=1,avg_ttl=1000|",
                "# Keyspace|db0:keys=2,expires=3,avg_ttl=2000|db1:keys=1,expires=0,avg_ttl=0|",
            ],
            false,
            "# Keyspace|db0:keys=7,expires=4,avg_ttl=1750|db1:keys=1,expires=0,avg_ttl=0|",
        );
        check(
            &[
                "# Commandstats|cmdstat_get:calls=1,usec=5,usec_per_call=5.00,rejected_calls=0,failed_calls=0|",
                "# Commandstats|cmdstat_get:calls=3,usec=9,usec_per_call=3.00,rejected_calls=1,failed_calls=0|",
            ],
            false,
            "# Commandstats|cmdstat_get:calls=4,usec=14,usec_per_call=3.50,rejected_calls=1,failed_calls=0|",
        );
    }

    #[test]
    fn the_proxy_tells_its_own() {
        check(
            &[
                "# Server|redis_version:7.0.15|tcp_port:7001|run_id:a|uptime_in_days:9||# Clients|connected_clients:1|",
                "# Server|redis_version:7.0.15|tcp_port:7002|run_id:b|uptime_in_days:9||# Clients|connected_clients:1|",
            ],
            false,
            "# Server|redis_version:7.0.15|tcp_port:6400|run_id:0a1b|uptime_in_days:1||# Clients|connected_clients:7|",
        );
    }

    #[test]
    fn a_node_that_fails_is_told_and_no_sum_is_short() {
        check(
            &[
                "# Stats|keyspace_hits:3|role:master||# Keyspace|db0:keys=1,expires=0,avg_ttl=0|",
                "-ERR node n1: connection refused, or so",
            ],
            true,
            &format!(
                "# Stats|role:master||# Keyspace||# Nodes|refproxy_version:{}|nodes:2|node0:address=n0,state=up,role=master|\
                 node1:address=n1,state=up,error=ERR node n1: connection refused; or so|",
                env!("CARGO_PKG_VERSION")
            ),
        );
    }

    #[test]
    fn a_node_that_fails_is_told_whatever_was_asked_for() {
        check(
            &[
                "# Keyspace|db0:keys=1,expires=0,avg_ttl=0|",
                "-ERR node n1: timeout",
            ],
            false,
            &format!(
                "# Keyspace||# Nodes|refproxy_version:{}|nodes:2|node0:address=n0,state=up|\
                 node1:address=n1,state=up,error=ERR node n1: timeout|",
                env!("CARGO_PKG_VERSION")
            ),
        );
    }

    #[test]
    fn names_that_clients_make_may_be_any_bytes() {
        check_bytes(
            &[
                b"# Errorstats|errorstat_\xff\xfe:count=1|errorstat_\xff\xfd:count=2|",
                b"# Errorstats|errorstat_\xff\xfe:count=1|",
            ],
            false,
            b"# Errorstats|errorstat_\xff\xfe:count=2|errorstat_\xff\xfd:count=2|",
        );
    }

    #[test]
    fn numbers_of_unknown_fields_are_not_told_even_when_they_are_equal() {
        let one = "# Stats|frobnications:7|frob_ratio:1.5|frob_mode:lazy|frob_file:|reply_buffer_shrinks:1|hz:10|";
        let told = "# Stats|frob_mode:lazy|frob_file:|reply_buffer_shrinks:2|hz:10|";
        check(&[one, one], false, told);
        let two = "# Stats|hz:20|frob_mode:eager|";
        check(&[one, two], false, "# Stats|reply_buffer_shrinks:1|hz:10|");
        check(&[one], false, one);
    }

    #[test]
    fn what_clients_decide_by_holds_for_every_node() {
        check(
            &[
                "# Server|redis_version:8.2.3|os:Linux|arch_bits:64|redis_mode:cluster||# Memory|maxmemory:100|maxmemory_policy:noeviction||\
                 # Persistence|rdb_last_bgsave_status:ok|aof_enabled:1||# Replication|role:slave|master_host:a|",
                "# Server|redis_version:7.0.15|os:Darwin|arch_bits:32|redis_mode:standalone||# Memory|maxmemory:50|maxmemory_policy:allkeys-lru||\
                 # Persistence|rdb_last_bgsave_status:err|aof_enabled:0||# Replication|role:master|",
                "# Server|redis_version:7.2.4|server_name:valkey|valkey_version:9.1.2|os:Linux|arch_bits:64||# Memory|maxmemory:70|\
                 maxmemory_policy:volatile-ttl||# Persistence|rdb_last_bgsave_status:ok|aof_enabled:1||# Replication|role:slave|",
            ],
            false,
            "# Server|redis_version:7.0.15|arch_bits:32|redis_mode:standalone||# Memory|maxmemory:220|maxmemory_policy:allkeys-lru||\
             # Persistence|rdb_last_bgsave_status:err|aof_enabled:0||# Replication|role:master|",
        );
        check(
            &[
                "# Server|redis_version:7.2.4|valkey_version:9.10.2||# Memory|maxmemory:0|maxmemory_human:0B|",
                "# Server|redis_version:7.2.4|valkey_version:9.9.12||# Memory|maxmemory:7|maxmemory_human:7B|",
            ],
            false,
            "# Server|redis_version:7.2.4|valkey_version:9.9.12||# Memory|maxmemory:0|maxmemory_human:0B|",
        );
    }

    #[test]
    fn what_a_client_asks_of_all_nodes_at_once_is_one_call() {
        check(
            &[
                "# Commandstats|cmdstat_dbsize:calls=2,usec=8,usec_per_call=4.00,rejected_calls=0,failed_calls=1|",
                "# Commandstats|cmdstat_dbsize:calls=2,usec=4,usec_per_call=2.00,rejected_calls=0,failed_calls=0|",
            ],
            false,
            "# Commandstats|cmdstat_dbsize:calls=2,usec=12,usec_per_call=6.00,rejected_calls=0,failed_calls=1|",
        );
    }

    #[test]
    fn sizes_of_keys_add_up_in_the_order_of_sizes() {
        check(
            &[
                "# Keysizes|db0_distrib_strings_sizes:1=16,4=2,1K=1|db0_distrib_lists_items:2=1|",
                "# Keysizes|db0_distrib_strings_sizes:0=1,1=16,512=3,1M=1|",
            ],
            false,
            "# Keysizes|db0_distrib_strings_sizes:0=1,1=32,4=2,512=3,1K=1,1M=1|db0_distrib_lists_items:2=1|",
        );
    }

    #[test]
    fn lines_of_one_name_are_told_each() {
        check(
            &[
                "# Modules|module:name=a,ver=1|module:name=b,ver=1|module:name=c,ver=1|",
                "# Modules|module:name=c,ver=1|module:name=a,ver=1|module:name=b,ver=2|",
            ],
            false,
            "# Modules|module:name=a,ver=1|module:name=c,ver=1|",
        );
        let two = "# Others|other:name=a1|other:name=b2|";
        check(&[two, two], false, two);
    }

    #[test]
    fn sizes_are_told_as_redis_tells_them() {
        assert_eq!(human(1000).unwrap(), "1000B");
        assert_eq!(human(916_320).unwrap(), "894.84K");
        assert_eq!(human(25_276_502_016).unwrap(), "23.54G");
    }

    #[test]
    fn the_section_about_nodes_comes_with_the_usual_ones() {
        let wants = |line: &str| wants_nodes(line.split_whitespace().map(str::as_bytes));
        assert!(wants("") && wants("ALL") && wants("server Nodes"));
        assert!(!wants("server") && !wants("keyspace memory"));
    }
}
