//! Configurations of Envoy: both policies in both ways of asking for them, weights, hash keys, health, priorities, localities.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde::Serialize;

use super::{rendered, some_addresses, weight};

/// Table sizes, all prime and at least the number of nodes.
const TABLE_SIZES: [u32; 6] = [11, 251, 509, 1021, 4093, 65_537];

#[derive(Debug, Clone, Serialize)]
struct Draw {
    policy: Policy,
    extension: bool,
    hash_tags: bool,
    by_locality: bool,
    groups: Vec<Group>,
}

#[derive(Debug, Clone, Serialize)]
#[serde(untagged)]
enum Policy {
    Maglev {
        table_size: u32,
    },
    RingHash {
        minimum_ring_size: u32,
        maximum_ring_size: u32,
        hash_function: &'static str,
    },
}

/// Nodes of one priority and one zone.
#[derive(Debug, Clone, Serialize)]
struct Group {
    priority: u32,
    zone: &'static str,
    weight: u32,
    nodes: Vec<Node>,
}

#[derive(Debug, Clone, Serialize)]
struct Node {
    host: String,
    port: String,
    weight: u32,
    health: &'static str,
    hash_key: Option<String>,
}

/// Random properties of a node other than its address.
#[derive(Debug, Clone)]
struct Extra {
    second: bool,
    zone: usize,
    weight: u32,
    health: &'static str,
    hash_key: Option<String>,
}

pub(super) fn texts() -> BoxedStrategy<String> {
    let draws = (policies(), any::<[bool; 3]>(), groups());
    draws
        .prop_map(|(policy, [extension, hash_tags, by_locality], groups)| {
            let draw = Draw {
                policy,
                extension,
                hash_tags,
                by_locality,
                groups,
            };
            rendered(include_str!("envoy.yaml.j2"), &draw)
        })
        .boxed()
}

fn policies() -> impl Strategy<Value = Policy> {
    let functions = vec!["XX_HASH", "MURMUR_HASH_2"];
    let ring = (1..3000_u32, 0..3000_u32, prop::sample::select(functions));
    prop_oneof![
        prop::sample::select(TABLE_SIZES.to_vec())
            .prop_map(|table_size| Policy::Maglev { table_size }),
        ring.prop_map(
            |(minimum_ring_size, more, hash_function)| Policy::RingHash {
                minimum_ring_size,
                maximum_ring_size: minimum_ring_size + more,
                hash_function,
            }
        ),
    ]
}

fn groups() -> impl Strategy<Value = Vec<Group>> {
    let weights = prop::array::uniform3(1..=5_u32);
    let extras = prop::collection::vec(extra(), 9);
    // Nodes that are worse than healthy in one draw of three, a second priority in one of three.
    let spoilt = (prop::bool::weighted(0.33), prop::bool::weighted(0.33));
    (some_addresses(), extras, weights, spoilt).prop_map(|(addresses, extras, weights, spoilt)| {
        let mut groups = BTreeMap::new();
        for (address, extra) in addresses.iter().zip(extras) {
            let extra = spoil(extra, spoilt);
            let place = (extra.zone, extra.second);
            groups
                .entry(place)
                .or_insert_with(Vec::new)
                .push(node(address, extra));
        }
        // Without a gap: the second priority alone is the first.
        let first = groups.keys().any(|(_, second)| !second);
        let groups = groups.into_iter().map(|((zone, second), nodes)| Group {
            priority: u32::from(second && first),
            // Not in the order of their names.
            zone: ["c", "a", "b"][zone],
            weight: weights[zone],
            nodes,
        });
        groups.collect()
    })
}

fn spoil(extra: Extra, (ill, levels): (bool, bool)) -> Extra {
    Extra {
        health: if ill { extra.health } else { "HEALTHY" },
        second: extra.second && levels,
        ..extra
    }
}

fn extra() -> impl Strategy<Value = Extra> {
    let states = prop_oneof![3 => Just("HEALTHY"), 1 => Just("UNHEALTHY"), 1 => Just("DEGRADED")];
    let drawn = (
        any::<bool>(),
        0..3_usize,
        weight(),
        states,
        prop::option::weighted(0.2, "[a-z]{1,9}"),
    );
    drawn.prop_map(|(second, zone, weight, health, hash_key)| Extra {
        second,
        zone,
        weight,
        health,
        hash_key,
    })
}

fn node(address: &str, extra: Extra) -> Node {
    let (host, port) = address.rsplit_once(':').expect("host and port");
    Node {
        host: host.to_owned(),
        port: port.to_owned(),
        weight: extra.weight,
        health: extra.health,
        // With its port, because two nodes with the same hash have no order.
        hash_key: extra.hash_key.map(|key| format!("{key}-{port}")),
    }
}
