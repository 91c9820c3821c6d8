//! Texts of a hostile proxy cannot inject markup or control characters: each is put into every free text of every
//! report, in every format.

use quick_xml::events::Event;
use serde_json::Value;
use shardproof::report::terminal::{self, Shown};
use shardproof::report::{Report, html, json, junit};
use testbed::text::printable;

use crate::{everything, stressed};

/// Texts that terminals, pages, XML, JSON and shells obey or misread. Invalid UTF-8 is as in transcripts.
fn texts() -> Vec<String> {
    let invalid = [b"\xff\xfe\xc0\x80".as_slice(), b"<script>\x1b[2J\x80"];
    let invalid = invalid.map(|bytes| String::from_utf8_lossy(bytes).into_owned());
    let known = [
        "\u{1b}[2J\u{1b}]0;title\u{7}\u{9b}31m",
        "<script>alert(1)</script>",
        "</pre></style></title><img src=x onerror=alert(1)>",
        "\" onclick=\"alert(1)\" x='",
        "' onclick='alert(1)",
        "]]><x/>--><!--",
        "&lt;b&gt;&#60;&bogus;%s{{ 7 * 7 }}{% raw %}",
        "nul\0del\u{7f}\u{8}\r\u{b}\u{c}",
        "\u{202e}txt\u{2066}\u{200f}\u{2028}\u{85}",
        "\u{feff}\u{fffe}\u{ffff}\u{10ffff}",
        "javascript:alert(1)",
        "'; rm -rf $HOME `id`",
        "",
    ];
    invalid
        .into_iter()
        .chain(known.map(str::to_owned))
        .collect()
}

#[test]
fn terminals() {
    for text in texts() {
        let run = everything::conformance(&text);
        let shown = [
            terminal::target(&run.targets[0], 1, Shown::All),
            terminal::target(&run.targets[0], 1, Shown::Failures),
            Report::terminal(&run),
            Report::terminal(&everything::matrix(&text)),
            Report::terminal(&everything::rescales(&text)),
            terminal::rescale(&everything::rescales(&text).reports[1]),
            Report::terminal(&everything::plan(&text, 3)),
            Report::terminal(&everything::differential(&text)),
            Report::terminal(&everything::fingerprint(&text)),
            Report::terminal(&everything::migration(&text)),
            Report::terminal(&stressed::chaos(&text)),
            terminal::scenario(&stressed::chaos(&text).targets[0].scenarios[0]),
            terminal::shrunk(&stressed::shrunk(&text)),
        ];
        for shown in shown {
            let shown = printable(&shown);
            let obeyed = |char: &char| {
                (char.is_control() && !['\n', '\t'].contains(char))
                    || ('\u{202a}'..='\u{202e}').contains(char)
                    || ('\u{2066}'..='\u{2069}').contains(char)
            };
            assert_eq!(shown.chars().find(obeyed), None, "{text:?} in {shown:?}");
        }
    }
}

#[test]
fn pages() {
    for text in texts() {
        let pages = [
            html::conformance(&everything::conformance(&text)),
            html::matrix(&everything::matrix(&text)),
            html::rescales(&everything::rescales(&text).reports),
            html::plan(&everything::plan(&text, 3)),
            html::plan(&everything::plan(&text, 17)),
            html::chaos(&stressed::chaos(&text)),
        ];
        for page in pages {
            let page = printable(&page);
            tokens(&page).unwrap_or_else(|why| panic!("{text:?}: {why}"));
            assert!(!page.contains("href=\"javascript:"), "{text:?}");
            assert!(!page.contains('\0'), "{text:?}");
        }
    }
}

#[test]
fn junit_is_well_formed() {
    let both = |text: String| {
        let conformance = junit(&everything::conformance(&text).suites());
        let chaos = junit(&stressed::chaos(&text).suites());
        [conformance, chaos].map(|junit| (text.clone(), junit.expect("a report is XML")))
    };
    for (text, junit) in texts().into_iter().flat_map(both) {
        let junit = printable(&junit);
        let mut reader = quick_xml::Reader::from_str(&junit);
        loop {
            let event = reader.read_event();
            match event.unwrap_or_else(|why| panic!("{text:?}: {why} in {junit}")) {
                Event::Eof => break,
                Event::Start(tag) | Event::Empty(tag) => {
                    let name = String::from_utf8_lossy(tag.name().as_ref()).into_owned();
                    assert!(ELEMENTS.contains(&name.as_str()), "{text:?}: <{name}>");
                    for attribute in tag.attributes() {
                        let attribute = attribute.unwrap_or_else(|why| panic!("{text:?}: {why}"));
                        assert!(!attribute.value.contains(&b'<'), "{text:?}");
                    }
                }
                Event::Comment(_) | Event::PI(_) | Event::DocType(_) => panic!("{text:?}: {junit}"),
                _ => {}
            }
        }
        let forbidden = |char: &char| matches!(char, '\0'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}');
        assert_eq!(junit.chars().find(forbidden), None, "{text:?}");
        for reference in ["&#0;", "&#x0;", "&#27;", "&#x1b;"] {
            assert!(!junit.contains(reference), "{text:?}");
        }
    }
}

const ELEMENTS: [&str; 9] = [
    "testsuites",
    "testsuite",
    "properties",
    "property",
    "testcase",
    "failure",
    "error",
    "skipped",
    "system-out",
];

#[test]
fn json_keeps_the_text() {
    for text in texts() {
        let reports = [
            json::text(&everything::conformance(&text)),
            json::text(&everything::matrix(&text)),
            json::text(&everything::rescales(&text)),
            json::text(&everything::plan(&text, 3)),
            json::text(&everything::differential(&text)),
            json::text(&everything::fingerprint(&text)),
            json::text(&everything::migration(&text)),
            json::text(&stressed::chaos(&text)),
        ];
        for report in reports {
            let report = report.expect("a report is JSON");
            let written: Value = serde_json::from_str(&printable(&report)).expect("JSON");
            let original: Value = serde_json::from_str(&report).expect("JSON");
            assert_eq!(written, original, "{text:?}");
        }
    }
}

/// Reads a page as a browser does, and accepts only markup of the templates.
fn tokens(page: &str) -> Result<(), String> {
    let mut rest = page;
    while let Some((_, tag)) = rest.split_once('<') {
        let excerpt: String = tag.chars().take(120).collect();
        let name = tag
            .split([' ', '>', '/'])
            .find(|part| !part.is_empty())
            .unwrap_or("");
        if !TAGS.contains(&name) {
            return Err(format!("tag <{excerpt}"));
        }
        rest = attributes(&tag[tag.find(name).unwrap_or(0) + name.len()..])
            .ok_or_else(|| format!("attributes of <{excerpt}"))?;
        if ["style", "script"].contains(&name) && !tag.starts_with('/') {
            let end = format!("</{name}>");
            rest = rest.split_once(end.as_str()).ok_or("no end")?.1;
        }
    }
    for (what, count) in [
        ("<script", 1),
        ("<style", 1),
        ("<title>shardproof", 1),
        ("</html>", 1),
    ] {
        if page.matches(what).count() != count {
            return Err(format!(
                "{what} is there {} times",
                page.matches(what).count()
            ));
        }
    }
    Ok(())
}

/// The text after a tag whose attributes are all from the templates.
fn attributes(mut rest: &str) -> Option<&str> {
    loop {
        rest = rest.trim_start();
        if let Some(rest) = rest.strip_prefix("/>").or(rest.strip_prefix('>')) {
            return Some(rest);
        }
        let end = rest.find(['=', '>', ' '])?;
        let name = &rest[..end];
        if !name
            .chars()
            .all(|letter| letter.is_ascii_alphanumeric() || letter == '-')
            || name.starts_with("on")
        {
            return None;
        }
        rest = &rest[end..];
        if let Some(value) = rest.strip_prefix("=\"") {
            let (value, after) = value.split_once('"')?;
            if value.contains('<') || value.contains('>') {
                return None;
            }
            rest = after;
        }
    }
}

const TAGS: [&str; 44] = [
    "!doctype", "html", "head", "meta", "title", "style", "body", "script", "h1", "h2", "h3", "p",
    "code", "div", "span", "input", "button", "table", "thead", "tbody", "tr", "th", "td", "br",
    "b", "a", "details", "summary", "pre", "svg", "text", "rect", "line", "path", "polyline", "g",
    "circle", "ul", "li", "i", "dl", "dt", "dd", "time",
];
