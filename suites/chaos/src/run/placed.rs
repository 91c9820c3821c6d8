//! The keys of a run and their nodes: drawn again until each node has some.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use testbed::chance::Chance;
use testbed::endpoint::Endpoint;

use super::{Error, Subject, nodes};
use crate::observed::Key;
use crate::scenario::{Load, Scenario};
use crate::workload::Plan;

/// The node of each key.
pub(super) type Owners = BTreeMap<Key, u16>;

/// Draws of keys at most. A proxy may use fewer nodes than there are.
const DRAWS_MAX: u32 = 20;

/// The workloads of a run, and their keys.
pub(super) struct Placed {
    pub(super) plans: Vec<Plan>,
    pub(super) keys: Vec<Key>,
    /// For each proxy.
    pub(super) owners: Vec<Owners>,
}

impl Placed {
    /// Draws keys that are on every node: a fault of a node without keys shows nothing. The same for the same seed and
    /// placement.
    pub(super) async fn draw(
        scenario: &Scenario,
        subject: &Subject<'_>,
        chance: Chance,
        within: Duration,
    ) -> Result<Self, Error> {
        let mut draw = 0;
        loop {
            let plans = plans(scenario, subject, chance, draw);
            let of_loads = keys_of_loads(scenario, &plans);
            let mut keys = of_loads.concat();
            keys.sort_unstable();
            keys.dedup();
            let mut owners = Vec::new();
            for proxy in subject.proxies() {
                owners.push(served(subject, proxy, &keys, within).await?);
            }
            draw += 1;
            let nodes = subject.nodes.len().min(scenario.nodes.into());
            let is_spread = is_spread(nodes, &of_loads, &owners[0]);
            if is_spread || draw == DRAWS_MAX {
                return Ok(Self {
                    plans,
                    keys,
                    owners,
                });
            }
        }
    }
}

/// Whether each workload that has enough keys has some on each of the first `nodes` nodes.
fn is_spread(nodes: usize, keys_of_loads: &[Vec<Key>], owners: &Owners) -> bool {
    keys_of_loads.iter().all(|keys| {
        let used = keys.iter().filter_map(|key| owners.get(key).copied());
        keys.len() < 2 * nodes || used.collect::<BTreeSet<u16>>().len() >= nodes
    })
}

/// How unique values of all workloads begin.
pub(super) fn mark(chance: Chance) -> String {
    format!("v{:08x}-", chance.number() & 0xffff_ffff)
}

fn plans(scenario: &Scenario, subject: &Subject<'_>, chance: Chance, draw: u32) -> Vec<Plan> {
    let mark = mark(chance);
    let draw = match draw {
        0 => String::new(),
        again => format!("{again}-"),
    };
    let plan = |(number, load): (u64, &Load)| Plan {
        prefix: format!("{}{}-{draw}", subject.prefix, load.workload.id()),
        mark: format!("{mark}{number:x}-"),
        chance: chance.named("load").of(number),
        keys: load.keys,
        pipeline: load.pipeline,
        clients: load.clients,
        apart: BTreeMap::new(),
    };
    (0..).zip(&scenario.loads).map(plan).collect()
}

fn keys_of_loads(scenario: &Scenario, plans: &[Plan]) -> Vec<Vec<Key>> {
    let loads = scenario.loads.iter().zip(plans);
    loads.map(|(load, plan)| load.workload.keys(plan)).collect()
}

/// The node of each key, which a proxy has to accept.
async fn served(
    subject: &Subject<'_>,
    proxy: Endpoint,
    keys: &[Key],
    within: Duration,
) -> Result<Owners, Error> {
    let owners = nodes::owners(proxy, &subject.nodes, keys, within).await?;
    match owners.len() < keys.len() && !subject.nodes.is_empty() {
        true => Err(Error::NotServing {
            proxy,
            taken: owners.len(),
            keys: keys.len(),
        }),
        false => Ok(owners),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Expects whether workloads with keys on these nodes are spread over three nodes.
    #[track_caller]
    fn check(loads: &[&[u16]], expected: bool) {
        let mut owners = Owners::new();
        let of_load = |nodes: &&[u16]| -> Vec<Key> {
            let mut key = |node: &u16| {
                let key = owners.len().to_string().into_bytes();
                owners.insert(key.clone(), *node);
                key
            };
            nodes.iter().map(&mut key).collect()
        };
        let keys: Vec<Vec<Key>> = loads.iter().map(of_load).collect();
        assert_eq!(is_spread(3, &keys, &owners), expected, "{loads:?}");
    }

    #[test]
    fn each_workload_has_keys_on_each_node_unless_it_has_few() {
        check(&[&[0, 1, 2, 0, 0, 0]], true);
        check(&[&[0, 1, 0, 1, 0, 1]], false);
        check(&[&[0, 1, 2, 0, 0, 0], &[2; 9]], false);
        check(&[&[1, 1, 1, 1, 1]], true);
    }
}
