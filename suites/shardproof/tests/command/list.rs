//! `list` for machines.

use crate::program::shardproof;

#[test]
fn the_list_is_json_that_starts_with_its_format() {
    let output = shardproof(&["list", "--json", "-"]);
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(
        text.starts_with("{\n  \"format\": \"shardproof.list/1\""),
        "{text}"
    );
    let list: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert!(list["cases"].as_array().unwrap().len() >= 40);
    assert_eq!(list["targets"].as_array().unwrap().len(), 3);
}
