//! Where the listeners, the clusters and their nodes are: in a bootstrap, in a file of CDS, LDS or EDS, or in the answer of
//! Envoy's `/config_dump?include_eds`.

use super::super::tree::{Content, Tree};
use super::super::{Error, Why};
use super::messages;
use super::proto::Reader;

/// The listeners and the clusters of a file, and the nodes of clusters of type EDS.
#[derive(Debug, Default)]
pub(super) struct Resources<'a> {
    pub(super) listeners: Vec<&'a Tree>,
    pub(super) clusters: Vec<&'a Tree>,
    /// Messages `ClusterLoadAssignment`.
    pub(super) assignments: Vec<&'a Tree>,
    /// Whether a running Envoy has written them.
    pub(super) are_dumped: bool,
}

/// Whether a file is Envoy's.
pub(in crate::planner::description) fn are_in(top: &Tree) -> bool {
    either(top, "static_resources", "staticResources").is_some()
        || is_dump(top)
        || is_discovery(top)
}

/// Whether it is an answer of a discovery service, as Envoy also reads it from files.
fn is_discovery(top: &Tree) -> bool {
    let resources = top.get("resources").map(items).unwrap_or_default();
    !resources.is_empty() && resources.iter().all(|it| it.get("@type").is_some())
}

fn is_dump(top: &Tree) -> bool {
    let configs = top.get("configs").map(items).unwrap_or_default();
    configs.iter().any(|config| config.get("@type").is_some())
}

/// All of a file.
pub(super) fn of<'a>(top: &'a Tree, reader: Reader<'_>) -> Result<Resources<'a>, Error> {
    if is_dump(top) {
        return Ok(of_dump(top));
    }
    if is_discovery(top) {
        return Ok(of_discovery(top));
    }
    reader.message(top, &messages::BOOTSTRAP)?;
    let resources = either(top, "static_resources", "staticResources");
    let Some(resources) = resources.filter(|resources| !resources.is_null()) else {
        return Err(Why::Nothing.at(reader.file));
    };
    reader.message(resources, &messages::STATIC_RESOURCES)?;
    let all = |name| resources.get(name).map(items).unwrap_or_default();
    Ok(Resources {
        listeners: all("listeners"),
        clusters: all("clusters"),
        assignments: Vec::new(),
        are_dumped: false,
    })
}

/// The resources of a discovery service, each by its type.
fn of_discovery(top: &Tree) -> Resources<'_> {
    let resources = top.get("resources").map(items).unwrap_or_default();
    let all = |name: &str| {
        let of = |tree: &&&Tree| {
            tree.get("@type")
                .and_then(Tree::text)
                .is_some_and(|it| it.ends_with(name))
        };
        resources.iter().filter(of).copied().collect()
    };
    Resources {
        listeners: all(".Listener"),
        clusters: all(".Cluster"),
        assignments: all(".ClusterLoadAssignment"),
        are_dumped: false,
    }
}

/// The resources of a running Envoy: those of the bootstrap are listed again as static ones.
fn of_dump(top: &Tree) -> Resources<'_> {
    let mut all = Resources {
        are_dumped: true,
        ..Resources::default()
    };
    for config in top.get("configs").map(items).unwrap_or_default() {
        all.clusters
            .extend(under(config, "static_clusters", &["cluster"]));
        all.clusters
            .extend(under(config, "dynamic_active_clusters", &["cluster"]));
        all.listeners
            .extend(under(config, "static_listeners", &["listener"]));
        let active = ["active_state", "listener"];
        all.listeners
            .extend(under(config, "dynamic_listeners", &active));
        for list in ["static_endpoint_configs", "dynamic_endpoint_configs"] {
            all.assignments
                .extend(under(config, list, &["endpoint_config"]));
        }
    }
    all
}

/// The value at `path` in each element of `list`.
fn under<'a>(config: &'a Tree, list: &str, path: &[&str]) -> Vec<&'a Tree> {
    let found = config.get(list).map(items).unwrap_or_default().into_iter();
    found
        .filter_map(|item| path.iter().try_fold(item, |at, name| at.get(name)))
        .collect()
}

fn either<'a>(tree: &'a Tree, one: &str, other: &str) -> Option<&'a Tree> {
    tree.get(one).or_else(|| tree.get(other))
}

/// The elements of a list, or a single value as a list of one.
fn items(tree: &Tree) -> Vec<&Tree> {
    match &tree.content {
        Content::List(list) => list.iter().flat_map(items).collect(),
        _ if tree.is_null() => Vec::new(),
        _ => vec![tree],
    }
}
