//! Laws of the documents: the README is short, links and paths lead somewhere, make words exist, and the language is plain.

use std::fs;
use std::path::{Path, PathBuf};

/// Words of the front page. Longer texts belong into `docs/`.
const README_WORDS_MAX: usize = 900;

/// Folders whose files the documents name in code spans.
const FOLDERS: &[&str] = &[
    "benches/",
    "ci/",
    "docs/",
    "fixtures/",
    "refproxy/",
    "snapshots/",
    "suites/",
];

/// Phrases that a native reader stumbles over. The plain word follows.
const PHRASES: &[(&str, &str)] = &[
    ("nobody", "no client, no caller"),
    ("whoever", "the caller"),
    ("told", "reported"),
    ("tells apart", "distinguishes"),
    ("beside", "next to"),
    ("so many", "N"),
    ("so often", "N times"),
    ("meanwhile", "during, or while"),
    ("anybody", "any client"),
    ("somebody", "another client"),
    ("everybody", "every client"),
    ("is said", "is reported"),
    ("are said", "are reported"),
    ("comes to", "moves to, or is"),
    ("lie on", "are on"),
    ("lies on", "is on"),
    ("lie there", "are there"),
    ("lies there", "is there"),
    ("what was", "the noun itself"),
    ("what became", "the outcome"),
    ("what comes", "the noun itself"),
    ("what came", "the noun itself"),
    ("stood in the way", "the reason"),
    ("tell apart", "distinguish"),
    ("held against", "compared with"),
    ("hands on", "forwards"),
    ("handed on", "forwarded"),
    ("takes for", "treats as"),
    ("taken for", "treated as"),
    ("carried out", "executed"),
    ("carries out", "executes"),
    ("at hand", "installed"),
    ("likewise", "also"),
    ("stands", "is"),
    ("stand", "be"),
    ("what is", "the noun itself"),
    ("who is", "the noun itself"),
    ("cannot be had", "cannot be used"),
    ("listened for", "to listen on"),
    ("let in", "logged in"),
    ("takes nothing", "keeps"),
    ("to look at", "the noun itself"),
    ("knows no", "does not support"),
    ("a line", "one line per"),
    ("a second", "per second"),
    ("a key", "per key, or one key"),
    ("a node", "per node, or one node"),
];

/// Phrases of the list that are right in most places: a plain article, which only the word before it turns into "per".
const PER: &[&str] = &[
    "keys",
    "once",
    "operations",
    "bytes",
    "ns",
    "time",
    "request",
    "line",
    "row",
    "file",
];

#[test]
fn the_front_page_is_short() {
    let words = read("README.md").split_whitespace().count();
    assert!(
        words <= README_WORDS_MAX,
        "README.md has {words} words of {README_WORDS_MAX}: move some into docs/"
    );
}

#[test]
fn links_lead_to_files_and_headings() {
    for document in documents() {
        let text = read(&document);
        let prose = without_fences(&text);
        let links = prose
            .split("](")
            .skip(1)
            .filter_map(|rest| rest.split(')').next());
        for link in links.filter(|link| !link.contains("://")) {
            let (path, anchor) = link.split_once('#').unwrap_or((link, ""));
            let file = match path {
                "" => document.clone(),
                path => {
                    let folder = Path::new(&document).parent().expect("a folder");
                    normal(&folder.join(path))
                }
            };
            assert!(
                root().join(&file).exists(),
                "{document}: no file for the link {link}"
            );
            assert!(
                anchor.is_empty() || headings(&read(&file)).any(|heading| heading == anchor),
                "{document}: no heading for the link {link}"
            );
        }
    }
}

#[test]
fn paths_in_code_spans_exist() {
    for document in documents() {
        for span in spans(&read(&document)) {
            let named = FOLDERS.iter().any(|folder| span.starts_with(folder));
            let is_path =
                |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "/._-".contains(c);
            if named && span.chars().all(is_path) {
                assert!(root().join(&span).exists(), "{document}: no file {span}");
            }
        }
    }
}

#[test]
fn make_words_exist() {
    let makefile = read("Makefile");
    for document in documents() {
        let text = read(&document);
        let commands = fenced(&text).chain(spans(&text)).collect::<Vec<_>>();
        for command in commands
            .iter()
            .filter_map(|line| line.strip_prefix("make "))
        {
            let word = command.split_whitespace().next().expect("a word");
            assert!(
                makefile
                    .lines()
                    .any(|line| line.starts_with(&format!("{word}:"))),
                "{document}: no `make {word}`"
            );
        }
    }
}

#[test]
fn the_language_is_plain() {
    let files = documents()
        .into_iter()
        .chain(below("snapshots/cli"))
        .chain(below("suites/schema"))
        .map(|path| (without_code(&read(&path)), path));
    let found: Vec<String> = files
        .chain(fixture_texts())
        .chain(error_texts())
        .flat_map(|(prose, path)| complaints(&prose.to_lowercase(), &path))
        .collect();
    assert!(found.is_empty(), "not plain English:\n{}", found.join("\n"));
}

#[test]
fn a_phrase_is_found_as_whole_words_and_outside_of_code() {
    assert!(occurs("it is told so", "told"));
    assert!(!occurs("it is untold", "told"));
    assert!(occurs("100 keys a second", "a second"));
    assert!(!occurs("a second client", "a second"));
    let prose = without_code("one `is-told` and\n```\nnobody\n```\nend");
    assert!(!prose.contains("told") && !prose.contains("nobody") && prose.contains("end"));
}

/// The phrases of a text, each with the plain word.
pub(crate) fn complaints(prose: &str, path: &str) -> Vec<String> {
    let found = PHRASES.iter().filter(|(phrase, _)| occurs(prose, phrase));
    found
        .map(|(phrase, plain)| format!("{path}: \"{phrase}\", better: {plain}"))
        .collect()
}

/// Promises of cases, and reasons of deviations.
fn fixture_texts() -> impl Iterator<Item = (String, String)> {
    let promise = |line: &&str| line.starts_with("# ");
    let reason = |line: &&str| line.starts_with("why = ") || line.starts_with("# ");
    let cases = below("fixtures/conformance")
        .into_iter()
        .flat_map(|group| below(&group));
    let cases = cases.map(move |path| (lines(&path, promise), path));
    let targets = below("fixtures/targets").into_iter();
    cases.chain(targets.map(move |path| (lines(&path, reason), path)))
}

/// The texts of `thiserror` errors.
fn error_texts() -> impl Iterator<Item = (String, String)> {
    let rooms = ["refproxy/src", "refproxy/placement/src", "suites"];
    let sources = rooms.into_iter().flat_map(super::sources);
    sources.map(|(path, code)| {
        let texts: Vec<&str> = code
            .split("#[error(")
            .skip(1)
            .filter_map(|rest| rest.split(")]").next())
            .collect();
        let prose = without_code(&texts.join("\n"));
        // A placeholder is not a word.
        let prose = prose
            .split('{')
            .map(|part| part.split_once('}').map_or(part, |(_, rest)| rest));
        (
            prose.collect::<Vec<_>>().join("_"),
            path.display().to_string(),
        )
    })
}

/// The lines of a file that are `wanted`.
fn lines(path: &str, wanted: impl Fn(&&str) -> bool) -> String {
    let text = read(path);
    let lines: Vec<&str> = text.lines().filter(wanted).collect();
    without_code(&lines.join("\n"))
}

/// Whether a phrase is in a text as whole words. One with an article counts only if the article means "per".
fn occurs(prose: &str, phrase: &str) -> bool {
    let words: Vec<&str> = prose
        .split(|c: char| !c.is_alphanumeric() && c != '\'')
        .filter(|word| !word.is_empty())
        .collect();
    let wanted: Vec<&str> = phrase.split(' ').collect();
    words.windows(wanted.len()).enumerate().any(|(at, found)| {
        let before = at.checked_sub(1).map(|at| words[at]);
        let per = || before.is_some_and(|word| PER.contains(&word));
        found == wanted && (wanted[0] != "a" || per())
    })
}

/// The documents, as paths from the root of the workspace.
pub(crate) fn documents() -> Vec<String> {
    let fixed = [
        "CHANGELOG.md",
        "CONTRIBUTING.md",
        "README.md",
        "fixtures/README.md",
        "refproxy/README.md",
    ];
    let mut all: Vec<String> = fixed.map(str::to_owned).to_vec();
    all.extend(
        below("docs")
            .into_iter()
            .filter(|path| path.ends_with(".md")),
    );
    all
}

/// The files of a folder, as paths from the root of the workspace.
fn below(folder: &str) -> Vec<String> {
    let entries = fs::read_dir(root().join(folder)).expect(folder);
    let names = entries.map(|entry| entry.expect(folder).file_name());
    let mut paths: Vec<String> = names
        .map(|name| format!("{folder}/{}", name.to_string_lossy()))
        .collect();
    paths.sort();
    assert!(!paths.is_empty(), "{folder} is empty");
    paths
}

pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

pub(crate) fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|why| panic!("{path}: {why}"))
}

/// A path without `..`, which need not exist.
fn normal(path: &Path) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.iter().map(|part| part.to_str().expect("UTF-8")) {
        match part {
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}

/// Headings as GitHub's anchors.
fn headings(text: &str) -> impl Iterator<Item = String> {
    let prose = without_fences(text);
    let headings: Vec<String> = prose
        .lines()
        .filter(|line| line.starts_with('#'))
        .map(|line| {
            let title = line.trim_start_matches('#').trim().to_lowercase();
            let kept = title
                .chars()
                .filter(|c| c.is_alphanumeric() || " -_".contains(*c));
            kept.map(|c| if c == ' ' { '-' } else { c }).collect()
        })
        .collect();
    headings.into_iter()
}

/// Lines inside of code fences, continued ones joined, without the prompt.
fn fenced(text: &str) -> impl Iterator<Item = String> {
    let mut inside = false;
    let mut code = String::new();
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            inside = !inside;
        } else if inside {
            code.push_str(line.trim_start().trim_start_matches("$ "));
            code.push('\n');
        }
    }
    let lines: Vec<String> = code
        .replace("\\\n", "")
        .lines()
        .map(str::to_owned)
        .collect();
    lines.into_iter()
}

/// Code spans outside of fences.
fn spans(text: &str) -> impl Iterator<Item = String> {
    let prose = without_fences(text);
    let spans: Vec<String> = prose
        .split('`')
        .skip(1)
        .step_by(2)
        .map(str::to_owned)
        .collect();
    spans.into_iter()
}

fn without_fences(text: &str) -> String {
    text.split("```").step_by(2).collect()
}

pub(crate) fn without_code(text: &str) -> String {
    without_fences(text)
        .split('`')
        .step_by(2)
        .collect::<Vec<_>>()
        .join(" ` ")
}
