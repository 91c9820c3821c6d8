//! `list` for machines.

use std::collections::BTreeSet;

use serde_json::Value;
use testbed::fixtures::Fixtures;

use crate::program::shardproof;
use crate::support;

/// A field of each row.
fn texts<'a>(rows: &'a Value, field: &str) -> BTreeSet<&'a str> {
    let rows = rows.as_array().unwrap().iter();
    rows.map(|row| row[field].as_str().unwrap()).collect()
}

#[test]
fn the_list_is_json_that_starts_with_its_format() {
    let output = shardproof(&["list", "--json", "-"]);
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(
        text.starts_with("{\n  \"format\": \"shardproof.list/1\""),
        "{text}"
    );
    let list: Value = serde_json::from_str(&text).unwrap();
    let fixtures = Fixtures::compiled_in();
    let files = conformance::files::cases(&fixtures).unwrap();
    let cases = conformance::load(&files).unwrap();
    let cases: BTreeSet<&str> = cases.iter().map(|case| case.id.as_str()).collect();
    assert_eq!(texts(&list["cases"], "id"), cases);
    let targets = support::targets();
    let targets = targets.iter().map(|target| target.name.as_str());
    assert_eq!(texts(&list["targets"], "name"), targets.collect());
}
