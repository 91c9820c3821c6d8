//! Generated parts of the documents: each is between `<!-- make WORD: NAME -->` and `<!-- end -->`.
//!
//! Parts of `make docs` follow from the fixtures and the program, so a test compares them. Parts of `make picture` come
//! from runs over real proxies, whose reports the word leaves in a folder. They are compared with the fixtures. The part of
//! `make article` comes from a run in containers.

use std::env;
use std::fmt::Write;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use conformance::{Case, LISTS, List, Template};
use testbed::fixtures::Fixtures;
use testbed::targets::{
    self, CAPABILITIES, Deviation, FIELDS, Occurs, Presence, Target, VARIABLES,
};

use super::documents::{documents, read, root};
use super::measured::Reports;

/// Set by `make docs`.
const WRITE: &str = "SHARDPROOF_WRITE_DOCS";
/// The folder of the reports, set by `make picture`.
const REPORTS: &str = "SHARDPROOF_REPORTS";
/// The file with the table of claims, set by `make article`.
const CLAIMS: &str = "SHARDPROOF_CLAIMS";

const END: &str = "<!-- end -->";

#[test]
fn generated_parts_are_current() {
    let reports = env::var_os(REPORTS).map(|folder| Reports::read(&PathBuf::from(folder)));
    if let Some(reports) = &reports {
        for (path, picture) in reports.pictures() {
            fs::write(root().join(path), picture).expect(path);
        }
    }
    let claims = env::var_os(CLAIMS).map(|file| fs::read_to_string(file).expect(CLAIMS));
    let writes = reports.is_some() || claims.is_some() || env::var_os(WRITE).is_some();
    for document in documents() {
        let before = read(&document);
        let after = filled(&before, |word, name| match (word, &reports) {
            ("docs", _) => Some(derived(name)),
            ("picture", Some(reports)) => Some(reports.part(name)),
            ("picture", None) => None,
            ("article", _) => claims.clone(),
            (word, _) => panic!("{document}: parts are not made by `make {word}`"),
        });
        if writes {
            fs::write(root().join(&document), &after).expect(&document);
        }
        assert!(
            after == before || writes,
            "{document} is out of date: run `make docs`"
        );
    }
}

#[test]
fn a_part_is_replaced_and_the_rest_stays() {
    let text = "a\n<!-- make docs: one -->\nold\n<!-- end -->\nb\n<!-- make picture: two -->\nkept\n<!-- end -->\nc\n";
    let made = filled(text, |word, _| (word == "docs").then(|| "new\n".to_owned()));
    assert_eq!(made, text.replace("old", "new"));
}

/// The text with each part as `make` returns it, or unchanged if that is `None`.
fn filled(text: &str, make: impl Fn(&str, &str) -> Option<String>) -> String {
    let mut made = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("<!-- make ") {
        let (marker, after) = after
            .split_once(" -->\n")
            .expect("a marker ends with its line");
        let (word, name) = marker
            .split_once(": ")
            .expect("a marker has a word and a name");
        let (old, after) = after.split_once(END).expect("a part has an end");
        let new = make(word, name).unwrap_or_else(|| old.to_owned());
        let _ = write!(made, "{before}<!-- make {marker} -->\n{new}{END}");
        rest = after;
    }
    made + rest
}

/// A part that follows from the fixtures and the program.
fn derived(name: &str) -> String {
    match name.split_once(' ').unwrap_or((name, "")) {
        ("capabilities", "") => capabilities(),
        ("fields", "") => fields(),
        ("variables", "") => variables(),
        ("shapes", "") => shapes(),
        ("templates", "") => templates(),
        ("deviations", target) => deviations(&target_named(target)),
        ("output", command) => output(command),
        _ => panic!("no part is called {name}"),
    }
}

fn capabilities() -> String {
    let mut table = "| capability | the proxy claims |\n|---|---|\n".to_owned();
    for (name, meaning) in CAPABILITIES {
        let _ = writeln!(table, "| `{name}` | {meaning} |");
    }
    table
}

/// The fields of target files.
fn fields() -> String {
    let mut table = "| field | holds | without it | meaning |\n|---|---|---|---|\n".to_owned();
    for field in FIELDS {
        let without = match field.presence {
            Presence::Required => "**required**".to_owned(),
            Presence::Default(value) => format!("`{value}`"),
            Presence::Without(text) => text.to_owned(),
        };
        let (path, holds, meaning) = (field.path, field.kind.expected(), field.meaning);
        let _ = writeln!(table, "| `{path}` | {holds} | {without} | {meaning} |");
    }
    table
}

fn variables() -> String {
    let mut table = "| variable | meaning |\n|---|---|\n".to_owned();
    for (name, meaning) in VARIABLES {
        let _ = writeln!(table, "| `{name}` | {meaning} |");
    }
    table
}

fn shapes() -> String {
    let mut table = "| shapes | meaning |\n|---|---|\n".to_owned();
    for List { name, summary, .. } in LISTS {
        let _ = writeln!(table, "| `{name}` | {summary} |");
    }
    table
}

/// Every promise that is tried with several shapes.
fn templates() -> String {
    let cases = loaded();
    let mut templates: Vec<&Template> =
        cases.iter().filter_map(|it| it.template.as_ref()).collect();
    templates.dedup();
    let mut table = "| template | promise | shapes | cases |\n|---|---|---|---:|\n".to_owned();
    for Template {
        id,
        promise,
        selected,
        shapes,
    } in templates
    {
        let cases = shapes.shapes.len();
        let _ = writeln!(table, "| `{id}@N` | {promise} | {selected} | {cases} |");
    }
    table
}

/// One entry per thing that a target does: rows of the same reason are one.
fn deviations(target: &Target) -> String {
    let cases: Vec<String> = cases();
    let of_cases = |row: &&Deviation| !row.cases.starts_with("chaos/");
    let mut reasons: Vec<&str> = target
        .deviations
        .iter()
        .filter(of_cases)
        .map(|row| row.why.as_str())
        .collect();
    let mut seen = Vec::new();
    reasons.retain(|why| {
        !seen.contains(why) && {
            seen.push(why);
            true
        }
    });
    let mut list = format!(
        "{} findings in {}, each shown by the command below it:\n\n",
        reasons.len()
            + target
                .deviations
                .iter()
                .filter(|row| !of_cases(row))
                .count(),
        target.title
    );
    for why in reasons {
        let rows = || {
            let rows = target.deviations.iter().filter(of_cases);
            rows.filter(|row| row.why == why)
        };
        let does = |target: &Target, case| target.deviation(case).is_some_and(|row| row.why == why);
        let versions = target.version.judged();
        let versions: Vec<Target> = versions.map(|it| target.clone().in_version(it)).collect();
        let matched = cases.iter();
        let matched = matched.filter(|case| versions.iter().any(|target| does(target, case)));
        let matched = matched.count();
        let mut notes = vec![format!(
            "{matched} {}",
            if matched == 1 { "case" } else { "cases" }
        )];
        if rows().any(|row| row.occurs == Occurs::ByPlacement) {
            notes.push("depends on placement or timing".to_owned());
        }
        notes.push(links(rows()));
        let mut seen: Vec<String> = rows().map(|row| row.seen.to_string()).collect();
        seen.dedup();
        let filters: Vec<String> = rows()
            .map(|row| format!("--filter '{}'", row.cases))
            .collect();
        let _ = writeln!(
            list,
            "- `{}`: It {why} ({} {}; {}).\n  ```\n  shardproof run --target {} {}\n  ```",
            finding_id(target, rows().next().expect("a row")),
            target.name,
            seen.join(", "),
            notes.join("; "),
            target.name,
            filters.join(" ")
        );
    }
    for row in target.deviations.iter().filter(|row| !of_cases(row)) {
        list += &violation(target, row);
    }
    list
}

/// The name of a finding: its target and the first cases that show it.
fn finding_id(target: &Target, row: &Deviation) -> String {
    format!("{}/{}", target.name, row.cases)
}

/// The public reports of a finding.
fn links<'a>(rows: impl Iterator<Item = &'a Deviation>) -> String {
    let mut links: Vec<&str> = rows.filter_map(|row| row.link.as_deref()).collect();
    links.dedup();
    let links = links
        .iter()
        .map(|link| format!("[{}]({link})", reported(link)));
    let links: Vec<String> = links.collect();
    match links.is_empty() {
        true => "no report known".to_owned(),
        false => links.join("; "),
    }
}

/// A law that a chaos scenario shows to be broken: `chaos/SCENARIO/LAW`.
fn violation(target: &Target, row: &Deviation) -> String {
    let parts: Vec<&str> = row.cases.split('/').collect();
    let ["chaos", scenario, law] = parts[..] else {
        panic!("{}: expected chaos/SCENARIO/LAW", row.cases);
    };
    let (why, name, seen) = (&row.why, &target.name, &row.seen);
    let when = match row.occurs {
        Occurs::Always => "",
        Occurs::ByPlacement => "; depends on placement or timing",
    };
    format!(
        "- `{}`: It {why} ({name} {seen}; law `{law}`{when}; {}).\n  ```\n  shardproof chaos '{scenario}' \
         --target {name}\n  ```\n",
        finding_id(target, row),
        links([row].into_iter())
    )
}

/// The short name of an issue: `twemproxy#600`.
fn reported(link: &str) -> String {
    let parts: Vec<&str> = link.rsplit('/').collect();
    match parts[..] {
        [number, "issues" | "pull", repository, ..] => format!("{repository}#{number}"),
        _ => "reported".to_owned(),
    }
}

/// A command with its output on stdout.
fn output(command: &str) -> String {
    let mut words = command
        .split_whitespace()
        .map(|word| word.trim_matches('\''));
    assert_eq!(words.next(), Some("shardproof"), "{command}");
    let run = Command::new(env!("CARGO_BIN_EXE_shardproof"))
        .args(words)
        .output()
        .expect("shardproof runs");
    let stdout = String::from_utf8(run.stdout).expect("text");
    format!("```\n$ {command}\n{}\n```\n", stdout.trim_end())
}

pub(super) fn cases() -> Vec<String> {
    loaded().into_iter().map(|case| case.id).collect()
}

fn loaded() -> Vec<Case> {
    let files = conformance::files::cases(&Fixtures::compiled_in()).expect("case files");
    conformance::load(&files).expect("valid cases")
}

fn target_named(name: &str) -> Target {
    let sources = Fixtures::compiled_in().targets().expect("target files");
    let targets = targets::load_all(&sources).expect("valid target files");
    targets
        .into_iter()
        .find(|target| target.name == name)
        .expect(name)
}
