//! Files that are read, and mistakes in them.

use super::{ClusterFile, SOCKET_PATH_MAX, read_address};
use crate::Policy;

fn file(yaml: &str) -> ClusterFile {
    serde_saphyr::from_str(yaml).unwrap()
}

const EACH: [&str; 10] = [
    "{policy: maglev, table_size: 251, hash_hostnames: true, hash_tags: true, nodes: [{address: 'a:1', weight: 1, hostname: h}]}",
    "{policy: ring_hash, minimum_ring_size: 7, maximum_ring_size: 9, hash_function: MURMUR_HASH_2, hash_hostnames: false, \
     hash_tags: false, healthy_panic_threshold: 0, overprovisioning_factor: 150, nodes: [\
     {address: 'a:1', weight: 2, health: degraded, locality: {name: l, weight: 3}}, \
     {address: 'b:1', weight: 1, health: healthy, locality: {name: l, weight: 3}}, \
     {address: 'c:1', weight: 1, priority: 1}]}",
    "{policy: ketama, hash: murmur, hash_tags: '$$', nodes: [{address: 'a:1', weight: 1, name: n, hash_key: k}]}",
    "{policy: modula, hash: crc16, hash_tags: '<>', nodes: [{address: 'a:1', weight: 5}]}",
    "{policy: predixy, hash: atol, hash_tags: true, nodes: [{address: 'a:1', weight: 1}]}",
    "{policy: slots, hash_tags: true, nodes: [{address: 'a:1', weight: 1, slots: [[0, 16382]]}, {address: 'b:1', weight: 1, slots: [[16383, 16383]]}]}",
    "{policy: libketama, hash_tags: false, nodes: [{address: 'a:1', weight: 3}]}",
    "{policy: jump, hash_tags: false, nodes: [{address: 'a:1', weight: 1}]}",
    "{policy: rendezvous, hash_tags: false, nodes: [{address: 'a:1', weight: 3}]}",
    "{policy: maglev, table_size: 65537, hash_hostnames: false, hash_tags: false, nodes: [{address: 'a:1', weight: 1}]}",
];

#[test]
fn a_file_survives_the_round_trip() {
    for yaml in EACH {
        let file = file(yaml);
        let cluster = file.clone().check().unwrap();
        assert_eq!(
            serde_json::to_value(ClusterFile::of(cluster.cluster())).unwrap(),
            serde_json::to_value(&file).unwrap()
        );
    }
}

#[test]
fn defaults_are_those_of_the_proxies() {
    for policy in Policy::all() {
        let name = policy.name();
        let cluster = file(&format!("{{policy: {name}, nodes: [{{address: 'a:1'}}]}}"));
        assert_eq!(cluster.check().unwrap().cluster().policy, policy);
    }
}

#[track_caller]
fn check_address(text: &str, expected: Option<&str>) {
    assert_eq!(read_address(text).ok().as_deref(), expected, "{text}");
}

#[test]
fn an_address_is_a_port_or_a_path() {
    for address in ["a:1", "127.0.0.1:65535", "[::1]:1", "/run/a.sock", "/a:1"] {
        check_address(address, Some(address));
    }
    for path in ["unix:/run/a.sock", "unix:///run/a.sock"] {
        check_address(path, Some("/run/a.sock"));
    }
    let longest = format!("/{}", "a".repeat(SOCKET_PATH_MAX - 1));
    check_address(&longest, Some(&longest));
    check_address(&format!("{longest}a"), None);
    for wrong in [
        "", "a", "a:0", ":1", "a b:1", "/", "unix:a", "/a b", "/a b:1", "/a\n",
    ] {
        check_address(wrong, None);
    }
}

/// Envoy hashes the path of a pipe; twemproxy the name that it makes of it.
#[test]
fn the_path_of_a_socket_is_hashed() {
    for (policy, hashed) in [
        ("maglev", "/run/a.sock"),
        ("ring_hash", "/run/a.sock"),
        ("ketama", "/run/a.sock:"),
        ("modula", "/run/a.sock:"),
    ] {
        let placed = |node: &str| {
            let nodes = format!("[{{address: 'b:1'}}, {node}]");
            let file = file(&format!("{{policy: {policy}, nodes: {nodes}}}"));
            file.check().unwrap()
        };
        let socket = placed("{address: 'unix:/run/a.sock'}");
        assert_eq!(socket.cluster().nodes[1].address, "/run/a.sock");
        let named = placed(&format!("{{address: 'c:1', hash_key: '{hashed}'}}"));
        assert_eq!(socket.placement(), named.placement(), "{policy}");
    }
}

#[test]
fn wrong_fields_are_errors() {
    for (yaml, expected) in [
        (
            "{policy: ring_hash, table_size: 251, nodes: []}",
            "policy ring_hash does not support table_size",
        ),
        (
            "{policy: ketama, hash_hostnames: true, nodes: []}",
            "policy ketama does not support hash_hostnames",
        ),
        (
            "{policy: maglev, hash: md5, nodes: []}",
            "policy maglev does not support hash",
        ),
        (
            "{policy: slots, overprovisioning_factor: 140, nodes: []}",
            "policy slots does not support overprovisioning_factor",
        ),
        (
            "{policy: ring_hash, hash_function: MD5, nodes: []}",
            "hash_function `MD5`: expected XX_HASH or MURMUR_HASH_2",
        ),
        (
            "{policy: modula, hash: sha1, nodes: []}",
            "hash `sha1`: expected one of crc16, crc32, crc32a, fnv1_32, fnv1_64, fnv1a_32, fnv1a_64, hsieh, jenkins, md5, murmur, \
             one_at_a_time",
        ),
        (
            "{policy: ketama, hash_tags: '{}}', nodes: []}",
            "hash_tags `{}}`: expected true, false or two characters",
        ),
        (
            "{policy: random, nodes: [{address: 'a:1'}, {address: 'b:1'}]}",
            "policy random does not place keys: each request can go to any node",
        ),
        (
            "{policy: round_robin, nodes: []}",
            "policy `round_robin`: expected one of maglev, ring_hash, ketama, modula, random, predixy, slots, libketama, jump, rendezvous",
        ),
    ] {
        assert_eq!(file(yaml).check().unwrap_err().to_string(), expected);
    }
}
