//! The language of comments in code, scripts and configurations: as plain as that of the documents.
//!
//! Except in `fixtures/placement`: a recording is valid only for the exact bytes of its configuration.

use std::fs;
use std::path::{Path, PathBuf};

use super::documents::{complaints, root, without_code};

/// Files, and folders of files, that have comments.
const PLACES: &[&str] = &[
    "Cargo.toml",
    "Makefile",
    "benches",
    "ci",
    "clippy.toml",
    "deny.toml",
    "fixtures/chaos",
    "fixtures/targets",
    "refproxy",
    "snapshots",
    "suites",
];

/// Extensions of files without comments.
const SKIPPED: &[&str] = &["json", "md", "snap", "txt"];

#[test]
fn comments_are_plain() {
    let mut files = Vec::new();
    for place in PLACES {
        collect(&root().join(place), &mut files);
    }
    let found: Vec<String> = files.iter().flat_map(|path| complaints_of(path)).collect();
    assert!(found.is_empty(), "not plain English:\n{}", found.join("\n"));
}

#[test]
fn a_comment_is_found_across_lines_and_after_code() {
    let text = "let a = \"//b\"; // one\n\n    /// two\n    /// three `four`\nb//c\n";
    let found = blocks(text, marks("rs"));
    assert_eq!(
        found,
        [
            (1, " one".to_owned()),
            (3, " two\n three `four`".to_owned())
        ]
    );
    assert_eq!(
        blocks("#!/bin/sh\n# so\n", marks("sh")),
        [(2, " so".to_owned())]
    );
}

/// One line per phrase, with the file and the first line of its comment.
fn complaints_of(path: &Path) -> Vec<String> {
    let ending = path.extension().unwrap_or_default().to_string_lossy();
    // A file that is not text has no comments.
    let text = fs::read_to_string(path).unwrap_or_default();
    let name = path.strip_prefix(root()).unwrap_or(path).display();
    blocks(&text, marks(&ending))
        .into_iter()
        .flat_map(|(line, comment)| {
            let prose = without_code(&comment).to_lowercase();
            complaints(&prose, &format!("{name}:{line}"))
        })
        .collect()
}

/// The marks before the text of a comment.
fn marks(ending: &str) -> &'static [&'static str] {
    match ending {
        "rs" | "js" => &["//", "///", "//!"],
        "c" | "css" => &["/*"],
        "html" | "j2" | "svg" => &["{#", "<!--"],
        _ => &["#"],
    }
}

/// Comments on consecutive lines as one text, each with the number of its first line.
fn blocks(text: &str, marks: &[&str]) -> Vec<(usize, String)> {
    let mut blocks: Vec<(usize, String)> = Vec::new();
    let mut continues = false;
    for (number, line) in (1..).zip(text.lines()) {
        let found = comment(line, marks);
        match (found, blocks.last_mut()) {
            (Some(comment), Some((_, block))) if continues => {
                block.push('\n');
                block.push_str(comment);
            }
            (Some(comment), _) => blocks.push((number, comment.to_owned())),
            (None, _) => {}
        }
        continues = found.is_some();
    }
    blocks
}

/// The text after a mark that has no other character next to it.
fn comment<'a>(line: &'a str, marks: &[&str]) -> Option<&'a str> {
    marks.iter().find_map(|mark| {
        let mut places = line.match_indices(mark).map(|(at, _)| at);
        let at = places.find(|at| {
            let before = line[..*at].chars().next_back();
            let after = line[at + mark.len()..].chars().next();
            before.is_none_or(char::is_whitespace) && after.is_none_or(char::is_whitespace)
        })?;
        Some(&line[at + mark.len()..])
    })
}

fn collect(place: &Path, files: &mut Vec<PathBuf>) {
    if place.is_dir() {
        for entry in fs::read_dir(place).unwrap() {
            collect(&entry.unwrap().path(), files);
        }
    } else {
        let ending = place.extension().unwrap_or_default().to_string_lossy();
        assert!(
            place.exists(),
            "{} is gone: mend this list",
            place.display()
        );
        if !SKIPPED.contains(&&*ending) {
            files.push(place.to_owned());
        }
    }
}
