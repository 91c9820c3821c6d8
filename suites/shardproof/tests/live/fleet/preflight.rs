//! Other state that nodes need besides keys is compared before any key moves.

use testbed::program::Program;
use testbed::wire::Value;

use crate::fleet::commands::{json, run, text};
use crate::fleet::nodes::Nodes;
use crate::support::{self, Presence};

const APPLY: [&str; 4] = ["--apply", "--unverified", "--json", "-"];
const LIBRARY: &str = "#!lua name=mylib\nredis.register_function('f', function() return 1 end)";

async fn with_a_misplaced_key() -> Nodes {
    let nodes = Nodes::start(2, 0).await;
    nodes.ask(0, &format!("SET {} v", nodes.key(1, 0))).await;
    nodes
}

pub(crate) async fn missing_functions_keep_keys_from_moving() {
    let nodes = with_a_misplaced_key().await;
    nodes.ask_bytes(0, &["FUNCTION", "LOAD", LIBRARY]).await;
    let dry = text(&run(&nodes, "migrate", &[]), 1);
    let second = &nodes.fleet.members()[1].seen;
    let blocks = format!("{second}: library mylib is missing");
    assert!(dry.contains("BLOCKS") && dry.contains(&blocks), "{dry}");
    let refused = run(&nodes, "migrate", &APPLY);
    let stderr = String::from_utf8_lossy(&refused.stderr);
    assert_eq!(refused.status.code(), Some(2), "{stderr}");
    assert!(
        stderr.contains("nothing was moved") && stderr.contains("mylib"),
        "{stderr}"
    );
    assert_eq!(nodes.ask(1, "DBSIZE").await, Value::Integer(0));

    let ignoring = [&["--ignore", "functions"][..], &APPLY].concat();
    assert_eq!(
        json(&run(&nodes, "migrate", &ignoring), 0)["carried"]["moved"],
        1
    );
    text(&run(&nodes, "check", &[]), 1);
    nodes.ask_bytes(1, &["FUNCTION", "LOAD", LIBRARY]).await;
    text(&run(&nodes, "check", &[]), 0);
    let other = LIBRARY.replace("return 1", "return 2");
    nodes
        .ask_bytes(1, &["FUNCTION", "LOAD", "REPLACE", &other])
        .await;
    let check = text(&run(&nodes, "check", &[]), 1);
    assert!(check.contains("other code"), "{check}");
}

pub(crate) async fn settings_and_users_are_compared_and_secrets_are_not_shown() {
    let nodes = Nodes::start(2, 0).await;
    nodes.ask(0, &format!("SET {} v", nodes.key(0, 0))).await;
    text(&run(&nodes, "check", &[]), 0);
    nodes
        .ask(1, "CONFIG SET maxmemory-policy allkeys-lru")
        .await;
    nodes.ask(1, "CONFIG SET masterauth sesame").await;
    nodes.ask(0, "ACL SETUSER app on >sesame ~* +@all").await;
    let check = run(&nodes, "check", &["--json", "-"]);
    let shown = text(&check, 1);
    assert!(!shown.contains("sesame") && !shown.contains('#'), "{shown}");
    let check = json(&check, 1);
    let findings = check["findings"].as_array().unwrap();
    let has = |point: &str, part: &str| {
        let what = |finding: &serde_json::Value| finding["what"].as_str().unwrap().contains(part);
        findings
            .iter()
            .any(|finding| finding["point"] == point && what(finding))
    };
    assert!(has("settings", "maxmemory-policy is"), "{check}");
    assert!(has("settings", "masterauth is set"), "{check}");
    assert!(has("users", "user app is missing"), "{check}");
    let ignoring = ["--ignore", "settings", "--ignore", "users"];
    text(&run(&nodes, "check", &ignoring), 0);
    text(&run(&nodes, "check", &["--ignore", "weather"]), 64);
}

pub(crate) async fn a_refused_command_makes_a_point_unknown() {
    let nodes = Nodes::start(2, 0).await;
    for place in [0, 1] {
        nodes
            .ask(place, "ACL SETUSER default -config -function -acl")
            .await;
    }
    let check = text(&run(&nodes, "check", &[]), 2);
    for point in ["functions", "settings", "users"] {
        assert!(
            check.contains(&format!("UNKNOWN  {point}")),
            "{point}: {check}"
        );
    }
}

/// Of the servers that are newer than the nodes of the other tests.
pub(crate) fn newer_servers() -> Presence {
    let presences = Program::newer_servers().map(|server| support::program(&server.name, &server));
    presences
        .into_iter()
        .fold(Presence::Expected, Presence::and)
}

/// Real servers decide: each pair that the preflight calls refused is tried.
pub(crate) async fn dumps_that_would_be_refused_block() {
    let older = support::search();
    let [redis_8, valkey] = Program::newer_servers().map(|program| older.find(&program).unwrap());
    let searches = [
        older.clone(),
        older.clone().with_server(redis_8),
        older.clone().with_server(valkey),
    ];
    for source in 0..3 {
        for target in (0..3).filter(|target| *target != source) {
            let pair = [searches[target].clone(), searches[source].clone()];
            let nodes = Nodes::start_with(&pair, 2).await;
            for number in 0..9 {
                nodes
                    .ask(1, &format!("SET {} v", nodes.key(0, number)))
                    .await;
            }
            let check = json(&run(&nodes, "check", &["--json", "-"]), 1);
            let findings = check["findings"].as_array().unwrap();
            let blocks = findings.iter().any(|finding| finding["point"] == "dumps");
            if blocks {
                assert_eq!(run(&nodes, "migrate", &APPLY).status.code(), Some(2));
                assert_eq!(nodes.ask(0, "DBSIZE").await, Value::Integer(0));
            }
            let going_on = ["--ignore", "dumps", "--ignore", "modules"];
            let going_on = [&going_on[..], &APPLY].concat();
            let done = json(&run(&nodes, "migrate", &going_on), 1);
            let refused = if blocks { 9 } else { 0 };
            assert_eq!(
                done["carried"]["refused"], refused,
                "{source} to {target}: {done}"
            );
            assert_eq!(
                done["carried"]["moved"],
                9 - refused,
                "{source} to {target}: {done}"
            );
        }
    }
}

pub(crate) async fn large_keys_are_listed_and_stay() {
    let nodes = with_a_misplaced_key().await;
    let large = nodes.key(1, 1);
    let fill = "for i = 1, 20000 do redis.call('HSET', KEYS[1], i, i) end";
    nodes.ask_bytes(0, &["EVAL", fill, "1", &large]).await;
    let limit = ["--max-key-bytes", "100000"];
    let dry = text(&run(&nodes, "migrate", &limit), 1);
    assert!(dry.contains("With --apply 1 keys move"), "{dry}");
    assert!(dry.contains(&format!("{large} on ")), "{dry}");
    let done = json(&run(&nodes, "migrate", &[&limit[..], &APPLY].concat()), 1);
    let counts = [&done["carried"]["moved"], &done["carried"]["large"]];
    assert_eq!(counts, [1, 1], "{done}");
    assert_eq!(done["check"]["large"], 1, "{done}");

    // A node that does not return the size of a key may have a large one.
    nodes.ask(0, "ACL SETUSER default -memory").await;
    let ignoring = [&["--ignore", "users"][..], &APPLY].concat();
    let done = json(&run(&nodes, "migrate", &ignoring), 1);
    assert_eq!(done["carried"]["large"], 1, "{done}");
    let all = [&["--ignore", "users", "--allow-large"][..], &APPLY].concat();
    let done = json(&run(&nodes, "migrate", &all), 0);
    assert_eq!(done["carried"]["moved"], 1, "{done}");
}

/// A node serves no other client while it dumps a key, so not even a comparison may read a large copy.
pub(crate) async fn large_copies_on_other_nodes_are_not_read() {
    let nodes = Nodes::start(3, 0).await;
    let (kept, conflict) = (nodes.key(2, 0), nodes.key(0, 1));
    let fill = "for i = 1, 20000 do redis.call('HSET', KEYS[1], i, i) end";
    for key in [&kept, &conflict] {
        nodes.ask(1, &format!("SET {key} small")).await;
        nodes.ask_bytes(2, &["EVAL", fill, "1", key]).await;
    }
    let limit = ["--max-key-bytes", "100000"];
    let check = [&limit[..], &["--json", "-"]].concat();
    let check = json(&run(&nodes, "check", &check), 1);
    let counts = [&check["stale"], &check["conflicts"], &check["movable"]];
    assert_eq!(counts, [1, 1, 0], "{check}");
    let both = [1, 2].map(|place| nodes.fleet.members()[place].seen.clone());
    assert_eq!(
        check["conflict_keys"][0]["nodes"],
        serde_json::json!(both),
        "{check}"
    );
    let sparing = [&limit[..], &["--spare-stale"], &APPLY].concat();
    let done = json(&run(&nodes, "migrate", &sparing), 1);
    assert_eq!(done["carried"]["moved"], 0, "{done}");
    assert_eq!(nodes.ask(1, "DBSIZE").await, Value::Integer(2));
    let Value::Bulk(stats) = nodes.ask(2, "INFO commandstats").await else {
        panic!("INFO commandstats");
    };
    let stats = String::from_utf8_lossy(&stats);
    for read in ["cmdstat_dump:", "cmdstat_hgetall:"] {
        assert!(!stats.contains(read), "{read} {stats}");
    }
}
