//! The nodes of a cluster: addresses as Envoy resolves them, weights, hash keys, health, priorities and localities.

use std::net::{IpAddr, SocketAddr};

use ::refproxy::placement::{Health, Locality, Node};

use super::super::{Error, Hints, Why, place};
use super::hashes_hostnames;
use super::policy::Chosen;
use super::shape::{Cluster, LbEndpoint, LocalityEndpoints, SocketAddress};

/// How the addresses of a cluster come to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Static,
    StrictDns,
    LogicalDns,
    /// Redis Cluster tells its nodes itself.
    Told,
}

/// Who takes part, and where each is reached.
pub(super) fn nodes(
    cluster: &Cluster,
    chosen: &Chosen,
    (name, at): (&str, &str),
    hints: &Hints,
) -> Result<(Vec<Node>, Vec<String>), Error> {
    let kind = kind(cluster).map_err(|why| why.at(at))?;
    if kind == Kind::Static && hashes_hostnames(&chosen.policy) {
        let why = Why::field(
            "use_hostname_for_hashing",
            "Envoy refuses it with type STATIC",
        );
        return Err(why.at(at));
    }
    let mut nodes = Vec::new();
    let mut reach = Vec::new();
    for group in &cluster.load_assignment.endpoints {
        for endpoint in &group.lb_endpoints {
            let found = addresses(&endpoint.value, kind, chosen, hints)
                .map_err(|why| why.at(place(name, endpoint)))?;
            for address in found {
                let node = node(&endpoint.value, group, address, (kind, chosen))
                    .map_err(|why| why.at(place(name, endpoint)))?;
                reach.push(node.address.clone());
                nodes.push(node);
            }
        }
    }
    Ok((nodes, reach))
}

fn kind(cluster: &Cluster) -> Result<Kind, Why> {
    if cluster.cluster_type.is_some() {
        return Ok(Kind::Told);
    }
    match cluster.kind.as_deref().unwrap_or("STATIC") {
        "STATIC" => Ok(Kind::Static),
        "STRICT_DNS" => Ok(Kind::StrictDns),
        "LOGICAL_DNS" => Ok(Kind::LogicalDns),
        other => {
            let expected =
                "STATIC, STRICT_DNS or LOGICAL_DNS is expected, whose nodes are in the file";
            Err(Why::field(format!("type {other}"), expected))
        }
    }
}

/// The addresses behind one endpoint: several where a name has several.
fn addresses(
    endpoint: &LbEndpoint,
    kind: Kind,
    chosen: &Chosen,
    hints: &Hints,
) -> Result<Vec<String>, Why> {
    let address = &endpoint.endpoint.address;
    let socket = match (&address.socket_address, &address.pipe) {
        (Some(socket), _) => socket,
        (None, Some(pipe)) => return Ok(vec![pipe.path.clone()]),
        (None, None) => {
            return Err(Why::field("address", "socket_address or pipe is expected"));
        }
    };
    let (host, port) = (&socket.address, socket.port_value);
    if let Ok(ip) = host.parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(ip, port).to_string()]);
    }
    if kind == Kind::Static {
        let expected = "an IP is expected with type STATIC";
        return Err(Why::field(format!("address `{host}`"), expected));
    }
    let many = if kind == Kind::StrictDns {
        usize::MAX
    } else {
        1
    };
    let known: Vec<String> = hints
        .addresses(host)
        .take(many)
        .map(|ip| SocketAddr::new(ip, port).to_string())
        .collect();
    let hashes_address =
        kind != Kind::Told && hash_key(endpoint).is_none() && !hashes_hostnames(&chosen.policy);
    match known.is_empty() {
        false => Ok(known),
        true if hashes_address => Err(Why::Unresolved(host.clone())),
        true => Ok(vec![format!("{host}:{port}")]),
    }
}

fn node(
    endpoint: &LbEndpoint,
    group: &LocalityEndpoints,
    address: String,
    (kind, chosen): (Kind, &Chosen),
) -> Result<Node, Why> {
    Ok(Node {
        weight: endpoint.load_balancing_weight.unwrap_or(1),
        hostname: hostname(endpoint, kind),
        hash_key: hash_key(endpoint),
        health: health(endpoint.health_status.as_deref())?,
        priority: group.priority,
        locality: chosen.by_locality.then(|| locality(group)),
        ..Node::at(address)
    })
}

/// What Envoy takes for the host name: the one that is given, or else the name that is resolved.
fn hostname(endpoint: &LbEndpoint, kind: Kind) -> Option<String> {
    let given = &endpoint.endpoint.hostname;
    if !given.is_empty() || matches!(kind, Kind::Static | Kind::Told) {
        return Some(given.clone()).filter(|given| !given.is_empty());
    }
    let socket: Option<&SocketAddress> = endpoint.endpoint.address.socket_address.as_ref();
    socket.map(|socket| socket.address.clone())
}

/// `hash_key` in the metadata of `envoy.lb`; what is not a string is nothing.
fn hash_key(endpoint: &LbEndpoint) -> Option<String> {
    let of_lb = endpoint.metadata.filter_metadata.get("envoy.lb")?;
    let key = of_lb.get("hash_key")?.as_str()?;
    (!key.is_empty()).then(|| key.to_owned())
}

fn health(status: Option<&str>) -> Result<Health, Why> {
    match status.unwrap_or("UNKNOWN") {
        "UNKNOWN" | "HEALTHY" => Ok(Health::Healthy),
        "DEGRADED" => Ok(Health::Degraded),
        "UNHEALTHY" | "TIMEOUT" => Ok(Health::Unhealthy),
        "DRAINING" => Ok(Health::Draining),
        other => {
            let expected = "HEALTHY, UNHEALTHY, DRAINING, TIMEOUT, DEGRADED or UNKNOWN is expected";
            Err(Why::field(format!("health_status {other}"), expected))
        }
    }
}

fn locality(group: &LocalityEndpoints) -> Locality {
    let locality = &group.locality;
    Locality {
        name: format!(
            "{}/{}/{}",
            locality.region, locality.zone, locality.sub_zone
        ),
        weight: group.load_balancing_weight,
    }
}
