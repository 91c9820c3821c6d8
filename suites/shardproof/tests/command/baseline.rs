//! Known failures: a baseline is written, and then a run fails only on what it does not have.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use tempfile::TempDir;
use testbed::node::Process;

use crate::program::{CASE, OWN, check, fixtures, redis, shardproof, stub};

/// A plain Redis as a proxy, and two cases: one is kept, one may be broken.
struct Site {
    _server: Process,
    addr: String,
    folder: TempDir,
}

/// Redis answers PING with PONG.
const BROKEN: (&str, &str) = ("+PONG", "+PING");

impl Site {
    fn new() -> Self {
        let (server, addr) = redis();
        let folder = fixtures(CASE, &stub(""));
        let site = Self {
            _server: server,
            addr,
            folder,
        };
        site.case("other", &CASE.replace(BROKEN.0, BROKEN.1));
        site
    }

    fn case(&self, name: &str, text: &str) {
        let file = format!("conformance/group/{name}.case");
        fs::write(self.folder.path().join(file), text).unwrap();
    }

    fn baseline(&self) -> String {
        let file = self.folder.path().join("known.toml");
        file.to_str().unwrap().to_owned()
    }

    fn text(&self) -> String {
        fs::read_to_string(self.baseline()).unwrap()
    }

    fn run(&self, flags: &[&str]) -> Output {
        self.command(flags).output().unwrap()
    }

    fn command(&self, flags: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_shardproof"));
        command
            .args(["run", "--proxy", &self.addr, "--node", &self.addr])
            .args(OWN)
            .arg("--fixtures")
            .arg(self.folder.path())
            .arg("--allow-disturbing")
            .args(flags);
        command
    }
}

#[track_caller]
fn says(output: &Output, parts: &[&str]) {
    let said = String::from_utf8_lossy(&output.stdout);
    for part in parts {
        assert!(said.contains(part), "no {part:?} in:\n{said}");
    }
}

#[test]
fn verdicts_have_colours_where_they_are_wanted_and_quiet_runs_have_no_progress() {
    let site = Site::new();
    let run = |variable: &str, flags: &[&str]| {
        let mut command = site.command(flags);
        command.env(variable, "1").output().unwrap()
    };
    let red = ": \u{1b}[1m\u{1b}[31mFAILED\u{1b}[0m: 1 must\n";
    says(&run("CLICOLOR_FORCE", &[]), &[red]);
    let plain = run("NO_COLOR", &["--quiet"]);
    says(&plain, &[": FAILED: 1 must\n"]);
    let progress = ": 2 cases";
    let said = |output: &Output| String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!said(&plain).contains(progress), "{plain:?}");
    assert!(said(&run("NO_COLOR", &[])).contains(progress));
}

#[test]
fn only_failures_that_are_not_known_fail_the_run() {
    let site = Site::new();
    let file = site.baseline();
    assert_eq!(site.run(&[]).status.code(), Some(1));

    let written = site.run(&["--write-baseline", &file]);
    check(&written, 0, &["baseline: ", "known failures: 1"]);
    let text = site.text();
    for part in [
        "command = \"run\"",
        "target = \"running proxy\"",
        "case = \"group/other\"\nclass = \"wrong\"\nseen = \"1 of 1\"\n",
        "server = \"redis ",
    ] {
        assert!(text.contains(part), "no {part:?} in:\n{text}");
    }

    let again = site.run(&["--baseline", &file]);
    assert_eq!(again.status.code(), Some(0));
    says(&again, &["1 pass, 1 known", ": PASSED, 1 known"]);

    site.case("third", &CASE.replace(BROKEN.0, BROKEN.1));
    let new = site.run(&["--baseline", &file]);
    assert_eq!(new.status.code(), Some(1));
    says(&new, &["FAIL    third", "FAILED: 1 must"]);
    fs::remove_file(site.folder.path().join("conformance/group/third.case")).unwrap();

    site.case("other", CASE);
    let stale = site.run(&["--baseline", &file]);
    let at = text.lines().position(|line| line == "[[known]]").unwrap() + 1;
    let row = format!("remove its row, {file}:{at}");
    check(&stale, 1, &["MENDED  group/other", &row]);
    says(&stale, &[&row]);
}

#[test]
fn reasons_and_rows_of_what_was_not_judged_stay() {
    let site = Site::new();
    let file = site.baseline();
    site.run(&["--write-baseline", &file]);
    let seen = "seen = \"1 of 1\"\n";
    let text = site
        .text()
        .replace(seen, &format!("{seen}why = \"its own words\"\n"));
    fs::write(&file, text).unwrap();
    let filtered = site.run(&["--exclude", "group/other", "--write-baseline", &file]);
    assert_eq!(filtered.status.code(), Some(0));
    assert!(site.text().contains("case = \"group/other\""));
    let all = site.run(&["--write-baseline", &file, "--repeat", "2"]);
    assert_eq!(all.status.code(), Some(0));
    let text = site.text();
    assert!(
        text.contains("seen = \"2 of 2\"\nwhy = \"its own words\"\n"),
        "{text}"
    );
    site.case("other", CASE);
    site.run(&["--write-baseline", &file]);
    assert!(!site.text().contains("[[known]]"));
}

#[test]
fn a_row_that_does_not_occur_in_every_run_is_never_stale() {
    let site = Site::new();
    let file = site.baseline();
    site.run(&["--write-baseline", &file]);
    let text = site.text();
    let rare = "seen = \"12 of 20\"\noccurs = \"by-placement\"\n";
    fs::write(&file, text.replace("seen = \"1 of 1\"\n", rare)).unwrap();
    site.case("other", CASE);
    let passed = site.run(&["--baseline", &file]);
    assert_eq!(passed.status.code(), Some(0));
    says(&passed, &["1 pass, 1 known"]);
}

#[test]
fn a_baseline_that_does_not_fit_is_refused_in_one_line() {
    let site = Site::new();
    let file = site.baseline();
    site.run(&["--write-baseline", &file]);
    let refused = |from: &str, to: &str, code, parts: &[&str]| {
        let text = site.text();
        assert!(text.contains(from), "{text}");
        let other = Path::new(&file).with_file_name("other.toml");
        fs::write(&other, text.replace(from, to)).unwrap();
        let output = site.run(&["--baseline", other.to_str().unwrap()]);
        check(&output, code, parts);
        assert_eq!(output.stdout, b"");
    };
    refused(
        "target = \"running proxy\"",
        "target = \"envoy\"",
        2,
        &["other.toml: a baseline of `run envoy`, expected one of `run running proxy`"],
    );
    refused(
        "group/other",
        "group/gone",
        64,
        &["other.toml:", "`group/gone` is not in this suite"],
    );
    check(
        &site.run(&["--baseline", "/nowhere/known.toml"]),
        2,
        &["cannot read /nowhere/known.toml"],
    );
    let several = [
        "run",
        "--target",
        "envoy",
        "--target",
        "refproxy",
        "--baseline",
        &file,
    ];
    check(
        &shardproof(&several),
        64,
        &["--baseline: 2 targets, expected one"],
    );
}

#[test]
fn the_difference_of_two_runs_is_in_words() {
    let site = Site::new();
    let report = |name: &str| {
        let file = site.folder.path().join(name);
        let file = file.to_str().unwrap().to_owned();
        site.run(&["--json", &file]);
        file
    };
    let before = report("before.json");
    site.case("other", CASE);
    site.case("some-case", &CASE.replace(BROKEN.0, BROKEN.1));
    let after = report("after.json");
    let worse = shardproof(&["diff", &before, &after]);
    assert_eq!(worse.status.code(), Some(1));
    says(
        &worse,
        &[
            "  fixed   group/other: was wrong, passes\n  new     group/some-case: passed, is wrong\n",
            ": 1 fixed, 1 new, 0 gone, 0 changed, 0 fail as before\n",
        ],
    );
    let same = shardproof(&["diff", &after, &after, "--json", "-"]);
    assert_eq!(same.status.code(), Some(0));
    says(&same, &["\"format\": \"shardproof.diff/1\"", "\"same\": 1"]);
    check(
        &shardproof(&["diff", &before, &site.baseline()]),
        2,
        &["cannot read", "known.toml"],
    );
}
