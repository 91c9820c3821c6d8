//! The routes of Envoy's filters: which keys are routed to a cluster, and which part of them is hashed.

use ::placement::Policy;
use ::placement::hash::TagRule;

use super::{
    ADDRS, CATCH_ALL, check, cluster, endpoints, envoy, none, picking, read, tags, untagged, wrong,
};

#[test]
fn tags_are_those_of_the_filter_that_routes() {
    let filter = "settings: {enable_hashtagging: true}\n          prefix_routes: {catch_all_route: {cluster: redis}}";
    let body = format!(
        "      lb_policy: MAGLEV\n{}",
        endpoints(&["10.0.0.1", "10.0.0.2"])
    );
    let text = envoy(filter, &[("redis", &body)]);
    let mut tagged = cluster(Policy::maglev(), &ADDRS);
    tagged.tags = TagRule::BRACES;
    check(&text, &none(), tagged);
}

#[test]
fn only_clusters_that_keys_are_routed_to_count() {
    let body = |host| format!("      lb_policy: MAGLEV\n{}", endpoints(&[host]));
    let (web, other) = (body("10.0.0.9"), body("10.0.0.8"));
    let one = envoy(CATCH_ALL, &[("web", &web), ("redis", &other)]);
    check(&one, &none(), cluster(Policy::maglev(), &["10.0.0.8:6379"]));
    let filter =
        "prefix_routes: {catch_all_route: {cluster: redis}, routes: [{prefix: a, cluster: web}]}";
    let two = envoy(filter, &[("web", &web), ("redis", &other)]);
    wrong(
        &two,
        &none(),
        "file: several clusters hold keys: web, redis; choose one with --cluster-name",
    );
    let web = read(&two, "file", &picking("web")).unwrap();
    assert_eq!(web.cluster, cluster(Policy::maglev(), &["10.0.0.9:6379"]));
    wrong(
        &two,
        &picking("none"),
        "file: --cluster-name none: expected one of web, redis",
    );
    let bare = format!("static_resources:\n  clusters:\n    - name: only\n{other}");
    check(
        &bare,
        &untagged(),
        cluster(Policy::maglev(), &["10.0.0.8:6379"]),
    );
}

/// A file from which it is unknown whether hash tags count.
#[test]
fn hash_tags_must_be_specified() {
    let body = format!("      lb_policy: MAGLEV\n{}", endpoints(&["10.0.0.1"]));
    let bare = format!("static_resources:\n  clusters:\n    - name: only\n{body}");
    let discovered = format!(
        "static_resources:
  listeners:
  - filter_chains:
    - filters:
      - name: envoy.filters.network.redis_proxy
        config_discovery: {{config_source: {{ads: {{}}}}, type_urls: [x]}}
  clusters:
    - name: only
{body}"
    );
    let with_lds = format!("dynamic_resources: {{lds_config: {{path: lds.yaml}}}}\n{bare}");
    for text in [&bare, &discovered, &with_lds] {
        let error = read(text, "file", &none()).unwrap_err().to_string();
        assert!(
            error.contains("--hash-tags on or --hash-tags off"),
            "{error}"
        );
        for on in [true, false] {
            let found = read(text, "file", &tags(on)).unwrap().cluster.tags;
            assert_eq!(found != TagRule::WholeKey, on, "{text}");
        }
    }
}

/// Keys of another cluster, keys without a route, and the clusters of copies and of reads.
#[test]
fn keys_that_routes_send_elsewhere_are_detected() {
    let body = |host| format!("      lb_policy: MAGLEV\n{}", endpoints(&[host]));
    let (one, two) = (body("10.0.0.1"), body("10.0.0.2"));
    let routed = |routes: &str, name: &str| {
        let filter = format!("prefix_routes: {{{routes}}}");
        let text = envoy(&filter, &[("c1", &one), ("c2", &two), ("c3", &one)]);
        read(&text, "file", &picking(name)).unwrap()
    };
    let prefix = "routes: [{prefix: '2:', cluster: c2}], catch_all_route: {cluster: c1}";
    let first = routed(prefix, "c1");
    assert!(first.routing.takes(b"1:x") && !first.routing.takes(b"2:x"));
    assert!(first.routing.shares_nodes(), "c3 has its node");
    let second = routed(prefix, "c2");
    assert!(!second.routing.takes(b"1:x") && second.routing.takes(b"2:x"));
    assert!(!second.routing.shares_nodes());
    let alone = routed("routes: [{prefix: '2:', cluster: c2}]", "c2");
    assert!(!alone.routing.takes(b"1:x"));

    let mirrored = "catch_all_route: {cluster: c1, request_mirror_policy: {cluster: c2}, read_command_policy: {cluster: c3}}";
    for (name, note) in [
        ("c1", "reads go to cluster c3"),
        ("c2", "is a mirror of cluster c1"),
        ("c3", "answers reads of cluster c1"),
    ] {
        let found = routed(mirrored, name);
        assert!(found.routing.takes_all());
        assert_eq!(found.notes.len(), 1, "{:?}", found.notes);
        assert!(found.notes[0].contains(note), "{:?}", found.notes);
    }
}
