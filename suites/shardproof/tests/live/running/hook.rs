//! `--fault-hook`: what it is called for, and what a run makes of its answers.

use std::fs;
use std::path::Path;

use rustix::process::{Pid, Signal, kill_process};
use testbed::node::Node;

use super::site::{Site, ended, long};

/// A hook that records its calls, and stops and continues the process of a node. `first` is done before.
fn hook(site: &Site, first: &str) -> String {
    let folder = site.folder.path();
    let script = folder.join("hook.sh");
    let text = format!(
        r#"echo "$1 $3 $4 $5" >> {folder}/log
{first}
case "$1 $2" in
    "apply pause") kill -STOP $(cat {folder}/${{5##*:}}.pid) ;;
    "heal pause") kill -CONT $(cat {folder}/${{5##*:}}.pid) ;;
    *) echo "this cluster has no $2" >&2; exit 3 ;;
esac
"#,
        folder = folder.display()
    );
    fs::write(&script, text).unwrap();
    format!(
        "sh {} {{action}} {{kind}} {{fault}} {{on}} {{node}}",
        script.display()
    )
}

fn calls(folder: &Path) -> Vec<String> {
    let log = fs::read_to_string(folder.join("log")).unwrap_or_default();
    log.lines().map(str::to_owned).collect()
}

/// The calls for a pause of the second node.
#[track_caller]
fn check_paused_and_healed(site: &Site) {
    let node = site.nodes[1].addr();
    let expected = ["apply", "heal"].map(|action| format!("{action} pause B {node}"));
    assert_eq!(calls(site.folder.path()), expected);
}

pub(super) fn a_paused_node_is_judged(site: &Site) {
    let hook = hook(site, "");
    let judged = site.judged(&["node-paused", "--allow-disturbing", "--fault-hook", &hook]);
    judged.check_judged("node-paused");
    judged.check_nothing_left();
    check_paused_and_healed(site);
    site.check_untouched();
}

pub(super) fn what_the_hook_cannot_do_is_skipped(site: &Site) {
    let hook = hook(site, "");
    let words = [
        "node-refuses-writes",
        "node-restarted-empty",
        "clients-disconnect",
        "--allow-disturbing",
        "--fault-hook",
        &hook,
    ];
    let judged = site.judged(&words);
    let line = "the fault hook cannot do full on A: this cluster has no full";
    judged.check("node-refuses-writes", "skipped", line);
    judged.check(
        "node-restarted-empty",
        "skipped",
        "needs --allow-destructive",
    );
    judged.check(
        "clients-disconnect",
        "skipped",
        "disturbs the proxy by clients",
    );
    let expected = format!("apply full A {}", site.nodes[0].addr());
    assert_eq!(calls(site.folder.path()), [expected]);
    site.check_untouched();
}

pub(super) fn a_hook_that_fails_leaves_its_scenario_unknown(site: &Site) {
    let hook = hook(
        site,
        "[ $1 = heal ] || { echo 'no right to do that' >&2; exit 1; }",
    );
    let judged = site.judged(&["node-paused", "--allow-disturbing", "--fault-hook", &hook]);
    let line = "the fault hook failed to apply pause on B: exit status: 1: no right to do that";
    judged.check("node-paused", "unknown", line);
    assert_eq!(judged.code, Some(2));
    judged.check_nothing_left();
    check_paused_and_healed(site);
    site.check_untouched();
}

pub(super) fn a_hook_that_hangs_is_killed_and_healed(site: &Site) {
    let hook = hook(site, "[ $1 = heal ] || sleep 300");
    let words = [
        "node-paused",
        "--allow-disturbing",
        "--fault-hook",
        &hook,
        "--fault-hook-timeout-ms",
        "700",
    ];
    let judged = site.judged(&words);
    let line = "the fault hook failed to apply pause on B: it did not end within 700 ms";
    judged.check("node-paused", "unknown", line);
    assert_eq!(judged.code, Some(2));
    check_paused_and_healed(site);
    site.check_untouched();
}

pub(super) fn a_fault_that_is_not_healed_ends_the_judging(site: &Site) {
    // It is gone all the same, so that the site can be looked at.
    let failing =
        "[ $1 = apply ] || { kill -CONT $(cat {folder}/*.pid); echo 'lost' >&2; exit 5; }";
    let failing = failing.replace("{folder}", &site.folder.path().display().to_string());
    let hook = hook(site, &failing);
    let words = [
        "node-paused",
        "split-over-a-paused-node",
        "--allow-disturbing",
        "--fault-hook",
        &hook,
    ];
    let judged = site.judged(&words);
    let line = "failed to heal pause on B, which may still be in force: exit status: 5: lost";
    judged.check("node-paused", "unknown", line);
    judged.check("split-over-a-paused-node", "unknown", line);
    assert_eq!(judged.code, Some(2));
    check_paused_and_healed(site);
    site.check_untouched();
}

pub(super) fn an_interrupted_run_heals(site: &Site) {
    let (hook, fixtures) = (hook(site, ""), long("pause"));
    let words = [
        "long",
        "--fixtures",
        fixtures.path().to_str().unwrap(),
        "--allow-disturbing",
        "--fault-hook",
        &hook,
    ];
    let run = site.chaos(&words).spawn().unwrap();
    site.eventually("a call of the hook", || {
        !calls(site.folder.path()).is_empty()
    });
    kill_process(Pid::from_child(&run), Signal::INT).unwrap();
    let output = ended(run);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(130), "{said}");
    let last = said.lines().last().unwrap_or_default();
    assert_eq!(last, "left behind: 0 keys", "{said}");
    check_paused_and_healed(site);
    site.check_untouched();
}

pub(super) fn nothing_is_called_without_permission(site: &Site) {
    let hook = hook(site, "");
    let judged = site.judged(&["node-paused", "--fault-hook", &hook]);
    judged.check("node-paused", "skipped", "needs --allow-disturbing");
    assert_eq!(calls(site.folder.path()), Vec::<String>::new());
}
