//! The command line as scripts see it: exit codes, one clear line for each mistake, nothing left behind.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on is to panic")]

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;
use testbed::child::Running;

fn shardproof(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_shardproof"))
        .args(arguments)
        .output()
        .unwrap()
}

/// The exit code, and a line of stderr that contains every part.
#[track_caller]
fn check(output: &Output, code: i32, parts: &[&str]) {
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{stderr}");
    assert!(
        stderr
            .lines()
            .any(|line| parts.iter().all(|part| line.contains(part))),
        "no line with {parts:?} in:\n{stderr}"
    );
}

/// A folder of fixtures with one case and one target, as texts.
fn fixtures(case: &str, target: &str) -> TempDir {
    let folder = TempDir::new().unwrap();
    for (name, file, text) in [
        ("conformance", "group/some-case.case", case),
        ("targets", "stub.toml", target),
    ] {
        let path: PathBuf = folder.path().join(name).join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}

const CASE: &str = "case 1
# PING is answered.
spec   https://redis.io/docs/latest/commands/ping/
level  must
send   PING
want   +PONG
";

/// A target that runs a shell script instead of a proxy.
fn stub(script: &str) -> String {
    format!(
        r#"
name = "stub"
title = "no proxy at all"
home = "none"
policies = ["maglev"]
op_timeout_ms = 200
capabilities = []
program = {{ name = "sh", env = "SHARDPROOF_STUB", install = "it is everywhere" }}
version = {{ args = ["-c", "echo 1"], pinned = "1" }}
rescale = {{ how = "restart" }}
start = {{ args = ["-c", "{script}"], config_name = "none", config = "", ready_within_s = 1 }}
"#
    )
}

fn run_stub(case: &str, target: &str) -> Output {
    let folder = fixtures(case, target);
    let path = folder.path().to_str().unwrap();
    let base = ["--link-port-base", "22101", "--fixtures", path];
    shardproof(&[&["run", "--target", "stub"], &base[..]].concat())
}

#[test]
fn mistakes_of_the_command_line_are_64() {
    check(
        &shardproof(&["run", "--target", "nginx"]),
        64,
        &["--target nginx", "refproxy"],
    );
    check(
        &shardproof(&["list", "--filter", "no-such-case"]),
        64,
        &["--filter no-such-case", "matches none"],
    );
    check(&shardproof(&["run", "--tarjet"]), 64, &["--tarjet"]);
    check(&shardproof(&["run"]), 64, &["--target"]);
    check(
        &shardproof(&["rescale", "--target", "envoy", "--from", "3", "--to", "3"]),
        64,
        &["--from 3 --to 3"],
    );
    check(
        &shardproof(&["rescale", "--target", "envoy", "--from", "0", "--to", "3"]),
        64,
        &["0", "--from"],
    );
    check(
        &shardproof(&[
            "rescale", "--target", "envoy", "--from", "3", "--to", "4", "--policy", "modula",
        ]),
        64,
        &["--policy modula", "maglev, ring_hash"],
    );
    let rescale = ["rescale", "--target", "envoy", "--from", "3", "--to", "4"];
    for (flags, expected) in [
        (
            &["--fault", "freeze"][..],
            &["--fault", "`freeze`", "pause"][..],
        ),
        (&["--fault", "latency"], &["--fault", "a time such as"]),
        (
            &["--fault", "kill", "--fault-node", "4"],
            &["--fault-node 4"],
        ),
        (&["--fault-node", "1"], &["--fault"]),
        (&["--fault", "kill", "--keys-out", "x"], &["--keys-out"]),
        (
            &["--fault", "partition"],
            &["--fault partition", "containers"],
        ),
        (
            &["--fault", "kill", "--node", "127.0.0.1:1"],
            &["--fault kill", "not ours"],
        ),
        (
            &["--fault", "hold", "--toxiproxy", "127.0.0.1:1"],
            &["--fault hold", "no Toxiproxy"],
        ),
    ] {
        check(&shardproof(&[&rescale[..], flags].concat()), 64, expected);
    }
    check(
        &shardproof(&["run", "--target", "envoy", "--seed", "xyz"]),
        64,
        &["--seed", "hexadecimal"],
    );
    check(&shardproof(&["list", "--seed", "1"]), 64, &["--seed"]);
    for unheeded in [
        &["--toxiproxy", "127.0.0.1:8474"][..],
        &["--nodes", "docker"],
        &["--link-port-base", "22000"],
    ] {
        let proxy = ["run", "--proxy", "127.0.0.1:1"];
        check(
            &shardproof(&[&proxy[..], unheeded].concat()),
            64,
            &["cannot be used with", unheeded[0]],
        );
    }
    check(
        &shardproof(&["run", "--target", "envoy", "--allow-disturbing"]),
        64,
        &["--allow-disturbing", "no effect"],
    );
}

#[test]
fn containers_that_cannot_be_had_are_2() {
    let rescale = ["rescale", "--target", "envoy", "--from", "1", "--to", "2"];
    let output = Command::new(env!("CARGO_BIN_EXE_shardproof"))
        .args(rescale)
        .args(["--nodes", "docker", "--link-port-base", "22141"])
        .env("DOCKER_HOST", "unix:///nonexistent/docker.sock")
        // What version Envoy has is asked first: here it is one that says nothing.
        .env("SHARDPROOF_ENVOY", "/bin/true")
        .output()
        .unwrap();
    let why = if cfg!(feature = "docker") {
        "no Docker engine answers"
    } else {
        "--features docker"
    };
    check(&output, 2, &[why, "--nodes process"]);
    check(
        &shardproof(&[&rescale[..], &["--nodes", "podman"]].concat()),
        64,
        &["podman", "--nodes"],
    );
}

#[test]
fn a_mistake_in_a_case_is_named_by_file_and_line() {
    let output = run_stub(&CASE.replace("want ", "wnat "), &stub("exit 3"));
    check(&output, 2, &["some-case.case:6:", "wnat"]);
}

#[test]
fn a_mistake_in_a_target_file_is_named_by_file_and_line() {
    let target = stub("exit 3").replace("policies", "polices");
    check(
        &run_stub(CASE, &target),
        2,
        &["stub.toml", "line 5", "polices"],
    );
}

#[test]
fn a_misspelt_capability_is_named_by_file_and_line() {
    let output = run_stub(&CASE.replace("level", "needs tme\nlevel"), &stub("exit 3"));
    check(&output, 2, &["some-case.case:4:", "`tme`", "`time`?"]);
    let target = stub("exit 3").replace("capabilities = []", "capabilities = [\"tme\"]");
    let output = run_stub(CASE, &target);
    check(&output, 2, &["stub.toml:7:", "`tme`", "`time`?"]);
}

/// A plain Redis, which is its own node.
fn redis() -> (Running, String) {
    let port = testbed::port::free().unwrap().to_string();
    let mut command = Command::new("redis-server");
    command
        .args(["--port", &port, "--save", "", "--bind", "127.0.0.1"])
        .stdout(Stdio::null());
    let server = Running::start(command).unwrap();
    let addr = format!("127.0.0.1:{port}");
    wait("the port of Redis", || {
        std::net::TcpStream::connect(&addr).ok()
    });
    (server, addr)
}

#[test]
fn nothing_judged_is_2() {
    let (_server, addr) = redis();
    let folder = fixtures(&CASE.replace("level", "disturbs nodes\nlevel"), &stub(""));
    let path = folder.path().to_str().unwrap();
    let run = ["run", "--proxy", &addr, "--fixtures", path];
    check(
        &shardproof(&run),
        2,
        &["nothing judged", "group/some-case", "--allow-disturbing"],
    );
    let allowed = shardproof(&[&run[..], &["--allow-disturbing"]].concat());
    assert_eq!(allowed.status.code(), Some(0));
    // The permission for data is none for what clients share.
    let destroying = shardproof(&[&run[..], &["--allow-destructive"]].concat());
    check(&destroying, 2, &["nothing judged"]);
}

#[test]
fn the_repeat_line_judges_the_same_again() {
    let (_server, addr) = redis();
    let broken = "case 1
# A key keeps its value.
spec   https://redis.io/docs/latest/commands/get/
level  should
destructive
disturbs nodes
given  A $a1 = one
send   GET $a1
want   \"two\"
";
    let folder = fixtures(broken, &stub(""));
    let copied = folder.path().join("it's here");
    for name in ["conformance", "targets"] {
        fs::create_dir_all(&copied).unwrap();
        fs::rename(folder.path().join(name), copied.join(name)).unwrap();
    }
    let path = copied.to_str().unwrap();
    let first = shardproof(&[
        "run",
        "--proxy",
        &addr,
        "--node",
        &addr,
        "--fixtures",
        path,
        "--allow-destructive",
        "--allow-disturbing",
        "--strict",
        "--op-timeout-ms",
        "700",
    ]);
    let said = String::from_utf8(first.stdout).unwrap();
    let (_, line) = said.split_once("repeat: shardproof ").expect(&said);
    let line = line.lines().next().unwrap();
    let program = env!("CARGO_BIN_EXE_shardproof");
    let again = Command::new("sh")
        .args(["-c", &format!("'{program}' {line}")])
        .output()
        .unwrap();
    // Times and versions apart.
    let judged = |text: &str| {
        let lines = text
            .lines()
            .filter(|line| !line.contains(" ms ") && !line.contains(" s)"));
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(first.status.code(), Some(1), "{said}");
    assert_eq!(again.status.code(), Some(1), "{line}");
    let repeated = String::from_utf8(again.stdout).unwrap();
    assert_eq!(judged(&repeated), judged(&said));
}

#[test]
fn the_run_ends_after_as_many_failures_as_it_may_have() {
    let (_server, addr) = redis();
    let folder = fixtures(&CASE.replace("+PONG", "+PING"), &stub(""));
    let group = folder.path().join("conformance/group");
    fs::write(group.join("zebra.case"), CASE).unwrap();
    let path = folder.path().to_str().unwrap();
    let run = ["run", "--proxy", &addr, "--fixtures", path];
    let output = shardproof(&[&run[..], &["--max-failures", "1", "--verbose"]].concat());
    let said = String::from_utf8_lossy(&output.stdout);
    check(&output, 1, &["FAIL", "group/some-case", "wrong"]);
    assert!(said.contains("skip    zebra  (not judged"), "{said}");
    assert!(
        said.contains("0 pass") && said.contains("FAILED: 1 must"),
        "{said}"
    );
}

/// A proxy that answers as long as it is asked for nothing but what a run begins with, and is silent from the first
/// case on.
#[test]
fn a_proxy_that_stops_answering_ends_the_run() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap().to_string();
    let hung = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (Ok(mut stream), hung) = (stream, hung.clone()) else {
                return;
            };
            std::thread::spawn(move || {
                let mut bytes = vec![0; 65536];
                while let Ok(1..) = stream.read(&mut bytes) {
                    let asked = String::from_utf8_lossy(&bytes).to_string();
                    if asked.contains("STRLEN") {
                        hung.store(true, std::sync::atomic::Ordering::SeqCst);
                    }
                    if hung.load(std::sync::atomic::Ordering::SeqCst) {
                        continue;
                    }
                    let _ = stream.write_all(b"+PONG\r\n");
                    bytes.fill(0);
                }
            });
        }
    });
    let case = CASE.replace("PING\nwant   +PONG", "STRLEN $k1\nwant   :0");
    let folder = fixtures(&case, &stub(""));
    let group = folder.path().join("conformance/group");
    fs::write(group.join("a.case"), CASE.replace("PING is", "It is")).unwrap();
    for name in ["t", "u", "v", "w"] {
        fs::write(group.join(format!("{name}.case")), &case).unwrap();
    }
    let path = folder.path().to_str().unwrap();
    let output = shardproof(&[
        "run",
        "--proxy",
        &addr,
        "--fixtures",
        path,
        "--op-timeout-ms",
        "20",
        "--verbose",
    ]);
    check(&output, 2, &["stopped answering in group/some-case"]);
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(said.contains("pass    a\n"), "{said}");
    assert!(said.contains("unknown w  (not judged"), "{said}");
    assert!(
        said.contains("1 pass") && said.contains("FAILED: 3 must"),
        "{said}"
    );
}

#[test]
fn a_target_that_ends_shows_the_end_of_its_log() {
    let output = run_stub(CASE, &stub("echo no such thing >&2; exit 3"));
    check(&output, 2, &["target stub", "exit status: 3"]);
    check(&output, 2, &["no such thing"]);
}

#[test]
fn a_target_that_never_serves_shows_the_end_of_its_log() {
    let output = run_stub(CASE, &stub("echo still thinking; exec sleep 60"));
    check(&output, 2, &["target stub", "not ready after 1 s"]);
    check(&output, 2, &["still thinking"]);
}

#[test]
fn a_port_in_use_is_named() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = taken.local_addr().unwrap();
    let port = addr.port().to_string();
    let output = shardproof(&["run", "--target", "twemproxy", "--link-port-base", &port]);
    check(&output, 2, &[&addr.to_string(), "in use"]);
}

#[test]
fn without_redis_server_it_says_what_to_install() {
    let folder = fixtures(CASE, &stub("exit 3"));
    let output = Command::new(env!("CARGO_BIN_EXE_shardproof"))
        .args(["run", "--target", "stub", "--link-port-base", "22201"])
        .arg("--fixtures")
        .arg(folder.path())
        .env("PATH", "/bin/none")
        .env("SHARDPROOF_STUB", "/bin/sh")
        .output()
        .unwrap();
    check(&output, 2, &["redis-server", "make setup"]);
}

#[test]
fn a_node_that_nobody_runs_is_named() {
    let addr = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let folder = fixtures(CASE, &stub("exit 3"));
    let fixtures = folder.path().to_str().unwrap();
    let node = addr.to_string();
    let nodes = ["--node", &node, "--node", &node, "--node", &node];
    let base = ["run", "--target", "stub", "--link-port-base", "22301"];
    let output = shardproof(&[&base[..], &nodes, &["--fixtures", fixtures]].concat());
    check(&output, 2, &[&node, "does not answer PING"]);
}

/// Whichever word comes first, the same nodes are asked, and nobody is at this port.
#[test]
fn a_plan_is_checked_by_check() {
    for words in [
        &["check", "--to", "maglev:127.0.0.1:1"][..],
        &["plan", "--check", "--to", "maglev:127.0.0.1:1"],
        &["plan", "--to", "maglev:127.0.0.1:1", "--check"],
    ] {
        check(
            &shardproof(words),
            2,
            &["127.0.0.1:1", "Connection refused"],
        );
    }
    check(
        &shardproof(&["plan", "--check"]),
        64,
        &["--to <DESCRIPTION>"],
    );
}

#[test]
fn the_list_is_json_that_starts_with_its_format() {
    let output = shardproof(&["list", "--json", "-"]);
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(
        text.starts_with("{\n  \"format\": \"shardproof.list/1\""),
        "{text}"
    );
    let list: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert!(list["cases"].as_array().unwrap().len() >= 40);
    assert_eq!(list["targets"].as_array().unwrap().len(), 3);
}

#[test]
fn nodes_die_with_a_run_that_is_killed() {
    let folder = fixtures(
        CASE,
        &stub("exec sleep 60").replace("ready_within_s = 1", "ready_within_s = 60"),
    );
    let mut run = Command::new(env!("CARGO_BIN_EXE_shardproof"))
        .args(["run", "--target", "stub", "--link-port-base", "22401"])
        .arg("--fixtures")
        .arg(folder.path())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let children = wait("three nodes and the target", || {
        let children = children(run.id());
        (children.len() == 4).then_some(children)
    });
    run.kill().unwrap();
    run.wait().unwrap();
    wait("the end of the children", || {
        children.iter().all(|pid| !alive(*pid)).then_some(())
    });
}

/// The event within ten seconds.
#[track_caller]
fn wait<T>(what: &str, mut event: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        if let Some(found) = event() {
            return found;
        }
        assert!(Instant::now() < deadline, "{what} did not come");
        std::thread::yield_now();
    }
}

fn children(parent: u32) -> Vec<u32> {
    let tasks = format!("/proc/{parent}/task");
    let Ok(tasks) = fs::read_dir(tasks) else {
        return Vec::new();
    };
    tasks
        .filter_map(|task| fs::read_to_string(task.ok()?.path().join("children")).ok())
        .flat_map(|pids| {
            pids.split_whitespace()
                .filter_map(|pid| pid.parse().ok())
                .collect::<Vec<u32>>()
        })
        .collect()
}

/// A zombie that nobody reaped is not alive.
fn alive(pid: u32) -> bool {
    let status = Path::new("/proc").join(pid.to_string()).join("status");
    fs::read_to_string(status).is_ok_and(|status| !status.contains("State:\tZ"))
}

/// Our own fault server stands in for a foreign one: it is reached by nothing but its API.
#[test]
fn faults_go_through_a_foreign_toxiproxy() {
    let folder = TempDir::new().unwrap();
    let log = folder.path().join("log");
    let mut server = Command::new(env!("CARGO_BIN_EXE_shardproof"))
        .args(["toxiproxy", "--listen", "127.0.0.1:0"])
        .stdout(fs::File::create(&log).unwrap())
        .stderr(fs::File::create(folder.path().join("err")).unwrap())
        .spawn()
        .unwrap();
    let addr = wait("the address of the fault server", || {
        let said =
            fs::read_to_string(&log).ok()? + &fs::read_to_string(folder.path().join("err")).ok()?;
        let at = said.find("127.0.0.1:")?;
        let addr: String = said[at..]
            .chars()
            .take_while(|letter| !letter.is_whitespace())
            .collect();
        (addr.len() > "127.0.0.1:".len() && said[at..].contains('\n')).then_some(addr)
    });
    let output = shardproof(&[
        "run",
        "--target",
        "twemproxy",
        "--link-port-base",
        "22601",
        "--toxiproxy",
        &addr,
        "--json",
        "-",
        "--filter",
        "node-down/*",
        "--filter",
        "multi-key/mget-keeps-key-order",
    ]);
    server.kill().unwrap();
    server.wait().unwrap();
    assert_eq!(
        output.status.code(),
        Some(0),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let summary = &report["targets"][0]["summary"];
    assert!(summary["kept"].as_u64().unwrap() >= 5, "{summary}");
    assert_eq!(summary["broken"], 0, "{summary}");
    let results = report["targets"][0]["results"].as_array().unwrap();
    let reasons: Vec<&str> = results
        .iter()
        .filter_map(|result| result["reason"].as_str())
        .collect();
    assert!(
        reasons
            .iter()
            .any(|reason| reason.contains("links of our own only")),
        "{reasons:?}"
    );
    assert!(
        reasons
            .iter()
            .any(|reason| reason.contains("no Toxiproxy has the toxic")),
        "{reasons:?}"
    );
}

/// A server that answers PING, and everything else with `reply`.
fn answering(reply: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            std::thread::spawn(move || {
                let mut bytes = [0; 65_536];
                while let Ok(count @ 1..) = stream.read(&mut bytes) {
                    let asked = &bytes[..count];
                    let reply = if asked.ends_with(b"PING\r\n") {
                        "+PONG\r\n"
                    } else {
                        reply
                    };
                    // No key has an asterisk, so each begins a request.
                    let requests = asked.iter().filter(|byte| **byte == b'*').count();
                    if stream.write_all(reply.repeat(requests).as_bytes()).is_err() {
                        return;
                    }
                }
            });
        }
    });
    addr
}

fn fingerprint(proxy: &str, nodes: &[&str], more: &[&str]) -> Output {
    let nodes = nodes.iter().flat_map(|node| ["--node", node]);
    let arguments: Vec<&str> = ["fingerprint", "--proxy", proxy]
        .into_iter()
        .chain(nodes)
        .chain(more.iter().copied())
        .collect();
    shardproof(&arguments)
}

#[test]
fn a_fingerprint_that_is_asked_for_wrongly_is_64() {
    let (a, b) = ("127.0.0.1:1", "127.0.0.1:2");
    for (nodes, more, parts) in [
        (&[a][..], &[][..], &["--node", "at least two"][..]),
        (&[a, b, a], &[], &["--node 127.0.0.1:1", "twice"]),
        (&[a, "127.0.0.1:2="], &[], &["--node", "sides of ="]),
        (&[a, "nowhere"], &[], &["--node", "HOST:PORT"]),
        (
            &[a, b],
            &["--node-name", "x"],
            &["--node-name", "1 times", "2 are expected"],
        ),
        (
            &[a, b],
            &["--node-name", "x", "--node-name", "x"],
            &["--node-name x", "twice"],
        ),
        (&[a, b], &["--node-name", ""], &["--node-name"]),
        (&[a, "127.0.0.1:2*0"], &[], &["--node", "after *"]),
        (&[a, "127.0.0.1:2*2"], &[], &["--node", "all or none"]),
        (&[a, b], &["--tag", "{"], &["--tag", "two characters"]),
        (&[a, b], &["--tag", "ab"], &["--tag", "neither letters"]),
        (
            &[a, b],
            &["--table-size", "65536"],
            &["--table-size", "prime"],
        ),
        (&[a, b], &["--ring-size", "0"], &["--ring-size"]),
        (&[a, b], &["--count", "5"], &["--count"]),
    ] {
        check(&fingerprint("127.0.0.1:3", nodes, more), 64, parts);
    }
    check(&shardproof(&["fingerprint", "--node", a]), 64, &["--proxy"]);
}

#[test]
fn a_fingerprint_that_cannot_be_taken_says_whose_fault_it_is() {
    let closed = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .to_string();
    let (empty, full) = (answering(":0\r\n"), answering(":1\r\n"));
    let (other, proxy) = (answering(":0\r\n"), answering("+OK\r\n"));
    let refusing = answering("-READONLY you cannot\r\n");
    let odd = answering("$3\r\nodd\r\n");
    for (proxy, nodes, parts) in [
        (
            &proxy,
            [&empty, &closed],
            &["node", &closed, "no connection"][..],
        ),
        (
            &closed,
            [&empty, &other],
            &["proxy", &closed, "no connection"],
        ),
        (
            &refusing,
            [&empty, &other],
            &[&refusing, "refuses", "SET", "READONLY"],
        ),
        (&proxy, [&empty, &odd], &["node", &odd, "EXISTS", "odd"]),
        (
            &proxy,
            [&empty, &other],
            &["64 of 64 keys", "on none", "--node"],
        ),
        (
            &proxy,
            [&full, &answering(":1\r\n")],
            &["64 of 64 keys", "several", "replica"],
        ),
    ] {
        let output = fingerprint(proxy, &nodes.map(String::as_str), &[]);
        check(&output, 2, parts);
    }
}

#[test]
fn what_is_wrong_about_random_requests_is_one_line() {
    let differential = |more: &[&str]| {
        let words = [&["differential", "--target", "refproxy"], more].concat();
        shardproof(&words)
    };
    let none = ["matches none of", "commands"];
    check(
        &differential(&["--filter", "NOSUCH"]),
        64,
        &[&["--filter NOSUCH"], &none[..]].concat(),
    );
    check(
        &differential(&["--skip", "NOSUCH"]),
        64,
        &[&["--skip NOSUCH"], &none[..]].concat(),
    );
    check(
        &differential(&["--count", "0"]),
        64,
        &["--count", "at least 1"],
    );
    check(
        &differential(&["--count", "1", "--long"]),
        64,
        &["--long", "cannot be used with"],
    );
    check(
        &differential(&["--node", "127.0.0.1:1"]),
        64,
        &["unexpected argument", "--node"],
    );
    check(
        &shardproof(&["differential", "--target", "nosuch"]),
        64,
        &["--target nosuch", "expected one of"],
    );
    // Nothing that has keys is left to draw from.
    check(
        &differential(&["--filter", "PING"]),
        2,
        &["no command that could be drawn"],
    );
}

#[test]
fn random_requests_are_reported_for_machines() {
    let words = [
        "differential",
        "--target",
        "refproxy",
        "--filter",
        "*SET",
        "--filter",
        "GET",
        "--count",
        "600",
        "--seed",
        "5",
        "--json",
        "-",
    ];
    let output = shardproof(&words);
    check(&output, 0, &["seed 5"]);
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["format"], "shardproof.differential/1");
    assert_eq!(report["seed"], "5");
    let target = &report["targets"][0];
    assert_eq!(
        (&target["target"], &target["requests"]),
        (&"refproxy".into(), &600.into())
    );
    assert!(
        target["difference"].is_null() && target["answered"].as_u64() > Some(300),
        "{target}"
    );
}

#[test]
fn a_matrix_of_nothing_is_no_success() {
    let output = shardproof(&["matrix", "--target", "refproxy", "--filter", "MSETEX"]);
    check(&output, 2, &["nothing judged", "does not know MSETEX"]);
}

const PLAN: &[&str] = &[
    "plan",
    "--from",
    "maglev:a:1,b:1",
    "--add-node",
    "c:1",
    "--count",
    "2000",
];

/// Runs with stdout on a full disk.
fn on_full_disk(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_shardproof"))
        .args(arguments)
        .stdout(fs::File::create("/dev/full").unwrap())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
        .wait_with_output()
        .unwrap()
}

#[test]
fn a_report_that_cannot_be_written_is_2() {
    let to = |flag: &'static str, file: &'static str| [PLAN, &[flag, file]].concat();
    for arguments in [
        &["list"][..],
        &["list", "--json", "-"],
        &["--help"],
        &["--version"],
        &["locate", "--cluster", "maglev:a:1,b:1", "key"],
        &[
            "locate",
            "--cluster",
            "maglev:a:1,b:1",
            "--json",
            "-",
            "key",
        ],
        PLAN,
        &to("--json", "-"),
        &to("--html", "-"),
        &to("--moved", "-"),
    ] {
        let output = on_full_disk(arguments);
        check(&output, 2, &["stdout cannot be written", "No space left"]);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(stderr.matches("shardproof: ").count(), 1, "{stderr}");
    }
    for arguments in [
        &["list", "--json", "/dev/full"][..],
        &[
            "locate",
            "--cluster",
            "maglev:a:1,b:1",
            "--json",
            "/dev/full",
            "key",
        ],
        &to("--json", "/dev/full"),
        &to("--html", "/dev/full"),
        &to("--moved", "/dev/full"),
    ] {
        check(
            &shardproof(arguments),
            2,
            &["cannot be written", "No space left"],
        );
    }
}

#[test]
fn a_reader_that_has_gone_away_is_no_error() {
    let mut run = Command::new(env!("CARGO_BIN_EXE_shardproof"))
        .args(["list", "--json", "-"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(run.stdout.take());
    let output = run.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(output.stderr, b"");
}

/// Neither stream has a byte that a terminal obeys.
#[track_caller]
fn check_printable(output: &Output) {
    for bytes in [&output.stdout, &output.stderr] {
        let text = String::from_utf8_lossy(bytes);
        let obeyed = |char: char| char.is_control() && !matches!(char, '\n' | '\t');
        assert!(!text.contains(obeyed), "{}", text.escape_debug());
    }
}

#[test]
fn control_characters_from_files_are_escaped() {
    const TITLE: &str = "\x1b]0;owned\x07";
    for (case, target) in [
        // A key, a name and a log line of a target; a word and the promise of a case.
        (
            CASE.to_owned(),
            format!("\"{TITLE}\" = 1\n{}", stub("exit 3")),
        ),
        (
            CASE.to_owned(),
            stub("exit 3").replace("\"stub\"", "\"stub\\u001b]0;owned\\u0007\""),
        ),
        (
            CASE.to_owned(),
            stub("printf '\\\\033]0;owned\\\\007\\\\n'; exit 3"),
        ),
        (CASE.replace("want ", TITLE), stub("exit 3")),
        (CASE.replace("PING is", TITLE), stub("exit 3")),
    ] {
        let output = run_stub(&case, &target);
        assert_ne!(output.status.code(), Some(0));
        check_printable(&output);
        let all = [output.stdout, output.stderr].concat();
        assert!(!all.is_empty());
    }
    check_printable(&shardproof(&["list", "--filter", TITLE]));
    check_printable(&shardproof(&["plan", "--from", TITLE, "--add-node", "c:1"]));
    check_printable(&shardproof(&[TITLE]));
    let keys = [
        "locate",
        "--cluster",
        "maglev:a\u{9b}:1,b:1",
        "--json",
        "-",
        "\u{9b}2J",
    ];
    check_printable(&shardproof(&keys));
}
