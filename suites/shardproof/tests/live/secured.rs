//! A proxy with TLS and a password for clients, over nodes with another password: judged by its address.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on is to panic")]

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use libtest_mimic::{Failed, Trial};
use serde_json::json;
use tempfile::TempDir;
use testbed::child::Running;
use testbed::client::{Client, NODE_DEADLINE};
use testbed::endpoint::{Access, Role, TlsOptions};
use testbed::node::{Node, Process};
use testbed::port::Port;
use testbed::targets::Target;

use crate::support;

/// The passwords of clients and nodes begin so.
const SECRET: &str = "hunter2";

/// Edits of Envoy's template: users for clients, TLS for clients, and the password of the nodes.
const EDITS: [(&str, &str); 3] = [
    (
        "                stat_prefix: egress_redis\n",
        "                stat_prefix: egress_redis\n                downstream_auth_passwords: [{ inline_string: hunter2-proxy }]\n",
    ),
    (
        "        - filters:\n",
        "        - transport_socket:
            name: envoy.transport_sockets.tls
            typed_config:
              \"@type\": type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext
              common_tls_context:
                tls_certificates:
                  - { certificate_chain: { filename: CERT }, private_key: { filename: KEY } }
          filters:
",
    ),
    (
        "      load_assignment:\n",
        "      typed_extension_protocol_options:
        envoy.filters.network.redis_proxy:
          \"@type\": type.googleapis.com/envoy.extensions.filters.network.redis_proxy.v3.RedisProtocolOptions
          auth_password: { inline_string: hunter2-node }
      load_assignment:
",
    ),
];

/// A scenario without faults, for both libraries of clients.
const SCENARIO: &str = "# Keys keep their values.
# https://doi.org/10.1145/78969.78972
nodes = 3
duration = \"1s\"
laws = [\"registers-linearizable\", \"replies-in-order\", \"no-cross-talk\", \"placement-unchanged\"]

[[workload]]
kind = \"overwrite\"
clients = 8
keys = 60
pipeline = 4
rate = 800

[[covers]]
condition = \"completed-per-workload\"
at_least = 100
";

pub(crate) fn trials() -> Vec<Trial> {
    let targets = support::targets();
    let target = targets.iter().find(|target| target.name == "envoy");
    let target = target.unwrap().clone();
    let presence = support::presence(&target);
    vec![support::trial(
        "secured::a-proxy-with-tls-and-a-password-is-judged-by-address".to_owned(),
        presence,
        move || judged_by_address(&target),
    )]
}

fn certificate(name: &str) -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("../testbed/src/endpoint/certificates");
    tests.join(name)
}

fn secured(target: &Target) -> Target {
    let mut target = target.clone();
    for (from, to) in EDITS {
        assert!(
            target.start.config.contains(from),
            "the template has no `{from}`"
        );
        let to = to.replace("CERT", &certificate("server.pem").display().to_string());
        let to = to.replace("KEY", &certificate("server.key").display().to_string());
        target.start.config = target.start.config.replacen(from, &to, 1);
    }
    target
}

async fn node() -> Process {
    let node = Process::start(&support::search()).await.unwrap();
    let mut client = Client::connect(node.addr(), NODE_DEADLINE).await.unwrap();
    let set = ["CONFIG", "SET", "requirepass", "hunter2-node"];
    client.call(&set, NODE_DEADLINE).await.unwrap();
    node
}

/// The output of the program with all that it logs, which shows no password.
fn traced(arguments: &[&str]) -> Output {
    let output = Command::new(env!("CARGO_BIN_EXE_shardproof"))
        .args(arguments)
        .env("RUST_LOG", "trace")
        .env("SHARDPROOF_NODE_PASSWORD", "hunter2-node")
        .output()
        .unwrap();
    for shown in [&output.stdout, &output.stderr] {
        let shown = String::from_utf8_lossy(shown);
        assert!(!shown.contains(SECRET), "{arguments:?}:\n{shown}");
    }
    output
}

/// Runs the program, which must end with one of the codes.
#[track_caller]
fn ends(arguments: &[&str], codes: &[i32]) -> String {
    let output = traced(arguments);
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    let stderr = String::from_utf8_lossy(&output.stderr);
    let code = output.status.code().unwrap();
    assert!(
        codes.contains(&code),
        "{arguments:?}: {code}\n{stdout}\n{stderr}"
    );
    assert!(!stdout.contains("NOAUTH"), "{stdout}");
    stdout
}

/// A running Envoy, with its folder.
fn start(target: &Target, port: u16, nodes: &[Process]) -> Result<(Running, TempDir), Failed> {
    let nodes: Vec<_> = nodes
        .iter()
        .map(|node| json!({"host": "127.0.0.1", "port": node.addr().port()}))
        .collect();
    let context = json!({
        "admin": {"host": "127.0.0.1", "port": Port::free()?.number()},
        "listen": {"host": "127.0.0.1", "port": port},
        "nodes": nodes,
        "policy": "maglev",
        "op_timeout_ms": 1000,
        "hash_tags": false,
        "eject": false,
    });
    let config = minijinja::Environment::new()
        .render_str(&target.start.config, minijinja::value::Serde(context))?;
    let folder = TempDir::new()?;
    let file = folder.path().join("envoy.yaml");
    fs::write(&file, config)?;
    let mut command = Command::new(support::search().find(&target.program)?);
    command
        .args([
            "--concurrency",
            "2",
            "--disable-hot-restart",
            "--log-level",
            "warning",
        ])
        .arg("--config-path")
        .arg(&file);
    Ok((Running::start(command)?, folder))
}

/// Writes keys through the proxy, so that there is something to check.
async fn write(url: &str) {
    let access = Access {
        tls: TlsOptions {
            cacert: Some(certificate("ca.pem")),
            ..TlsOptions::default()
        },
        ..Access::default()
    };
    let proxy = access.endpoint(&url.parse().unwrap(), Role::Proxy).unwrap();
    let mut client = Client::connect(proxy, NODE_DEADLINE).await.unwrap();
    let sets: Vec<Vec<String>> = (0..200)
        .map(|number| vec!["SET".to_owned(), format!("key:{number}"), "v".to_owned()])
        .collect();
    let replies = client.pipeline(&sets, NODE_DEADLINE).await.unwrap();
    assert!(replies.iter().all(|reply| !reply.is_error()), "{replies:?}");
}

fn judged_by_address(target: &Target) -> Result<(), Failed> {
    let target = secured(target);
    let runtime = tokio::runtime::Runtime::new()?;
    let nodes = runtime.block_on(async { [node().await, node().await, node().await] });
    let port = Port::free()?;
    let _proxy = start(&target, port.number(), &nodes)?;
    let url = format!("rediss://:hunter2-proxy@localhost:{}", port.number());
    let authority = certificate("ca.pem").display().to_string();
    let at: Vec<String> = nodes.iter().map(|node| node.addr().to_string()).collect();
    let with_nodes: Vec<&str> = at.iter().flat_map(|node| ["--node", node]).collect();
    let connect = ["--proxy", &url, "--cacert", &authority, "--wait", "60s"];
    let folder = TempDir::new()?;
    let path = |name: &str| folder.path().join(name).display().to_string();

    let (json, html, junit) = (path("r.json"), path("r.html"), path("r.xml"));
    let files = ["--json", &json, "--html", &html, "--junit", &junit];
    let run = [
        &["run", "--filter", "pipelining/*"][..],
        &connect,
        &with_nodes,
        &files,
    ]
    .concat();
    ends(&run, &[0, 1]);
    let judged: serde_json::Value = serde_json::from_slice(&fs::read(&json)?)?;
    let summary = &judged["targets"][0]["summary"];
    assert!(summary["kept"].as_u64() > Some(10), "{summary}");
    assert_eq!(summary["unknown"], 0, "{summary}");

    let compared = path("m.json");
    let matrix = ["matrix", "--filter", "*GET", "--json", &compared];
    ends(&[&matrix[..], &connect, &with_nodes].concat(), &[0, 1]);
    let compared: serde_json::Value = serde_json::from_slice(&fs::read(&compared)?)?;
    let correct = &compared["summary"][format!("rediss://localhost:{}", port.number())]["correct"];
    assert!(correct.as_u64() >= Some(3), "{compared}");
    let random = [
        "differential",
        "--filter",
        "*GET",
        "--filter",
        "*SET",
        "--count",
        "600",
    ];
    let random = ends(&[&random[..], &connect, &with_nodes].concat(), &[0]);
    assert!(random.contains("in 600 requests"), "{random}");

    let found = ends(
        &[&["fingerprint"][..], &connect, &with_nodes].concat(),
        &[0],
    );
    assert!(found.contains("maglev"), "{found}");
    runtime.block_on(write(&url));
    let cluster = format!("maglev:{}", at.join(","));
    let check = [&["check", "--to", &cluster][..], &connect].concat();
    ends(&check, &[0]);
    ends(
        &[&["migrate", "--apply", "--to", &cluster][..], &connect].concat(),
        &[0],
    );
    let located = ends(
        &[
            &["locate", "--cluster", &cluster, "--look", "k"][..],
            &connect,
        ]
        .concat(),
        &[0],
    );
    assert!(located.contains('k'), "{located}");
    ends(
        &[
            "plan", "--from", &cluster, "--to", &cluster, "--scan", &at[0],
        ],
        &[0],
    );

    let (two, rescaled) = (Port::free()?, path("rescaled.json"));
    let _proxy_of_two = start(&target, two.number(), &nodes[..2])?;
    let two = format!("rediss://:hunter2-proxy@localhost:{}", two.number());
    let rescale = ["rescale", "--proxy", &two, "--json", &rescaled];
    let change = ["--from", "2", "--to", "3", "--policy", "maglev"];
    ends(
        &[&rescale[..], &connect, &change, &with_nodes].concat(),
        &[0],
    );
    let rescaled: serde_json::Value = serde_json::from_slice(&fs::read(&rescaled)?)?;
    assert_eq!(rescaled["predicted"]["agree"], 10_000, "{rescaled}");

    let history = path("history");
    let scenario = path("calm.toml");
    fs::write(&scenario, SCENARIO)?;
    let chaos = ["chaos", &scenario, "--history", &history];
    ends(&[&chaos[..], &connect, &with_nodes].concat(), &[0]);
    let mut kept = String::new();
    for file in fs::read_dir(&history)?.chain(fs::read_dir(folder.path())?) {
        let file = file?.path();
        if file.is_file() {
            write!(kept, "{}", fs::read_to_string(file)?)?;
        }
    }
    assert!(
        kept.contains("\"scenario\":\"calm\""),
        "a history is written"
    );
    assert!(!kept.contains(SECRET), "no file has a password");
    Ok(())
}
