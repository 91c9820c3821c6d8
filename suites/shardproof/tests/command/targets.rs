//! `run` on a target that does not start: whose fault it is, and no process is left.

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Stdio};

use testbed::port::Refusing;

use crate::program::{CASE, check, eventually, fixtures, run_stub, shardproof, stub};

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
fn a_target_may_be_a_file_anywhere() {
    let folder = fixtures(CASE, &stub("echo $0 started >&2; exit 3"));
    let path = folder.path().join("targets/stub.toml");
    let run = |path: &str| shardproof(&["run", "--target", path, "--link-port-base", "22101"]);
    let output = run(path.to_str().unwrap());
    check(&output, 2, &["target stub ended with exit status: 3"]);
    let again = path.to_str().unwrap();
    let twice = shardproof(&["run", "--target", again, "--target", again]);
    check(
        &twice,
        64,
        &["--target: two targets have the name stub", "stub.toml"],
    );
    // A program with a path is found from the folder of the file.
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replace("name = \"sh\"", "name = \"../own-sh\"")).unwrap();
    check(
        &run(path.to_str().unwrap()),
        2,
        &["targets/../own-sh", "no program"],
    );
    std::os::unix::fs::symlink("/bin/sh", folder.path().join("own-sh")).unwrap();
    check(&run(path.to_str().unwrap()), 2, &["own-sh started"]);
    let missing = folder.path().join("none.toml");
    check(
        &run(missing.to_str().unwrap()),
        64,
        &["--target", "none.toml", "No such file"],
    );
    check(
        &run("none.toml"),
        64,
        &["--target none.toml", "No such file"],
    );
}

#[test]
fn own_fixtures_are_added_to_the_built_in_ones() {
    let own = fixtures(CASE, &stub("exit 3"));
    let path = own.path().to_str().unwrap();
    let list = || {
        let output = shardproof(&["list", "--fixtures", path]);
        let stderr = String::from_utf8(output.stderr.clone()).unwrap();
        assert_eq!(output.status.code(), Some(0), "{stderr}");
        (String::from_utf8(output.stdout).unwrap(), stderr)
    };
    let (listed, said) = list();
    for line in ["  stub ", "  envoy ", "some-case", "mget-keeps-key-order"] {
        assert!(listed.contains(line), "{line} is not in:\n{listed}");
    }
    assert_eq!(said, "");
    // A file of a built-in name replaces that file, which is reported.
    let envoy = stub("exit 3").replace("\"stub\"", "\"envoy\"\ntitle = \"Own\"");
    fs::write(own.path().join("targets/envoy.toml"), envoy).unwrap();
    let order = own.path().join("conformance/multi-key");
    fs::create_dir_all(&order).unwrap();
    fs::write(order.join("mget-keeps-key-order.case"), CASE).unwrap();
    let (listed, said) = list();
    let replaced =
        |file: &str| said.contains(&format!("{path}/{file} replaces the built-in file\n"));
    assert!(replaced("targets/envoy.toml"), "{said}");
    assert!(
        replaced("conformance/multi-key/mget-keeps-key-order.case"),
        "{said}"
    );
    assert_eq!(said.lines().count(), 2, "{said}");
    assert!(listed.contains("envoy        Own"), "{listed}");
}

#[test]
fn a_folder_without_fixtures_is_a_usage_error() {
    let folder = tempfile::TempDir::new().unwrap();
    let path = folder.path().to_str().unwrap();
    let expected = [
        "--fixtures",
        path,
        "expected a folder with one of conformance",
    ];
    check(&shardproof(&["list", "--fixtures", path]), 64, &expected);
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
fn without_redis_server_the_error_has_advice() {
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
fn a_missing_node_is_named() {
    let refusing = Refusing::bind().unwrap();
    let folder = fixtures(CASE, &stub("exit 3"));
    let fixtures = folder.path().to_str().unwrap();
    let node = refusing.addr().unwrap().to_string();
    let nodes = ["--node", &node, "--node", &node, "--node", &node];
    let base = ["run", "--target", "stub", "--link-port-base", "22301"];
    let output = shardproof(&[&base[..], &nodes, &["--fixtures", fixtures]].concat());
    check(&output, 2, &[&node, "does not answer PING"]);
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
    let children = eventually("four nodes and the target", || {
        let children = children(run.id());
        (children.len() == 5).then_some(children)
    });
    run.kill().unwrap();
    run.wait().unwrap();
    eventually("the end of the children", || {
        children.iter().all(|pid| !alive(*pid)).then_some(())
    });
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

/// A zombie is not alive.
fn alive(pid: u32) -> bool {
    let status = Path::new("/proc").join(pid.to_string()).join("status");
    fs::read_to_string(status).is_ok_and(|status| !status.contains("State:\tZ"))
}
