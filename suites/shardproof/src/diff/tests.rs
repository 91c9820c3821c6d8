use super::*;
use crate::report::terminal;

fn conformance(version: &str, results: &[&str]) -> String {
    let results = results.join(",");
    format!(
        r#"{{"format": "shardproof.conformance/1", "seed": "1", "counted": ["must"], "targets": [
            {{"target": "some-proxy", "version": "{version}", "results": [{results}]}}]}}"#
    )
}

/// A result as `case level standing class`.
fn result(words: &str) -> String {
    let words: Vec<&str> = words.split(' ').collect();
    let class = match words.get(3) {
        Some(class) => format!(r#""{class}""#),
        None => "null".to_owned(),
    };
    let (case, level, standing) = (words[0], words[1], words[2]);
    format!(
        r#"{{"case": "{case}", "level": "{level}", "standing": "{standing}", "class": {class}, "deviation": null}}"#
    )
}

fn read(text: &str) -> Outcomes {
    Outcomes::parse("a.json", text).unwrap_or_else(|why| panic!("{why}"))
}

/// The differences of one case between two reports as lines, and whether they fail.
#[track_caller]
fn check(before: &str, after: &str, expected: &str, fails: bool) {
    let report = |words: &str| {
        let results: Vec<String> = words.split_terminator(';').map(result).collect();
        let results: Vec<&str> = results.iter().map(String::as_str).collect();
        read(&conformance("1", &results))
    };
    let diff = Diff::new(&report(before), &report(after)).unwrap_or_else(|why| panic!("{why}"));
    let text = terminal::diff(&diff);
    let lines: Vec<&str> = text.lines().filter(|line| line.starts_with("  ")).collect();
    let expected: Vec<&str> = expected.lines().collect();
    assert_eq!(lines, expected, "{before} -> {after}");
    assert_eq!(diff.fails(), fails, "{before} -> {after}");
}

#[test]
fn differences_are_in_words_and_only_new_failures_fail() {
    check(
        "a must FAIL hung",
        "a must pass",
        "  fixed   a: was hung, passes",
        false,
    );
    check(
        "a must pass",
        "a must FAIL wrong",
        "  new     a: passed, is wrong",
        true,
    );
    check(
        "a should pass",
        "a should FAIL wrong",
        "  new     a: passed, is wrong (not counted)",
        false,
    );
    check(
        "",
        "a must FAIL wrong",
        "  new     a: was not in the report, is wrong",
        true,
    );
    check(
        "a must skip",
        "a must FAIL wrong",
        "  new     a: was not judged, is wrong",
        true,
    );
    check(
        "a must pass",
        "a must known hung",
        "  new     a: passed, is hung (known)",
        false,
    );
    check(
        "a must known hung",
        "a must skip",
        "  gone    a: was hung (known), is not judged",
        false,
    );
    check(
        "a must FAIL hung",
        "",
        "  gone    a: was hung, is not in the report",
        false,
    );
    check(
        "a must FAIL hung",
        "a must FAIL wrong",
        "  changed a: was hung, is wrong",
        true,
    );
    check(
        "a must FAIL wrong",
        "a must FAIL hung",
        "  changed a: was wrong, is hung",
        false,
    );
    check(
        "a must known hung",
        "a must FAIL hung",
        "  changed a: was hung (known), is hung",
        false,
    );
    check("a must FAIL hung", "a must FAIL hung", "", false);
    check("a must pass", "a must skip", "", false);
    check(
        "a must known hung",
        "a must MENDED",
        "  fixed   a: was hung (known), passes",
        false,
    );
}

#[test]
fn the_last_line_has_the_versions_and_the_counts() {
    let before = conformance(
        "1",
        &[&result("a must FAIL hung"), &result("b must FAIL wrong")],
    );
    let after = conformance("2", &[&result("a must pass"), &result("b must FAIL wrong")]);
    let diff = Diff::new(&read(&before), &read(&after)).expect("one kind");
    let text = terminal::diff(&diff);
    let last = "some-proxy 1 -> some-proxy 2: 1 fixed, 0 new, 0 gone, 0 changed, 1 fail as before";
    assert_eq!(text.lines().last(), Some(last));
}

#[test]
fn a_deviation_that_may_pass_is_the_same_whether_it_shows_or_not() {
    let known = r#"{"always": false, "class": "wrong"}"#;
    let of = |class: &str| {
        format!(
            r#"{{"case": "a", "level": "must", "standing": "known", "class": {class}, "deviation": {known}}}"#
        )
    };
    let shown = read(&conformance("1", &[&of(r#""partial""#)]));
    let hidden = read(&conformance("1", &[&of("null")]));
    let diff = Diff::new(&shown, &hidden).expect("one kind");
    assert_eq!(diff.targets[0].same, 1);
}

#[test]
fn laws_are_compared_by_their_worst_run_and_commands_by_their_class() {
    let chaos = |verdicts: [&str; 2]| {
        let scenarios = verdicts.map(|verdict| {
            format!(
                r#"{{"scenario": "s", "laws": [{{"law": "l", "optional": false, "verdict": "{verdict}"}}]}}"#
            )
        });
        let scenarios = scenarios.join(",");
        read(&format!(
            r#"{{"format": "shardproof.chaos/1", "strict": false, "targets":
                [{{"target": "x", "version": "1", "scenarios": [{scenarios}]}}]}}"#
        ))
    };
    let diff = Diff::new(&chaos(["kept", "kept"]), &chaos(["broken", "kept"])).expect("one kind");
    assert!(terminal::diff(&diff).contains("new     s/l: passed, is broken"));
    assert!(diff.fails());

    let matrix = |class: &str, known: &str| {
        read(&format!(
            r#"{{"format": "shardproof.matrix/1", "targets": [{{"target": "x", "version": "1"}}],
                "rows": [{{"command": "GET", "target": "x", "class": "{class}", "known": {known}}}]}}"#
        ))
    };
    let known = r#"{"always": true, "class": "hung"}"#;
    for (before, after, known, fails) in [
        ("refused", "hung", "null", true),
        ("refused", "partial", "null", false),
        ("refused", "hung", known, false),
        ("hung", "wrong", known, true),
        ("hung", "correct", "null", false),
    ] {
        let diff = Diff::new(&matrix(before, "null"), &matrix(after, known)).expect("one kind");
        assert_eq!(diff.fails(), fails, "{before} {after} {known}");
    }
}

#[test]
fn reports_of_other_kinds_are_refused() {
    let wrong = |text: &str| {
        Outcomes::parse("a.json", text)
            .expect_err("no report")
            .to_string()
    };
    let format = wrong(r#"{"format": "shardproof.plan/1"}"#);
    assert!(
        format.starts_with("a.json: format `shardproof.plan/1`, expected"),
        "{format}"
    );
    assert!(wrong("{").starts_with("a.json: EOF"), "{}", wrong("{"));
    let chaos = read(r#"{"format": "shardproof.chaos/1", "strict": false, "targets": []}"#);
    let why = Diff::new(&read(&conformance("1", &[])), &chaos).expect_err("two kinds");
    let expected = "reports of kind conformance and chaos, expected two of the same kind";
    assert_eq!(why.to_string(), expected);
}

/// The reader reads the reports that this suite writes.
#[test]
fn a_written_report_has_the_fields_that_are_read() {
    let report = ::conformance::report::Conformance::new(1, Vec::new());
    let text = serde_json::to_string(&report).expect("a text");
    assert_eq!(read(&text).kind, "conformance");
    let chaos = ::chaos::report::Chaos::new(1, false, Vec::new());
    let text = serde_json::to_string(&chaos).expect("a text");
    assert_eq!(read(&text).kind, "chaos");
}
