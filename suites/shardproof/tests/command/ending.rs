//! Runs that do not come to their end: their reports are written all the same.

use std::fs;
use std::process::{Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;

use crate::program::{CASE, OWN, check, eventually, fixtures, redis, shardproof, stub};

/// The reports of a run, in the folder of its fixtures.
struct Reports(TempDir);

impl Reports {
    fn flags(&self) -> Vec<String> {
        let path = |name: &str| self.0.path().join(name).to_str().unwrap().to_owned();
        let mut flags = vec!["--fixtures".to_owned(), path("")];
        flags.extend(OWN.map(str::to_owned));
        for (flag, file) in [
            ("--json", "run.json"),
            ("--junit", "run.xml"),
            ("--ctrf", "ctrf.json"),
            ("--badge", "badge.json"),
        ] {
            flags.extend([flag.to_owned(), path(file)]);
        }
        flags
    }

    fn text(&self, name: &str) -> String {
        fs::read_to_string(self.0.path().join(name)).unwrap()
    }

    fn json(&self, name: &str) -> Value {
        serde_json::from_str(&self.text(name)).unwrap()
    }

    /// All reports say why the run stopped.
    #[track_caller]
    fn check(&self, outcome: &str, why: &str) {
        let json = self.json("run.json");
        assert_eq!(json["outcome"], outcome);
        let stopped = json["targets"][0]["stopped"].as_str().unwrap().to_owned();
        assert!(stopped.contains(why), "{stopped}");
        let junit = self.text("run.xml");
        assert!(junit.contains("<error") && junit.contains(why), "{junit}");
        assert_eq!(self.json("ctrf.json")["results"]["summary"]["other"], 1);
        assert_eq!(self.json("badge.json")["message"], "not judged");
    }
}

#[test]
fn a_run_that_cannot_begin_writes_its_reports() {
    let reports = Reports(fixtures(CASE, &stub("exit 3")));
    let flags = reports.flags();
    let mut words = vec!["run", "--target", "stub", "--link-port-base", "22121"];
    words.extend(flags.iter().map(String::as_str));
    check(&shardproof(&words), 2, &["stub: ", "exit status: 3"]);
    reports.check("complete", "exit status: 3");
    let results = &reports.json("run.json")["targets"][0]["results"];
    assert_eq!(results[0]["standing"], "skip");
}

#[test]
fn an_interrupted_run_reports_the_cases_that_it_has_judged() {
    let (_server, addr) = redis();
    let reports = Reports(fixtures(CASE, &stub("")));
    let long = "case 1
# A key is kept for a while.
spec   https://redis.io/docs/latest/commands/set/
level  must
send   SET $k1 interrupted-here
want   +OK
PAUSES
send   GET $k1
want   \"interrupted-here\"
";
    let group = reports.0.path().join("conformance/group");
    // One pause is at most 5 s.
    let long = long.replace("PAUSES\n", &"pause  5s\n".repeat(24));
    fs::write(group.join("zebra.case"), long).unwrap();
    let mut run = Command::new("env")
        // A job in the background of a shell ignores the signal, and so would its children.
        .arg("--default-signal=INT")
        .arg(env!("CARGO_BIN_EXE_shardproof"))
        .args(["run", "--proxy", &addr, "--allow-disturbing"])
        .args(reports.flags())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut redis = redis::Client::open(format!("redis://{addr}")).unwrap();
    eventually("the second case", || {
        let keys: Vec<String> = redis::cmd("KEYS").arg("*").query(&mut redis).unwrap();
        keys.into_iter().find(|key| {
            let value: Result<String, _> = redis::cmd("GET").arg(key).query(&mut redis);
            value.is_ok_and(|value| value == "interrupted-here")
        })
    });
    kill_process(Pid::from_child(&run), Signal::INT).unwrap();
    assert_eq!(run.wait().unwrap().code(), Some(130));
    reports.check("aborted", "aborted by a signal");
    let results = &reports.json("run.json")["targets"][0]["results"];
    let standing = |index: usize| {
        let result = &results[index];
        let of = |field: &str| result[field].as_str().unwrap().to_owned();
        (of("case"), of("standing"))
    };
    let expected = |case: &str, standing: &str| (case.to_owned(), standing.to_owned());
    assert_eq!(standing(0), expected("group/some-case", "pass"));
    assert_eq!(standing(1), expected("group/zebra", "skip"));
    let left: Vec<String> = redis::cmd("KEYS").arg("*").query(&mut redis).unwrap();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn files_are_checked_before_the_first_case() {
    let (_server, addr) = redis();
    let folder = fixtures(CASE, &stub(""));
    let path = folder.path().to_str().unwrap();
    let file = folder.path().join("run.json");
    for flag in [
        "--json",
        "--html",
        "--junit",
        "--ctrf",
        "--summary",
        "--badge",
        "--write-baseline",
    ] {
        let run = ["run", "--proxy", &addr, "--fixtures", path, OWN[0], OWN[1]];
        let good = ["--json", file.to_str().unwrap()];
        let good = if flag == "--json" {
            &good[..0]
        } else {
            &good[..]
        };
        let output = shardproof(&[&run[..], good, &[flag, "/nowhere/report"]].concat());
        check(
            &output,
            2,
            &["cannot write /nowhere/report", "No such file"],
        );
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!said.contains("1 cases"), "{flag}: {said}");
        assert_eq!(output.stdout, b"");
        assert!(!file.exists());
    }
}
