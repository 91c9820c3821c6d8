//! Leftovers on foreign servers and machines: none, however the suite ends.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on is to panic")]

use std::collections::BTreeSet;
use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use libtest_mimic::Trial;
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use testbed::port::{self, Port};
use testbed::wait::{self, Probed};
use tokio::runtime::Runtime;

use crate::stub::stub;

/// A trial of each function.
macro_rules! promises {
    ($($promise:ident),* $(,)?) => {
        vec![$(Trial::test(concat!("leftovers::", stringify!($promise)), || {
            $promise();
            Ok(())
        })),*]
    };
}

pub(crate) fn trials() -> Vec<Trial> {
    promises![
        a_run_on_foreign_servers_leaves_only_foreign_keys,
        a_matrix_on_foreign_servers_leaves_only_foreign_keys,
        random_requests_on_foreign_servers_leave_only_foreign_keys,
        random_requests_that_are_ended_leave_only_foreign_keys,
        a_matrix_that_is_ended_leaves_nothing_that_lasts,
        when_no_keys_are_found_the_ones_tried_are_removed,
        signals_end_a_run_after_it_has_cleaned_up,
        every_key_of_a_killed_run_expires,
        folders_and_grandchildren_are_gone_after_a_signal,
        folders_and_grandchildren_of_a_killed_run_are_swept_by_the_next,
    ]
}

/// A server that the test starts by hand: foreign to the suite.
struct Redis {
    child: Child,
    addr: String,
}

impl Drop for Redis {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Redis {
    fn start() -> Self {
        let start = async || Self::start_at(Port::free().map_err(|why| why.to_string())?.number());
        let started = port::retry_if_taken(|why: &String| why.contains("it ended"), start);
        let server = Runtime::new().unwrap().block_on(started).unwrap();
        server.ask("SET foreign stays");
        server.ask("SELECT 3\r\nSET foreign-3 stays");
        server
    }

    fn start_at(port: u16) -> Result<Self, String> {
        let addr = format!("127.0.0.1:{port}");
        let child = Command::new("redis-server")
            .args(["--bind", "127.0.0.1", "--port", &port.to_string()])
            .args(["--save", "", "--appendonly", "no"])
            .stdout(Stdio::null())
            .spawn()
            .map_err(|why| why.to_string())?;
        let mut server = Self { child, addr };
        wait::eventually_blocking("redis-server", Duration::from_secs(60), || {
            match (server.child.try_wait(), TcpStream::connect(&server.addr)) {
                (Ok(Some(status)), _) => Probed::Break(Err(format!("it ended with {status}"))),
                (_, Ok(_)) => Probed::Break(Ok(())),
                (_, Err(why)) => Probed::Continue(why.to_string()),
            }
        })
        .map_err(|late| late.to_string())??;
        Ok(server)
    }

    /// The replies to inline requests, as text.
    fn ask(&self, requests: &str) -> String {
        let mut stream = TcpStream::connect(&self.addr).unwrap();
        write!(stream, "{requests}\r\nQUIT\r\n").unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        text
    }

    /// All keys of databases 0 and 3.
    fn keys(&self) -> BTreeSet<String> {
        let text = self.ask("KEYS *") + &self.ask("SELECT 3\r\nKEYS *");
        let words = text
            .lines()
            .filter(|line| !line.starts_with(['$', '*', '+']));
        words.map(str::to_owned).collect()
    }

    /// The keys of the suite that never expire.
    fn lasting(&self) -> Vec<String> {
        let ours = self
            .keys()
            .into_iter()
            .filter(|key| !key.starts_with("foreign"));
        ours.filter(|key| self.ask(&format!("TTL {key}")).starts_with(":-1"))
            .collect()
    }

    #[track_caller]
    fn check_only_foreign(&self) {
        let expected = ["foreign", "foreign-3"].map(str::to_owned);
        assert_eq!(self.keys(), BTreeSet::from(expected));
    }
}

/// The event within a generous deadline.
#[track_caller]
fn eventually(what: &str, mut event: impl FnMut() -> bool) {
    let probe = || wait::found(event(), || "it did not".to_owned());
    let seen = wait::eventually_blocking(what, Duration::from_secs(60), probe);
    seen.unwrap_or_else(|late| panic!("{late}"));
}

fn shardproof(arguments: &[&str], temporary: &Path) -> Command {
    // A signal that the test runner ignores, as background jobs of a shell do, is not ignored by the run under test.
    let mut command = Command::new("env");
    command
        .arg("--default-signal=INT,TERM,HUP")
        .arg(env!("CARGO_BIN_EXE_shardproof"))
        .args(arguments)
        .env("TMPDIR", temporary)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    command
}

#[track_caller]
fn check_last_line(output: &Output, expected: &str) {
    let stderr = String::from_utf8_lossy(&output.stderr);
    let last = stderr.lines().last().unwrap_or_default();
    assert!(last.contains(expected), "{stderr}");
}

/// Fixtures with one case.
fn case(text: &str) -> TempDir {
    let folder = TempDir::new().unwrap();
    let cases = folder.path().join("conformance/group");
    fs::create_dir_all(&cases).unwrap();
    fs::create_dir_all(folder.path().join("targets")).unwrap();
    fs::write(cases.join("some-case.case"), text).unwrap();
    folder
}

/// Writes with commands that cannot set a time to live, and then waits for a reply that does not come.
const BLOCKED: &str = "case 1
# A list that stays empty keeps its client waiting.
spec   https://redis.io/docs/latest/commands/blpop/
level  must
deadline 300s
send   RPUSH $k1 one
want   :1
raw    \"HSET {$k2}:raw f v\\r\\n\"
want   :1
send   BLPOP $k3 0
want   nil-array
";

fn a_run_on_foreign_servers_leaves_only_foreign_keys() {
    let (redis, temporary) = (Redis::start(), TempDir::new().unwrap());
    for nodes in [&["--node", &redis.addr][..], &[]] {
        let run = [
            "run",
            "--proxy",
            &redis.addr,
            "--filter",
            "passing-through/*",
        ];
        let output = shardproof(&[&run[..], nodes].concat(), temporary.path()).output();
        check_last_line(&output.unwrap(), "left behind: 0 keys");
        redis.check_only_foreign();
    }
}

fn a_matrix_on_foreign_servers_leaves_only_foreign_keys() {
    let (redis, temporary) = (Redis::start(), TempDir::new().unwrap());
    for nodes in [&["--node", &redis.addr][..], &[]] {
        let matrix = ["matrix", "--proxy", &redis.addr];
        let output = shardproof(&[&matrix[..], nodes].concat(), temporary.path()).output();
        check_last_line(&output.unwrap(), "left behind: 0 keys");
        redis.check_only_foreign();
    }
}

fn random_requests_on_foreign_servers_leave_only_foreign_keys() {
    let (redis, temporary) = (Redis::start(), TempDir::new().unwrap());
    for nodes in [&["--node", &redis.addr][..], &[]] {
        let differential = ["differential", "--proxy", &redis.addr, "--count", "2000"];
        let output = shardproof(&[&differential[..], nodes].concat(), temporary.path()).output();
        let output = output.unwrap();
        check_last_line(&output, "left behind: 0 keys");
        assert_eq!(output.status.code(), Some(0));
        redis.check_only_foreign();
    }
}

fn random_requests_that_are_ended_leave_only_foreign_keys() {
    let (redis, temporary) = (Redis::start(), TempDir::new().unwrap());
    for nodes in [&["--node", &redis.addr][..], &[]] {
        let differential = ["differential", "--proxy", &redis.addr, "--long"];
        let child = shardproof(&[&differential[..], nodes].concat(), temporary.path())
            .spawn()
            .unwrap();
        eventually("keys of random requests", || redis.keys().len() > 12);
        kill_process(Pid::from_child(&child), Signal::INT).unwrap();
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(130));
        check_last_line(&output, "left behind: 0 keys");
        redis.check_only_foreign();
    }
}

/// A sheet with one command, which the plain Redis does not answer: its data are already on the proxy of others.
const BLOCKED_SHEET: &str = "BLPOP\n  given RPUSH $k2 one\n  call BLPOP $k1 0\n";

fn a_matrix_that_is_ended_leaves_nothing_that_lasts() {
    let (redis, temporary, fixtures) = (
        Redis::start(),
        TempDir::new().unwrap(),
        TempDir::new().unwrap(),
    );
    let sheets = fixtures.path().join("matrix");
    fs::create_dir_all(&sheets).unwrap();
    fs::write(sheets.join("lists.txt"), BLOCKED_SHEET).unwrap();
    let folder = fixtures.path().to_str().unwrap();
    let matrix = ["matrix", "--proxy", &redis.addr, "--node", &redis.addr];
    let own = [
        "--fixtures",
        folder,
        "--filter",
        "BLPOP",
        "--allow-disturbing",
    ];
    for (signal, code) in [(Signal::INT, Some(130)), (Signal::KILL, None)] {
        let child = shardproof(&[&matrix[..], &own].concat(), temporary.path())
            .spawn()
            .unwrap();
        eventually("a list that expires", || {
            let keys = redis.keys();
            let lists = |key: &String| redis.ask(&format!("TYPE {key}")).starts_with("+list");
            keys.iter().any(lists) && redis.lasting().is_empty()
        });
        kill_process(Pid::from_child(&child), signal).unwrap();
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), code);
        match signal {
            Signal::INT => {
                check_last_line(&output, "left behind: 0 keys");
                redis.check_only_foreign();
            }
            _ => assert_eq!(redis.lasting(), Vec::<String>::new()),
        }
    }
}

fn when_no_keys_are_found_the_ones_tried_are_removed() {
    let (proxy, node) = (Redis::start(), Redis::start());
    let temporary = TempDir::new().unwrap();
    let run = ["run", "--proxy", &proxy.addr, "--node", &node.addr];
    let output = shardproof(&run, temporary.path()).output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    assert!(stderr.contains("is on 0 of the nodes"), "{stderr}");
    assert!(stderr.contains("left behind: 0 keys"), "{stderr}");
    proxy.check_only_foreign();
    node.check_only_foreign();
}

/// Starts a run that is blocked in mid-case, with its keys on the server.
fn blocked(redis: &Redis, nodes: &[&str], fixtures: &Path, temporary: &Path) -> Child {
    let fixtures = fixtures.to_str().unwrap();
    let own = ["--filter", "group/"];
    let run = ["run", "--proxy", &redis.addr, "--fixtures", fixtures];
    let child = shardproof(&[&run[..], &own, nodes].concat(), temporary)
        .spawn()
        .unwrap();
    eventually("a client that waits in BLPOP", || {
        redis.ask("CLIENT LIST").contains("cmd=blpop")
    });
    child
}

fn signals_end_a_run_after_it_has_cleaned_up() {
    let (redis, temporary, fixtures) = (Redis::start(), TempDir::new().unwrap(), case(BLOCKED));
    for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143), (Signal::HUP, 129)] {
        for nodes in [&["--node", &redis.addr][..], &[]] {
            let child = blocked(&redis, nodes, fixtures.path(), temporary.path());
            assert!(redis.keys().len() > 2, "{:?}", redis.keys());
            kill_process(Pid::from_child(&child), signal).unwrap();
            let output = child.wait_with_output().unwrap();
            let stderr = String::from_utf8_lossy(&output.stderr);
            assert_eq!(output.status.code(), Some(code), "{stderr}");
            check_last_line(&output, "left behind: 0 keys");
            redis.check_only_foreign();
        }
    }
}

fn every_key_of_a_killed_run_expires() {
    let (redis, temporary, fixtures) = (Redis::start(), TempDir::new().unwrap(), case(BLOCKED));
    for nodes in [&["--node", &redis.addr][..], &[]] {
        let mut child = blocked(&redis, nodes, fixtures.path(), temporary.path());
        child.kill().unwrap();
        let status = child.wait().unwrap();
        assert_eq!(status.signal(), Some(9));
        assert!(redis.keys().len() > 2, "{:?}", redis.keys());
        assert_eq!(redis.lasting(), Vec::<String>::new());
    }
}

/// A target that never serves, and whose helpers leave its process group and lose their parent.
fn forking_target(fixtures: &Path, pids: &Path) {
    let script = format!(
        "sleep 300 & echo $! > {0}/one; setsid sh -c 'echo $$ > {0}/two; exec sleep 300' & exec sleep 300",
        pids.display()
    );
    let text = stub(&script, 300);
    fs::write(fixtures.join("targets/stub.toml"), text).unwrap();
}

fn alive(pid: &Path) -> bool {
    let pid = fs::read_to_string(pid).unwrap_or_default();
    let status = Path::new("/proc").join(pid.trim()).join("status");
    !pid.trim().is_empty()
        && fs::read_to_string(status).is_ok_and(|status| !status.contains("State:\tZ"))
}

fn folders(temporary: &Path) -> Vec<String> {
    let entries = fs::read_dir(temporary).unwrap().flatten();
    let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
    names.filter(|name| name.contains("shardproof-")).collect()
}

/// Starts a run with a target that has forked.
fn forked(port: &str, fixtures: &Path, temporary: &Path, pids: &Path) -> Child {
    for name in ["one", "two"] {
        let _ = fs::remove_file(pids.join(name));
    }
    forking_target(fixtures, pids);
    let run = ["run", "--target", "stub", "--link-port-base", port];
    let run = [&run[..], &["--fixtures", fixtures.to_str().unwrap()]].concat();
    let child = shardproof(&run, temporary).spawn().unwrap();
    eventually("the processes of the target", || {
        alive(&pids.join("one")) && alive(&pids.join("two"))
    });
    child
}

fn folders_and_grandchildren_are_gone_after_a_signal() {
    let (temporary, pids) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let fixtures = case(BLOCKED);
    for signal in [Signal::INT, Signal::TERM, Signal::HUP] {
        let child = forked("22741", fixtures.path(), temporary.path(), pids.path());
        assert!(!folders(temporary.path()).is_empty());
        kill_process(Pid::from_child(&child), signal).unwrap();
        child.wait_with_output().unwrap();
        assert_eq!(folders(temporary.path()), Vec::<String>::new());
        for name in ["one", "two"] {
            eventually("the end of a grandchild", || {
                !alive(&pids.path().join(name))
            });
        }
    }
}

fn folders_and_grandchildren_of_a_killed_run_are_swept_by_the_next() {
    let (temporary, pids) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let fixtures = case(BLOCKED);
    let mut child = forked("22761", fixtures.path(), temporary.path(), pids.path());
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(folders(temporary.path()).len(), 1);
    let old = ["one", "two"].map(|name| {
        let kept = pids.path().join(format!("old-{name}"));
        fs::copy(pids.path().join(name), &kept).unwrap();
        kept
    });
    let mut next = forked("22761", fixtures.path(), temporary.path(), pids.path());
    for pid in &old {
        eventually("the end of a grandchild of the killed run", || !alive(pid));
    }
    assert_eq!(
        folders(temporary.path()).len(),
        1,
        "the folder of the next run stays"
    );
    kill_process(Pid::from_child(&next), Signal::TERM).unwrap();
    next.wait().unwrap();
    assert_eq!(folders(temporary.path()), Vec::<String>::new());
}
