//! Which policy a cluster has, from the old fields or from the extension.

use ::placement::{Policy, RING_SIZE_MAX, RING_SIZE_MIN_DEFAULT, RingFunction, TABLE_SIZE_DEFAULT};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::super::Why;
use super::proto::TYPE;
use super::shape::{Cluster, ConsistentHashing, LoadBalancingPolicy, Maglev, RingHash};

/// A policy, and whether localities have weights under it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Chosen {
    pub(super) policy: Policy,
    pub(super) by_locality: bool,
    /// The setting that scatters keys over more than one node, as written in the file.
    pub(super) scatters: Option<String>,
}

impl Chosen {
    fn new(policy: Policy, by_locality: bool) -> Self {
        Self {
            policy,
            by_locality,
            scatters: None,
        }
    }

    fn scattering(what: String) -> Self {
        Self {
            policy: Policy::Random,
            by_locality: false,
            scatters: Some(what),
        }
    }
}

/// The policy of `cluster`, with Envoy's defaults.
pub(super) fn choose(cluster: &Cluster) -> Result<Chosen, Why> {
    if has_subsets(cluster) {
        let expected = "subsets of nodes are not supported";
        return Err(Why::field("lb_subset_config", expected));
    }
    if cluster.maglev_lb_config.is_some() && cluster.ring_hash_lb_config.is_some() {
        let expected = "expected maglev_lb_config or ring_hash_lb_config, not both";
        return Err(Why::field("ring_hash_lb_config", expected));
    }
    match &cluster.load_balancing_policy {
        Some(policy) => of_extension(policy),
        None => of_fields(cluster),
    }
}

/// Envoy ignores subsets without selectors.
fn has_subsets(cluster: &Cluster) -> bool {
    let subsets = cluster.lb_subset_config.as_ref();
    let fields = subsets.and_then(Value::as_object);
    fields.is_some_and(|fields| !fields.is_empty())
}

fn of_fields(cluster: &Cluster) -> Result<Chosen, Why> {
    let common = &cluster.common_lb_config;
    let hashing = common.consistent_hashing_lb_config.unwrap_or_default();
    let policy = match cluster.lb_policy.as_deref().unwrap_or("ROUND_ROBIN") {
        "MAGLEV" => maglev(cluster.maglev_lb_config.as_ref(), hashing)?,
        "RING_HASH" => ring_hash(cluster.ring_hash_lb_config.as_ref(), hashing)?,
        "LOAD_BALANCING_POLICY_CONFIG" => {
            let expected = "expected load_balancing_policy next to it";
            return Err(Why::field(
                "lb_policy LOAD_BALANCING_POLICY_CONFIG",
                expected,
            ));
        }
        scattering @ ("ROUND_ROBIN" | "LEAST_REQUEST" | "RANDOM") => {
            return Ok(Chosen::scattering(format!("lb_policy {scattering}")));
        }
        other => {
            let expected = "expected MAGLEV or RING_HASH";
            return Err(Why::field(format!("lb_policy {other}"), expected));
        }
    };
    let by_locality = common.locality_weighted_lb_config.is_some();
    Ok(Chosen::new(policy, by_locality))
}

/// The first policy that Envoy supports wins.
fn of_extension(policy: &LoadBalancingPolicy) -> Result<Chosen, Why> {
    for choice in &policy.policies {
        let extension = &choice.typed_extension_config;
        let Some(config) = &extension.typed_config else {
            let field = format!("load_balancing_policy {}", extension.name);
            return Err(Why::field(field, "expected typed_config"));
        };
        match config[TYPE].as_str().unwrap_or_default() {
            "Maglev" => {
                let shape: Maglev = shape(config, "maglev")?;
                let hashing = shape.consistent_hashing_lb_config.unwrap_or_default();
                let by_locality = shape.locality_weighted_lb_config.is_some();
                return Ok(Chosen::new(maglev(Some(&shape), hashing)?, by_locality));
            }
            "RingHash" => {
                let shape: RingHash = shape(config, "ring_hash")?;
                let hashing = shape.consistent_hashing_lb_config;
                let hashing = hashing.unwrap_or(ConsistentHashing {
                    use_hostname_for_hashing: shape.use_hostname_for_hashing,
                    hash_balance_factor: shape.hash_balance_factor,
                });
                let by_locality = shape.locality_weighted_lb_config.is_some();
                return Ok(Chosen::new(ring_hash(Some(&shape), hashing)?, by_locality));
            }
            "RoundRobin" | "LeastRequest" | "Random" | "ClientSideWeightedRoundRobin" => {
                let what = format!("load_balancing_policy {}", extension.name);
                return Ok(Chosen::scattering(what));
            }
            "Subset" | "OverrideHost" | "WrrLocality" | "ClusterProvided" => {
                let expected = "expected maglev or ring_hash";
                let field = format!("load_balancing_policy {}", extension.name);
                return Err(Why::field(field, expected));
            }
            _ => {}
        }
    }
    let expected = "expected maglev or ring_hash among its policies";
    Err(Why::field("load_balancing_policy", expected))
}

/// The configuration of an extension; its types are right already.
fn shape<T: DeserializeOwned>(config: &Value, policy: &str) -> Result<T, Why> {
    serde_json::from_value(config.clone()).map_err(|_| Why::field(policy, "cannot be parsed"))
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
                let expected = "expected XX_HASH or MURMUR_HASH_2";
                return Err(Why::field(format!("hash_function `{other}`"), expected));
            }
        },
        hash_hostnames: by_hostname(hashing)?,
    })
}

/// Whether host names are hashed. With bounded loads the node of a key cannot be predicted.
fn by_hostname(hashing: ConsistentHashing) -> Result<bool, Why> {
    let Some(factor) = hashing.hash_balance_factor else {
        return Ok(hashing.use_hostname_for_hashing);
    };
    let expected = if factor < 100 {
        "expected at least 100, or omit the field"
    } else {
        "placement then depends on the load of the moment, and no key has a place"
    };
    Err(Why::field(
        format!("hash_balance_factor {factor}"),
        expected,
    ))
}
