//! Report snapshots: one fixed run in every format that machines read, so that a changed field shows as a diff.

use std::time::{Duration, SystemTime};

use shardproof::planner::description::{Hints, inline};
use shardproof::planner::plan;
use shardproof::report::terminal::Shown;
use shardproof::report::{self, Report};

use crate::fixed::run;
use crate::fleet;

#[test]
fn snapshots() {
    let run = run();
    let json = report::json::text(&run).expect("a report is JSON");
    let junit = report::junit(&run.suites()).expect("a report is XML");
    let text = [
        report::terminal::target(&run.targets[0], 0x7c1f, Shown::Failures),
        report::terminal::summary(&run),
    ]
    .concat();
    let plan = plan();
    let plan_json = report::json::text(&plan).expect("a plan is JSON");
    insta::with_settings!({snapshot_path => "report", prepend_module_to_snapshot => false, omit_expression => true}, {
        insta::assert_snapshot!("conformance.json", json.trim_end());
        insta::assert_snapshot!("conformance.xml", junit.trim_end());
        insta::assert_snapshot!("conformance.txt", text.trim_end());
        insta::assert_snapshot!("plan.json", plan_json.trim_end());
        insta::assert_snapshot!("plan.txt", report::terminal::plan(&plan).trim_end());
    });
}

/// A node more, and one that is heavier; a few of the keys share a tag.
fn plan() -> plan::Report {
    let (from, to) = ("maglev/hash_tags:a:1,b:1", "maglev/hash_tags:a:1,b:1*2,c:1");
    let described = |text| inline(text, &Hints::default()).expect("a description");
    let change = plan::Change::new(described(from), described(to)).expect("a change");
    let mut counts = change.counts();
    for number in 0..1000 {
        let key = match number % 4 {
            0 => format!("{{<user>}}:{number}"),
            _ => format!("key:{number}"),
        };
        change.count(&mut counts, key.as_bytes());
    }
    plan::Report::new(
        &change,
        counts,
        [from, to, "of a test"],
        plan::Detail::Table,
    )
}

#[test]
fn snapshots_of_live_nodes() {
    let migration = fleet::migration();
    let json = report::json::text(&migration).expect("a report is JSON");
    insta::with_settings!({snapshot_path => "report", prepend_module_to_snapshot => false, omit_expression => true}, {
        insta::assert_snapshot!("check.txt", report::terminal::check(&fleet::check()).trim_end());
        insta::assert_snapshot!("migrate.txt", report::terminal::migration(&migration).trim_end());
        insta::assert_snapshot!("migrate.json", json.trim_end());
    });
}

/// Users give the schema files to their tools, so they are JSON and not snapshots; a snapshot shows the change.
#[test]
fn the_schemas_are_those_of_the_reports() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../schema");
    for (name, schema) in report::json::schemas() {
        let text = serde_json::to_string_pretty(&schema).expect("a schema is JSON") + "\n";
        let file = format!("{folder}/{name}.json");
        if std::env::var_os("SHARDPROOF_WRITE_SCHEMAS").is_some() {
            std::fs::write(&file, &text).expect("the schema can be written");
        }
        let written = std::fs::read_to_string(&file).expect("the schema is there");
        assert!(
            written == text,
            "{file} is not the schema of this build: run `make schemas`"
        );
    }
}

/// One number with its level: all formats of one run have the same words and figures.
#[test]
fn all_formats_of_a_run_agree() {
    for run in [run(), run().strict()] {
        let json = report::json::text(&run).expect("a report is JSON");
        let json: serde_json::Value = serde_json::from_str(&json).expect("a report is JSON");
        let junit = report::junit(&run.suites()).expect("a report is XML");
        let page = report::html::conformance(&run);
        let text = report::terminal::target(&run.targets[0], 1, Shown::All);
        let said = report::terminal::summary(&run);
        // The terminal has the verdict on a line of its own.
        let line_of = |start: &str| said.lines().find_map(|line| line.strip_prefix(start));
        let counts = line_of("some-proxy 1.2.3: ").expect("the counts");
        let counts = counts.trim_end_matches(" (2.0 s)");
        let (results, wrong) = counts.split_once("; ").expect("two parts");
        let mut verdicts = said
            .lines()
            .filter_map(|line| line.strip_prefix("some-proxy: "));
        let verdict = verdicts.next_back().expect("a verdict");
        let sentence = &format!("{results}; {verdict}; {wrong}");
        assert!(page.contains(sentence), "the page lacks: {sentence}");
        assert!(junit.contains(sentence), "JUnit lacks: {sentence}");

        let target = &json["targets"][0];
        let results = target["results"].as_array().expect("results");
        let of = |standing: &str, level: Option<&str>| {
            let fits = |result: &&serde_json::Value| {
                result["standing"] == standing && level.is_none_or(|level| result["level"] == level)
            };
            results.iter().filter(fits).count()
        };
        let summary = &target["summary"];
        for (field, standing) in [
            ("kept", "pass"),
            ("known", "known"),
            ("broken", "FAIL"),
            ("mended", "MENDED"),
            ("skipped", "skip"),
            ("unknown", "unknown"),
        ] {
            let count = of(standing, None);
            assert!(count > 0, "no result is {standing}");
            assert_eq!(summary[field], count, "{field}");
            let word = format!("    {standing:<7} ");
            let lines = text.lines().filter(|line| line.starts_with(&word)).count();
            assert_eq!(lines, count, "{standing} in the terminal:\n{text}");
        }
        let mut counted = of("MENDED", None);
        for level in ["must", "should", "may"] {
            let count = of("FAIL", Some(level));
            assert_eq!(summary["broken_by_level"][level], count);
            let counts = json["counted"].as_array().expect("levels");
            let counts = counts.contains(&level.into());
            counted += if counts { count } else { 0 };
            let note = if counts { "" } else { " (not counted)" };
            assert_eq!(
                count > 0,
                sentence.contains(&format!("{count} {level}{note}"))
            );
            let cells = page.matches(&format!("FAIL, {level}: ")).count();
            assert_eq!(cells, count, "FAIL, {level} on the page");
        }
        assert_eq!(junit.matches("<failure").count(), counted, "{junit}");
        assert_eq!(junit.matches("<error").count(), of("unknown", None));
        let ctrf = report::ctrf(&run.suites(), SystemTime::UNIX_EPOCH).expect("a report is JSON");
        let ctrf: serde_json::Value = serde_json::from_str(&ctrf).expect("a report is JSON");
        let tests = ctrf["results"]["tests"].as_array().expect("tests");
        for (test, result) in tests.iter().zip(results) {
            assert_eq!(test["rawStatus"], result["standing"], "{test}");
            assert_eq!(test["labels"]["level"], result["level"], "{test}");
        }
        assert_eq!(tests.len(), results.len());
        let figures = &ctrf["results"]["summary"];
        assert_eq!(figures["failed"], counted);
        assert_eq!(figures["other"], of("unknown", None));
        assert_eq!(figures["tests"], results.len());
        let said = report::markdown(&run.suites(), run.exit(), &run.unjudged());
        assert!(
            said.contains(sentence),
            "the summary lacks: {sentence}\n{said}"
        );
        let badge = report::badge(&run.suites(), run.exit()).expect("a badge is JSON");
        let message = format!("\"message\":\"{} wrong\"", summary["wrong"]);
        assert!(badge.contains(&message), "{badge}");
        let wrong = format!("silently wrong answers: {}", summary["wrong"]);
        assert!(sentence.ends_with(&wrong), "{sentence}");
        assert_eq!(
            page.matches(" wrong\"><td>").count(),
            summary["wrong"].as_u64().expect("a count") as usize
        );
    }
}

/// The keys that the schema of CTRF 1.0.0 allows for a test, and the values of its status.
const CTRF_TEST: [&str; 8] = [
    "name",
    "status",
    "duration",
    "suite",
    "message",
    "trace",
    "rawStatus",
    "labels",
];
const CTRF_STATUS: [&str; 5] = ["passed", "failed", "skipped", "pending", "other"];

#[test]
fn ctrf_has_the_fields_of_its_schema() {
    let stop = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
    let text = report::ctrf(&run().suites(), stop).expect("a report is JSON");
    let document: serde_json::Value = serde_json::from_str(&text).expect("a report is JSON");
    assert_eq!(document["reportFormat"], "CTRF");
    assert_eq!(document["specVersion"], "1.0.0");
    let results = &document["results"];
    assert_eq!(results["tool"]["name"], "shardproof");
    let summary = results["summary"].as_object().expect("an object");
    for (name, value) in summary {
        assert!(value.is_u64(), "{name}: {value}");
    }
    let count = |name: &str| summary[name].as_u64().expect(name);
    let parts: u64 = CTRF_STATUS.iter().map(|status| count(status)).sum();
    assert_eq!(parts, count("tests"));
    assert_eq!(count("stop"), 1_700_000_000_000);
    assert_eq!(count("start") + count("duration"), count("stop"));
    for test in results["tests"].as_array().expect("tests") {
        let fields = test.as_object().expect("an object");
        for name in fields.keys() {
            assert!(CTRF_TEST.contains(&name.as_str()), "{name}");
        }
        let status = test["status"].as_str().expect("a status");
        assert!(CTRF_STATUS.contains(&status), "{status}");
        assert!(test["duration"].is_u64() && !test["name"].as_str().expect("a name").is_empty());
        assert!(
            test["suite"]
                .as_array()
                .is_some_and(|suite| !suite.is_empty())
        );
    }
}

/// A job's page may show text of a proxy, which must not become markup.
#[test]
fn a_summary_shows_texts_as_they_are() {
    let text = "<img src=x> | `a` [b](c)\n# d";
    let suites = crate::everything::conformance(text).suites();
    let said = report::markdown(&suites, report::Exit::Unjudged, &[text.to_owned()]);
    let plain = r"&lt;img src=x&gt; \| \`a\` \[b\](c) \# d";
    assert!(said.contains(plain), "{said}");
    for markup in ["<img", " `a`", "[b](c)", "\n# d"] {
        assert!(!said.contains(markup), "{markup} in {said}");
    }
    let rows = said.lines().filter(|line| line.starts_with('|'));
    for row in rows {
        let cells = row.replace(r"\|", "").matches('|').count();
        assert!((3..=4).contains(&cells), "{row}");
    }
}

#[test]
fn a_run_that_is_not_judged_has_no_badge_with_a_count() {
    let badge = report::badge(&run().suites(), report::Exit::Unjudged).expect("a badge is JSON");
    let expected = "{\"schemaVersion\":1,\"label\":\"shardproof some-proxy\",\"message\":\"not judged\",\"color\":\"lightgrey\"}\n";
    assert_eq!(badge, expected);
}

/// A page that requests any resource is not a report.
#[test]
fn the_page_is_self_contained_and_escapes_what_it_shows() {
    let page = report::html::conformance(&run());
    for outside in ["<link", "src=", "url(", "@import", "fetch("] {
        assert!(!page.contains(outside), "the page has `{outside}`");
    }
    assert!(page.contains("MGET a &#60;b&#62;") && !page.contains("MGET a <b>"));
    assert_eq!(page.matches("<details class=\"evidence\"").count(), 3);
    assert_eq!(page.matches("class=\"sequence\"").count(), 3);
}

#[test]
fn the_page_of_a_plan_is_self_contained_and_escapes_what_it_shows() {
    let page = report::html::plan(&plan());
    for outside in ["<link", "src=", "url(", "@import", "fetch("] {
        assert!(!page.contains(outside), "the page has `{outside}`");
    }
    assert!(page.contains("&#60;user&#62;") && !page.contains("<user>"));
    assert_eq!(page.matches("<svg").count(), 2);
    assert!(!page.contains("NaN"));
}
