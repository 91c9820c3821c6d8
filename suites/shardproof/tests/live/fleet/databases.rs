//! Keys in other databases than the first: inspected if asked for, and never hidden.

use std::process::{Command, Output};

use testbed::wire::Value;

use crate::fleet::commands::{json, run, text};
use crate::fleet::nodes::Nodes;

/// A command with a file of twemproxy that describes the nodes and names a database.
fn with_file(nodes: &Nodes, arguments: &[&str], more: &[&str]) -> Output {
    let folder = tempfile::TempDir::new().unwrap();
    let file = folder.path().join("nutcracker.yml");
    let servers: String = (0..nodes.fleet.placed())
        .map(|place| format!("    - {}:1\n", nodes.addr(place)))
        .collect();
    let pool = format!(
        "pool:\n  listen: 127.0.0.1:22121\n  redis: true\n  hash: fnv1a_64\n  distribution: modula\n  redis_db: 2\n  \
         servers:\n{servers}"
    );
    std::fs::write(&file, pool).unwrap();
    Command::new(env!("CARGO_BIN_EXE_shardproof"))
        .args(arguments)
        .arg(&file)
        .args(more)
        .output()
        .unwrap()
}

/// Sets keys in a database of one node.
async fn fill(nodes: &Nodes, place: usize, database: u32, keys: std::ops::Range<usize>) {
    let script = "redis.call('SELECT', ARGV[1]) redis.call('SET', ARGV[2], 'v')";
    let database = database.to_string();
    for number in keys {
        let key = format!("key:{number}");
        let words = ["EVAL", script, "0", &database, &key];
        let answer = nodes.ask_bytes(place, &words).await;
        assert!(!answer.is_error(), "{answer}");
    }
}

/// The number of keys in a database of one node.
async fn held(nodes: &Nodes, place: usize, database: u32) -> i64 {
    let script = "redis.call('SELECT', ARGV[1]) return redis.call('DBSIZE')";
    let words = ["EVAL", script, "0", &database.to_string()];
    match nodes.ask_bytes(place, &words).await {
        Value::Integer(held) => held,
        other => panic!("{other}"),
    }
}

pub(crate) async fn the_database_of_the_description_is_looked_at() {
    let nodes = Nodes::start(2, 0).await;
    fill(&nodes, 0, 2, 0..40).await;
    let before = json(&with_file(&nodes, &["check", "--to"], &["--json", "-"]), 1);
    assert_eq!(before["keys"], 40, "{before}");
    assert_eq!(before["databases"], serde_json::json!([2]));
    let away = before["unreachable"].as_i64().unwrap();
    assert!(away > 0 && away < 40, "{before}");
    let moving = ["--apply", "--unverified", "--json", "-"];
    let done = json(&with_file(&nodes, &["migrate", "--to"], &moving), 0);
    assert_eq!(done["carried"]["moved"], away, "{done}");
    assert_eq!(held(&nodes, 1, 2).await, away);
    assert_eq!(held(&nodes, 1, 0).await, 0);
}

pub(crate) async fn keys_in_other_databases_are_counted_and_named() {
    let nodes = Nodes::start(2, 0).await;
    fill(&nodes, 1, 3, 0..7).await;
    // Nothing was judged.
    let looked = text(&run(&nodes, "check", &[]), 2);
    let seen = &nodes.fleet.members()[1].seen;
    let expected = format!("7 keys in database 3 of {seen}");
    assert!(looked.contains(&expected), "{looked}");
    let looked = json(&run(&nodes, "check", &["--json", "-"]), 2);
    assert_eq!(
        looked["elsewhere"],
        serde_json::json!([{"node": seen, "database": 3, "keys": 7}])
    );
    text(&run(&nodes, "check", &["--db", "1000"]), 2);
    text(&run(&nodes, "check", &["--db", "some"]), 64);
}

pub(crate) async fn all_databases_are_looked_at_and_put_right() {
    let nodes = Nodes::start(2, 0).await;
    let mut away = 0;
    for (database, keys) in [(0, 0..10), (3, 10..30), (5, 0..40)] {
        let right = |number: &usize| nodes.fleet.right(format!("key:{number}").as_bytes()) == 1;
        away += keys.clone().filter(right).count();
        fill(&nodes, 0, database, keys).await;
    }
    let folder = tempfile::TempDir::new().unwrap();
    let keys_out = folder.path().join("keys");
    let all = ["--db", "all", "--json", "-", "--keys-out"];
    let all = [&all[..], &[keys_out.to_str().unwrap()]].concat();
    let before = json(&run(&nodes, "check", &all), 1);
    assert_eq!(before["keys"], 70, "{before}");
    assert_eq!(before["unreachable"], away, "{before}");
    let lines = std::fs::read_to_string(&keys_out).unwrap();
    let of = |database: &str| {
        lines
            .lines()
            .filter(|line| line.ends_with(database))
            .count()
    };
    assert_eq!((of("\t0"), of("\t3"), of("\t5")), (10, 20, 40), "{lines}");

    let moving = ["--db", "all", "--apply", "--unverified", "--json", "-"];
    let done = json(&run(&nodes, "migrate", &moving), 0);
    assert_eq!(done["carried"]["moved"], away, "{done}");
    let left = held(&nodes, 1, 0).await + held(&nodes, 1, 3).await + held(&nodes, 1, 5).await;
    assert_eq!(usize::try_from(left).unwrap(), away);
}

pub(crate) async fn locate_and_plan_read_the_named_database() {
    let nodes = Nodes::start(2, 0).await;
    fill(&nodes, 0, 2, 0..1).await;
    let found = text(
        &with_file(
            &nodes,
            &["locate", "--look", "key:0", "--cluster"],
            &["--json", "-"],
        ),
        0,
    );
    let found: serde_json::Value = serde_json::from_str(&found).unwrap();
    assert_eq!(found["found_on"], serde_json::json!([nodes.addr(0)]));
    let elsewhere = ["--json", "-", "--db", "0"];
    let found = with_file(
        &nodes,
        &["locate", "--look", "key:0", "--cluster"],
        &elsewhere,
    );
    let found: serde_json::Value = serde_json::from_str(&text(&found, 0)).unwrap();
    assert_eq!(found["found_on"], serde_json::json!([]));

    let plan = |scan: String| {
        let words = ["plan", "--from", "maglev:a:1", "--to", "maglev:a:1,b:1"];
        let mut plan = Command::new(env!("CARGO_BIN_EXE_shardproof"));
        plan.args(words).args(["--json", "-", "--scan", &scan]);
        plan.output().unwrap()
    };
    let planned = json(&plan(format!("redis://{}/2", nodes.addr(0))), 0);
    assert_eq!(planned["keys"], 1, "{planned}");
    text(&plan(format!("redis://{}/two", nodes.addr(0))), 64);
    let refused = plan("redis://:sesame@127.0.0.1:1".to_owned());
    let stderr = String::from_utf8_lossy(&refused.stderr);
    assert!(
        !refused.status.success() && !stderr.contains("sesame"),
        "{stderr}"
    );
    assert_eq!(nodes.ask(0, "GET key:0").await, Value::NullBulk);
}
