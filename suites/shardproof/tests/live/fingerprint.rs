//! The fingerprint on real proxies: each is configured in its own format, and must be identified from outside.

use libtest_mimic::{Failed, Trial};
use placement::hash::{Digest, TagRule};
use placement::{Cluster as Description, Node, Policy, RING_SIZE_MAX, RingFunction};
use shardproof::planner::ClusterFile;
use shardproof::planner::fingerprint::report::{Fingerprint, Outcome};
use shardproof::planner::fingerprint::{Failure, Known, Query};
use shardproof::report;
use shardproof::run::{self, RunOptions};
use testbed::client::{Client, NODE_DEADLINE};
use testbed::cluster::Cluster;
use testbed::targets::{Proxy, Setting, Target};

use crate::support;

/// Links of this driver; runs that need the same ports wait for each other.
const LINK_PORT_BASE: u16 = 22701;
/// Keys live longer than any search.
const TTL_S: u64 = 300;

pub(crate) fn trials() -> Vec<Trial> {
    let targets = support::targets();
    let target = |name: &str| {
        let found = targets.iter().find(|target| target.name == name);
        found.expect("a target of the fixtures").clone()
    };
    let mut trials: Vec<Trial> = cases()
        .into_iter()
        .map(|case| trial(target(case.target), case))
        .collect();
    let short = target(REFPROXY);
    trials.push(Trial::test(
        "fingerprint::refproxy::a-node-too-few-leaves-nothing",
        || a_node_too_few(short),
    ));
    let on_command_line = target(REFPROXY);
    trials.push(Trial::test(
        "fingerprint::refproxy::on-the-command-line",
        || command_line(on_command_line),
    ));
    trials
}

/// A proxy's configuration, as changes to that of its target file, and the expected result.
struct Case {
    target: &'static str,
    name: &'static str,
    /// Edits of the template: a text, and its replacement.
    edits: Vec<(&'static str, String)>,
    policy: &'static str,
    hash_tags: bool,
    /// A weight for each node.
    weights: Vec<u32>,
    /// The proxy's names of its nodes, if the user knows them.
    names: Vec<&'static str>,
    tags: Vec<TagRule>,
    expected: Expected,
}

enum Expected {
    /// This policy and rule of tags.
    Found(Policy, TagRule),
    /// This in one of these orders of the given nodes.
    Ordered(Policy, Vec<usize>),
    Unexplained,
    Scatter,
}

impl Case {
    fn new(target: &'static str, name: &'static str, policy: Policy) -> Self {
        Self {
            target,
            name,
            edits: Vec::new(),
            policy: policy.name(),
            hash_tags: false,
            weights: vec![1; 3],
            names: Vec::new(),
            tags: Vec::new(),
            expected: Expected::Found(policy, TagRule::WholeKey),
        }
    }

    fn edit(mut self, from: &'static str, to: impl Into<String>) -> Self {
        self.edits.push((from, to.into()));
        self
    }

    fn braces(mut self) -> Self {
        self.hash_tags = true;
        if let Expected::Found(_, tags) = &mut self.expected {
            *tags = TagRule::BRACES;
        }
        self
    }

    fn expect(self, expected: Expected) -> Self {
        Self { expected, ..self }
    }

    fn tagged(mut self, open: u8, close: u8) -> Self {
        let rule = TagRule::Between(open, close);
        self.tags.push(rule);
        if let Expected::Found(_, tags) = &mut self.expected {
            *tags = rule;
        }
        self
    }
}

const ENVOY: &str = "envoy";
const TWEMPROXY: &str = "twemproxy";
const REFPROXY: &str = "refproxy";

fn cases() -> Vec<Case> {
    envoy()
        .into_iter()
        .chain(twemproxy())
        .chain(reference())
        .collect()
}

fn maglev(table_size: u32) -> Policy {
    Policy::Maglev {
        table_size,
        hash_hostnames: false,
    }
}

fn ring(size_min: u32, size_max: u32, function: RingFunction) -> Policy {
    Policy::RingHash {
        size_min,
        size_max,
        function,
        hash_hostnames: false,
    }
}

const ENVOY_POLICY: &str = "lb_policy: {{ policy | upper }}";
const ENVOY_NODE: &str =
    "{ address: { socket_address: { address: {{ node.host }}, port_value: {{ node.port }} } } }";
const FORWARDS: &str = "{% for node in nodes %}";
const BACKWARDS: &str = "{% for node in nodes | reverse %}";

fn envoy() -> Vec<Case> {
    let with = |config: &str| format!("{ENVOY_POLICY}\n      {config}");
    let more = |line: &str| format!("{ENVOY_NODE}\n                {line}");
    let case = |name, policy| Case::new(ENVOY, name, policy);
    let ring_of = |name, policy, config: &str| {
        let config = format!("ring_hash_lb_config: {{ {config} }}");
        case(name, policy).edit(ENVOY_POLICY, with(&config))
    };
    let xx = RingFunction::XxHash;
    let weights = "load_balancing_weight: {{ [1, 2, 3][loop.index0] }}";
    let key =
        "metadata: { filter_metadata: { envoy.lb: { hash_key: 'redis-{{ 9 - loop.index0 }}' } } }";
    let mut cases = vec![
        case("maglev", Policy::maglev()),
        case("maglev-small-table", maglev(251))
            .edit(ENVOY_POLICY, with("maglev_lb_config: { table_size: 251 }")),
        case("maglev-reversed", Policy::maglev()).edit(FORWARDS, BACKWARDS),
        case("maglev-braces", Policy::maglev()).braces(),
        case("ring-hash", Policy::ring_hash()),
        case("ring-hash-braces", Policy::ring_hash()).braces(),
        ring_of(
            "ring-hash-small",
            ring(64, RING_SIZE_MAX, xx),
            "minimum_ring_size: 64",
        ),
        // One point a node less would place some keys elsewhere; 1232 and 1233 are the same ring.
        ring_of(
            "ring-hash-odd-size",
            ring(3 * 411, RING_SIZE_MAX, xx),
            "minimum_ring_size: 1232",
        ),
        ring_of(
            "ring-hash-murmur",
            ring(1024, RING_SIZE_MAX, RingFunction::Murmur2),
            "hash_function: MURMUR_HASH_2",
        ),
        // With most sizes the missing point has no effect; with this one it does.
        ring_of(
            "ring-hash-cut-reversed",
            ring(34, 34, xx),
            "minimum_ring_size: 34, maximum_ring_size: 34",
        )
        .edit(FORWARDS, BACKWARDS)
        .expect(Expected::Ordered(ring(34, 34, xx), vec![2, 1, 0])),
        case("round-robin", Policy::maglev())
            .edit(ENVOY_POLICY, "lb_policy: ROUND_ROBIN")
            .expect(Expected::Scatter),
    ];
    let mut weighted = case("maglev-weights", Policy::maglev()).edit(ENVOY_NODE, more(weights));
    weighted.weights = vec![1, 2, 3];
    cases.push(weighted);
    let mut weighted =
        case("ring-hash-weights", Policy::ring_hash()).edit(ENVOY_NODE, more(weights));
    weighted.weights = vec![1, 2, 3];
    cases.push(weighted);
    let weights = more("load_balancing_weight: {{ loop.index }}");
    let nine = [
        case("maglev-nine-weights", Policy::maglev()).edit(ENVOY_NODE, weights.clone()),
        case("ring-hash-nine-weights", Policy::ring_hash()).edit(ENVOY_NODE, weights),
    ];
    cases.extend(nine.map(|case| Case {
        weights: (1..=9).collect(),
        ..case
    }));
    let mut named = case("maglev-hash-keys", Policy::maglev()).edit(ENVOY_NODE, more(key));
    named.names = vec!["redis-9", "redis-8", "redis-7"];
    cases.push(named);
    cases
}

const HASH: &str = "hash: fnv1a_64";
const SERVER: &str = "{{ node.addr }}:1";
const HASH_TAG: &str = "hash_tag: \"{}\"";

fn twemproxy() -> Vec<Case> {
    let case = |name, policy| Case::new(TWEMPROXY, name, policy);
    let ketama = |name, digest: Digest| {
        case(name, Policy::Ketama { digest }).edit(HASH, format!("hash: {}", digest.name()))
    };
    let modula = |name, digest: Digest| {
        case(name, Policy::Modula { digest }).edit(HASH, format!("hash: {}", digest.name()))
    };
    let weights = "{{ node.addr }}:{{ [3, 1, 2][loop.index0] }}";
    let names = "{{ node.addr }}:1 redis-{{ 9 - loop.index0 }}";
    let mut cases = vec![
        case("ketama", Policy::ketama()),
        case("ketama-reversed", Policy::ketama()).edit(FORWARDS, BACKWARDS),
        case("ketama-braces", Policy::ketama()).braces(),
        ketama("ketama-md5", Digest::Md5),
        ketama("ketama-crc32a", Digest::Crc32a),
        ketama("ketama-one-at-a-time", Digest::OneAtATime),
        case("modula", Policy::modula()),
        modula("modula-crc16", Digest::Crc16),
        modula("modula-jenkins", Digest::Jenkins),
        modula("modula-hsieh", Digest::Hsieh).braces(),
        case("random", Policy::modula())
            .edit("distribution: {{ policy }}", "distribution: random")
            .expect(Expected::Scatter),
    ];
    let mut dollars = ketama("ketama-dollars", Digest::Murmur)
        .tagged(b'$', b'$')
        .edit(HASH_TAG, "hash_tag: \"$$\"");
    dollars.hash_tags = true;
    cases.push(dollars);
    for mut weighted in [
        ketama("ketama-weights", Digest::Fnv1a64),
        modula("modula-weights", Digest::Murmur),
    ] {
        weighted.weights = vec![3, 1, 2];
        cases.push(weighted.edit(SERVER, weights));
    }
    let mut nine = case("ketama-nine-weights", Policy::ketama());
    nine.weights = (1..=9).collect();
    cases.push(nine.edit(SERVER, "{{ node.addr }}:{{ loop.index }}"));
    for mut named in [
        ketama("ketama-names", Digest::Fnv1a64),
        modula("modula-names", Digest::Crc32),
    ] {
        named.names = vec!["redis-9", "redis-8", "redis-7"];
        cases.push(named.edit(SERVER, names));
    }
    cases
}

fn reference() -> Vec<Case> {
    let case = |name, policy: Policy| Case::new(REFPROXY, name, policy);
    let reversed = |name, policy: Policy| {
        let order = vec![2, 1, 0];
        case(name, policy.clone())
            .edit(FORWARDS, BACKWARDS)
            .expect(Expected::Ordered(policy, order))
    };
    vec![
        case("maglev", Policy::maglev()).braces(),
        case("ring-hash", Policy::ring_hash()),
        case("ketama", Policy::ketama()).braces(),
        case("modula", Policy::modula()),
        case("slots", Policy::Slots).braces(),
        reversed("slots-reversed", Policy::Slots),
        case("jump", Policy::Jump),
        reversed("jump-reversed", Policy::Jump),
        // No sharding proxy places keys in this way, and it is not a candidate.
        case("rendezvous", Policy::Rendezvous).expect(Expected::Unexplained),
    ]
}

fn trial(target: Target, case: Case) -> Trial {
    let name = format!("fingerprint::{}::{}", target.name, case.name);
    support::trial(name, support::presence(&target), move || {
        fingerprint(target, &case)
    })
}

fn fingerprint(mut target: Target, case: &Case) -> Result<(), Failed> {
    support::prepare(&target);
    for (from, to) in &case.edits {
        if !target.start.config.contains(from) {
            return Err(format!("the target's template has no `{from}`").into());
        }
        target.start.config = target.start.config.replace(from, to);
    }
    let mut options = RunOptions::new(support::search(), 1);
    options.link_port_base = LINK_PORT_BASE;
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(async {
        let cluster = Cluster::start(&options, case.weights.len()).await?;
        let setting = Setting {
            nodes: cluster.link_addrs(),
            policy: case.policy.to_owned(),
            hash_tags: case.hash_tags,
            op_timeout_ms: 5000,
        };
        let proxy = Proxy::start(&target, setting, &options.search).await?;
        let question = question(case, &cluster);
        let (addr, reached) = (proxy.addr().into(), cluster.node_endpoints());
        let found = run::fingerprint(addr, reached, &question, TTL_S, &|_| ()).await?;
        eprintln!(
            "{} {}: {} keys, {} needed, {} tried",
            target.name, case.name, found.keys, found.keys_needed, found.candidates
        );
        judge(case, &question, &found)
            .map_err(|why| format!("{why}\n\n{}", report::terminal::fingerprint(&found)))?;
        nothing_left(&cluster).await?;
        Ok(())
    })
}

/// Three nodes, two of them given: the error says so, and the keys are deleted on the third node, too.
fn a_node_too_few(target: Target) -> Result<(), Failed> {
    support::prepare(&target);
    let mut options = RunOptions::new(support::search(), 1);
    options.link_port_base = LINK_PORT_BASE;
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(async {
        let cluster = Cluster::start(&options, 3).await?;
        let setting = Setting {
            nodes: cluster.link_addrs(),
            policy: Policy::maglev().name().to_owned(),
            hash_tags: false,
            op_timeout_ms: 5000,
        };
        let proxy = Proxy::start(&target, setting, &options.search).await?;
        let case = Case::new(REFPROXY, "a-node-too-few", Policy::maglev());
        let mut question = question(&case, &cluster);
        question.nodes.pop();
        let reached = cluster.node_endpoints()[..2].to_vec();
        let found = run::fingerprint(proxy.addr().into(), reached, &question, TTL_S, &|_| ()).await;
        match found {
            Err(Failure::Missing { missing, .. }) if missing > 0 => nothing_left(&cluster).await,
            other => Err(format!("{other:?}").into()),
        }
    })
}

/// The program, over nodes that the proxy sees at other addresses.
fn command_line(target: Target) -> Result<(), Failed> {
    support::prepare(&target);
    let mut options = RunOptions::new(support::search(), 1);
    options.link_port_base = LINK_PORT_BASE;
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(async {
        let cluster = Cluster::start(&options, 3).await?;
        let setting = Setting {
            nodes: cluster.link_addrs(),
            policy: Policy::maglev().name().to_owned(),
            hash_tags: true,
            op_timeout_ms: 5000,
        };
        let proxy = Proxy::start(&target, setting, &options.search).await?;
        let proxy_addr = proxy.addr().to_string();
        let addrs = cluster.node_addrs().into_iter().zip(cluster.link_addrs());
        let nodes = addrs.map(|(reached, seen)| format!("--node={reached}={seen}"));
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_shardproof"));
        command
            .args(["fingerprint", "--json", "-", "--proxy", &proxy_addr])
            .args(nodes);
        // The links are tasks of this runtime, so its thread must not block.
        let output = tokio::task::spawn_blocking(move || command.output()).await??;
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        if output.status.code() != Some(0) {
            let errors = String::from_utf8_lossy(&output.stderr);
            return Err(format!("{}: {errors}{said}", output.status).into());
        }
        if !said.starts_with("{\n  \"format\": \"shardproof.fingerprint/1\"") {
            return Err(format!("the report begins with {said:.60}").into());
        }
        let report: serde_json::Value = serde_json::from_str(&said)?;
        let found = &report["found"]["cluster"];
        let description: ClusterFile = serde_json::from_value(found.clone())?;
        let seen = cluster.link_addrs();
        let nodes = seen.iter().map(|addr| Node::at(addr.to_string())).collect();
        let mut expected = Description::new(Policy::maglev(), nodes);
        expected.tags = TagRule::BRACES;
        if description.cluster()? != expected {
            return Err(format!("found {found:#}").into());
        }
        nothing_left(&cluster).await
    })
}

fn question(case: &Case, cluster: &Cluster) -> Query {
    let mut names = case.names.iter().map(|name| (*name).to_owned());
    let addrs = cluster.link_addrs().into_iter().zip(cluster.node_addrs());
    Query {
        nodes: addrs
            .map(|(seen, reached)| Known {
                seen: seen.to_string(),
                reached: reached.to_string(),
                name: names.next(),
            })
            .collect(),
        weights: None,
        tags: case.tags.clone(),
        table_sizes: Vec::new(),
        ring_sizes: Vec::new(),
        keys_max: 4096,
        prefix: "sp1x".to_owned(),
        seed: 1,
    }
}

fn judge(case: &Case, question: &Query, found: &Fingerprint) -> Result<(), String> {
    let straight = || (0..case.weights.len()).collect();
    let (policy, tags, order) = match &case.expected {
        Expected::Found(policy, tags) => (policy, *tags, straight()),
        Expected::Ordered(policy @ Policy::Slots, order) => {
            (policy, TagRule::BRACES, order.clone())
        }
        Expected::Ordered(policy, order) => (policy, TagRule::WholeKey, order.clone()),
        Expected::Unexplained => return expect_outcome(Outcome::Unexplained, found),
        Expected::Scatter => return expect_outcome(Outcome::Scatter, found),
    };
    expect_outcome(Outcome::Found, found)?;
    let nodes = order.iter().map(|place: &usize| {
        let mut node = Node::at(&question.nodes[*place].seen);
        node.weight = case.weights[*place];
        node.name.clone_from(&question.nodes[*place].name);
        node.hash_key.clone_from(&node.name);
        node
    });
    let mut expected = Description::new(policy.clone(), nodes.collect());
    expected.tags = tags;
    let cluster = found.found.as_ref().map(|found| &found.cluster);
    if cluster != Some(&ClusterFile::of(&expected)) {
        return Err(format!("expected {expected:#?}"));
    }
    Ok(())
}

fn expect_outcome(expected: Outcome, found: &Fingerprint) -> Result<(), String> {
    if found.outcome == expected {
        Ok(())
    } else {
        Err(format!("expected {expected:?}, got {:?}", found.outcome))
    }
}

async fn nothing_left(cluster: &Cluster) -> Result<(), Failed> {
    for node in cluster.node_addrs() {
        let mut client = Client::connect(node, NODE_DEADLINE).await?;
        let size = client.call(&["DBSIZE"], NODE_DEADLINE).await?.to_string();
        if size != ":0" {
            return Err(format!("node {node} holds {size} keys when all is seen").into());
        }
    }
    Ok(())
}
