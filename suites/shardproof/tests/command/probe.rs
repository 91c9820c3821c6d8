//! `probe`, and `run` on what it finds: capabilities of a plain Redis, and of a proxy that refuses.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};

use serde_json::Value;
use testbed::client::{Client, NODE_DEADLINE};
use tokio::runtime::Runtime;

use crate::program::{CASE, OWN, check, fixtures, redis, shardproof, stub};

/// A proxy in front of one server that refuses the commands `refused`, as some proxies do without a word.
fn refusing(server: &str, refused: &'static [&'static str]) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap();
    let server = server.to_owned();
    std::thread::spawn(move || {
        for client in listener.incoming() {
            let (Ok(client), Ok(node)) = (client, TcpStream::connect(&server)) else {
                return;
            };
            let (mut replies, mut back) = (node.try_clone().unwrap(), client.try_clone().unwrap());
            std::thread::spawn(move || {
                let _ = std::io::copy(&mut replies, &mut back);
            });
            std::thread::spawn(move || relay(client, node, refused));
        }
    });
    addr
}

fn relay(mut client: TcpStream, mut node: TcpStream, refused: &[&str]) {
    let mut bytes = vec![0; 65536];
    while let Ok(count @ 1..) = client.read(&mut bytes) {
        let asked = String::from_utf8_lossy(&bytes[..count]).into_owned();
        let name = asked.split("\r\n").nth(2).unwrap_or_default();
        if refused.contains(&name) {
            let _ = client.write_all(b"-ERR not supported\r\n");
        } else if node.write_all(&bytes[..count]).is_err() {
            return;
        }
    }
    let _ = node.shutdown(std::net::Shutdown::Both);
}

/// The report of a probe, and the exit code.
fn probe(arguments: &[&str]) -> (Value, Option<i32>) {
    let output = shardproof(&[&["probe", "--json", "-"], arguments].concat());
    let stderr = String::from_utf8_lossy(&output.stderr);
    let report = serde_json::from_slice(&output.stdout);
    (
        report.unwrap_or_else(|why| panic!("{why}: {stderr}")),
        output.status.code(),
    )
}

/// Whether a capability is offered, and why not.
fn offered<'a>(report: &'a Value, capability: &str) -> (&'a str, &'a str) {
    let mut found = report["found"].as_array().unwrap().iter();
    let found = found.find(|it| it["capability"] == capability).unwrap();
    (
        found["offered"].as_str().unwrap(),
        found["why"].as_str().unwrap_or_default(),
    )
}

#[test]
fn a_plain_redis_offers_all_that_a_harmless_request_shows() {
    let (_server, addr) = redis();
    let (report, code) = probe(&["--proxy", &addr]);
    assert_eq!(code, Some(0));
    assert_eq!(report["format"], "shardproof.probe/1");
    for capability in [
        "echo",
        "eval",
        "functions",
        "hello",
        "inline",
        "script-load",
        "split-mset",
        "time",
    ] {
        assert_eq!(offered(&report, capability).0, "yes", "{capability}");
    }
    for capability in [
        "eject",
        "flush",
        "hash-tags",
        "keys",
        "resp3",
        "select",
        "transactions",
    ] {
        let (found, why) = offered(&report, capability);
        assert_eq!(found, "unknown", "{capability}");
        assert!(!why.is_empty(), "{capability}");
    }
    let (report, _) = probe(&["--proxy", &addr, "--allow-disturbing"]);
    for capability in ["config", "keys", "resp3", "select", "transactions", "watch"] {
        assert_eq!(offered(&report, capability).0, "yes", "{capability}");
    }
    assert_eq!(offered(&report, "flush").0, "unknown");
}

/// The names of all keys of a server.
fn keys(addr: &str) -> String {
    let asked = async {
        let mut client =
            Client::connect(addr.parse::<SocketAddr>().unwrap(), NODE_DEADLINE).await?;
        client.call(&["KEYS", "*"], NODE_DEADLINE).await
    };
    Runtime::new().unwrap().block_on(asked).unwrap().to_string()
}

#[test]
fn a_probe_leaves_no_key() {
    let (_server, addr) = redis();
    let (report, _) = probe(&["--proxy", &addr]);
    assert_eq!(offered(&report, "split-mset").0, "yes");
    assert_eq!(keys(&addr), "*0");
}

#[test]
fn refused_commands_are_not_offered_and_their_cases_are_skipped() {
    let (_server, addr) = redis();
    let proxy = refusing(&addr, &["ECHO", "MGET"]).to_string();
    let (report, code) = probe(&["--proxy", &proxy]);
    assert_eq!(code, Some(0));
    let why = "MGET keys is answered with -ERR not supported";
    assert_eq!(offered(&report, "split-mget"), ("no", why));
    assert_eq!(offered(&report, "echo").0, "no");
    assert_eq!(offered(&report, "split-del").0, "yes");
    let case = CASE.replace("level", "needs split-mget\nlevel");
    let folder = fixtures(&CASE.replace("+PONG", "+PING"), &stub(""));
    let needing = folder.path().join("conformance/group/needing.case");
    std::fs::write(needing, case).unwrap();
    let path = folder.path().to_str().unwrap();
    let run = [
        "run",
        "--proxy",
        &proxy,
        "--verbose",
        "--fixtures",
        path,
        OWN[0],
        OWN[1],
    ];
    let output = shardproof(&run);
    check(&output, 1, &["does not offer echo, split-mget"]);
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        said.contains(&format!(
            "skip    needing  (not offered: split-mget: {why})"
        )),
        "{said}"
    );
    assert!(said.contains("FAILED: 1 must"), "{said}");
}

#[test]
fn a_running_proxy_is_judged_by_the_claims_of_a_target() {
    let (_server, addr) = redis();
    let folder = fixtures(&CASE.replace("level", "needs time\nlevel"), &stub(""));
    let file = folder.path().join("targets/stub.toml");
    let broken = folder.path().join("conformance/group/broken.case");
    std::fs::write(broken, CASE.replace("+PONG", "+PING")).unwrap();
    let row = "[[deviation]]\ncases = \"group/broken\"\nwhy = \"answers PONG\"\n";
    std::fs::write(&file, stub("") + row).unwrap();
    let path = folder.path().to_str().unwrap();
    let run = [
        "run",
        "--proxy",
        &addr,
        "--verbose",
        "--fixtures",
        path,
        OWN[0],
        OWN[1],
    ];
    check(&shardproof(&run), 1, &["broken"]);
    for target in ["stub", file.to_str().unwrap()] {
        let output = shardproof(&[&run[..], &["--as", target]].concat());
        let said = String::from_utf8_lossy(&output.stdout);
        assert_eq!(output.status.code(), Some(0), "{said}");
        assert!(
            said.contains("does not claim time") && said.contains("1 known"),
            "{said}"
        );
    }
    check(
        &shardproof(&[&run[..], &["--as", "stup"]].concat()),
        64,
        &["--as stup", "stub"],
    );
}

#[test]
fn a_running_proxy_is_judged_by_the_deviations_of_a_version() {
    let (_server, addr) = redis();
    let versions =
        "[version]\nargs = [\"--version\"]\npinned = \"1.40.0\"\nearlier = [\"1.38.3\"]\n";
    let row =
        "[[deviation]]\ncases = \"group/broken\"\nwhy = \"answers PONG\"\nseen = \"1.38.3\"\n";
    let folder = fixtures(CASE, &(stub("") + versions + row));
    let broken = folder.path().join("conformance/group/broken.case");
    std::fs::write(broken, CASE.replace("+PONG", "+PING")).unwrap();
    let path = folder.path().to_str().unwrap();
    let run = |target: &str| {
        let flags = ["run", "--proxy", &addr, "--fixtures", path, "--as", target];
        shardproof(&[&flags[..], &OWN].concat())
    };
    let judged = |target: &str, code: i32, expected: &str| {
        let output = run(target);
        let said = [&output.stdout[..], &output.stderr[..]].concat();
        let said = String::from_utf8_lossy(&said).into_owned();
        assert_eq!(output.status.code(), Some(code), "{target}: {said}");
        assert!(said.contains(expected), "{target}: {said}");
    };
    judged("stub", 0, "1 known");
    judged("stub@1.38.3", 0, "1 known");
    judged("stub@1.40.0", 1, "FAILED: 1 must");
    let file = folder.path().join("targets/stub.toml");
    judged(&format!("{}@1.40.0", file.display()), 1, "FAILED: 1 must");
    judged("stub@1.39.0", 0, "1 known");
    let warning = "stub 1.39.0 may show every recorded deviation: judged were 1.38.3, 1.40.0";
    judged("stub@1.39.0", 0, warning);
    for (version, named) in [("", "``"), ("latest", "`latest`"), ("1..2", "`1..2`")] {
        let target = format!("stub@{version}");
        let output = run(&target);
        let line = format!("--as {target}: {named} is not a version, expected one such as 1.40.0");
        check(&output, 64, &[&line]);
        assert!(output.stdout.is_empty());
    }
    check(&run("stup@1.40.0"), 64, &["--as stup", "stub"]);
}

/// A target that is a plain Redis: each node of it is, too.
const REDIS: &str = "name = \"one\"
program = { name = \"redis-server\", env = \"SHARDPROOF_REDIS_SERVER\" }
start = { args = [\"--port\", \"{{ listen.port }}\", \"--save\", \"\"] }
";

#[test]
fn a_file_that_claims_more_than_is_offered_fails() {
    let folder = tempfile::TempDir::new().unwrap();
    let file = folder.path().join("one.toml");
    let path = file.to_str().unwrap();
    let probe_of = |claims: &str, port: &str| {
        std::fs::write(&file, format!("capabilities = {claims}\n{REDIS}")).unwrap();
        probe(&["--target", path, "--link-port-base", port])
    };
    let (report, code) = probe_of("[]", "22611");
    assert_eq!(code, Some(0));
    assert_eq!(offered(&report, "flush").0, "yes");
    assert_eq!(offered(&report, "ping-local").0, "yes");
    assert_eq!(report["offered_not_claimed"], report["capabilities"]);
    // One server keeps keys to itself, so the nodes show no tags.
    let (report, code) = probe_of("[\"echo\", \"eject\"]", "22621");
    assert_eq!(code, Some(0));
    let listed = report["capabilities"].as_array().unwrap();
    assert!(listed.contains(&Value::from("eject")), "{listed:?}");
    assert!(!report["offered_not_claimed"].to_string().contains("echo"));
}
