//! Which clusters the redis_proxy filters route to: which keys, and whether their hash tags count.

use std::collections::{BTreeMap, BTreeSet};

use super::super::routing::Table;
use super::super::tree::Tree;
use super::super::{Error, Why};
use super::messages;
use super::proto::{Reader, TYPE};
use super::shape::{FilterChain, Listener, PrefixRoutes, RedisProxy, Route};

/// Routing of keys to a cluster through one filter.
#[derive(Debug, Clone, PartialEq, Eq)]
struct FilterRoute {
    /// The line of the filter.
    line: u64,
    tags: bool,
    table: Table,
    /// A route that changes keys before they are hashed: its line, and the field.
    rewrites: Option<(u64, &'static str)>,
    /// Whether keys are routed here, rather than only copies or reads of them.
    is_primary: bool,
    notes: BTreeSet<String>,
    /// The policy of reads, if it is not that of writes. Has an effect only on a Redis Cluster.
    read_policy: Option<String>,
}

/// All clusters that are routed to, by name.
#[derive(Debug, Default)]
pub(super) struct Routes(BTreeMap<String, Vec<FilterRoute>>);

/// The routes of all filters to one cluster.
#[derive(Debug, Default)]
pub(super) struct ClusterRoutes {
    /// Where hash tags are switched on or off, and which.
    pub(super) tags: Option<(u64, bool)>,
    /// Routing of keys to it; empty if no filter routes to it.
    pub(super) tables: Vec<Table>,
    pub(super) notes: Vec<String>,
    /// Notes if it is a Redis Cluster.
    pub(super) redis_cluster_notes: Vec<String>,
}

impl Routes {
    /// Whether no filter can be read.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a filter routes keys to `cluster`, and not only copies or reads of them.
    pub(super) fn lead_to(&self, cluster: &str) -> bool {
        let ways = self.0.get(cluster);
        ways.is_some_and(|ways| ways.iter().any(|way| way.is_primary))
    }

    /// The description of `cluster`.
    pub(super) fn say(&self, cluster: &str, file: &str) -> Result<ClusterRoutes, Error> {
        let ways = self.0.get(cluster).map_or(&[][..], Vec::as_slice);
        let Some(first) = ways.first() else {
            return Ok(ClusterRoutes::default());
        };
        if let Some((line, field)) = ways.iter().find_map(|way| way.rewrites) {
            let expected = format!(
                "it changes keys of cluster {cluster} before they are hashed; give a file with the cluster and without its \
                 listeners, --hash-tags, and keys as they are on nodes"
            );
            return Err(Why::field(field, expected).at(format!("{file}:{line}")));
        }
        if let Some(other) = ways.iter().find(|way| way.tags != first.tags) {
            let expected = format!(
                "another filter that routes to cluster {cluster} has the opposite, at line {}",
                first.line
            );
            let why = Why::field(format!("enable_hashtagging {}", other.tags), expected);
            return Err(why.at(format!("{file}:{}", other.line)));
        }
        let notes: BTreeSet<&String> = ways.iter().flat_map(|way| &way.notes).collect();
        Ok(ClusterRoutes {
            tags: Some((first.line, first.tags)),
            tables: ways.iter().map(|way| way.table.clone()).collect(),
            notes: notes.into_iter().cloned().collect(),
            redis_cluster_notes: reads(ways),
        })
    }

    fn add(&mut self, proxy: &RedisProxy) {
        let routes = &proxy.prefix_routes;
        for cluster in clusters(routes) {
            let way = way(cluster, proxy);
            self.0.entry(cluster.to_owned()).or_default().push(way);
        }
    }
}

/// Reads all filters that are Envoy's for Redis.
pub(super) fn read(listeners: &[&Tree], reader: Reader<'_>) -> Result<Routes, Error> {
    let mut ways = Routes::default();
    for tree in listeners {
        let read = reader.message(tree, &messages::LISTENER)?;
        let listener: Listener = reader.shaped(read, tree)?;
        let chains = listener.filter_chains.iter();
        for chain in chains.chain(&listener.default_filter_chain) {
            for proxy in proxies(chain, tree, reader)? {
                check(&proxy.prefix_routes, proxy.line, reader)?;
                ways.add(&proxy);
            }
        }
    }
    Ok(ways)
}

fn proxies(chain: &FilterChain, tree: &Tree, reader: Reader<'_>) -> Result<Vec<RedisProxy>, Error> {
    let configs = chain.filters.iter();
    let configs = configs.filter_map(|filter| filter.typed_config.as_ref());
    let redis = configs.filter(|config| config[TYPE] == "RedisProxy");
    redis
        .map(|config| reader.shaped(config.clone(), tree))
        .collect()
}

/// Refuses routes that Envoy refuses.
fn check(routes: &PrefixRoutes, line: u64, reader: Reader<'_>) -> Result<(), Error> {
    let mut known = BTreeSet::new();
    if routes.routes.is_empty() && routes.catch_all_route.is_none() {
        let why = Why::field("prefix_routes", "no route, expected at least one");
        return Err(why.at(format!("{}:{}", reader.file, line)));
    }
    for route in routes.routes.iter().chain(&routes.catch_all_route) {
        let at = |why: Why| Err(why.at(format!("{}:{}", reader.file, route.line)));
        if route.cluster.is_empty() {
            return at(Why::field(
                "cluster",
                "expected the name of a cluster in a route",
            ));
        }
    }
    for route in &routes.routes {
        let mut prefix = route.prefix.clone();
        if routes.case_insensitive {
            prefix.make_ascii_lowercase();
        }
        if !known.insert(prefix) {
            let field = format!("prefix `{}`", route.prefix.escape_debug());
            let why = Why::field(field, "another route of the filter has it");
            return Err(why.at(format!("{}:{}", reader.file, route.line)));
        }
    }
    Ok(())
}

/// The clusters of some routes, once each.
fn clusters(routes: &PrefixRoutes) -> BTreeSet<&str> {
    let all = routes.routes.iter().chain(&routes.catch_all_route);
    all.flat_map(all_of).collect()
}

/// The clusters of one route.
fn all_of(route: &Route) -> impl Iterator<Item = &str> {
    let others = route.request_mirror_policy.iter();
    let others = others.chain(&route.read_command_policy);
    [&*route.cluster]
        .into_iter()
        .chain(others.map(|other| &*other.cluster))
}

/// The route of a filter to `cluster`.
fn way(cluster: &str, proxy: &RedisProxy) -> FilterRoute {
    let routes = &proxy.prefix_routes;
    let leads = |route: &Route| all_of(route).any(|name| name == cluster);
    let prefixes = routes.routes.iter();
    let prefixes = prefixes.map(|route| (route.prefix.clone().into_bytes(), leads(route)));
    let others = routes.catch_all_route.as_ref().is_some_and(leads);
    let table = Table::new(prefixes, others, routes.case_insensitive);
    let mut way = FilterRoute {
        line: proxy.line,
        tags: proxy.settings.enable_hashtagging,
        table,
        rewrites: None,
        is_primary: false,
        notes: BTreeSet::new(),
        read_policy: proxy
            .settings
            .read_policy
            .clone()
            .filter(|policy| policy != "MASTER"),
    };
    let all = routes.routes.iter().chain(&routes.catch_all_route);
    for route in all.filter(|route| leads(route)) {
        way.is_primary |= route.cluster == cluster;
        way.rewrites = way.rewrites.or(rewrites(route));
        way.notes.extend(notes(cluster, route));
    }
    way
}

/// A note for each policy by which reads may go to replicas.
fn reads(ways: &[FilterRoute]) -> Vec<String> {
    let policies: BTreeSet<&String> = ways.iter().flat_map(|way| &way.read_policy).collect();
    let notes = policies.iter().map(|policy| {
        format!(
            "read_policy {policy}: reads may go to replicas, which may not have the last writes"
        )
    });
    notes.collect()
}

fn rewrites(route: &Route) -> Option<(u64, &'static str)> {
    if route.remove_prefix && !route.prefix.is_empty() {
        Some((route.line, "remove_prefix"))
    } else if route.key_formatter.is_empty() {
        None
    } else {
        Some((route.line, "key_formatter"))
    }
}

/// Notes on `cluster` that are needed to understand a proxy's answers.
fn notes(cluster: &str, route: &Route) -> Vec<String> {
    let mut notes = Vec::new();
    let primary = &route.cluster;
    if let Some(reads) = &route.read_command_policy {
        if reads.cluster == cluster && primary != cluster {
            notes.push(format!(
                "cluster {cluster} answers reads of cluster {primary} (read_command_policy): the proxy writes no key to it"
            ));
        } else if primary == cluster && reads.cluster != cluster {
            notes.push(format!(
                "reads go to cluster {} (read_command_policy): what the proxy finds is not on cluster {cluster}",
                reads.cluster
            ));
        }
    }
    let mirrors = &route.request_mirror_policy;
    if primary != cluster && mirrors.iter().any(|mirror| mirror.cluster == cluster) {
        notes.push(format!(
            "cluster {cluster} is a mirror of cluster {primary} (request_mirror_policy): the proxy answers nothing from it"
        ));
    }
    notes
}
