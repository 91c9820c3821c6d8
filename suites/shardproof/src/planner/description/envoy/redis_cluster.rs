//! A cluster of type `envoy.clusters.redis`, which follows a Redis Cluster: Envoy asks the endpoints of the file for CLUSTER
//! SLOTS, places keys by CRC-16 with hash tags, and sends writes to primaries.
//!
//! Source: Envoy 1.40 `extensions/clusters/redis/{redis_cluster,redis_cluster_lb}.cc`. Health, weights, priorities and
//! localities have no effect, and `enable_hashtagging` has none.

use std::net::IpAddr;

use ::placement::hash::TagRule;

use super::super::tree::Tree;
use super::super::{Error, Hints, Why, agrees, secrets};
use super::shape::{Cluster, LbEndpoint};

/// The name of the type, which Envoy also requires.
const TYPE: &str = "envoy.clusters.redis";
/// The messages of its configuration.
const CONFIGS: [&str; 2] = ["RedisClusterConfig", "Struct"];
/// How errors name the setting.
pub(super) const SETTING: &str = "cluster_type `envoy.clusters.redis`";

/// Whether a cluster has this type.
pub(super) fn is_one(cluster: &Cluster) -> bool {
    let custom = cluster.cluster_type.as_ref();
    custom.is_some_and(|custom| custom.name == TYPE)
}

/// Whether several clusters have this type. They may follow the same Redis Cluster from other seeds.
pub(super) fn several(clusters: &[&Tree]) -> bool {
    let are = clusters.iter().filter(|cluster| {
        let custom = cluster.get("cluster_type").or(cluster.get("clusterType"));
        let name = custom.and_then(|custom| custom.get("name"));
        name.and_then(Tree::text) == Some(TYPE)
    });
    are.count() > 1
}

/// The addresses that Envoy asks first.
pub(super) fn seeds(
    cluster: &Cluster,
    (name, at): (&str, &str),
    hints: &Hints,
) -> Result<Vec<String>, Error> {
    check(cluster, hints).map_err(|why| why.at(at))?;
    let mut addresses = Vec::new();
    for group in &cluster.load_assignment.endpoints {
        for endpoint in &group.lb_endpoints {
            let of = seed(endpoint, hints);
            addresses.extend(of.map_err(|why| why.at(format!("{name}:{}", endpoint.line)))?);
        }
    }
    match addresses.is_empty() {
        true => Err(Why::field("load_assignment", "expected at least one seed").at(at)),
        false => Ok(addresses),
    }
}

/// With another policy Envoy places keys over all nodes that it found, replicas among them.
fn check(cluster: &Cluster, hints: &Hints) -> Result<(), Why> {
    if cluster.kind.is_some() {
        let expected = "type is given too, expected only one";
        return Err(Why::field("cluster_type", expected));
    }
    let config = cluster.cluster_type.as_ref();
    let config = config.and_then(|custom| custom.typed_config.as_ref());
    if let Some(other) = config.filter(|config| !CONFIGS.contains(&&*config.of)) {
        let expected = format!("expected RedisClusterConfig or Struct with {SETTING}");
        return Err(Why::field(format!("typed_config {}", other.of), expected));
    }
    if cluster.load_balancing_policy.is_some() {
        let expected = format!("expected lb_policy CLUSTER_PROVIDED instead, with {SETTING}");
        return Err(Why::field("load_balancing_policy", expected));
    }
    match cluster.lb_policy.as_deref().unwrap_or("ROUND_ROBIN") {
        "CLUSTER_PROVIDED" => agrees(TagRule::BRACES, hints),
        other => {
            let expected = format!(
                "expected CLUSTER_PROVIDED with {SETTING}: under any other, keys are placed over replicas too"
            );
            Err(Why::field(format!("lb_policy {other}"), expected))
        }
    }
}

/// `host:port`, or one for each address that a hint gives the host.
fn seed(endpoint: &LbEndpoint, hints: &Hints) -> Result<Vec<String>, Why> {
    let address = endpoint.endpoint.as_ref().map(|endpoint| &endpoint.address);
    let Some(socket) = address.and_then(|address| address.socket_address.as_ref()) else {
        let expected = "address: expected socket_address, Envoy asks no seed at a pipe";
        return Err(Why::field("endpoint", expected));
    };
    let Some(port) = socket.port_value else {
        return Err(Why::field("port_value", "expected a port"));
    };
    let host = &socket.address;
    secrets::check_address(host)?;
    let known: Vec<IpAddr> = hints.addresses(host).collect();
    if known.is_empty() {
        return Ok(vec![hints.address(host, port)]);
    }
    let known = known.into_iter();
    Ok(known
        .map(|ip| hints.address(&ip.to_string(), port))
        .collect())
}
