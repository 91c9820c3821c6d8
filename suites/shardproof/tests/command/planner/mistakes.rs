//! Mistakes of the command line and in descriptions: one clear line each, and no password repeated.

use super::{check, file, shardproof, stdout};

#[test]
fn mistakes_of_the_command_line_are_64() {
    let to = ["--to", "maglev:a:1", "--count", "10"];
    for (from, parts) in [
        (
            "maglev/table_size=65536:a:1",
            &["--from", "table size 65536, expected a prime"][..],
        ),
        ("maglev:a:1*0", &["--from", "node a:1 has weight 0"]),
        (
            "maglev:a:1,a:1",
            &["--from", "two nodes have the hash key `a:1`"],
        ),
        ("maglev:", &["--from", "the cluster has no nodes"]),
        (
            "consistent:a:1",
            &["--from", "policy `consistent`", "maglev, ring_hash"],
        ),
        ("random:a:1,b:1", &["--from", "random does not place keys"]),
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
        &["two nodes have the hash key `a:1`"],
    );
    check(
        &[&plan[..], &["--remove-node", "a:1", "--remove-node", "b:1"]].concat(),
        64,
        &["the cluster has no nodes"],
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
        &["--node b:1", "is not a node"],
    );
}

#[test]
fn mistakes_in_descriptions_are_2_with_their_place() {
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
        (table, &["d.yaml:3: ", "table size 6, expected a prime"]),
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
        &["cannot read /none.yaml"],
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

/// Without it a plan fails: keys would be searched on wrong nodes.
#[test]
fn a_file_without_a_rule_for_hash_tags_is_2() {
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
        &[
            "run",
            "--proxy",
            "nowhere",
            "--node",
            "redis://:hunter2@localhost:1",
        ],
    ] {
        let output = shardproof(words);
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8_lossy(&said);
        assert_eq!(output.status.code(), Some(64), "{said}");
        let is_clear = said.contains("not shown") || said.contains("expected");
        assert!(!said.contains("hunter2") && is_clear, "{said}");
    }
}
