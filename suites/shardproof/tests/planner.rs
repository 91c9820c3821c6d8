//! `plan` and `locate` as scripts see them: figures, exit codes, one clear line for each mistake, and keys that really are
//! where they are said to be.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on is to panic")]

#[expect(dead_code, reason = "nothing is missing here, and one target will do")]
mod support;

use std::fs;
use std::io::Write;
use std::net::SocketAddr;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;
use testbed::client::Client;
use testbed::node::{Node, Process};
use testbed::targets::{Proxy, Setting};

fn shardproof(arguments: &[&str]) -> Output {
    piped(arguments, b"")
}

fn piped(arguments: &[&str], input: &[u8]) -> Output {
    let mut program = Command::new(env!("CARGO_BIN_EXE_shardproof"))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // Who reads no keys reads none of these.
    let _ = program.stdin.take().unwrap().write_all(input);
    program.wait_with_output().unwrap()
}

/// The exit code, and a line of stderr that contains every part.
#[track_caller]
fn check(arguments: &[&str], code: i32, parts: &[&str]) {
    let output = shardproof(arguments);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {stderr}");
    assert!(
        stderr
            .lines()
            .any(|line| parts.iter().all(|part| line.contains(part))),
        "no line with {parts:?} in:\n{stderr}"
    );
    assert!(code == 64 || stderr.lines().count() == 1, "{stderr}");
}

#[track_caller]
fn stdout(output: Output) -> String {
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{stderr}");
    String::from_utf8(output.stdout).unwrap()
}

fn nodes(policy: &str, count: u16) -> String {
    let nodes: Vec<String> = (1..=count)
        .map(|node| format!("127.0.0.1:{}", 21000 + node))
        .collect();
    format!("{policy}:{}", nodes.join(","))
}

/// A folder with one file of it.
fn file(name: &str, text: &str) -> (TempDir, String) {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join(name);
    fs::write(&path, text).unwrap();
    let path = path.to_str().unwrap().to_owned();
    (folder, path)
}

/// What was measured through a real Envoy (`shardproof rescale --target envoy --from 3 --to 4`).
#[test]
fn a_fourth_node_moves_what_it_moved_behind_envoy() {
    let (from, to) = (nodes("maglev", 3), nodes("maglev", 4));
    let keys = ["--generate", "key:{n}", "--count", "10000"];
    let plan = ["plan", "--from", &from, "--to", &to];
    let report = stdout(shardproof(&[&plan[..], &keys, &["--json", "-"]].concat()));
    assert!(
        report.starts_with("{\n  \"format\": \"shardproof.plan/1\""),
        "{report}"
    );
    let report: Value = serde_json::from_str(&report).unwrap();
    assert_eq!(report["moved"], 2535);
    let after: Vec<&Value> = report["nodes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|node| &node["after"])
        .collect();
    assert_eq!(after, [2546, 2477, 2445, 2532]);
    assert_eq!(report["curves"][0]["points"].as_array().unwrap().len(), 63);

    let text = stdout(shardproof(&[&plan[..], &keys].concat()));
    for line in [
        "moved            2535   25.4 %",
        "ring_hash   35.6 %",
        "maglev      25.4 %",
    ] {
        assert!(text.contains(line), "no {line:?} in:\n{text}");
    }

    // The same change in other words.
    let one_by_one = [
        "plan",
        "--policy",
        "maglev",
        "--node",
        "127.0.0.1:21001",
        "--node",
        "127.0.0.1:21002",
        "--node",
        "127.0.0.1:21003",
        "--add-node",
        "127.0.0.1:21004",
    ];
    let text = stdout(shardproof(&[&one_by_one[..], &keys].concat()));
    assert!(text.contains("moved            2535   25.4 %"), "{text}");
}

#[test]
fn keys_come_from_files_and_pipes_and_moved_ones_are_listed() {
    let (from, to) = (nodes("maglev", 3), nodes("maglev", 4));
    let keys: String = (0..10_000)
        .map(|number| format!("key:{number}\n"))
        .collect();
    let hex: String = (0..10_000)
        .map(|number| {
            let key = format!("key:{number}");
            let digits: String = key.bytes().map(|byte| format!("{byte:02X}")).collect();
            digits + "\n"
        })
        .collect();
    let (folder, path) = file("keys.txt", &keys);
    let moved = folder.path().join("moved.txt");
    let plan = [
        "plan",
        "--from",
        &from,
        "--to",
        &to,
        "--moved",
        moved.to_str().unwrap(),
    ];
    let same = "moved            2535   25.4 %";
    let text = stdout(shardproof(&[&plan[..], &["--keys", &path]].concat()));
    assert!(text.contains(same), "{text}");
    let lines = fs::read_to_string(&moved).unwrap();
    let lines: Vec<&str> = lines.lines().collect();
    assert_eq!(lines.len(), 2536);
    assert_eq!(lines[0], "# key\tnode before\tnode after");
    assert!(
        lines[1..]
            .iter()
            .all(|line| line.starts_with("key:") && line.matches('\t').count() == 2)
    );
    let hexed = ["plan", "--from", &from, "--to", &to, "--keys", "-", "--hex"];
    let text = stdout(piped(&hexed, hex.as_bytes()));
    assert!(text.contains(same), "{text}");
    let listed = [
        "plan", "--from", &from, "--to", &to, "--keys", "-", "--moved", "-",
    ];
    let text = stdout(piped(&listed, keys.as_bytes()));
    assert_eq!(text.lines().collect::<Vec<_>>(), lines);
}

#[test]
fn keys_that_are_made_up_unasked_are_said_to_be() {
    let text = stdout(shardproof(&[
        "plan",
        "--from",
        "jump:a:1",
        "--to",
        "jump:a:1,b:1",
        "--count",
        "10",
    ]));
    assert!(text.contains("10 keys made up as key:{n}\n"), "{text}");
    let text = stdout(shardproof(&[
        "plan",
        "--from",
        "jump:a:1",
        "--to",
        "jump:a:1,b:1",
    ]));
    assert!(
        text.contains("1000000 keys made up as key:{n}, because"),
        "{text}"
    );
}

#[test]
fn mistakes_of_the_command_line_are_64() {
    let to = ["--to", "maglev:a:1", "--count", "10"];
    for (from, parts) in [
        (
            "maglev/table_size=65536:a:1",
            &["--from", "table size 65536 is not a prime"][..],
        ),
        ("maglev:a:1*0", &["--from", "node a:1 has weight 0"]),
        ("maglev:a:1,a:1", &["--from", "two nodes hash as `a:1`"]),
        ("maglev:", &["--from", "the cluster has no node"]),
        (
            "consistent:a:1",
            &["--from", "policy `consistent`", "maglev, ring_hash"],
        ),
        ("random:a:1,b:1", &["--from", "random places no keys"]),
        (
            "maglev/hash=md5:a:1",
            &["--from", "policy maglev does not support hash"],
        ),
    ] {
        check(&[&["plan", "--from", from][..], &to].concat(), 64, parts);
        let cluster = ["locate", "--cluster", from, "key"];
        check(&cluster, 64, &[&["--cluster"], &parts[1..]].concat());
    }
    let plan = ["plan", "--from", "maglev:a:1,b:1"];
    check(
        &[&plan[..], &["--remove-node", "c:1"]].concat(),
        64,
        &["--remove-node c:1", "a:1, b:1"],
    );
    check(
        &[&plan[..], &["--add-node", "c"]].concat(),
        64,
        &["--add-node", "`c`", "host:port"],
    );
    check(
        &[&plan[..], &["--add-node", "a:1"]].concat(),
        64,
        &["two nodes hash as `a:1`"],
    );
    check(
        &[&plan[..], &["--remove-node", "a:1", "--remove-node", "b:1"]].concat(),
        64,
        &["the cluster has no node"],
    );
    check(&plan, 64, &["--to"]);
    check(
        &["plan", "--policy", "maglev", "--add-node", "a:1"],
        64,
        &["--node"],
    );
    let both = [&plan[..], &["--to", "maglev:a:1"]].concat();
    check(
        &[&both[..], &["--generate", "key"]].concat(),
        64,
        &["--generate key", "{n}"],
    );
    check(&[&both[..], &["--hex"]].concat(), 64, &["--keys"]);
    check(
        &[&both[..], &["--resolve", "name"]].concat(),
        64,
        &["--resolve", "NAME=IP"],
    );
    check(&["locate", "--cluster", "maglev:a:1"], 64, &["KEY"]);
    check(
        &["locate", "--cluster", "maglev:a:1", "--hex", "0g"],
        64,
        &["--hex 0g", "digits"],
    );
    check(
        &["locate", "--cluster", "maglev:a:1", "--node", "b:1", "key"],
        64,
        &["--node b:1", "no node"],
    );
}

#[test]
fn mistakes_in_descriptions_are_2_and_say_where() {
    let envoy = |policy: &str, host: &str| {
        format!(
            "static_resources:
  clusters:
  - name: one
    type: STRICT_DNS
    lb_policy: {policy}
    load_assignment:
      endpoints:
      - lb_endpoints:
        - endpoint: {{address: {{socket_address: {{address: {host}, port_value: 6379}}}}}}
"
        )
    };
    let second =
        "        - endpoint: {address: {socket_address: {address: 10.0.0.2, port_value: 6379}}}\n";
    let several = envoy("MAGLEV", "10.0.0.1") + "  - {name: two, lb_policy: MAGLEV}\n";
    let table = envoy("MAGLEV\n    maglev_lb_config: {table_size: 6}", "10.0.0.1");
    for (text, parts) in [
        (
            envoy("ROUND_ROBIN", "10.0.0.1") + second,
            &["d.yaml:3: ", "ROUND_ROBIN", "keys scatter"][..],
        ),
        (
            envoy("ROUND_ROBIN", "redis-1"),
            &["d.yaml:9: ", "--resolve redis-1=IP", "one address"],
        ),
        (
            envoy("MAGLEV", "redis-1"),
            &["d.yaml:9: ", "`redis-1`", "--resolve redis-1=IP"],
        ),
        (several, &["d.yaml: ", "one, two", "--cluster-name"]),
        (
            envoy("MAGLEV", "10.0.0.1") + "      policy: {overprovisioning_factor: 0}\n",
            &["d.yaml:3: ", "overprovisioning factor 0"],
        ),
        (table, &["d.yaml:3: ", "table size 6 is not a prime"]),
        (
            "p:\n  listen: a:1\n  distribution: random\n  servers:\n  - a:1:1\n  - b:1:1"
                .to_owned(),
            &["d.yaml:2: ", "random", "keys scatter"],
        ),
        (
            "p:\n  listen: a:1\n  servers:\n  - a:1:0".to_owned(),
            &["d.yaml:2: ", "weight 0"],
        ),
        ("policy: maglev\nnodes: [}".to_owned(), &["d.yaml:2: "]),
        ("some: text".to_owned(), &["d.yaml: ", "static_resources"]),
    ] {
        let (_folder, path) = file("d.yaml", &text);
        let plan = ["plan", "--from", &path, "--to", "maglev:a:1"];
        let locate = ["locate", "--cluster", &path, "key"];
        let hint: &[&str] = match text.starts_with("static_resources") {
            true => &["--hash-tags", "off"],
            false => &[],
        };
        check(&[&plan[..], hint].concat(), 2, parts);
        check(&[&locate[..], hint].concat(), 2, parts);
    }
    check(
        &["plan", "--from", "/none.yaml", "--to", "maglev:a:1"],
        2,
        &["/none.yaml cannot be read"],
    );

    let (_folder, path) = file("d.yaml", &envoy("MAGLEV", "redis-1"));
    let located = shardproof(&[
        "locate",
        "--cluster",
        &path,
        "--resolve",
        "redis-1=10.0.0.1",
        "--hash-tags",
        "off",
        "key",
    ]);
    assert!(stdout(located).ends_with("\t0\t10.0.0.1:6379\n"));
}

/// Nothing of a plan without it: keys would be looked for on wrong nodes.
#[test]
fn a_file_that_does_not_say_whether_hash_tags_count_is_2() {
    let (_folder, path) = file(
        "d.yaml",
        "static_resources:
  clusters:
  - name: one
    lb_policy: MAGLEV
    load_assignment: {endpoints: {lb_endpoints: {endpoint: {address: {socket_address: {address: 10.0.0.1, port_value: 1}}}}}}
",
    );
    let parts = ["d.yaml:3: ", "--hash-tags on"];
    for command in [
        &["plan", "--from", &path, "--add-node", "10.0.0.2:1"][..],
        &["locate", "--cluster", &path, "key"],
        &["check", "--to", &path],
        &["migrate", "--to", &path],
    ] {
        check(command, 2, &parts);
    }
    let locate = ["locate", "--cluster", &path, "--hash-tags", "on", "a{b}"];
    let text = stdout(shardproof(&locate));
    assert!(text.contains("a{b}\tb\t"), "{text}");
    check(
        &["locate", "--cluster", &path, "--hash-tags", "yes", "k"],
        64,
        &["on or off"],
    );
}

#[test]
fn passwords_in_addresses_are_64_and_not_repeated() {
    for words in [
        &[
            "plan",
            "--from",
            "maglev:u:hunter2@a:1",
            "--add-node",
            "b:1",
        ][..],
        &["plan", "--from", "maglev:a:1", "--add-node", ":hunter2@b:1"],
        &[
            "plan",
            "--from",
            "maglev:a:1",
            "--add-node",
            "b:1",
            "--scan",
            "redis://:hunter2@localhost",
        ],
        &[
            "check",
            "--to",
            "maglev:a:1",
            "--proxy",
            "u:hunter2@localhost:1",
        ],
        &[
            "check",
            "--to",
            "maglev:a:1",
            "--from-node",
            "u:hunter2@localhost:1",
        ],
        &[
            "check",
            "--to",
            "maglev:a:1",
            "--node",
            "u:hunter2@localhost:1=a:1",
        ],
        &["run", "--node", "redis://:hunter2@localhost:1"],
    ] {
        let output = shardproof(words);
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8_lossy(&said);
        assert_eq!(output.status.code(), Some(64), "{said}");
        assert!(
            !said.contains("hunter2") && said.contains("not shown here"),
            "{said}"
        );
    }
}

#[test]
fn mistakes_in_keys_are_2_and_say_where() {
    let plan = ["plan", "--from", "maglev:a:1", "--to", "maglev:a:1,b:1"];
    let locate = ["locate", "--cluster", "maglev:a:1"];
    let (_folder, path) = file("keys.txt", "00\n0\n");
    for command in [&plan[..], &locate[..]] {
        check(
            &[command, &["--keys", "/none.txt"]].concat(),
            2,
            &["/none.txt cannot be read"],
        );
        check(
            &[command, &["--keys", "/tmp"]].concat(),
            2,
            &["/tmp cannot be read"],
        );
        check(
            &[command, &["--keys", &path, "--hex"]].concat(),
            2,
            &["keys.txt:2: ", "not hexadecimal"],
        );
    }
}

/// The file is a hole, and takes no room on the disk.
#[test]
fn a_key_that_no_redis_takes_is_2() {
    let (_folder, path) = file("keys.txt", "short\n");
    let keys = fs::OpenOptions::new().write(true).open(&path).unwrap();
    keys.set_len(6 + 512 * 1024 * 1024 + 1).unwrap();
    let plan = [
        "plan",
        "--from",
        "maglev:a:1",
        "--to",
        "maglev:a:1,b:1",
        "--keys",
        &path,
    ];
    check(&plan, 2, &["keys.txt:2: ", "more than 536870912 bytes"]);
}

/// Real nodes behind a real proxy: what is written through it lies where it is said to, and a copy elsewhere is found.
#[tokio::test(flavor = "multi_thread")]
async fn keys_are_looked_for_where_they_may_be() {
    let target = support::targets()
        .into_iter()
        .find(|target| target.name == "refproxy")
        .unwrap();
    support::prepare(&target);
    let search = support::search();
    let nodes = [
        Process::start(&search).await.unwrap(),
        Process::start(&search).await.unwrap(),
    ];
    let addrs = nodes.each_ref().map(|node| node.addr());
    let setting = Setting {
        nodes: addrs.to_vec(),
        policy: "maglev".to_owned(),
        hash_tags: true,
        op_timeout_ms: 5000,
    };
    let proxy = Proxy::start(&target, setting, &search).await.unwrap();
    let seen = ["10.9.8.1:6379", "10.9.8.2:6379"];
    let cluster = format!("maglev/hash_tags:{},{}", addrs[0], addrs[1]);
    let proxy_addr = proxy.addr().to_string();
    let locate = [
        "locate",
        "--cluster",
        &cluster,
        "--look",
        "--proxy",
        &proxy_addr,
    ];
    let keys: Vec<String> = (0..50)
        .map(|number| format!("{{{number}}}\u{e9}"))
        .collect();
    for key in &keys {
        call(proxy.addr(), &["SET", key, "value"]).await;
    }
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    let text = stdout(shardproof(&[&locate[..], &keys].concat()));
    for line in text.lines().skip(1) {
        let parts: Vec<&str> = line.split('\t').collect();
        assert_eq!(parts.len(), 7, "{line}");
        assert_eq!(parts[4..], [parts[4], parts[4], "found"], "{line}");
    }
    assert!(
        addrs
            .iter()
            .all(|addr| text.contains(&format!("{addr}\t{addr}\tfound"))),
        "{text}"
    );

    // The key is gone from where it is asked for, and a copy of it lies elsewhere.
    call(proxy.addr(), &["DEL", keys[0]]).await;
    for addr in addrs {
        call(addr, &["DEL", keys[0]]).await;
    }
    let line: Value = serde_json::from_str(&stdout(shardproof(
        &[&locate[..], &["--json", "-", keys[0]]].concat(),
    )))
    .unwrap();
    assert_eq!(line["found_by_proxy"], false);
    assert_eq!(line["found_on"], serde_json::json!([]));
    let other = 1 - usize::try_from(line["index"].as_u64().unwrap()).unwrap();
    call(addrs[other], &["SET", keys[0], "copy"]).await;
    let output = shardproof(&[&locate[..], &["--json", "-", keys[0]]].concat());
    assert_eq!(output.status.code(), Some(1));
    let line: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(line["found_by_proxy"], false);
    assert_eq!(
        line["found_on"],
        serde_json::json!([addrs[other].to_string()])
    );

    // Placed by addresses that only the proxy sees, looked for where we see them.
    let cluster = format!("maglev:{}", seen.join(","));
    let reach = [0, 1].map(|node| format!("{}={}", addrs[node], seen[node]));
    let located = [
        "locate",
        "--cluster",
        &cluster,
        "--node",
        &reach[0],
        "--node",
        &reach[1],
        keys[1],
    ];
    let text = stdout(shardproof(&located));
    assert!(
        seen.iter()
            .any(|seen| text.ends_with(&format!("\t{seen}\n"))),
        "{text}"
    );
    let unreached = ["locate", "--cluster", "maglev:127.0.0.1:1", "--look", "key"];
    check(&unreached, 2, &["node 127.0.0.1:1", "no connection"]);
}

/// An Envoy that sends keys of a prefix to another cluster.
#[tokio::test(flavor = "multi_thread")]
async fn keys_that_are_routed_elsewhere_are_never_kept() {
    let search = support::search();
    let nodes = [
        Process::start(&search).await.unwrap(),
        Process::start(&search).await.unwrap(),
    ];
    let [one, two] = nodes.each_ref().map(|node| node.addr());
    let cluster = |name: &str, addr: SocketAddr| {
        let place = format!(
            "{{socket_address: {{address: {}, port_value: {}}}}}",
            addr.ip(),
            addr.port()
        );
        format!(
            "  - {{name: {name}, lb_policy: MAGLEV, load_assignment: {{endpoints: {{lb_endpoints: {{endpoint: {{address: {place}}}}}}}}}}}\n"
        )
    };
    let text = format!(
        "static_resources:
  listeners:
  - filter_chains:
    - filters:
      - name: redis
        typed_config:
          \"@type\": type.googleapis.com/envoy.extensions.filters.network.redis_proxy.v3.RedisProxy
          prefix_routes: {{routes: [{{prefix: '2:', cluster: c2}}], catch_all_route: {{cluster: c1}}}}
  clusters:
{}{}",
        cluster("c1", one),
        cluster("c2", two)
    );
    let (folder, path) = file("envoy.yaml", &text);
    for number in 0..39 {
        let key = format!("{}:{number}", 1 + number % 2);
        call(one, &["SET", &key, "value"]).await;
    }
    let description = ["--to", &path, "--cluster-name", "c1"];
    for command in ["check", "migrate"] {
        let output = shardproof(&[&[command][..], &description, &["--json", "-"]].concat());
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        let check = report.get("check").unwrap_or(&report);
        assert_eq!((&check["kept"], &check["keys"]), (&20.into(), &20.into()));
        assert_eq!(check["routed_elsewhere"], 19);
        let output = shardproof(&[&[command][..], &description].concat());
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(text.contains("routed elsewhere: 19 keys"), "{text}");
    }
    let output = shardproof(&[
        "check",
        "--to",
        &path,
        "--cluster-name",
        "c2",
        "--from-node",
        &one.to_string(),
        "--json",
        "-",
    ]);
    assert_eq!(output.status.code(), Some(1));
    let check: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        (&check["unreachable"], &check["routed_elsewhere"]),
        (&19.into(), &20.into())
    );

    let keys = folder.path().join("keys");
    fs::write(&keys, "1:a\n2:a\n2:b\n").unwrap();
    let keys = keys.to_str().unwrap();
    let plan = [
        "plan",
        "--from",
        &path,
        "--cluster-name",
        "c1",
        "--add-node",
        "c:1",
        "--keys",
        keys,
        "--json",
        "-",
    ];
    let plan: Value = serde_json::from_str(&stdout(shardproof(&plan))).unwrap();
    assert_eq!(
        (&plan["keys"], &plan["routed_elsewhere"]),
        (&1.into(), &2.into())
    );
    let locate = ["locate", "--cluster", &path, "--cluster-name", "c1", "2:a"];
    let located = stdout(shardproof(&locate));
    assert!(located.ends_with("\t-\trouted elsewhere\n"), "{located}");
}

async fn call(addr: SocketAddr, arguments: &[&str]) {
    let within = Duration::from_secs(5);
    let mut client = Client::connect(addr, within).await.unwrap();
    let answer = client.call(arguments, within).await.unwrap();
    assert!(!answer.is_error(), "{arguments:?}: {answer}");
}
