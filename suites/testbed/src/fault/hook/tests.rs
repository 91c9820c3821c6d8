//! Hooks that do their work, refuse, fail, hang and are cut off: the calls, and the messages about them.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::*;
use crate::command::undone_within;
use crate::wait;

/// Far more than a script needs.
const WITHIN: Duration = Duration::from_secs(60);
/// For a script that hangs.
const SHORT: Duration = Duration::from_millis(300);

/// A script that records its arguments, then does `body`.
struct Script {
    folder: TempDir,
}

impl Script {
    fn new(body: &str) -> Self {
        let folder = TempDir::new().unwrap();
        let log = folder.path().join("log");
        let text = format!("echo \"$*\" >> {}\n{body}\n", log.display());
        fs::write(folder.path().join("hook"), text).unwrap();
        Self { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn hook(&self, within: Duration) -> Hook {
        let script = self.path("hook");
        let command = format!(
            "sh {} {{action}} {{fault}} {{on}} {{node}}",
            script.display()
        );
        Hook::new(command.parse().unwrap(), within)
    }

    fn calls(&self) -> Vec<String> {
        let log = fs::read_to_string(self.path("log")).unwrap_or_default();
        log.lines().map(str::to_owned).collect()
    }
}

fn node() -> SocketAddr {
    "127.0.0.1:7002".parse().unwrap()
}

fn fault(text: &str) -> Fault {
    text.parse().unwrap()
}

const APPLIED: &str = "apply pause B 127.0.0.1:7002";
const HEALED: &str = "heal pause B 127.0.0.1:7002";

/// Applies and heals a pause: what each said, and the calls.
async fn check(body: &str, within: Duration, expected: [Option<&str>; 2], calls: &[&str]) {
    let script = Script::new(body);
    let hook = script.hook(within);
    let run = hook.begin();
    let pause = fault("pause");
    let applied = run.apply(&pause, "B", node()).await;
    let healed = run.heal(&pause, "B", node()).await;
    let said = [applied, healed].map(|it| it.err().map(|why| why.to_string()));
    assert_eq!(said, expected.map(|it| it.map(str::to_owned)));
    assert_eq!(hook.unhealed().is_some(), said[1].is_some());
    drop(run);
    assert_eq!(script.calls(), calls);
}

#[tokio::test]
async fn an_apply_has_its_heal() {
    check("", WITHIN, [None, None], &[APPLIED, HEALED]).await;
}

#[tokio::test]
async fn exit_3_is_unable_and_needs_no_heal() {
    let unable = "the fault hook cannot do pause on B: no such experiment";
    let body = "echo 'no such experiment' >&2; exit 3";
    check(body, WITHIN, [Some(unable), None], &[APPLIED]).await;
}

#[tokio::test]
async fn an_apply_that_fails_is_healed_and_told_in_one_line() {
    let failed = "the fault hook failed to apply pause on B: exit status: 7: no permission";
    let body =
        "[ $1 = heal ] && exit; echo trace >&2; echo '  no permission ' >&2; echo >&2; exit 7";
    check(body, WITHIN, [Some(failed), None], &[APPLIED, HEALED]).await;
}

#[tokio::test]
async fn a_heal_that_fails_is_remembered() {
    let failed =
        "the fault hook failed to heal pause on B, which may still be in force: exit status: 3";
    let body = "[ $1 = apply ] || exit 3";
    check(body, WITHIN, [None, Some(failed)], &[APPLIED, HEALED]).await;
}

#[tokio::test]
async fn an_apply_that_hangs_is_killed_and_healed() {
    let script = Script::new("");
    let (hook, pid) = (script.path("hook"), script.path("pid"));
    let hangs = format!(
        "echo \"$*\" >> {}\n[ $1 = heal ] && exit\nsleep 300 &\necho $! > {}\nwait\n",
        script.path("log").display(),
        pid.display()
    );
    fs::write(hook, hangs).unwrap();
    let hook = script.hook(SHORT);
    let run = hook.begin();
    let applied = run.apply(&fault("pause"), "B", node()).await;
    let late = "the fault hook failed to apply pause on B: it did not end within 300 ms";
    assert_eq!(applied.unwrap_err().to_string(), late);
    drop(run);
    assert_eq!(script.calls(), [APPLIED, HEALED]);
    let gone = async || wait::found(!runs(&pid), || "it runs".to_owned());
    wait::eventually("the end of what the hook started", WITHIN, gone)
        .await
        .unwrap();
}

/// Whether the process of this file runs.
fn runs(pid: &Path) -> bool {
    let Ok(pid) = fs::read_to_string(pid) else {
        return false;
    };
    let status = fs::read_to_string(format!("/proc/{}/status", pid.trim()));
    status.is_ok_and(|status| !status.contains("State:\tZ"))
}

#[tokio::test]
async fn a_command_that_is_missing_is_told() {
    let hook = Hook::new("/missing/hook {kind} {on}".parse().unwrap(), WITHIN);
    let run = hook.begin();
    let applied = run.apply(&fault("pause"), "B", node()).await;
    let said = applied.unwrap_err().to_string();
    assert!(said.contains("cannot start `/missing/hook`"), "{said}");
}

#[tokio::test]
async fn what_is_in_force_is_healed_in_order_when_a_run_is_cut_off() {
    let script = Script::new("");
    let run = script.hook(WITHIN).begin();
    run.apply(&fault("pause"), "B", node()).await.unwrap();
    let slow = fault("latency 60ms jitter 30ms");
    run.apply(&slow, "A", node()).await.unwrap();
    drop(run);
    let slow = "latency 60ms jitter 30ms A 127.0.0.1:7002";
    let expected = [
        APPLIED.to_owned(),
        format!("apply {slow}"),
        HEALED.to_owned(),
        format!("heal {slow}"),
    ];
    assert_eq!(script.calls(), expected);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_apply_that_is_cut_off_is_ended_before_it_is_healed() {
    let script = Script::new("[ $1 = heal ] && exit; sleep 300");
    let run = script.hook(WITHIN * 10).begin();
    let called = async || wait::found(!script.calls().is_empty(), || "no call".to_owned());
    let pause = fault("pause");
    tokio::select! {
        _ = run.apply(&pause, "B", node()) => panic!("it has ended"),
        called = wait::eventually("a call", WITHIN, called) => called.unwrap(),
    }
    assert!(undone_within() >= WITHIN * 10);
    drop(run);
    assert_eq!(script.calls(), [APPLIED, HEALED]);
}
