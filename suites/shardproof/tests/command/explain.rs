//! `explain`: a case in words.

use shardproof::report::terminal::explain;
use testbed::fixtures::Fixtures;

use crate::program::shardproof;
use crate::support;

#[test]
fn a_part_of_an_id_is_enough() {
    let output = shardproof(&["explain", "mget-keeps"]);
    let text = String::from_utf8(output.stdout).unwrap();
    for part in [
        "multi-key/mget-keeps-key-order (must)",
        "https://redis.io/docs/latest/commands/mget/",
        "  node A    SET $a1 one\n",
        "  client 1  MGET $b2 $a1 $b3\n",
        "  client 1  expect *3 \"two\" \"one\" nil\n",
        "--filter multi-key/mget-keeps-key-order",
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
}

#[test]
fn a_case_that_is_not_there_is_64() {
    for (case, parts) in [
        (
            "multi-key/mget-keeps-key-ordr",
            ["no case", "did you mean multi-key/mget-keeps-key-order?"],
        ),
        (
            "mget",
            ["cases have this in their ids", "expected one, such as"],
        ),
    ] {
        let output = shardproof(&["explain", case]);
        assert_eq!(output.status.code(), Some(64), "{case}");
        let text = String::from_utf8(output.stderr).unwrap();
        assert!(parts.iter().all(|part| text.contains(part)), "{text}");
    }
}

/// Known deviations are shown with the target, and no shape is left open.
#[test]
fn every_case_is_explained() {
    let sources = conformance::files::cases(&Fixtures::compiled_in()).unwrap();
    let cases = conformance::load(&sources).unwrap();
    let targets = support::targets();
    for case in &cases {
        let source = sources.iter().find(|source| source.path == case.path);
        let text = explain(case, &source.unwrap().text, &targets);
        assert!(!text.contains("${shape"), "{text}");
        for target in &targets {
            if let Some(row) = target.deviation(&case.id) {
                let shown = format!("  {} {}: {}", target.name, row.seen, row.why);
                assert!(text.contains(&shown), "{shown} in {text}");
            }
        }
    }
}
