//! INFO of several nodes as one text.

use std::rc::Rc;

use bytes::Bytes;

use super::{Facts, info, wants_nodes};

fn facts() -> Facts {
    Facts {
        clients: 7,
        clients_max: 100,
        uptime_seconds: 90_000,
        port: 6400,
        process_id: 4711,
        run_id: "0a1b".into(),
        health: vec!["up", "up"],
    }
}

/// Texts with `|` for the ends of lines; an error is one by its `-`.
#[track_caller]
fn check(replies: &[&str], with_nodes: bool, expected: &str) {
    let replies: Vec<&[u8]> = replies.iter().map(|text| text.as_bytes()).collect();
    check_bytes(&replies, with_nodes, expected.as_bytes());
}

#[track_caller]
fn check_bytes(replies: &[&[u8]], with_nodes: bool, expected: &[u8]) {
    let lines = |text: &[u8]| {
        text.split(|byte| *byte == b'|')
            .collect::<Vec<_>>()
            .join(&b"\r\n"[..])
    };
    let framed = |text: &[u8]| [format!("${}\r\n", text.len()).as_bytes(), text, b"\r\n"].concat();
    let nodes = (0..replies.len()).map(|node| format!("n{node}").into());
    let nodes: Vec<Rc<str>> = nodes.collect();
    let replies = replies.iter().map(|text| match text.starts_with(b"-") {
        true => [*text, b"\r\n"].concat().into(),
        false => framed(&lines(text)).into(),
    });
    let replies: Vec<Bytes> = replies.collect();
    let reply = info(&replies, &nodes, &facts(), with_nodes).expect("the replies fit together");
    let expected = framed(&lines(expected));
    assert_eq!(
        reply.escape_ascii().to_string(),
        expected.escape_ascii().to_string()
    );
}

#[test]
fn sums_are_added_and_differences_are_left_out() {
    check(
        &[
            "# Memory|used_memory:1048576|used_memory_human:1.00M|maxmemory_policy:noeviction|mem_fragmentation_ratio:1.5|",
            "# Memory|used_memory:524288|used_memory_human:512.00K|maxmemory_policy:noeviction|mem_fragmentation_ratio:2.5|",
        ],
        false,
        "# Memory|used_memory:1572864|used_memory_human:1.50M|maxmemory_policy:noeviction|",
    );
    check(
        &[
            "# CPU|used_cpu_sys:0.003462|",
            "# CPU|used_cpu_sys:1.100000|",
        ],
        false,
        "# CPU|used_cpu_sys:1.103462|",
    );
    check(
        &["# Persistence|loading:0|", "# Persistence|loading:1|"],
        false,
        "# Persistence|loading:1|",
    );
}

#[test]
fn tallies_add_up_and_averages_are_weighed() {
    check(
        &[
            "# Keyspace|db0:keys=5,expires=1,avg_ttl=1000|",
            "# Keyspace|db0:keys=2,expires=3,avg_ttl=2000|db1:keys=1,expires=0,avg_ttl=0|",
        ],
        false,
        "# Keyspace|db0:keys=7,expires=4,avg_ttl=1750|db1:keys=1,expires=0,avg_ttl=0|",
    );
    check(
        &[
            "# Commandstats|cmdstat_get:calls=1,usec=5,usec_per_call=5.00,rejected_calls=0,failed_calls=0|",
            "# Commandstats|cmdstat_get:calls=3,usec=9,usec_per_call=3.00,rejected_calls=1,failed_calls=0|",
        ],
        false,
        "# Commandstats|cmdstat_get:calls=4,usec=14,usec_per_call=3.50,rejected_calls=1,failed_calls=0|",
    );
}

#[test]
fn the_proxy_has_fields_of_its_own() {
    check(
        &[
            "# Server|redis_version:7.0.15|tcp_port:7001|run_id:a|uptime_in_days:9||# Clients|connected_clients:1|",
            "# Server|redis_version:7.0.15|tcp_port:7002|run_id:b|uptime_in_days:9||# Clients|connected_clients:1|",
        ],
        false,
        "# Server|redis_version:7.0.15|tcp_port:6400|run_id:0a1b|uptime_in_days:1||# Clients|connected_clients:7|",
    );
}

#[test]
fn a_node_that_fails_is_listed_and_sums_are_left_out() {
    check(
        &[
            "# Stats|keyspace_hits:3|role:master||# Keyspace|db0:keys=1,expires=0,avg_ttl=0|",
            "-ERR node n1: connection refused, or so",
        ],
        true,
        &format!(
            "# Stats|role:master||# Keyspace||# Nodes|refproxy_version:{}|nodes:2|node0:address=n0,state=up,role=master|\
             node1:address=n1,state=up,error=ERR node n1: connection refused; or so|",
            env!("CARGO_PKG_VERSION")
        ),
    );
}

#[test]
fn a_node_that_fails_is_listed_whatever_the_section() {
    check(
        &[
            "# Keyspace|db0:keys=1,expires=0,avg_ttl=0|",
            "-ERR node n1: timeout",
        ],
        false,
        &format!(
            "# Keyspace||# Nodes|refproxy_version:{}|nodes:2|node0:address=n0,state=up|\
             node1:address=n1,state=up,error=ERR node n1: timeout|",
            env!("CARGO_PKG_VERSION")
        ),
    );
}

#[test]
fn names_that_clients_make_may_be_any_bytes() {
    check_bytes(
        &[
            b"# Errorstats|errorstat_\xff\xfe:count=1|errorstat_\xff\xfd:count=2|",
            b"# Errorstats|errorstat_\xff\xfe:count=1|",
        ],
        false,
        b"# Errorstats|errorstat_\xff\xfe:count=2|errorstat_\xff\xfd:count=2|",
    );
}

#[test]
fn numbers_of_unknown_fields_are_left_out_even_when_they_are_equal() {
    let one = "# Stats|frobnications:7|frob_ratio:1.5|frob_mode:lazy|frob_file:|reply_buffer_shrinks:1|hz:10|";
    let expected = "# Stats|frob_mode:lazy|frob_file:|reply_buffer_shrinks:2|hz:10|";
    check(&[one, one], false, expected);
    let two = "# Stats|hz:20|frob_mode:eager|";
    check(&[one, two], false, "# Stats|reply_buffer_shrinks:1|hz:10|");
    check(&[one], false, one);
}

#[test]
fn fields_that_clients_depend_on_hold_for_every_node() {
    check(
        &[
            "# Server|redis_version:8.2.3|os:Linux|arch_bits:64|redis_mode:cluster||# Memory|maxmemory:100|maxmemory_policy:noeviction||\
             # Persistence|rdb_last_bgsave_status:ok|aof_enabled:1||# Replication|role:slave|master_host:a|",
            "# Server|redis_version:7.0.15|os:Darwin|arch_bits:32|redis_mode:standalone||# Memory|maxmemory:50|maxmemory_policy:allkeys-lru||\
             # Persistence|rdb_last_bgsave_status:err|aof_enabled:0||# Replication|role:master|",
            "# Server|redis_version:7.2.4|server_name:valkey|valkey_version:9.1.2|os:Linux|arch_bits:64||# Memory|maxmemory:70|\
             maxmemory_policy:volatile-ttl||# Persistence|rdb_last_bgsave_status:ok|aof_enabled:1||# Replication|role:slave|",
        ],
        false,
        "# Server|redis_version:7.0.15|arch_bits:32|redis_mode:standalone||# Memory|maxmemory:220|maxmemory_policy:allkeys-lru||\
         # Persistence|rdb_last_bgsave_status:err|aof_enabled:0||# Replication|role:master|",
    );
    check(
        &[
            "# Server|redis_version:7.2.4|valkey_version:9.10.2||# Memory|maxmemory:0|maxmemory_human:0B|",
            "# Server|redis_version:7.2.4|valkey_version:9.9.12||# Memory|maxmemory:7|maxmemory_human:7B|",
        ],
        false,
        "# Server|redis_version:7.2.4|valkey_version:9.9.12||# Memory|maxmemory:0|maxmemory_human:0B|",
    );
}

#[test]
fn a_request_to_all_nodes_is_one_call() {
    check(
        &[
            "# Commandstats|cmdstat_dbsize:calls=2,usec=8,usec_per_call=4.00,rejected_calls=0,failed_calls=1|",
            "# Commandstats|cmdstat_dbsize:calls=2,usec=4,usec_per_call=2.00,rejected_calls=0,failed_calls=0|",
        ],
        false,
        "# Commandstats|cmdstat_dbsize:calls=2,usec=12,usec_per_call=6.00,rejected_calls=0,failed_calls=1|",
    );
}

#[test]
fn sizes_of_keys_add_up_in_the_order_of_sizes() {
    check(
        &[
            "# Keysizes|db0_distrib_strings_sizes:1=16,4=2,1K=1|db0_distrib_lists_items:2=1|",
            "# Keysizes|db0_distrib_strings_sizes:0=1,1=16,512=3,1M=1|",
        ],
        false,
        "# Keysizes|db0_distrib_strings_sizes:0=1,1=32,4=2,512=3,1K=1,1M=1|db0_distrib_lists_items:2=1|",
    );
}

#[test]
fn lines_of_one_name_are_all_kept() {
    check(
        &[
            "# Modules|module:name=a,ver=1|module:name=b,ver=1|module:name=c,ver=1|",
            "# Modules|module:name=c,ver=1|module:name=a,ver=1|module:name=b,ver=2|",
        ],
        false,
        "# Modules|module:name=a,ver=1|module:name=c,ver=1|",
    );
    let two = "# Others|other:name=a1|other:name=b2|";
    check(&[two, two], false, two);
}

#[test]
fn the_section_about_nodes_is_among_the_usual_ones() {
    let wants = |line: &str| wants_nodes(line.split_whitespace().map(str::as_bytes));
    assert!(wants("") && wants("ALL") && wants("server Nodes"));
    assert!(!wants("server") && !wants("keyspace memory"));
}
