//! Report snapshots: one fixed run in every format that machines read, so that a changed field shows as a diff.

use std::time::Duration;

use shardproof::report;
use shardproof::run::{Conformance, Judged};
use shardproof::verdict::{Class, Evidence, Known, Level, Line, Result, Verdict, Way};

/// Four cases that end in four ways; times are round, because a snapshot has no clock.
fn run() -> Conformance {
    let results = vec![
        result(
            "multi-key/mget-keeps-key-order",
            Level::Must,
            Verdict::Pass,
            None,
        ),
        result(
            "multi-key/mget-missing-keys",
            Level::Must,
            Verdict::Fail(evidence()),
            None,
        ),
        result(
            "errors/texts-are-told",
            Level::Should,
            Verdict::Fail(evidence()),
            Some(known()),
        ),
        result(
            "fan-out/dbsize-sums",
            Level::Must,
            Verdict::Skip {
                reason: "some proxy does not claim fan-out".to_owned(),
            },
            None,
        ),
    ];
    let judged = Judged::new(
        "some-proxy".to_owned(),
        "1.2.3".to_owned(),
        results,
        Duration::from_secs(2),
    );
    Conformance::new(0x7c1f, vec![judged])
}

fn result(case: &str, level: Level, verdict: Verdict, deviation: Option<Known>) -> Result {
    Result {
        case: case.to_owned(),
        promise: "A promise, in one sentence.".to_owned(),
        level,
        spec: "https://redis.io/docs/latest/commands/mget/".to_owned(),
        verdict,
        deviation,
        took: Duration::from_millis(5),
    }
}

fn evidence() -> Evidence {
    let line = |at, party: &str, way, text: &str| Line {
        at: Duration::from_millis(at),
        party: party.to_owned(),
        way,
        text: text.to_owned(),
    };
    Evidence {
        class: Class::Wrong,
        at: "fixtures/conformance/multi-key/mget-missing-keys.case:9".to_owned(),
        expected: "*2 \"one\" nil".to_owned(),
        got: "*2 \"one\" \"\"".to_owned(),
        transcript: vec![
            line(0, "client 1", Way::ToProxy, "MGET a <b>"),
            line(1, "node A", Way::FromProxy, "MGET a <b>"),
            line(2, "node A", Way::ToProxy, "*2 \"one\" nil"),
            line(3, "client 1", Way::FromProxy, "*2 \"one\" \"\""),
        ],
    }
}

fn known() -> Known {
    Known {
        why: "answers in its own words".to_owned(),
        seen: "1.2.3".to_owned(),
        always: true,
        link: None,
    }
}

#[test]
fn snapshots() {
    let run = run();
    let json = report::json::conformance(&run).expect("a report is JSON");
    let junit = report::junit::conformance(&run, false).expect("a report is XML");
    let text = [
        report::terminal::target(&run.targets[0], 0x7c1f),
        report::terminal::summary(&run),
    ]
    .concat();
    insta::with_settings!({snapshot_path => "report", prepend_module_to_snapshot => false, omit_expression => true}, {
        insta::assert_snapshot!("conformance.json", json.trim_end());
        insta::assert_snapshot!("conformance.xml", junit.trim_end());
        insta::assert_snapshot!("conformance.txt", text.trim_end());
    });
}

/// The schema files are what users point their tools at, so they are JSON and no snapshots; a snapshot shows the change.
#[test]
fn the_schemas_are_those_of_the_reports() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/schema");
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

/// A page that asks anybody for anything is no report.
#[test]
fn the_page_is_self_contained_and_escapes_what_it_shows() {
    let page = report::html::conformance(&run());
    for outside in ["<link", "src=", "url(", "@import", "fetch("] {
        assert!(!page.contains(outside), "the page has `{outside}`");
    }
    assert!(page.contains("MGET a &lt;b&gt;") && !page.contains("MGET a <b>"));
    assert_eq!(page.matches("<details").count(), 2);
    assert_eq!(page.matches("class=\"sequence\"").count(), 2);
}
