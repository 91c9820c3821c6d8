//! Report snapshots: one fixed run in every format that machines read, so that a changed field shows as a diff.

mod fixed;
mod fleet;

use shardproof::planner::description::{Hints, inline};
use shardproof::planner::plan;
use shardproof::report;

use fixed::run;

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
    let plan = plan();
    let plan_json = report::json::plan(&plan).expect("a plan is JSON");
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
    let json = report::json::migration(&migration).expect("a report is JSON");
    insta::with_settings!({snapshot_path => "report", prepend_module_to_snapshot => false, omit_expression => true}, {
        insta::assert_snapshot!("check.txt", report::terminal::check(&fleet::check()).trim_end());
        insta::assert_snapshot!("migrate.txt", report::terminal::migration(&migration).trim_end());
        insta::assert_snapshot!("migrate.json", json.trim_end());
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

#[test]
fn the_page_of_a_plan_is_self_contained_and_escapes_what_it_shows() {
    let page = report::html::plan(&plan());
    for outside in ["<link", "src=", "url(", "@import", "fetch("] {
        assert!(!page.contains(outside), "the page has `{outside}`");
    }
    assert!(page.contains("&lt;user&gt;") && !page.contains("<user>"));
    assert_eq!(page.matches("<svg").count(), 2);
    assert!(!page.contains("NaN"));
}
