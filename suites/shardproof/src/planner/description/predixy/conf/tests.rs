//! Lines by hand, from the source of predixy.

use std::collections::BTreeMap;

use super::{Entry, Line, includes, parse, read};

fn key(key: &str, value: &str) -> Line {
    Line::KeyValue(key.to_owned(), value.as_bytes().to_vec())
}

fn begin(key: &str, value: &str) -> Line {
    Line::Begin(key.to_owned(), value.as_bytes().to_vec())
}

#[test]
fn a_line_is_a_key_a_value_and_perhaps_a_scope() {
    for (line, expected) in [
        ("", Line::Nothing),
        (" \t\r", Line::Nothing),
        ("  # Hash crc16", Line::Nothing),
        ("Hash", key("Hash", "")),
        ("Hash#crc16", key("Hash", "")),
        (" Hash\tcrc16 # why", key("Hash", "crc16")),
        ("+ a:1", key("+", "a:1")),
        ("HashTag \"{}\"", key("HashTag", "{}")),
        ("HashTag \"##\" # why", key("HashTag", "##")),
        (r#"Password "a\"\\b" # c"#, key("Password", r#"a"\b"#)),
        (r#"Password "a\b"c""#, key("Password", r#"ab"c"#)),
        ("Password \"open # c", key("Password", "open # c")),
        ("Group \"a b\" { # why", begin("Group", "a b")),
        ("Group {", begin("Group", "")),
        ("Group a {", begin("Group", "a")),
        ("Group a{# why", begin("Group", "a")),
        ("Group {{", begin("Group", "{")),
        ("}", Line::End),
        ("  } # why", Line::End),
        ("}#", Line::End),
        ("HashTag \"{}\" x", Line::Malformed),
        ("Group \"a\" { x", Line::Malformed),
        ("Group \"a\" {{", Line::Malformed),
    ] {
        assert_eq!(parse(line), expected, "{line}");
    }
}

/// `{` counts only as the last byte, keys end with no `\r`, and each space of a value takes a byte of its end.
#[test]
fn quirks_are_those_of_predixy() {
    for (line, expected) in [
        ("Group a { ", key("Group", "a ")),
        ("Group a {\r", key("Group", "a ")),
        ("}\r", key("}\r", "")),
        ("} x", key("}", "x")),
        ("Pool{", key("Pool{", "")),
        ("LogRotate 1d 2G", key("LogRotate", "1d 2")),
        ("Group a b {", begin("Group", "a ")),
    ] {
        assert_eq!(parse(line), expected, "{line:?}");
    }
}

fn included(files: &[(&str, &str)]) -> BTreeMap<String, String> {
    let files = files.iter();
    files
        .map(|(path, text)| ((*path).to_owned(), (*text).to_owned()))
        .collect()
}

/// An entry in one line.
fn shown(entry: &Entry) -> String {
    let scope: Vec<String> = entry.scope.iter().map(shown).collect();
    format!(
        "{} {}={}[{}]",
        entry.place,
        entry.key,
        entry.text(),
        scope.join(", ")
    )
}

/// Included lines are in place, and may be parts of a scope.
#[test]
fn files_are_included_beside_the_file_that_names_them() {
    let files = included(&[
        ("conf/a.conf", "Include b/b.conf\nHash atol\n"),
        ("conf/b/b.conf", "Pool {\nInclude c.conf"),
        ("conf/b/c.conf", "Group x {"),
    ]);
    let text = "Name n\nInclude a.conf\n}\n}\nBind b";
    let read = read(text, "conf/p.conf", &files).unwrap();
    let read: Vec<String> = read.iter().map(shown).collect();
    assert_eq!(
        read,
        [
            "conf/p.conf:1 Name=n[]",
            "conf/b/b.conf:1 Pool=[conf/b/c.conf:1 Group=x[conf/a.conf:2 Hash=atol[]]]",
            "conf/p.conf:5 Bind=b[]",
        ]
    );
    let named = [("conf/p.conf:2".to_owned(), "conf/a.conf".to_owned())];
    assert_eq!(includes(text, "conf/p.conf"), named);
    let plain = includes("include /etc/a.conf", "p.conf");
    assert_eq!(plain, [("p.conf:1".to_owned(), "/etc/a.conf".to_owned())]);
}

#[test]
fn scopes_and_files_that_do_not_end_are_refused() {
    let files = included(&[("a.conf", "Include b.conf"), ("b.conf", "\nInclude a.conf")]);
    let deep = "a {\n".repeat(11);
    for (text, expected) in [
        ("a {\nb {\n}", "p.conf:1: a: expected } at its end"),
        (
            "}",
            "p.conf:1: }: expected a line that ends with { before it",
        ),
        (
            "a \"b\" c",
            "p.conf:1: value: expected nothing but { or a comment",
        ),
        (
            "Include c.conf",
            "p.conf:1: Include c.conf: expected a file that can be read",
        ),
        (
            "Include",
            "p.conf:1: Include : expected a file that can be read",
        ),
        (
            "Include a.conf",
            "b.conf:2: Include a.conf: the file includes itself",
        ),
        (&deep, "p.conf:11: {: expected at most 10 scopes"),
    ] {
        let error = read(text, "p.conf", &files).unwrap_err().to_string();
        assert!(error.starts_with(expected), "{error} of {text}");
    }
}
