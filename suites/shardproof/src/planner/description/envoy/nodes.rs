//! The nodes of a cluster: addresses as Envoy resolves them, weights, hash keys, health, priorities and localities.

use std::net::{IpAddr, SocketAddr};

use ::placement::{Health, Locality, Node};

use super::super::{Error, Hints, Why, secrets};
use super::policy::Chosen;
use super::shape::{Cluster, ClusterType, LbEndpoint, LocalityEndpoints};

/// Source of the addresses of a cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Static,
    StrictDns,
    LogicalDns,
}

/// The nodes of a cluster, and the addresses at which we reach them.
pub(super) fn nodes(
    cluster: &Cluster,
    (kind, chosen): (Kind, &Chosen),
    (name, at): (&str, &str),
    hints: &Hints,
) -> Result<(Vec<Node>, Vec<String>), Error> {
    if kind == Kind::Static && chosen.policy.hashes_hostnames() {
        let why = Why::field(
            "use_hostname_for_hashing",
            "Envoy refuses it with type STATIC",
        );
        return Err(why.at(at));
    }
    check_number(cluster, chosen).map_err(|why| why.at(at))?;
    let mut nodes = Vec::new();
    let mut reach = Vec::new();
    for group in &cluster.load_assignment.endpoints {
        check(group).map_err(|why| why.at(format!("{name}:{}", group.line)))?;
        for endpoint in &group.lb_endpoints {
            let wrong = |why: Why| why.at(format!("{name}:{}", endpoint.line));
            if kind == Kind::LogicalDns && !nodes.is_empty() {
                let expected = "expected one endpoint, Envoy refuses more";
                return Err(wrong(Why::field("type LOGICAL_DNS", expected)));
            }
            for address in addresses(endpoint, kind, chosen, hints).map_err(wrong)? {
                let node = node(endpoint, group, address, (kind, chosen)).map_err(wrong)?;
                reach.push(node.address.clone());
                nodes.push(node);
            }
        }
    }
    match &chosen.scatters {
        Some(what) if nodes.len() > 1 => Err(Why::Scatters(what.clone()).at(at)),
        _ => Ok((nodes, reach)),
    }
}

/// Checks that there is one endpoint if keys would scatter over several, before host names must be given.
fn check_number(cluster: &Cluster, chosen: &Chosen) -> Result<(), Why> {
    let groups = cluster.load_assignment.endpoints.iter();
    let endpoints: usize = groups.map(|group| group.lb_endpoints.len()).sum();
    match &chosen.scatters {
        Some(what) if endpoints > 1 => Err(Why::Scatters(what.clone())),
        _ => Ok(()),
    }
}

/// Refuses groups of nodes that Envoy refuses, and those that name nodes outside the file.
fn check(group: &LocalityEndpoints) -> Result<(), Why> {
    if group.load_balancer_endpoints.is_some() || group.leds_cluster_locality_config.is_some() {
        let expected = "expected lb_endpoints with the nodes in the file";
        return Err(Why::field(
            "load_balancer_endpoints or leds_cluster_locality_config",
            expected,
        ));
    }
    let mut weights = group
        .lb_endpoints
        .iter()
        .map(|node| node.load_balancing_weight);
    if group.load_balancing_weight == Some(0) || weights.any(|weight| weight == Some(0)) {
        return Err(Why::field("load_balancing_weight 0", "expected at least 1"));
    }
    Ok(())
}

/// The type of a cluster, in either of its fields.
pub(super) fn kind(cluster: &Cluster) -> Result<Kind, Why> {
    match (&cluster.cluster_type, cluster.kind.as_deref()) {
        (Some(_), Some(_)) => Err(Why::field(
            "cluster_type",
            "type is given too, expected only one",
        )),
        (Some(custom), None) => custom_kind(custom),
        (None, None | Some("STATIC")) => Ok(Kind::Static),
        (None, Some("STRICT_DNS")) => Ok(Kind::StrictDns),
        (None, Some("LOGICAL_DNS")) => Ok(Kind::LogicalDns),
        (None, Some(other)) => {
            let expected = "expected STATIC, STRICT_DNS or LOGICAL_DNS with the nodes in the file; for EDS give the answer of \
                            Envoy's /config_dump?include_eds, or the nodes that its /clusters lists, as \
                            maglev:HOST:PORT,HOST:PORT";
            Err(Why::field(format!("type {other}"), expected))
        }
    }
}

/// The plain types by the names of their extensions.
fn custom_kind(custom: &ClusterType) -> Result<Kind, Why> {
    let dns = custom
        .typed_config
        .as_ref()
        .filter(|config| config.of == "DnsCluster");
    if let Some(dns) = dns {
        return Ok(match dns.all_addresses_in_single_endpoint {
            true => Kind::LogicalDns,
            false => Kind::StrictDns,
        });
    }
    match &*custom.name {
        "envoy.cluster.static" => Ok(Kind::Static),
        "envoy.cluster.strict_dns" | "envoy.cluster.dns" => Ok(Kind::StrictDns),
        "envoy.cluster.logical_dns" => Ok(Kind::LogicalDns),
        other => {
            let expected = "envoy.cluster.static, envoy.cluster.strict_dns, envoy.cluster.logical_dns or envoy.cluster.dns is \
                            expected, whose nodes are in the file";
            Err(Why::field(format!("cluster_type `{other}`"), expected))
        }
    }
}

/// The addresses of one endpoint: several if its name has several.
fn addresses(
    endpoint: &LbEndpoint,
    kind: Kind,
    chosen: &Chosen,
    hints: &Hints,
) -> Result<Vec<String>, Why> {
    let address = endpoint.endpoint.as_ref().map(|endpoint| &endpoint.address);
    let socket = match address.map(|address| (&address.socket_address, &address.pipe)) {
        Some((Some(socket), _)) => socket,
        Some((None, Some(pipe))) => return Ok(vec![pipe.path.clone()]),
        _ => {
            let expected = "address: expected socket_address or pipe";
            return Err(Why::field("endpoint", expected));
        }
    };
    if !socket.resolver_name.is_empty() {
        let expected =
            "a separate resolver is not supported, omit it and give its answers with --resolve";
        return Err(Why::field("resolver_name", expected));
    }
    let Some(port) = socket.port_value else {
        return Err(Why::field("port_value", "expected a port"));
    };
    let host = &socket.address;
    secrets::check_address(host)?;
    if let Ok(ip) = host.parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(ip, port).to_string()]);
    }
    if kind == Kind::Static {
        let expected = "expected an IP with type STATIC";
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
    if !known.is_empty() {
        return Ok(known);
    }
    let hashes_address = hash_key(endpoint).is_none() && !chosen.policy.hashes_hostnames();
    match &chosen.scatters {
        Some(what) if kind == Kind::StrictDns => Err(Why::MaybeSeveral {
            what: what.clone(),
            host: host.clone(),
        }),
        None if hashes_address => Err(Why::Unresolved(host.clone())),
        _ => Ok(vec![format!("{host}:{port}")]),
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

/// The host name that Envoy uses: the configured one, or else the name that is resolved.
fn hostname(endpoint: &LbEndpoint, kind: Kind) -> Option<String> {
    let endpoint = endpoint.endpoint.as_ref()?;
    let given = &endpoint.hostname;
    if !given.is_empty() || kind == Kind::Static {
        return Some(given.clone()).filter(|given| !given.is_empty());
    }
    let socket = endpoint.address.socket_address.as_ref();
    socket.map(|socket| socket.address.clone())
}

/// `hash_key` in the metadata of `envoy.lb`; `None` if it is not a string.
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
            let expected = "expected HEALTHY, UNHEALTHY, DRAINING, TIMEOUT, DEGRADED or UNKNOWN";
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
        weight: group.load_balancing_weight.unwrap_or(0),
    }
}
