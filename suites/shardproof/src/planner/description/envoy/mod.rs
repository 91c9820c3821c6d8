//! Envoy's v3 bootstrap, files of discovery services or `/config_dump`, YAML or JSON: a static cluster that a redis_proxy filter routes to.
//!
//! Source: Envoy 1.40 `api/envoy/config/{bootstrap,cluster,endpoint}/v3`, `extensions/load_balancing_policies`. Only the cluster
//! that is described has to be right: the others are left to Envoy.

mod cluster_messages;
mod messages;
mod nodes;
mod policy;
mod proto;
mod redis_cluster;
mod replaced;
mod resources;
mod routes;
mod shape;

use std::collections::BTreeSet;

use ::placement::{Cluster, Panic};

use super::routing::Routing;
use super::tree::Tree;
use super::{
    Described, Description, Error, Hints, Seeds, Why, described, hash_tags, moves_by_itself,
    on_only_node, pick,
};
use proto::Reader;
pub(super) use resources::are_in;
use routes::Routes;

/// Fields, in both spellings, that take failing nodes out of a cluster.
const EJECTING: [(&str, &str); 2] = [
    ("health_checks", "healthChecks"),
    ("outlier_detection", "outlierDetection"),
];

/// Reads the named cluster, or the only one that holds keys.
pub(super) fn read(top: &Tree, name: &str, hints: &Hints) -> Result<Description, Error> {
    let reader = Reader { file: name };
    let resources = resources::of(top, reader)?;
    let routes = routes::read(&resources.listeners, reader)?;
    let tree = choose(&resources.clusters, &routes, hints).map_err(|why| why.at(name))?;
    let mut cluster: shape::Cluster =
        reader.shaped(reader.message(tree, &cluster_messages::CLUSTER)?, tree)?;
    assign(&mut cluster, &resources, reader)?;
    let at = format!("{name}:{}", cluster.line);
    let wrong = |why: Why| why.at(at.clone());
    let said = routes.say(&cluster.name, name)?;
    let shares =
        shares_nodes(tree, &resources.clusters) || redis_cluster::several(&resources.clusters);
    let routing = match said.tables {
        tables if tables.is_empty() => Routing::default(),
        tables => Routing::new(tables, shares),
    };
    if redis_cluster::is_one(&cluster) {
        return Ok(Description::RedisCluster(Seeds {
            addresses: redis_cluster::seeds(&cluster, (name, &at), hints)?,
            place: at,
            setting: redis_cluster::SETTING,
            routing,
            notes: said
                .notes
                .into_iter()
                .chain(said.redis_cluster_notes)
                .collect(),
        }));
    }
    let kind = nodes::kind(&cluster).map_err(wrong)?;
    let chosen = policy::choose(&cluster).map_err(wrong)?;
    let tags = hash_tags(said.tags, hints, name, || {
        Why::TagsUnsaid(cluster.name.clone()).at(&*at)
    })?;
    let (nodes, reach) = nodes::nodes(&cluster, (kind, &chosen), (name, &at), hints)?;
    let cluster = Cluster {
        panic: panic(&cluster).map_err(wrong)?,
        policy: chosen.policy,
        tags,
        nodes,
    };
    let ejects = EJECTING.iter().filter(|(field, other)| {
        let given = tree.get(field).or(tree.get(other));
        given.is_some_and(|value| !value.is_null() && cluster.nodes.len() > 1)
    });
    let ejects: Vec<String> = ejects.map(|(field, _)| moves_by_itself(field)).collect();
    let alone = chosen.scatters.as_deref().map(on_only_node);
    Ok(Description::Cluster(Described {
        routing,
        notes: said.notes.into_iter().chain(alone).chain(ejects).collect(),
        ..described(cluster, reach, at)?
    }))
}

/// Gives a cluster of type EDS the nodes that the file has for it. It is like a static one then.
fn assign(
    cluster: &mut shape::Cluster,
    resources: &resources::Resources<'_>,
    reader: Reader<'_>,
) -> Result<(), Error> {
    if cluster.kind.as_deref() != Some("EDS") {
        return Ok(());
    }
    let service = match &*cluster.eds_cluster_config.service_name {
        "" => cluster.name.as_str(),
        service => service,
    };
    let name = |tree: &Tree| {
        let name = tree.get("cluster_name").or(tree.get("clusterName"));
        name.and_then(Tree::text).map(str::to_owned)
    };
    let own = |tree: &&&Tree| name(tree).as_deref() == Some(service);
    if let Some(tree) = resources.assignments.iter().find(own) {
        let read = reader.message(tree, &cluster_messages::LOAD_ASSIGNMENT)?;
        cluster.load_assignment = reader.shaped(read, tree)?;
        cluster.kind = Some("STATIC".to_owned());
        if resources.are_dumped {
            // Envoy writes 0 for a group without a weight, and refuses it in its configuration.
            let groups = cluster.load_assignment.endpoints.iter_mut();
            groups.for_each(|group| {
                group.load_balancing_weight = group.load_balancing_weight.filter(|it| *it > 0)
            });
        }
    }
    Ok(())
}

/// The cluster that is asked for, or the only one that keys are routed to.
fn choose<'a>(clusters: &[&'a Tree], routes: &Routes, hints: &Hints) -> Result<&'a Tree, Why> {
    let named = clusters.iter().filter_map(|cluster| {
        let name = cluster.get("name").and_then(Tree::text)?;
        Some((name.to_owned(), *cluster))
    });
    let holds_keys = |name: &str| routes.is_empty() || routes.lead_to(name);
    let candidates: Vec<_> = named
        .filter(|(name, _)| hints.pick.is_some() || holds_keys(name))
        .collect();
    pick("clusters", &candidates, hints).copied()
}

/// Whether another cluster has a node of this one.
fn shares_nodes(cluster: &Tree, all: &[&Tree]) -> bool {
    let own = sockets(cluster);
    let mut others = all.iter().filter(|other| !std::ptr::eq(**other, cluster));
    others.any(|other| !own.is_disjoint(&sockets(other)))
}

/// All addresses in a part of a file.
fn sockets(tree: &Tree) -> BTreeSet<(&str, &str)> {
    if let (Some(address), Some(port)) = (
        tree.get("address"),
        tree.get("port_value").or(tree.get("portValue")),
    ) && let (Some(address), Some(port)) = (address.text(), port.text())
    {
        return BTreeSet::from([(address, port)]);
    }
    if let Some(path) = tree.get("pipe").and_then(|pipe| pipe.get("path")?.text()) {
        return BTreeSet::from([(path, "")]);
    }
    tree.children().flat_map(sockets).collect()
}

fn panic(cluster: &shape::Cluster) -> Result<Panic, Why> {
    let default = Panic::default();
    let policy = &cluster.load_assignment.policy;
    if policy.weighted_priority_health {
        let expected = "health by weights is not supported, omit it";
        return Err(Why::field("weighted_priority_health", expected));
    }
    let threshold = &cluster.common_lb_config.healthy_panic_threshold;
    let percent = threshold.as_ref().map(|percent| percent.value);
    if let Some(percent) = percent.filter(|percent| !(0.0..=100.0).contains(percent)) {
        let field = format!("healthy_panic_threshold {percent}");
        return Err(Why::field(field, "expected 0 to 100"));
    }
    Ok(Panic {
        // Envoy rounds it.
        threshold_percent: percent
            .map_or(default.threshold_percent, |percent| percent.round() as u32),
        overprovisioning: policy
            .overprovisioning_factor
            .unwrap_or(default.overprovisioning),
    })
}
