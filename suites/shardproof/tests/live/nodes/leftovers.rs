//! Containers of a killed process: none remain, sooner or later.

use std::fs;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;
use testbed::wait;

use crate::stub::stub;

/// How long containers may take to come or to go.
const WITHIN: Duration = Duration::from_secs(60);
const LINK_PORT_BASE: u16 = 22311;

pub(crate) fn a_killed_process_leaves_none() {
    let mut run = start(|_| ());
    kill(&mut run);
    gone(&run);
}

pub(crate) fn leftovers_are_swept() {
    let empty = TempDir::new().unwrap();
    // Without the program that the child would remove them with, it cannot.
    let mut run = start(|command| {
        command.env("PATH", empty.path());
    });
    kill(&mut run);
    assert!(containers(&run) > 0, "nothing is left to be swept");
    let mut next = start(|_| ());
    assert_eq!(containers(&run), 0);
    kill(&mut next);
    gone(&next);
}

/// A run of the command line that has its containers.
fn start(change: impl FnOnce(&mut Command)) -> Child {
    let fixtures = TempDir::new().unwrap();
    let targets = fixtures.path().join("targets");
    fs::create_dir(&targets).unwrap();
    // It never serves: the nodes stay up until its deadline.
    fs::write(targets.join("stub.toml"), stub("sleep 100", 100)).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_shardproof"));
    command
        .args(["rescale", "--target", "stub", "--from", "1", "--to", "2"])
        .args(["--nodes", "docker", "--link-port-base"])
        .arg(LINK_PORT_BASE.to_string())
        .arg("--fixtures")
        .arg(fixtures.path())
        .env("SHARDPROOF_STUB", "/bin/sh")
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    change(&mut command);
    let mut run = command.spawn().unwrap();
    let probe = || {
        assert_eq!(run.try_wait().unwrap(), None, "it ended without them");
        let count = containers(&run);
        wait::found(count == 2, || format!("{count} of them"))
    };
    wait::eventually_blocking("two containers", WITHIN, probe).unwrap();
    run
}

fn kill(run: &mut Child) {
    run.kill().unwrap();
    run.wait().unwrap();
}

fn gone(run: &Child) {
    let probe = || {
        let count = containers(run);
        wait::found(count == 0, || format!("{count} are left"))
    };
    wait::eventually_blocking("the end of containers", WITHIN, probe).unwrap();
}

/// How many containers a process started, running or not.
fn containers(run: &Child) -> usize {
    let listed = Command::new("docker")
        .args(["ps", "--all", "--no-trunc", "--format"])
        .arg("{{.Label \"org.shardproof.owner\"}}")
        .output()
        .unwrap();
    let pid = run.id().to_string();
    String::from_utf8_lossy(&listed.stdout)
        .lines()
        .filter(|owner| owner.split('/').nth(2) == Some(&pid))
        .count()
}
