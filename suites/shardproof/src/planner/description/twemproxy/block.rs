//! The subset of YAML that nutcracker accepts: mappings and lists in block style, in one document without markers.
//!
//! Source: nutcracker 0.5.0 `src/nc_conf.c`, `conf_validate_tokens`. Each line is parsed separately: a line of a
//! multi-line value is treated as a separate line.

use super::super::{Error, Why};

/// Refuses YAML in `text` that nutcracker refuses.
pub(super) fn check(text: &str, file: &str) -> Result<(), Error> {
    let lines = text.trim_start_matches('\u{feff}').lines();
    for (number, line) in (1..).zip(lines) {
        if let Some((what, expected)) = refused(line) {
            return Err(Why::field(what, expected).at(format!("{file}:{number}")));
        }
    }
    Ok(())
}

/// The refused part of a line, and what to write instead.
fn refused(line: &str) -> Option<(&'static str, &'static str)> {
    if is_marker(line) {
        let expected = "nutcracker refuses it; leave the line out";
        return Some(("`---`, `...` and % directives", expected));
    }
    let entry = entry(line);
    let begins = [entry, value(entry)].map(|part| part.chars().next());
    if begins.contains(&Some('{')) || begins.contains(&Some('[')) {
        let expected =
            "nutcracker refuses { } and [ ]; write a setting a line, and a server a line after -";
        return Some(("flow style", expected));
    }
    let is_mark = |first: &Option<char>| matches!(first, Some('&' | '*' | '!'));
    begins.iter().any(is_mark).then_some((
        "anchors, aliases and tags",
        "nutcracker refuses & * and ! before a value; write the values out",
    ))
}

fn is_marker(line: &str) -> bool {
    let is_of_document = |mark: &str| {
        let rest = line.strip_prefix(mark);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t']))
    };
    line.starts_with('%') || is_of_document("---") || is_of_document("...")
}

/// A line without its indentation and the marks of list elements and mappings.
fn entry(line: &str) -> &str {
    let mut rest = line.trim_start();
    while let Some(inner) = ["- ", "? ", ": "]
        .iter()
        .find_map(|mark| rest.strip_prefix(mark))
    {
        rest = inner.trim_start();
    }
    rest
}

/// The text after the key of an entry, if it has one.
fn value(entry: &str) -> &str {
    let key = match entry.chars().next() {
        Some('#') | None => return "",
        Some(quote @ ('"' | '\'')) => entry[1..].find(quote).map_or(entry.len(), |end| end + 2),
        Some(_) => 0,
    };
    let after = entry[key..].split_once(": ");
    after.map_or("", |(_, value)| value.trim_start())
}

#[cfg(test)]
mod tests {
    use super::refused;

    #[test]
    fn a_line_is_refused_by_its_first_character_of_a_value() {
        for line in [
            "",
            "# {a}: &b",
            "a:",
            "a: b",
            "a: b{c}",
            "a: '{}'",
            "a: \"{a: &b}\"",
            "'{}': a",
            "\"&a\": b",
            "- 10.0.0.1:6379:1 {name}",
            "- '10.0.0.1:6379:1 [n]'",
            "a: ---",
            "----",
            "a: b # {c: &d}",
        ] {
            assert_eq!(refused(line), None, "{line}");
        }
        for (line, what) in [
            ("---", "---"),
            ("... ", "---"),
            ("%YAML 1.1", "---"),
            ("{", "flow"),
            ("a: {}", "flow"),
            ("- [a]", "flow"),
            ("  - a: [b]", "flow"),
            ("'a': [b]", "flow"),
            ("a: &b c", "anchors"),
            ("a: &b", "anchors"),
            ("- *b", "anchors"),
            ("a: !!str b", "anchors"),
            ("&a b: c", "anchors"),
            ("? a: *b", "anchors"),
        ] {
            let found = refused(line).map(|(what, _)| what);
            assert!(
                found.is_some_and(|found| found.contains(what)),
                "{line}: {found:?}"
            );
        }
    }
}
