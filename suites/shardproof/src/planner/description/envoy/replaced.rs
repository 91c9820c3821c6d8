//! Fields that Envoy supported once or that users put in the wrong place, and their replacements.
//!
//! Source: configurations that users published; Envoy 1.40 refuses each.

/// Fields by the names of their messages.
const REPLACED: [(&str, &str, &str); 9] = [
    (
        "Bootstrap",
        "clusters",
        "it belongs under static_resources, indented",
    ),
    (
        "Bootstrap",
        "listeners",
        "it belongs under static_resources, indented",
    ),
    (
        "Cluster",
        "hosts",
        "expected `load_assignment`, `hosts` was removed in Envoy 1.18",
    ),
    (
        "Cluster",
        "tls_context",
        "expected `transport_socket`, `tls_context` was removed in Envoy 1.18",
    ),
    (
        "Filter",
        "config",
        "expected `typed_config`, with the `@type` of the filter; `config` was removed in Envoy 1.18",
    ),
    (
        "FilterChain",
        "tls_context",
        "expected `transport_socket`, `tls_context` was removed in Envoy 1.18",
    ),
    (
        "PrefixRoutes",
        "catch_all_cluster",
        "expected `catch_all_route: {cluster: NAME}`",
    ),
    (
        "RedisProxy",
        "catch_all_route",
        "it belongs under prefix_routes, indented",
    ),
    (
        "RedisProxy",
        "cluster",
        "expected `prefix_routes: {catch_all_route: {cluster: NAME}}`",
    ),
];

/// The replacement of a field of a message.
pub(super) fn field(message: &str, field: &str) -> Option<&'static str> {
    let mut replaced = REPLACED.iter();
    replaced
        .find(|(of, name, _)| *of == message && *name == field)
        .map(|(_, _, words)| *words)
}

#[cfg(test)]
mod tests {
    use super::{REPLACED, field};

    #[test]
    fn fields_are_replaced_in_their_message_only() {
        assert!(REPLACED.is_sorted_by_key(|(of, name, _)| (of, name)));
        assert!(field("Filter", "config").is_some());
        assert_eq!(field("Cluster", "config"), None);
    }
}
