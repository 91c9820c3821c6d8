//! Placements of real proxies, key by key: recordings with which every build is compared, and the programs themselves.
//!
//! `recorded::` reads each configuration of `fixtures/placement` with the planner's readers and compares its placement with
//! the recording: no proxy is needed. `live::` starts the programs with random configurations. With
//! `SHARDPROOF_WRITE_VECTORS` in the environment, `record::` makes the recordings again (`make vectors`).

mod configuration;
mod keys;
mod live;
mod nodes;
mod recording;

use std::collections::HashSet;
use std::env;
use std::error::Error;
use std::sync::Arc;

use libtest_mimic::{Failed, Trial};
use placement::{Node, Placement};
use testbed::cluster::LINK_PORT_BASE;
use testbed::port::PortLock;
use testbed::targets::{self, Proxy, Setting, Target};
use testbed::wire;
use tokio::runtime::Runtime;

use crate::support;
use configuration::{Configuration, Described};
use nodes::Nodes;
use recording::{Landing, Recording};

/// Asks for recordings to be made instead of compared.
const WRITE: &str = "SHARDPROOF_WRITE_VECTORS";
/// Mismatches that are shown one by one.
const SHOWN: usize = 5;

type Keys = Arc<Vec<Vec<u8>>>;

pub(crate) fn trials() -> Vec<Trial> {
    let targets = support::targets();
    let configurations = Configuration::all(&targets).expect("fixtures/placement can be read");
    assert!(!configurations.is_empty(), "fixtures/placement is empty");
    let keys = Arc::new(keys::all());
    if env::var_os(WRITE).is_some() {
        return each("record", &configurations, &keys, record);
    }
    let mut trials = each("recorded", &configurations, &keys, compare);
    trials.extend(laws(configurations, &keys));
    trials.extend(live::trials(&targets, &keys));
    trials
}

fn each(
    kind: &str,
    configurations: &[Configuration],
    keys: &Keys,
    trial: fn(&Configuration, &Keys) -> Result<(), Failed>,
) -> Vec<Trial> {
    let trials = configurations.iter().map(|configuration| {
        let (configuration, keys) = (configuration.clone(), Arc::clone(keys));
        let name = format!("vectors::{kind}::{}", configuration.id());
        Trial::test(name, move || trial(&configuration, &keys))
    });
    trials.collect()
}

/// Starts the real nodes and the real program, and records the node of each key.
fn record(configuration: &Configuration, keys: &Keys) -> Result<(), Failed> {
    let described = configuration.described()?;
    let landings = landings(configuration, &described, keys, LINK_PORT_BASE)?;
    let target = &configuration.target;
    let recording = Recording {
        program: format!(
            "{} {}",
            target.program.name,
            targets::version(target, &support::search())?
        ),
        config: keys::text_fingerprint(&configuration.text),
        keys: keys::fingerprint(keys),
        nodes: described.addresses(),
        landings,
    };
    Ok(recording.write(&configuration.recording())?)
}

/// The nodes on which the real program puts `keys`. Ports are leased from `port_base` on.
fn landings(
    configuration: &Configuration,
    described: &Described,
    keys: &[Vec<u8>],
    port_base: u16,
) -> Result<Vec<Landing>, Box<dyn Error>> {
    Runtime::new()?.block_on(async {
        let _lease = PortLock::on(port_base).await?;
        let nodes = Nodes::start(&support::search(), &described.reach, &described.down).await?;
        let proxy = start(&configuration.target, &configuration.text).await?;
        Ok(nodes.landings(proxy.addr(), keys).await?)
    })
}

/// Starts the program of `target` with a configuration of our own; the file's name and the arguments are the target's.
async fn start(target: &Target, config: &str) -> Result<Proxy, targets::Error> {
    let mut target = target.clone();
    config.clone_into(&mut target.start.config);
    // The configuration has it all already.
    let setting = Setting {
        nodes: Vec::new(),
        policy: String::new(),
        hash_tags: false,
        op_timeout_ms: target.op_timeout_ms,
    };
    Proxy::start(&target, setting, &support::search()).await
}

/// Compares the placement of a configuration with its recording.
fn compare(configuration: &Configuration, keys: &Keys) -> Result<(), Failed> {
    let path = configuration.path();
    let described = configuration.described()?;
    let recording = Recording::read(&configuration.recording())
        .map_err(|why| format!("{path} has no recording, make it with `make vectors`: {why}"))?;
    for (what, recorded, now) in [
        (
            "the configuration",
            &recording.config,
            keys::text_fingerprint(&configuration.text),
        ),
        ("the key set", &recording.keys, keys::fingerprint(keys)),
    ] {
        if *recorded != now {
            return Err(format!(
                "{path}: {what} has changed since it was recorded, run `make vectors`"
            )
            .into());
        }
    }
    if recording.nodes != described.addresses() {
        let (recorded, read) = (recording.nodes, described.addresses());
        return Err(format!("{path}: recorded with nodes {recorded:?}, read with {read:?}").into());
    }
    Ok(agree(&described, keys, &recording.landings).map_err(|why| format!("{path}: {why}"))?)
}

/// Whether each key is where the placement of the description puts it.
fn agree(described: &Described, keys: &[Vec<u8>], landings: &[Landing]) -> Result<(), String> {
    let placement = Placement::new(&described.cluster).map_err(|why| why.to_string())?;
    if keys.len() != landings.len() {
        return Err(format!("{} keys and {} places", keys.len(), landings.len()));
    }
    let addresses = described.addresses();
    let mismatches: Vec<String> = keys
        .iter()
        .zip(landings)
        .filter_map(|(key, landing)| {
            let node = placement.node(key).index();
            let agrees = match landing {
                Landing::On(found) => *found == node,
                Landing::Refused => described.down[node],
            };
            (!agrees).then(|| {
                let expected = match landing {
                    Landing::On(found) => format!("on {}", addresses[*found]),
                    Landing::Refused => "refused".to_owned(),
                };
                format!(
                    "  key {}: expected {expected}, got {}",
                    wire::quoted(key),
                    addresses[node]
                )
            })
        })
        .collect();
    if mismatches.is_empty() {
        return Ok(());
    }
    Err(format!(
        "{} of {} keys are placed differently\n{}",
        mismatches.len(),
        keys.len(),
        mismatches[..mismatches.len().min(SHOWN)].join("\n")
    ))
}

/// Laws of all recordings, and of the comparison itself.
fn laws(configurations: Vec<Configuration>, keys: &Keys) -> Vec<Trial> {
    let ids: Vec<String> = configurations.iter().map(Configuration::id).collect();
    let first = configurations.into_iter().next();
    let keys = Arc::clone(keys);
    let again = Arc::clone(&keys);
    vec![
        Trial::test(
            "vectors::laws::each-recording-has-its-configuration",
            move || {
                let recordings = configuration::recordings()?;
                match recordings.into_iter().find(|id| !ids.contains(id)) {
                    None => Ok(()),
                    Some(id) => {
                        Err(format!("fixtures/placement/{id}.vec.gz has no configuration").into())
                    }
                }
            },
        ),
        Trial::test("vectors::laws::one-key-elsewhere-is-reported", move || {
            let configuration = first.ok_or("there is no configuration")?;
            one_key_elsewhere(&configuration, &keys)
        }),
        Trial::test("vectors::laws::keys-are-many-and-distinct", move || {
            let distinct: HashSet<&[u8]> = again.iter().map(Vec::as_slice).collect();
            match (again.len(), distinct.len()) {
                (keys::COUNT, keys::COUNT) => Ok(()),
                (all, distinct) => Err(format!("{distinct} distinct ones of {all}").into()),
            }
        }),
    ]
}

/// A comparison that cannot fail would prove nothing.
fn one_key_elsewhere(configuration: &Configuration, keys: &Keys) -> Result<(), Failed> {
    let mut described = configuration.described()?;
    described.cluster.nodes = ["127.0.0.1:21001", "127.0.0.1:21002"].map(Node::at).into();
    described.down = vec![false; 2];
    let placement = Placement::new(&described.cluster)?;
    let mut landings: Vec<Landing> = keys
        .iter()
        .map(|key| Landing::On(placement.node(key).index()))
        .collect();
    agree(&described, keys, &landings)?;
    let key = keys.len() / 2;
    for wrong in [
        Landing::On(1 - placement.node(&keys[key]).index()),
        Landing::Refused,
    ] {
        landings[key] = wrong;
        match agree(&described, keys, &landings) {
            Err(why) if why.contains(&wire::quoted(&keys[key])) => {}
            other => return Err(format!("{wrong:?} was reported as {other:?}").into()),
        }
    }
    Ok(())
}
