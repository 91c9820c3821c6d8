//! The configuration of a proxy is read as the cluster that it really places keys over.
//!
//! The configuration of each target is read back. Configurations with every setting that affects placement run in real
//! proxies over real nodes, where each key is searched.

mod forms;
mod redis_cluster;
mod variants;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use libtest_mimic::{Failed, Trial};
use minijinja::{Value, context};
use shardproof::planner::Placement;
use shardproof::planner::description::{Described, Hints, inline, read};
use testbed::client::Client;
use testbed::node::{Node, Process};
use testbed::targets::{Proxy, Setting, Target};
use variants::Variant;

use crate::support;

const WITHIN: Duration = Duration::from_secs(5);
/// Enough to meet each node, and each part of a table that is built otherwise.
const KEYS: usize = 2000;
/// The targets whose programs check a configuration without running it.
const PROGRAMS: [&str; 2] = ["envoy", "twemproxy"];

pub(crate) fn trials() -> Vec<Trial> {
    let targets = support::targets();
    let own = targets.iter().map(|target| {
        let name = format!("described::{}::own-configuration", target.name);
        let target = target.clone();
        Trial::test(name, move || own(&target))
    });
    let real = variants::VARIANTS.iter().map(|variant| {
        let target = targets.iter().find(|target| target.name == variant.target);
        let target = target.expect("a target of this name").clone();
        let name = format!("described::{}::{}", target.name, variant.name);
        support::trial(name, support::presence(&target), || real(target, variant))
    });
    let programs = targets
        .iter()
        .filter(|target| PROGRAMS.contains(&&*target.name));
    let forms = programs.map(|target| {
        let (name, target) = (format!("described::{}::forms", target.name), target.clone());
        support::trial(name, support::presence(&target), move || {
            forms::hold(&target)
        })
    });
    own.chain(real)
        .chain(forms)
        .chain(redis_cluster::trials(&targets))
        .collect()
}

/// The templates of the target files, with every policy that they know.
fn own(target: &Target) -> Result<(), Failed> {
    let nodes = [21001, 21002].map(|port| SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
    for policy in &target.policies {
        for hash_tags in [false, true] {
            let config = render(&target.start.config, policy, hash_tags, &nodes)?;
            let found = read(&config, &target.start.config_name, &Hints::default())?;
            let expected = format!("{policy}/hash_tags={hash_tags}:{},{}", nodes[0], nodes[1]);
            let expected = inline(&expected, &Hints::default())?;
            if found != expected {
                return Err(format!("read {found:?}, expected {expected:?} of {config}").into());
            }
        }
    }
    Ok(())
}

fn render(
    template: &str,
    policy: &str,
    hash_tags: bool,
    nodes: &[SocketAddr],
) -> Result<String, Failed> {
    let place = |addr: &SocketAddr| -> Value {
        context! { addr => addr.to_string(), host => addr.ip().to_string(), port => addr.port() }
    };
    let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 6400));
    let variables = context! {
        listen => place(&any), admin => place(&any), policy, hash_tags, op_timeout_ms => 200,
        nodes => nodes.iter().map(place).collect::<Vec<_>>(),
    };
    Ok(minijinja::Environment::new().render_str(template, variables)?)
}

/// A real proxy with the configuration of `variant`.
fn real(mut target: Target, variant: &Variant) -> Result<(), Failed> {
    support::prepare(&target);
    target.start.config = variant.config();
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(compare(&target))
}

async fn compare(target: &Target) -> Result<(), Failed> {
    let search = support::search();
    let mut nodes = Vec::new();
    for _ in 0..variants::NODES {
        nodes.push(Process::start(&search).await?);
    }
    let addrs: Vec<SocketAddr> = nodes.iter().map(Node::addr).collect();
    let setting = Setting {
        nodes: addrs.clone(),
        policy: target.policies[0].clone(),
        hash_tags: false,
        op_timeout_ms: 5000,
    };
    let proxy = Proxy::start(target, setting, &search).await?;
    let keys: Vec<String> = (0..KEYS)
        .map(|number| match number % 2 {
            0 => format!("key:{number}"),
            _ => format!("{{{number}}}:$tag{number}$"),
        })
        .collect();
    write(proxy.addr(), &keys).await?;

    let config = render(&target.start.config, &target.policies[0], false, &addrs)?;
    let hints = Hints {
        resolve: vec![("localhost".to_owned(), IpAddr::from(Ipv4Addr::LOCALHOST))],
        pick: Some("nodes".to_owned()),
        ..Hints::default()
    };
    let described = read(&config, &target.start.config_name, &hints)?;
    let elsewhere = keys
        .iter()
        .filter(|key| !described.routing.takes(key.as_bytes()));
    if described.routing.takes_all() != (elsewhere.count() == 0) {
        return Err("no key is routed elsewhere".into());
    }
    let placement = Placement::new(&described.cluster)?;
    let mut wrong = Vec::new();
    for (id, reach) in described.reach.iter().enumerate() {
        let held = held(reached(reach)?, &keys).await?;
        for (key, held) in keys.iter().zip(held) {
            let here = described.routing.takes(key.as_bytes());
            if held != (here && placement.node(key.as_bytes()).index() == id) {
                wrong.push(format!("{key} held by {reach}: {held}"));
            }
        }
    }
    if wrong.is_empty() && used(&described, &placement, &keys) > 1 {
        return Ok(());
    }
    let shown = &wrong[..wrong.len().min(5)];
    Err(format!(
        "{} keys elsewhere: {shown:?} under {described:?}",
        wrong.len()
    )
    .into())
}

/// Twemproxy and Envoy are given names where addresses are resolved.
fn reached(reach: &str) -> Result<SocketAddr, Failed> {
    Ok(reach.replace("localhost", "127.0.0.1").parse()?)
}

/// How many nodes hold any key: a comparison on one node would compare nothing.
fn used(described: &Described, placement: &Placement, keys: &[String]) -> usize {
    let mut used = vec![false; described.cluster.nodes.len()];
    for key in keys {
        used[placement.node(key.as_bytes()).index()] = true;
    }
    used.iter().filter(|used| **used).count()
}

async fn write(proxy: SocketAddr, keys: &[String]) -> Result<(), Failed> {
    let mut client = Client::connect(proxy, WITHIN).await?;
    let requests: Vec<Vec<&str>> = keys.iter().map(|key| vec!["SET", key, "value"]).collect();
    for answer in client.pipeline(&requests, WITHIN).await? {
        if answer.is_error() {
            return Err(answer.to_string().into());
        }
    }
    Ok(())
}

async fn held(node: SocketAddr, keys: &[String]) -> Result<Vec<bool>, Failed> {
    let mut client = Client::connect(node, WITHIN).await?;
    let requests: Vec<Vec<&str>> = keys.iter().map(|key| vec!["EXISTS", key]).collect();
    let answers = client.pipeline(&requests, WITHIN).await?;
    Ok(answers
        .iter()
        .map(|answer| answer.to_string() == ":1")
        .collect())
}
