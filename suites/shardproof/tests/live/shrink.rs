//! Failing chaos runs, cut down by `shardproof chaos --shrink-for` to a file that fails too.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use chaos::law::law;
use chaos::scenario::{self, Scenario};
use libtest_mimic::{Failed, Trial};
use serde_json::Value;
use tempfile::TempDir;
use testbed::class::Class;
use testbed::fixtures::{Fixtures, Source};
use testbed::targets::{Deviation, Target};

use crate::support;

/// Violations that depend on timing do not occur in every run.
const ATTEMPTS: u64 = 10;

/// Nodes that swap their replies break a law behind any proxy. Half of the scenario has no part in it.
const SWAPPED: &str = r#"# A proxy cannot know that a node swaps its replies.
nodes = 3
duration = "1500ms"
laws = ["registers-linearizable", "answers-within-deadline"]
covers = []

[[workload]]
kind = "register"
clients = 4
keys = 12
pipeline = 8
rate = 1600

[[workload]]
kind = "counter"
clients = 2
keys = 10
rate = 100

[[fault]]
kind = "latency 20ms"
on = "A"
at = "300ms"
for = "500ms"

[[fault]]
kind = "swap_replies every 2"
on = "all"
at = "200ms"
for = "1s"
"#;

pub(crate) fn trials() -> Vec<Trial> {
    let mut trials = Vec::new();
    for target in support::targets() {
        match target.program.package {
            Some(_) => trials.extend([swapped(&target), swapped_once(&target)]),
            None => trials.extend(recorded(&target)),
        }
    }
    trials
}

/// On the proxy of this workspace.
fn swapped(target: &Target) -> Trial {
    let name = format!("shrink::{}::swapped-replies", target.name);
    let (presence, target) = (support::presence(target), target.clone());
    support::trial(name, presence, move || {
        support::prepare(&target);
        let folder = TempDir::new()?;
        let shrunk = run_text(&target, SWAPPED, folder.path(), "22801")?;
        let (from, to) = (&shrunk["from"], &shrunk["smallest"]["size"]);
        assert_eq!((&from["faults"], &to["faults"]), (&2.into(), &1.into()));
        for what in ["clients", "keys", "duration_ms"] {
            let number = |size: &Value| size[what].as_u64().expect("a number");
            assert!(number(to) <= number(from), "{what}: {shrunk:#}");
        }
        let text = check_file(&shrunk)?;
        assert!(text.contains("kind = \"swap_replies every 2\""), "{text}");
        check_case(&shrunk)?;
        repeats(&shrunk)
    })
}

/// A case has fewer requests than it takes until the fault acts.
fn swapped_once(target: &Target) -> Trial {
    let name = format!("shrink::{}::a-case-is-too-short", target.name);
    let (presence, target) = (support::presence(target), target.clone());
    support::trial(name, presence, move || {
        support::prepare(&target);
        let folder = TempDir::new()?;
        let text = SWAPPED.replace("every 2", "nth 100");
        let shrunk = run_text(&target, &text, folder.path(), "22821")?;
        let why = shrunk["case"]["none"]["why"].as_str();
        let why = why.ok_or(format!("a case: {shrunk:#}"))?;
        assert!(why.contains("needs the scenario's timing"), "{why}");
        let file = Path::new(shrunk["smallest"]["file"].as_str().ok_or("no file")?);
        assert!(!file.with_extension("case").exists(), "{}", file.display());
        Ok(())
    })
}

/// What a run of this scenario, which fails, was cut down to.
fn run_text(target: &Target, text: &str, folder: &Path, base: &str) -> Result<Value, Failed> {
    let file = folder.join("some.toml");
    fs::write(&file, text)?;
    let file = file.to_str().ok_or("a path in UTF-8")?;
    let arguments = [file, "--link-port-base", base].map(str::to_owned);
    Ok(run(target, &arguments, folder, 1)?.ok_or("no law is broken")?)
}

/// The case next to the scenario breaks the promise of the law.
fn check_case(shrunk: &Value) -> Result<(), Failed> {
    let case = &shrunk["case"]["saved"];
    let repeat = case["repeat"]
        .as_str()
        .ok_or(format!("no case: {shrunk:#}"))?;
    let words: Vec<&str> = repeat.split_whitespace().skip(1).collect();
    let output = Command::new(env!("CARGO_BIN_EXE_shardproof"))
        .args(&words)
        .args(["--json", "-"])
        .output()?;
    let report = report(&output)?;
    assert_eq!(output.status.code(), Some(1), "{report:#}");
    let result = &report["targets"][0]["results"][0];
    let law = law(shrunk["law"].as_str().ok_or("no law")?).ok_or("no such law")?;
    let promise = result["promise"].as_str().ok_or("no promise")?;
    let promised = format!("{}.", law.promise());
    assert!(promise.eq_ignore_ascii_case(&promised), "{result:#}");
    assert_eq!(result["verdict"], "fail", "{result:#}");
    assert_eq!(result["class"], law.classes()[0].name(), "{result:#}");
    Ok(())
}

/// On a proxy that hangs, as is recorded: without its row.
fn recorded(target: &Target) -> Option<Trial> {
    let sources = scenario::files(&Fixtures::compiled_in()).expect("scenario files");
    let row = |source: &Source| Some((source.clone(), recorded_law(target, source)?));
    let (source, law) = sources.iter().find_map(row)?;
    let name = format!("shrink::{}::{}", target.name, source.id);
    let (presence, target) = (support::presence(target), target.clone());
    Some(support::trial(name, presence, move || {
        let folder = TempDir::new()?;
        let fixtures = folder.path().join("fixtures");
        lay_out(&fixtures, &target, &source)?;
        let fixtures = fixtures.to_str().ok_or("a path in UTF-8")?;
        let arguments = [
            &source.id,
            "--link-port-base",
            "22851",
            "--fixtures",
            fixtures,
        ];
        let arguments = arguments.map(str::to_owned);
        for seed in 1..=ATTEMPTS {
            if let Some(shrunk) = run(&target, &arguments, folder.path(), seed)? {
                assert_eq!(shrunk["law"], law.as_str(), "{shrunk:#}");
                assert_ne!(shrunk["runs"], 0, "{shrunk:#}");
                // A violation that depends on timing may not occur again in time.
                return match shrunk["smallest"].is_null() {
                    true => Ok(()),
                    false => check_file(&shrunk).map(drop),
                };
            }
        }
        Err(format!("{law} is broken in none of {ATTEMPTS} runs").into())
    }))
}

fn recorded_law(target: &Target, source: &Source) -> Option<String> {
    let scenario = Scenario::parse(source).expect("a valid scenario");
    let hangs = |row: &Deviation| row.class == Some(Class::Hung);
    let mut laws = scenario.laws.iter().map(|law| law.id());
    let law = laws.find(|law| {
        let place = format!("chaos/{}/{law}", scenario.id);
        target.deviation(&place).is_some_and(hangs)
    });
    law.map(str::to_owned)
}

/// The fixtures of one target and one scenario, without the recorded violations.
fn lay_out(folder: &Path, target: &Target, scenario: &Source) -> Result<(), Failed> {
    let sources = Fixtures::compiled_in().targets()?;
    let source = sources.iter().find(|source| source.id == target.name);
    let source = source.ok_or("no file of the target")?;
    let rows = source.text.split("[[deviation]]");
    let rows = rows.filter(|row| !row.trim_start().starts_with("cases = \"chaos/"));
    let text = rows.collect::<Vec<_>>().join("[[deviation]]");
    assert_ne!(text, source.text, "{}: nothing is recorded", source.path);
    for (kind, id, text) in [
        ("targets", &source.id, &text),
        ("chaos", &scenario.id, &scenario.text),
    ] {
        fs::create_dir_all(folder.join(kind))?;
        fs::write(folder.join(kind).join(format!("{id}.toml")), text)?;
    }
    Ok(())
}

/// What a run was cut down to. None if it did not fail, as some runs do not.
fn run(
    target: &Target,
    arguments: &[String],
    folder: &Path,
    seed: u64,
) -> Result<Option<Value>, Failed> {
    let output = Command::new(env!("CARGO_BIN_EXE_shardproof"))
        .args([
            "chaos",
            "--target",
            &target.name,
            "--seed",
            &format!("{seed:x}"),
        ])
        .args(["--shrink-for", "20s", "--json", "-", "--shrink-to"])
        .arg(folder.join("found"))
        .args(arguments)
        .output()?;
    let mut report = report(&output)?;
    let shrunk = report["targets"][0]["scenarios"][0]["shrunk"].take();
    let fails = output.status.code() == Some(1);
    assert_eq!(fails, !shrunk.is_null(), "{report:#}");
    Ok(fails.then_some(shrunk))
}

/// The file tells how it is repeated, and has the law that is followed and no law that was not broken.
fn check_file(shrunk: &Value) -> Result<String, Failed> {
    let smallest = &shrunk["smallest"];
    let path = smallest["file"].as_str().ok_or("no file")?.to_owned();
    let text = fs::read_to_string(&path)?;
    let repeat = smallest["repeat"].as_str().ok_or("no command")?;
    assert!(text.contains(&format!("# {repeat}\n")), "{text}");
    let id = "found".to_owned();
    let scenario = Scenario::parse(&Source {
        path,
        id,
        text: text.clone(),
    })?;
    let laws: Vec<&str> = scenario.laws.iter().map(|law| law.id()).collect();
    assert_eq!(smallest["laws"], serde_json::json!(laws));
    assert!(laws.iter().any(|law| shrunk["law"] == *law), "{laws:?}");
    Ok(text)
}

/// The command that is printed breaks the law again.
fn repeats(shrunk: &Value) -> Result<(), Failed> {
    let repeat = shrunk["smallest"]["repeat"].as_str().ok_or("no command")?;
    let words: Vec<&str> = repeat.split_whitespace().skip(1).collect();
    for _ in 0..ATTEMPTS {
        let output = Command::new(env!("CARGO_BIN_EXE_shardproof"))
            .args(&words)
            .args(["--json", "-"])
            .output()?;
        let report = report(&output)?;
        let laws = report["targets"][0]["scenarios"][0]["laws"].as_array();
        let laws = laws.ok_or("no laws")?;
        let followed = laws.iter().find(|law| law["law"] == shrunk["law"]);
        if followed.ok_or("the law is gone")?["verdict"] == "broken" {
            assert_eq!(output.status.code(), Some(1));
            return Ok(());
        }
    }
    Err(format!("{repeat}: no violation in {ATTEMPTS} runs").into())
}

fn report(output: &Output) -> Result<Value, Failed> {
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let report = serde_json::from_slice(&output.stdout);
    Ok(report.map_err(|why| format!("{why}: {said}"))?)
}
