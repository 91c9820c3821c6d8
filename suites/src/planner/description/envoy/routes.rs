//! Which clusters the redis_proxy filters route to, and whether tags are hashed on the way.

use std::collections::BTreeMap;

use ::refproxy::hash::TagRule;
use serde::Deserialize;

use super::super::{Error, Why, place};
use super::shape::{Listener, RedisProxy, Route};

/// How keys come to a cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Way {
    /// Where the filter stands.
    at: String,
    tags: bool,
    /// A route changes keys before they are hashed.
    rewrites: Option<&'static str>,
    /// Another filter, which says other things of tags.
    disagrees: bool,
}

impl Way {
    /// What is hashed of the keys of `cluster`.
    pub(super) fn tags(&self, cluster: &str) -> Result<TagRule, Error> {
        let why = if let Some(field) = self.rewrites {
            let expected = format!(
                "keys of {cluster} are changed before they are hashed; give the file without its listeners, and keys as they \
                 are sent to nodes"
            );
            Why::field(field, expected)
        } else if self.disagrees {
            let expected = format!("on in one filter that routes to {cluster}, off in another one");
            Why::field("enable_hashtagging", expected)
        } else if self.tags {
            return Ok(TagRule::BRACES);
        } else {
            return Ok(TagRule::WholeKey);
        };
        Err(why.at(self.at.clone()))
    }
}

/// The clusters that are routed to, by name; none where no filter of Redis is.
pub(super) fn routes(listeners: &[Listener], name: &str) -> Result<BTreeMap<String, Way>, Error> {
    let chains = listeners.iter().flat_map(|listener| {
        listener
            .filter_chains
            .iter()
            .chain(&listener.default_filter_chain)
    });
    let configs = chains
        .flat_map(|chain| &chain.filters)
        .filter_map(|filter| filter.typed_config.as_ref());
    let mut ways = BTreeMap::new();
    for config in configs {
        let kind = config.value.get("@type").and_then(|kind| kind.as_str());
        if !kind.is_some_and(|kind| kind.ends_with(".RedisProxy")) {
            continue;
        }
        let at = place(name, config);
        let proxy = RedisProxy::deserialize(&config.value)
            .map_err(|error| Why::field("redis_proxy", error.to_string()).at(at.clone()))?;
        let routes = &proxy.prefix_routes;
        for route in routes.routes.iter().chain(&routes.catch_all_route) {
            add(&mut ways, route, proxy.settings.enable_hashtagging, &at);
        }
    }
    Ok(ways)
}

fn add(ways: &mut BTreeMap<String, Way>, route: &Route, tags: bool, at: &str) {
    let rewrites = if route.remove_prefix && !route.prefix.is_empty() {
        Some("remove_prefix")
    } else if route.key_formatter.is_empty() {
        None
    } else {
        Some("key_formatter")
    };
    let way = ways.entry(route.cluster.clone()).or_insert(Way {
        at: at.to_owned(),
        tags,
        rewrites: None,
        disagrees: false,
    });
    way.rewrites = way.rewrites.or(rewrites);
    way.disagrees |= way.tags != tags;
}
