//! Envoy's v3 bootstrap, YAML or JSON: a static cluster that a redis_proxy filter routes to.
//!
//! Source: Envoy 1.40 `api/envoy/config/{bootstrap,cluster,endpoint}/v3`, `extensions/load_balancing_policies`. The nodes of a
//! Redis Cluster are taken for owners of evenly dealt slots, because the file names only where Envoy starts to ask.

mod nodes;
mod policy;
mod routes;
mod shape;

use ::refproxy::config::yaml;
use ::refproxy::placement::{Cluster, Panic, Policy};

use super::{Described, Error, Hints, Why, described, pick, place};

/// Reads the cluster that is asked for, or the only one that holds keys.
pub(super) fn read(text: &str, name: &str, hints: &Hints) -> Result<Described, Error> {
    let file: shape::Bootstrap = yaml::parse(text, name)?;
    let resources = file.static_resources;
    let routes = routes::routes(&resources.listeners, name)?;
    let clusters: Vec<_> = resources
        .clusters
        .into_iter()
        .map(|cluster| (cluster.value.name.clone(), cluster))
        .filter(|(name, _)| routes.is_empty() || routes.contains_key(name))
        .collect();
    let cluster = pick("clusters", &clusters, hints).map_err(|why| why.at(name))?;
    let at = place(name, cluster);
    let cluster = &cluster.value;
    let wrong = |why: Why| why.at(at.clone());
    let tags = match routes.get(&cluster.name) {
        Some(route) => route.tags(&cluster.name)?,
        None => ::refproxy::hash::TagRule::WholeKey,
    };
    let chosen = policy::choose(cluster).map_err(wrong)?;
    let (nodes, reach) = nodes::nodes(cluster, &chosen, (name, &at), hints)?;
    let cluster = Cluster {
        panic: panic(cluster),
        policy: chosen.policy,
        tags,
        nodes,
    };
    described(cluster, reach, at)
}

fn panic(cluster: &shape::Cluster) -> Panic {
    let default = Panic::default();
    let threshold = &cluster.common_lb_config.healthy_panic_threshold;
    Panic {
        // Envoy rounds it, and takes 0 to 100.
        threshold_percent: threshold
            .as_ref()
            .map_or(default.threshold_percent, |percent| {
                percent.value.round().clamp(0.0, 100.0) as u32
            }),
        overprovisioning: cluster
            .load_assignment
            .policy
            .overprovisioning_factor
            .unwrap_or(default.overprovisioning),
    }
}

/// Whether nodes are hashed by their host names.
fn hashes_hostnames(policy: &Policy) -> bool {
    match policy {
        Policy::Maglev { hash_hostnames, .. } | Policy::RingHash { hash_hostnames, .. } => {
            *hash_hostnames
        }
        _ => false,
    }
}
