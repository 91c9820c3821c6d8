//! Which policy a cluster has, from the old fields or from the extension.

use ::refproxy::placement::{
    Policy, RING_SIZE_MAX, RING_SIZE_MIN_DEFAULT, RingFunction, TABLE_SIZE_DEFAULT,
};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::super::Why;
use super::shape::{Cluster, ConsistentHashing, LoadBalancingPolicy, Maglev, RingHash};

/// The name of Envoy's extension that follows a Redis Cluster.
const REDIS_CLUSTER: &str = "envoy.clusters.redis";

/// A policy, and whether localities have weights under it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Chosen {
    pub(super) policy: Policy,
    pub(super) by_locality: bool,
}

/// The policy of `cluster`, with Envoy's defaults.
pub(super) fn choose(cluster: &Cluster) -> Result<Chosen, Why> {
    if cluster.lb_subset_config.is_some() {
        let expected = "subsets of nodes cannot be computed";
        return Err(Why::field("lb_subset_config", expected));
    }
    if let Some(kind) = &cluster.cluster_type {
        return redis_cluster(&kind.name, cluster);
    }
    match &cluster.load_balancing_policy {
        Some(policy) => of_extension(policy),
        None => of_fields(cluster),
    }
}

fn redis_cluster(kind: &str, cluster: &Cluster) -> Result<Chosen, Why> {
    let policy = cluster.lb_policy.as_deref().unwrap_or("ROUND_ROBIN");
    if kind != REDIS_CLUSTER {
        let expected = format!("{REDIS_CLUSTER} is expected, or one of the plain types");
        return Err(Why::field(format!("cluster_type `{kind}`"), expected));
    }
    if policy != "CLUSTER_PROVIDED" && cluster.load_balancing_policy.is_none() {
        let expected = format!("CLUSTER_PROVIDED is expected with {REDIS_CLUSTER}");
        return Err(Why::field(format!("lb_policy {policy}"), expected));
    }
    Ok(Chosen {
        policy: Policy::Slots,
        by_locality: false,
    })
}

fn of_fields(cluster: &Cluster) -> Result<Chosen, Why> {
    let common = &cluster.common_lb_config;
    let hashing = common.consistent_hashing_lb_config.unwrap_or_default();
    let policy = match cluster.lb_policy.as_deref().unwrap_or("ROUND_ROBIN") {
        "MAGLEV" => maglev(cluster.maglev_lb_config.as_ref(), hashing)?,
        "RING_HASH" => ring_hash(cluster.ring_hash_lb_config.as_ref(), hashing)?,
        "LOAD_BALANCING_POLICY_CONFIG" => {
            let expected = "load_balancing_policy is expected beside it";
            return Err(Why::field(
                "lb_policy LOAD_BALANCING_POLICY_CONFIG",
                expected,
            ));
        }
        scattering @ ("ROUND_ROBIN" | "LEAST_REQUEST" | "RANDOM") => {
            return Err(Why::Scatters(format!("lb_policy {scattering}")));
        }
        other => {
            let expected = "MAGLEV or RING_HASH is expected";
            return Err(Why::field(format!("lb_policy {other}"), expected));
        }
    };
    Ok(Chosen {
        policy,
        by_locality: common.locality_weighted_lb_config.is_some(),
    })
}

/// The first policy that Envoy knows wins.
fn of_extension(policy: &LoadBalancingPolicy) -> Result<Chosen, Why> {
    for choice in &policy.policies {
        let extension = &choice.typed_extension_config;
        let kind = extension.typed_config.get("@type").and_then(Value::as_str);
        let kind = kind.unwrap_or(&extension.name);
        match kind.rsplit(['.', '/']).next().unwrap_or_default() {
            "Maglev" => {
                let shape: Maglev = shape(&extension.typed_config, "maglev")?;
                let hashing = shape.consistent_hashing_lb_config.unwrap_or_default();
                return Ok(Chosen {
                    policy: maglev(Some(&shape), hashing)?,
                    by_locality: shape.locality_weighted_lb_config.is_some(),
                });
            }
            "RingHash" => {
                let shape: RingHash = shape(&extension.typed_config, "ring_hash")?;
                let hashing = shape.consistent_hashing_lb_config;
                let hashing = hashing.unwrap_or(ConsistentHashing {
                    use_hostname_for_hashing: shape.use_hostname_for_hashing,
                    hash_balance_factor: shape.hash_balance_factor,
                });
                return Ok(Chosen {
                    policy: ring_hash(Some(&shape), hashing)?,
                    by_locality: shape.locality_weighted_lb_config.is_some(),
                });
            }
            "RoundRobin" | "LeastRequest" | "Random" | "ClientSideWeightedRoundRobin" => {
                return Err(Why::Scatters(format!(
                    "load_balancing_policy {}",
                    extension.name
                )));
            }
            "Subset" | "OverrideHost" | "WrrLocality" | "ClusterProvided" => {
                let expected = "maglev or ring_hash is expected";
                let field = format!("load_balancing_policy {}", extension.name);
                return Err(Why::field(field, expected));
            }
            _ => {}
        }
    }
    let expected = "maglev or ring_hash is expected among its policies";
    Err(Why::field("load_balancing_policy", expected))
}

fn shape<T: DeserializeOwned>(config: &Value, policy: &str) -> Result<T, Why> {
    serde_json::from_value(config.clone()).map_err(|error| Why::field(policy, error.to_string()))
}

fn maglev(shape: Option<&Maglev>, hashing: ConsistentHashing) -> Result<Policy, Why> {
    let table_size = shape.and_then(|shape| shape.table_size);
    Ok(Policy::Maglev {
        table_size: table_size.unwrap_or(TABLE_SIZE_DEFAULT),
        hash_hostnames: by_hostname(hashing)?,
    })
}

fn ring_hash(shape: Option<&RingHash>, hashing: ConsistentHashing) -> Result<Policy, Why> {
    let size = |of: fn(&RingHash) -> Option<u32>| shape.and_then(of);
    let function = shape.and_then(|shape| shape.hash_function.as_deref());
    Ok(Policy::RingHash {
        size_min: size(|shape| shape.minimum_ring_size).unwrap_or(RING_SIZE_MIN_DEFAULT),
        size_max: size(|shape| shape.maximum_ring_size).unwrap_or(RING_SIZE_MAX),
        function: match function {
            None | Some("XX_HASH" | "DEFAULT_HASH") => RingFunction::XxHash,
            Some("MURMUR_HASH_2") => RingFunction::Murmur2,
            Some(other) => {
                let expected = "XX_HASH or MURMUR_HASH_2 is expected";
                return Err(Why::field(format!("hash_function `{other}`"), expected));
            }
        },
        hash_hostnames: by_hostname(hashing)?,
    })
}

/// Whether host names are hashed. With bounded loads nobody can tell where a key is.
fn by_hostname(hashing: ConsistentHashing) -> Result<bool, Why> {
    match hashing.hash_balance_factor {
        0 => Ok(hashing.use_hostname_for_hashing),
        factor => {
            let expected =
                "placement then depends on the load of the moment, and no key has a place";
            Err(Why::field(
                format!("hash_balance_factor {factor}"),
                expected,
            ))
        }
    }
}
