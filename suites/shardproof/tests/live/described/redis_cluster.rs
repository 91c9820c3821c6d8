//! A real Redis Cluster behind a real Envoy of cluster type `envoy.clusters.redis`: each key is where the commands say, and
//! each thing that cannot be said is refused in one line.

use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::process::{Command, Output};

use libtest_mimic::{Failed, Trial};
use tempfile::TempDir;
use testbed::client::Client;
use testbed::node::{Node, Process};
use testbed::targets::{Proxy, Setting, Target};
use testbed::wire::Value;
use tokio::runtime::Runtime;

use super::variants::ENVOY;
use super::{WITHIN, render, write};
use crate::redis_cluster::{self, ClusterNode, Slots};
use crate::support::{self, Presence};

/// Enough to meet each range of slots.
const KEYS: usize = 600;
/// Three primaries. Two of them have several ranges.
const SLOTS: [Slots; 3] = [
    &[0..=4000, 9000..=10000],
    &[4001..=8999, 16383..=16383],
    &[10001..=16382],
];
/// One node with all slots.
const ALL: Slots = &[0..=16383];

/// The rest of Envoy's file.
const CLUSTER: &str = r#"
                settings: { op_timeout: 5s }
                prefix_routes: { catch_all_route: { cluster: nodes } }
  clusters:
    - name: nodes
      connect_timeout: 1s
      lb_policy: CLUSTER_PROVIDED
      cluster_type:
        name: envoy.clusters.redis
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.clusters.redis.v3.RedisClusterConfig
          cluster_refresh_rate: 1s
      load_assignment:
        cluster_name: nodes
        endpoints:
          - lb_endpoints:
{% for node in nodes %}
              - endpoint: { address: { socket_address: { address: {{ node.host }}, port_value: {{ node.port }} } } }
{% endfor %}
"#;

fn config() -> String {
    format!("{}{}", ENVOY.trim_end(), CLUSTER)
}

pub(super) fn trials(targets: &[Target]) -> Vec<Trial> {
    let envoy = targets.iter().find(|target| target.name == "envoy");
    let envoy = envoy.expect("a target of this name").clone();
    let name = |promise: &str| format!("described::redis-cluster::{promise}");
    let real = support::trial(
        name("each-key-is-where-envoy-sends-it"),
        support::presence(&envoy),
        move || Runtime::new()?.block_on(places(envoy)),
    );
    let slots = support::trial(
        name("moving-slots-are-not-judged"),
        Presence::Expected,
        || Runtime::new()?.block_on(moving()),
    );
    let seeds = support::trial(
        name("seeds-that-cannot-tell-are-named"),
        Presence::Expected,
        || Runtime::new()?.block_on(seeds()),
    );
    vec![real, slots, seeds]
}

/// A file with these seeds.
fn file(seeds: &[SocketAddr]) -> Result<(TempDir, String), Failed> {
    let folder = TempDir::new()?;
    let path = folder.path().join("envoy.yaml");
    fs::write(&path, render(&config(), "", false, seeds)?)?;
    let path = path.to_str().ok_or("a path of text")?.to_owned();
    Ok((folder, path))
}

/// Predixy's pool of these seeds.
fn servers(seeds: &[SocketAddr]) -> String {
    let servers = seeds.iter().map(|seed| format!("    + {seed}\n"));
    let servers: String = servers.collect();
    format!("ClusterServerPool {{\n  Servers {{\n{servers}  }}\n}}\n")
}

fn shardproof(arguments: &[&str]) -> Result<Output, Failed> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_shardproof"));
    Ok(command.args(arguments).output()?)
}

/// The output of a command that ends as expected.
fn stdout(arguments: &[&str]) -> Result<String, Failed> {
    let output = shardproof(arguments)?;
    match output.status.code() {
        Some(0) => Ok(String::from_utf8(output.stdout)?),
        _ => Err(format!("{arguments:?}: {output:?}").into()),
    }
}

/// A command cannot judge, and says so in one line that has all parts.
fn refused(arguments: &[&str], parts: &[&str]) -> Result<(), Failed> {
    let output = shardproof(arguments)?;
    let text = String::from_utf8_lossy(&output.stderr);
    let is_said = text
        .lines()
        .any(|line| parts.iter().all(|part| line.contains(part)));
    match output.status.code() {
        Some(2) if is_said && output.stdout.is_empty() => Ok(()),
        code => Err(format!("{arguments:?}: {code:?}, expected {parts:?} in\n{text}").into()),
    }
}

/// The primary that holds each key, by the nodes themselves.
async fn held(nodes: &[ClusterNode]) -> Result<BTreeMap<String, String>, Failed> {
    let mut held = BTreeMap::new();
    for node in nodes {
        let Value::Array(keys) = node.ask("KEYS *").await? else {
            return Err("KEYS is not answered with an array".into());
        };
        for key in keys {
            let Value::Bulk(key) = key else {
                return Err("a key is not a bulk".into());
            };
            let key = String::from_utf8(key)?;
            if let Some(other) = held.insert(key.clone(), node.addr().to_string()) {
                return Err(format!("{key} is on {other} too").into());
            }
        }
    }
    Ok(held)
}

async fn places(mut envoy: Target) -> Result<(), Failed> {
    let nodes = redis_cluster::start(&SLOTS).await?;
    let primaries = &nodes[..SLOTS.len()];
    // One seed is a replica. The third primary is no seed.
    let seeds = [nodes[0].addr(), nodes[1].addr(), nodes[3].addr()];
    envoy.start.config = config();
    let setting = Setting {
        nodes: seeds.to_vec(),
        policy: "maglev".to_owned(),
        hash_tags: false,
        op_timeout_ms: 5000,
    };
    let proxy = Proxy::start(&envoy, setting, &support::search()).await?;
    let keys: Vec<String> = (0..KEYS)
        .map(|number| match number % 4 {
            0 => format!("key:{number}"),
            1 => format!("{{tag:{}}}:{number}", number / 40),
            2 => format!("a{{{number}}}b{{c}}"),
            _ => format!("{{}}{{{number}}}"),
        })
        .collect();
    write(proxy.addr(), &keys).await?;
    let held = held(primaries).await?;
    if held.len() != KEYS {
        return Err(format!("{} keys are on nodes", held.len()).into());
    }

    let (folder, file) = file(&seeds)?;
    let list = folder.path().join("keys");
    fs::write(&list, keys.join("\n") + "\n")?;
    let list = list.to_str().ok_or("a path of text")?;
    let proxy = proxy.addr().to_string();
    locates(&held, &[&file, list, &proxy])?;
    let predixy = folder.path().join("predixy.conf");
    fs::write(&predixy, "Name p\nInclude cluster.conf\n")?;
    fs::write(folder.path().join("cluster.conf"), servers(&seeds))?;
    let predixy = predixy.to_str().ok_or("a path of text")?;
    locates(&held, &[predixy, list, &proxy])?;
    plans(&held, &[&file, list])?;
    checks(&held, &file, &proxy)?;
    never_migrates(primaries, &file).await
}

/// `locate` names the node of each key, where it is found on that node and by the proxy.
fn locates(held: &BTreeMap<String, String>, [file, list, proxy]: &[&str; 3]) -> Result<(), Failed> {
    let located = [
        "locate",
        "--cluster",
        file,
        "--keys",
        list,
        "--look",
        "--proxy",
        proxy,
        "--json",
        "-",
    ];
    let lines = stdout(&located)?;
    let lines: Vec<serde_json::Value> = lines
        .lines()
        .map(serde_json::from_str)
        .collect::<Result<_, _>>()?;
    if lines.len() != KEYS {
        return Err(format!("{} lines of locate", lines.len()).into());
    }
    for (line, key) in lines.iter().zip(fs::read_to_string(list)?.lines()) {
        let is_right = line["node"] == *held[key]
            && line["found_on"] == serde_json::json!([held[key]])
            && line["found_by_proxy"] == true;
        if !is_right {
            return Err(format!("{key} is on {}, located as {line}", held[key]).into());
        }
    }
    Ok(())
}

/// `plan` counts as many keys on each node as are there, and names the node of each key that moves.
fn plans(held: &BTreeMap<String, String>, [file, list]: &[&str; 2]) -> Result<(), Failed> {
    let to = "maglev/hash_tags:127.0.0.1:1,127.0.0.1:2";
    let planned = [
        "plan", "--from", file, "--to", to, "--keys", list, "--moved", "-",
    ];
    let moved = stdout(&planned)?;
    let lines = moved.lines().filter(|line| !line.starts_with('#'));
    let from: BTreeMap<String, String> = lines
        .filter_map(|line| {
            let mut parts = line.split('\t');
            Some((parts.next()?.to_owned(), parts.next()?.to_owned()))
        })
        .collect();
    let wrong = held.iter().find(|(key, node)| from.get(*key) != Some(node));
    if let Some((key, node)) = wrong {
        return Err(format!("{key} is on {node}, planned as {:?}", from.get(key)).into());
    }
    let adds = [
        "plan",
        "--from",
        file,
        "--add-node",
        "127.0.0.1:9",
        "--count",
        "10",
    ];
    let output = shardproof(&adds)?;
    let text = String::from_utf8_lossy(&output.stderr);
    match output.status.code() == Some(64) && text.contains("expected --to with the slots") {
        true => Ok(()),
        false => Err(format!("{adds:?}: {output:?}").into()),
    }
}

/// `check` finds every key where the proxy asks.
fn checks(held: &BTreeMap<String, String>, file: &str, proxy: &str) -> Result<(), Failed> {
    let checked = ["check", "--to", file, "--proxy", proxy, "--json", "-"];
    let report: serde_json::Value = serde_json::from_str(&stdout(&checked)?)?;
    let mut by_node: BTreeMap<&str, u64> = BTreeMap::new();
    for node in held.values() {
        *by_node.entry(node).or_default() += 1;
    }
    let nodes = report["nodes"].as_array().ok_or("no nodes in the report")?;
    for node in nodes {
        let name = node["addr"].as_str().unwrap_or_default();
        if node["kept"] != by_node[name] {
            return Err(format!("{name} has {} keys: {node}", by_node[name]).into());
        }
    }
    let is_right =
        nodes.len() == by_node.len() && report["kept"] == KEYS && report["unreachable"] == 0;
    is_right
        .then_some(())
        .ok_or_else(|| report.to_string().into())
}

/// `migrate` is refused, by the file and by the nodes.
async fn never_migrates(primaries: &[ClusterNode], file: &str) -> Result<(), Failed> {
    let why = [
        "envoy.yaml:17",
        "slot by slot",
        "redis-cli --cluster reshard",
    ];
    refused(&["migrate", "--to", file], &why)?;
    refused(&["migrate", "--to", file, "--apply", "--unverified"], &why)?;
    let addrs: Vec<String> = primaries
        .iter()
        .map(|node| node.addr().to_string())
        .collect();
    let to = format!("maglev:{}", addrs.join(","));
    let moves = ["migrate", "--to", &to, "--apply", "--unverified"];
    refused(&moves, &[&addrs[0], "redis-cli --cluster reshard"])?;
    let mut client = Client::connect(primaries[0].addr(), WITHIN).await?;
    let restored = client.call(&["INFO", "commandstats"], WITHIN).await?;
    match restored.to_string().contains("cmdstat_restore") {
        true => Err("a key was moved".into()),
        false => Ok(()),
    }
}

/// While a slot moves, `check` refuses and `locate` finds its keys on both of its nodes.
async fn moving() -> Result<(), Failed> {
    let nodes = redis_cluster::start(&SLOTS).await?;
    let [from, to] = [&nodes[0], &nodes[1]];
    let (_folder, file) = file(&[nodes[2].addr()])?;
    // Slot 3300 of the first node.
    for key in ["{b}1", "{b}2"] {
        from.ask(&format!("SET {key} value")).await?;
    }
    stdout(&["check", "--to", &file])?;
    let (from_id, to_id) = (from.id().await?, to.id().await?);
    to.ask(&format!("CLUSTER SETSLOT 3300 IMPORTING {from_id}"))
        .await?;
    from.ask(&format!("CLUSTER SETSLOT 3300 MIGRATING {to_id}"))
        .await?;
    let port = to.addr().port();
    from.ask(&format!("MIGRATE 127.0.0.1 {port} {{b}}2 0 5000"))
        .await?;
    let from = from.addr().to_string();
    refused(
        &["check", "--to", &file],
        &[
            &from,
            "moving slot 3300->-",
            "run again when the reshard is done",
        ],
    )?;
    let located = stdout(&[
        "locate",
        "--cluster",
        &file,
        "--look",
        "{b}1",
        "{b}2",
        "{b}3",
    ])?;
    let on: Vec<&str> = located
        .lines()
        .skip(1)
        .filter_map(|line| line.split('\t').next_back())
        .collect();
    let to = to.addr().to_string();
    match on == [&*from, &*to, "no node"] {
        true => Ok(()),
        false => Err(located.into()),
    }
}

/// One line for each seed that is no help, with its address.
async fn seeds() -> Result<(), Failed> {
    let plain = Process::start(&support::search()).await?;
    let [whole, partial, empty] = [
        ClusterNode::start().await?,
        ClusterNode::start().await?,
        ClusterNode::start().await?,
    ];
    for node in [&whole, &partial] {
        // A node that met no other one does not know its address.
        node.ask("CONFIG SET cluster-announce-ip 127.0.0.1").await?;
    }
    whole.own(ALL).await?;
    partial.own(&[0..=99, 101..=16383]).await?;
    let gone = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    let unaddressed = ClusterNode::start().await?;
    unaddressed.own(ALL).await?;
    for (seeds, parts) in [
        (
            &[plain.addr()][..],
            &["not in cluster mode", "expected a node of a Redis Cluster"][..],
        ),
        (&[gone], &["no connection", "CLUSTER SLOTS"]),
        (&[empty.addr()], &["no slot has an owner"]),
        (
            &[unaddressed.addr()],
            &["has no address", "cluster-announce-ip"],
        ),
        (
            &[partial.addr()],
            &["envoy.yaml:17: ", "slot 100 has no node", "16384 slots"],
        ),
        (
            &[partial.addr(), whole.addr()],
            &["answer CLUSTER SLOTS differently"],
        ),
        (&[whole.addr(), plain.addr()], &["not in cluster mode"]),
    ] {
        let (_folder, file) = file(seeds)?;
        let named = seeds[seeds.len() - 1].to_string();
        let parts = [parts, &[named.as_str()]].concat();
        for command in [
            &["locate", "--cluster", &file, "key"][..],
            &["check", "--to", &file],
            &[
                "plan",
                "--from",
                &file,
                "--to",
                "maglev:a:1",
                "--count",
                "10",
            ],
        ] {
            refused(command, &parts)?;
        }
    }
    others_answer(gone, &whole)?;
    whole.ask("CONFIG SET requirepass hunter2").await?;
    let addr = whole.addr();
    let (_folder, file) = file(&[addr])?;
    let locate = ["locate", "--cluster", &file, "key"];
    refused(&locate, &[&addr.to_string(), "a password is needed"])?;
    let seed = format!("redis://:hunter2@{addr}");
    stdout(&[&locate[..], &["--seed-node", &seed]].concat())?;
    Ok(())
}

/// A seed that does not answer is named, and another one is enough. `--seed-node` replaces all of them.
fn others_answer(gone: SocketAddr, whole: &ClusterNode) -> Result<(), Failed> {
    let (_folder, both) = file(&[gone, whole.addr()])?;
    let (_folder2, none) = file(&[gone])?;
    let whole = whole.addr().to_string();
    for (file, seed, is_noted) in [(&both, None, true), (&none, Some(&whole), false)] {
        let mut command = vec!["locate", "--cluster", file, "key"];
        if let Some(seed) = seed {
            command.extend(["--seed-node", seed]);
        }
        let output = shardproof(&command)?;
        let (out, err) = (
            String::from_utf8(output.stdout)?,
            String::from_utf8(output.stderr)?,
        );
        let noted = err.contains(&format!("seed {gone}: no connection"));
        if !out.ends_with(&format!("\t{whole}\n")) || noted != is_noted {
            return Err(format!("{command:?}: {out}{err}").into());
        }
    }
    Ok(())
}
