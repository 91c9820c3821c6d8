//! The commands on live nodes as scripts see them: exit codes, output, and the state after a kill.

use std::net::TcpListener;
use std::ops::Range;
use std::process::{Child, Command, Output, Stdio};

use shardproof::fleet::Check;
use testbed::wait;
use testbed::wire::Value;

use crate::fleet::nodes::{Nodes, WITHIN};

const KEYS: usize = 4000;
/// Each run is killed after it has moved this many more keys.
const MOVED: i64 = 400;

/// The command with a description of the nodes, and where they are reached.
fn command(nodes: &Nodes, subcommand: &str, more: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_shardproof"));
    let seen = |place: usize| nodes.fleet.members()[place].seen.clone();
    let described: Vec<String> = (0..nodes.fleet.placed()).map(seen).collect();
    command.args([
        subcommand,
        "--to",
        &format!("maglev:{}", described.join(",")),
    ]);
    for (place, seen) in described.iter().enumerate() {
        command.args(["--node", &format!("{}={seen}", nodes.addr(place))]);
    }
    for place in nodes.fleet.placed()..nodes.fleet.members().len() {
        command.args(["--from-node", &nodes.addr(place)]);
    }
    command.args(more);
    command
}

pub(crate) fn run(nodes: &Nodes, subcommand: &str, more: &[&str]) -> Output {
    command(nodes, subcommand, more).output().unwrap()
}

#[track_caller]
pub(crate) fn text(output: &Output, code: i32) -> String {
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{stderr}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

pub(crate) fn json(output: &Output, code: i32) -> serde_json::Value {
    serde_json::from_str(&text(output, code)).unwrap()
}

pub(crate) async fn looking_and_a_dry_run_write_nothing() {
    let nodes = Nodes::start(2, 1).await;
    for place in [0, 2] {
        nodes
            .ask(place, &format!("SET {} v", nodes.key(1, place)))
            .await;
    }
    nodes.ask(1, &format!("SET {} w", nodes.key(1, 0))).await;
    let folder = tempfile::TempDir::new().unwrap();
    let keys_out = folder.path().join("keys");
    let check = json(
        &run(
            &nodes,
            "check",
            &["--json", "-", "--keys-out", keys_out.to_str().unwrap()],
        ),
        1,
    );
    assert_eq!(check["format"], "shardproof.check/1");
    assert_eq!(
        (&check["unreachable"], &check["stale"]),
        (&1.into(), &1.into()),
        "{check}"
    );
    let lines = std::fs::read_to_string(keys_out).unwrap();
    let expected = format!(
        "{}\t10.0.0.2:6379\t{}\tunreachable\t0",
        nodes.key(1, 2),
        nodes.addr(2)
    );
    assert!(lines.lines().any(|line| line == expected), "{lines}");
    assert_eq!(lines.lines().count(), 4, "{lines}");

    let dry = text(&run(&nodes, "migrate", &[]), 1);
    assert!(dry.contains("With --apply 1 keys move"), "{dry}");
    for (place, held) in [(0, 1), (1, 1), (2, 1)] {
        assert_eq!(nodes.ask(place, "DBSIZE").await, Value::Integer(held));
    }
    let done = json(
        &run(
            &nodes,
            "migrate",
            &["--apply", "--unverified", "--json", "-"],
        ),
        0,
    );
    assert_eq!(done["format"], "shardproof.migrate/1");
    assert_eq!(done["carried"]["moved"], 1, "{done}");
    assert_eq!(done["carried"]["superseded"], 1, "{done}");
    text(&run(&nodes, "check", &[]), 0);
}

/// One line per mistake, with the flag or file and the expected text.
pub(crate) async fn mistakes_are_reported_in_one_line() {
    let nodes = Nodes::start(1, 0).await;
    let (seen, addr) = (nodes.fleet.members()[0].seen.clone(), nodes.addr(0));
    let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr();
    let gone = gone.unwrap().to_string();
    let one = format!("maglev:{addr}");
    let two = |other: &str| format!("maglev:{addr}={seen},{other}");
    let folder = tempfile::TempDir::new().unwrap();
    let file = folder.path().join("cluster.yaml");
    std::fs::write(&file, "policy: maglev\nnodes: [{adress: a:1}]\n").unwrap();
    let file = file.to_str().unwrap();
    let twice = two(&format!("{addr}=10.0.0.2:6379"));
    let missing = two(&gone);
    for (code, arguments, parts) in [
        (64, &["migrate", "--apply"][..], &["--to"][..]),
        (
            64,
            &["migrate", "--to", &one, "--apply"],
            &["--apply needs --proxy", "--unverified"],
        ),
        (
            64,
            &["check", "--to", "maglev:"],
            &["--to maglev:", "no node"],
        ),
        (
            64,
            &["check", "--to", "random:a:1,b:1"],
            &["random", "does not place keys"],
        ),
        (
            64,
            &["check", "--to", &one, "--node", &addr],
            &["--node", "without =SEEN"],
        ),
        (
            64,
            &["check", "--to", &one, "--node", "a:1=b:2"],
            &["--node a:1=b:2", &addr],
        ),
        (
            64,
            &["check", "--to", &one, "--from-node", &addr],
            &["--from-node", "has it"],
        ),
        (
            64,
            &["check", "--to", &one, "--resolve", "name"],
            &["--resolve", "NAME=IP"],
        ),
        (
            64,
            &["migrate", "--to", &one, "--rate", "0"],
            &["--rate", "0"],
        ),
        (
            2,
            &["check", "--to", "no/such/file"],
            &["cannot read", "no/such/file"],
        ),
        (2, &["check", "--to", file], &["cluster.yaml:2", "adress"]),
        (
            2,
            &["check", "--to", "maglev:no-such-host.invalid:1"],
            &["no-such-host.invalid:1"],
        ),
        (2, &["check", "--to", &missing], &[&gone, "no connection"]),
        (
            2,
            &["migrate", "--to", &twice, "--apply", "--unverified"],
            &[&seen, "10.0.0.2:6379", "same server"],
        ),
        (
            2,
            &["check", "--to", &one, "--proxy", &gone],
            &["the proxy at", &gone],
        ),
        (
            2,
            &["check", "--to", &one, "--keys-out", "/no/such/folder/k"],
            &["/no/such/folder/k"],
        ),
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_shardproof"))
            .args(arguments)
            .output()
            .unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {stderr}");
        let whole = |line: &str| parts.iter().all(|part| line.contains(part));
        assert!(stderr.lines().any(whole), "{arguments:?}: {stderr}");
        assert!(code == 64 || stderr.lines().count() == 1, "{stderr}");
    }
}

pub(crate) async fn a_plan_counts_the_keys_of_live_nodes() {
    let nodes = Nodes::start(2, 0).await;
    for number in 0..1500 {
        nodes.ask(number % 2, &format!("SET key:{number} v")).await;
    }
    nodes.ask(0, "SET other v").await;
    let plan = |more: &[&str]| {
        Command::new(env!("CARGO_BIN_EXE_shardproof"))
            .args([
                "plan",
                "--from",
                "maglev:a:1,b:1,c:1",
                "--to",
                "maglev:a:1,b:1,c:1,d:1",
            ])
            .args(["--json", "-"])
            .args(more)
            .output()
            .unwrap()
    };
    let (one, other) = (format!("redis://{}", nodes.addr(0)), nodes.addr(1));
    let scanned = json(
        &plan(&["--scan", &one, "--scan", &other, "--prefix", "key:"]),
        0,
    );
    let made_up = json(&plan(&["--generate", "key:{n}", "--count", "1500"]), 0);
    assert_eq!(scanned["keys"], 1500, "{scanned}");
    assert!(scanned["moved"].as_u64().unwrap() > 300, "{scanned}");
    assert_eq!(scanned["moved"], made_up["moved"]);

    let gone = plan(&["--scan", &one, "--scan", "127.0.0.1:1"]);
    assert_eq!(gone.status.code(), Some(2));
    let stderr = String::from_utf8_lossy(&gone.stderr);
    assert!(
        stderr.contains("node 127.0.0.1:1: no connection"),
        "{stderr}"
    );
    assert_eq!(plan(&["--prefix", "key:"]).status.code(), Some(64));
}

pub(crate) async fn a_prefix_spares_all_other_keys() {
    let nodes = Nodes::start(2, 0).await;
    let key = nodes.key(1, 7);
    nodes.ask(0, &format!("SET {key} v")).await;
    nodes.ask(0, &format!("SET {} v", nodes.key(1, 8))).await;
    let done = json(
        &run(
            &nodes,
            "migrate",
            &[
                "--apply",
                "--unverified",
                "--prefix",
                "key:7:",
                "--json",
                "-",
            ],
        ),
        0,
    );
    assert_eq!(done["carried"]["moved"], 1, "{done}");
    assert_eq!(nodes.check().await.unreachable, 1);
}

/// The proxy here is a single node: it does not find keys that are placed on the other one.
pub(crate) async fn nothing_is_moved_by_another_placement_than_the_proxys() {
    let nodes = Nodes::start(2, 0).await;
    nodes.ask(0, &format!("SET {} v", nodes.key(1, 0))).await;
    let proxy = nodes.addr(0);
    let output = run(&nodes, "migrate", &["--apply", "--proxy", &proxy]);
    text(&output, 2);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(
        stderr.contains("nothing was moved: 1 of 1 keys"),
        "{stderr}"
    );
    assert_eq!(nodes.ask(0, "DBSIZE").await, Value::Integer(1));
    let checked = text(&run(&nodes, "check", &["--proxy", &proxy]), 1);
    assert!(checked.contains("THE PROXY DISAGREES"), "{checked}");
}

pub(crate) async fn a_killed_migration_loses_no_key_and_can_continue() {
    let nodes = Nodes::start(3, 0).await;
    let keys: Vec<String> = (0..KEYS).map(|n| nodes.key(1 + n % 2, n)).collect();
    for (number, key) in keys.iter().enumerate() {
        nodes.ask(0, &format!("SET {key} {number} EX 1000")).await;
    }
    for kill in 1..=4 {
        let running = migrating(&nodes, &["--rate", "4000"]);
        moved(&nodes, kill * MOVED).await;
        killed(&nodes, running, 0..3).await;
    }
    killed_between_steps(&nodes).await;
    text(&run(&nodes, "migrate", &["--apply", "--unverified"]), 0);
    for (number, key) in keys.iter().enumerate() {
        let place = nodes.fleet.right(key.as_bytes());
        let value = nodes.ask(place, &format!("GET {key}")).await;
        assert_eq!(value, Value::Bulk(number.to_string().into_bytes()));
    }
    assert_eq!(held(&nodes, 0).await, 0);
}

/// When the source has given its keys and no right node has taken them, and when one has and the source still has them.
async fn killed_between_steps(nodes: &Nodes) {
    nodes.ask(0, "CONFIG RESETSTAT").await;
    for right in [1, 2] {
        nodes.ask(right, "CLIENT PAUSE 60000 WRITE").await;
    }
    let running = migrating(nodes, &[]);
    nodes.wait(0, "INFO commandstats", "cmdstat_watch:").await;
    killed(nodes, running, 0..1).await;
    for right in [1, 2] {
        nodes.ask(right, "CLIENT UNPAUSE").await;
    }

    nodes.ask(0, "CLIENT PAUSE 60000 WRITE").await;
    let running = migrating(nodes, &[]);
    nodes.wait(0, "CLIENT LIST", "cmd=unlink").await;
    let check = killed(nodes, running, 1..3).await;
    assert!(check.duplicated > 0, "{check:?}");
    nodes.ask(0, "CLIENT UNPAUSE").await;
}

fn migrating(nodes: &Nodes, more: &[&str]) -> Child {
    let mut migrate = command(nodes, "migrate", &["--apply", "--unverified"]);
    migrate.args(more).stdout(Stdio::null()).spawn().unwrap()
}

/// Kills a migration that is not over. Every key is on some node. `settled` are the nodes whose writes are not paused.
async fn killed(nodes: &Nodes, mut running: Child, settled: Range<usize>) -> Check {
    let ended = running.try_wait().unwrap();
    assert!(ended.is_none(), "it ended before it was killed");
    running.kill().unwrap();
    running.wait().unwrap();
    for place in settled {
        // Requests that the killed process had sent may still be executed.
        nodes
            .wait(place, "INFO clients", "connected_clients:1\r")
            .await;
    }
    let check = nodes.check().await;
    assert_eq!(check.keys, KEYS as u64, "{check:?}");
    assert!(check.unreachable > 0 && check.stale == 0, "{check:?}");
    check
}

/// Waits until the right nodes hold `keys` in all.
async fn moved(nodes: &Nodes, keys: i64) {
    let probe = async || {
        let held = held(nodes, 1).await + held(nodes, 2).await;
        wait::found(held >= keys, || format!("{held} keys are"))
    };
    let moved = wait::eventually("moved keys", WITHIN, probe).await;
    moved.unwrap_or_else(|late| panic!("{late}"));
}

async fn held(nodes: &Nodes, place: usize) -> i64 {
    match nodes.ask(place, "DBSIZE").await {
        Value::Integer(held) => held,
        other => panic!("{other}"),
    }
}
