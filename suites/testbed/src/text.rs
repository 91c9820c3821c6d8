//! Small texts for people.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

/// Bytes at the end of a log that are read: a log may be larger than memory.
const TAIL_BYTES: u64 = 64 * 1024;

/// The last `count` lines of a file, indented; a note if it cannot be read.
#[must_use]
pub fn last_lines(file: &Path, count: usize) -> String {
    match tail(file) {
        Err(why) => format!("  (no log: {why})"),
        Ok(bytes) => last_lines_of(&String::from_utf8_lossy(&bytes), count),
    }
}

fn tail(file: &Path) -> io::Result<Vec<u8>> {
    let mut file = File::open(file)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(TAIL_BYTES)))?;
    let mut bytes = Vec::new();
    file.take(TAIL_BYTES).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The text, in which every character that a terminal obeys or hides is escaped as `\u001b`: control characters other
/// than line feed and tab, and marks of text direction.
///
/// The escape is also valid within a JSON string, where it means the same character.
#[must_use]
pub fn printable(text: &str) -> Cow<'_, str> {
    if !text.contains(is_unprintable) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 16);
    for char in text.chars() {
        if is_unprintable(char) {
            // Writing to a String cannot fail.
            let _ = write!(escaped, "\\u{:04x}", u32::from(char));
        } else {
            escaped.push(char);
        }
    }
    Cow::Owned(escaped)
}

fn is_unprintable(char: char) -> bool {
    match char {
        '\n' | '\t' => false,
        '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => true,
        char => char.is_control(),
    }
}

/// The last `count` lines of a text that are not blank, indented.
#[must_use]
pub fn last_lines_of(text: &str, count: usize) -> String {
    let lines: Vec<&str> = text
        .lines()
        .filter(|line| !line.trim().is_empty())
        .collect();
    lines[lines.len().saturating_sub(count)..]
        .iter()
        .map(|line| format!("  {line}"))
        .collect::<Vec<_>>()
        .join("\n")
}

/// The last `count` lines that are not blank and were written since a log had this length. A shorter log is a new one.
#[must_use]
pub fn lines_since(log: &[u8], length: u64, count: usize) -> Vec<String> {
    let length = usize::try_from(length).ok();
    let since = length.and_then(|length| log.get(length..));
    let text = String::from_utf8_lossy(since.unwrap_or(log));
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    let lines: Vec<String> = lines.map(str::to_owned).collect();
    lines[lines.len().saturating_sub(count)..].to_vec()
}

/// An error with its causes, except those that it already contains.
#[must_use]
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let message = error.to_string();
        if !text.contains(&message) {
            text = format!("{text}: {message}");
        }
        cause = error.source();
    }
    text
}

/// Whether `text` matches `pattern`, in which `*` matches any run of characters.
#[must_use]
pub fn matches(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((head, rest)) => text.strip_prefix(head).is_some_and(|tail| {
            tail.char_indices()
                .map(|(at, _)| &tail[at..])
                .chain([""])
                .any(|tail| matches(rest, tail))
        }),
    }
}

/// Whether a pattern selects an id: as [`matches`], or by the number after `@`, as `group/name@10..20` does. Either bound may
/// be missing.
#[must_use]
pub fn selects(pattern: &str, id: &str) -> bool {
    let range = pattern
        .rsplit_once('@')
        .and_then(|(stem, range)| Some((stem, range.split_once("..")?)));
    let Some((stems, (from, to))) = range else {
        return matches(pattern, id);
    };
    let bound = |text: &str, none: i128| match text {
        "" => Some(none),
        text => text.parse().ok(),
    };
    let within = |number: &str| -> Option<bool> {
        let (from, to) = (bound(from, i128::MIN)?, bound(to, i128::MAX)?);
        Some((from..=to).contains(&number.parse::<i128>().ok()?))
    };
    id.rsplit_once('@')
        .is_some_and(|(stem, number)| matches(stems, stem) && within(number) == Some(true))
}

/// A word quoted for a POSIX shell.
#[must_use]
pub fn shell_quoted(word: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-./:=,@%+".contains(&byte);
    match !word.is_empty() && word.bytes().all(plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', "'\\''")),
    }
}

/// The word in `known` that `word` was probably meant to be: at most a third of it differs.
#[must_use]
pub fn nearest<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let near = word.chars().count().div_ceil(3);
    known
        .map(|other| (distance(word, other), other))
        .filter(|(distance, _)| *distance <= near)
        .min()
        .map(|(_, other)| other)
}

/// The number of letters to insert, delete or replace (Levenshtein).
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (index, letter) in one.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], index + 1);
        for (at, expected) in other.iter().enumerate() {
            let replaced = diagonal + usize::from(letter != *expected);
            diagonal = row[at + 1];
            row[at + 1] = replaced.min(diagonal + 1).min(row[at] + 1);
        }
    }
    row[other.len()]
}

/// Appends bytes in printable form, as [`slice::escape_ascii`] shows them.
pub fn push_escaped(text: &mut Vec<u8>, bytes: &[u8]) {
    for byte in bytes {
        match byte {
            b'"' | b'\'' | b'\\' => text.extend([b'\\', *byte]),
            b' '..=b'~' => text.push(*byte),
            other => text.extend(std::ascii::escape_default(*other)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{last_lines, lines_since, matches, printable, push_escaped, selects};

    #[test]
    fn lines_since_a_length_are_the_new_ones() {
        let log = b"old\n\nnew 1\nnew 2\n";
        assert_eq!(lines_since(log, 4, 10), ["new 1", "new 2"]);
        assert_eq!(lines_since(log, 4, 1), ["new 2"]);
        assert_eq!(lines_since(log, log.len() as u64, 10), [""; 0]);
        // The proxy was started again.
        assert_eq!(lines_since(log, 100, 10), ["old", "new 1", "new 2"]);
    }

    #[test]
    fn characters_that_a_terminal_obeys_are_escaped() {
        let cases = [
            ("plain \u{e9}\n\ttext", "plain \u{e9}\n\ttext"),
            ("\x1b]0;owned\x07", "\\u001b]0;owned\\u0007"),
            ("a\rb\x7f\0", "a\\u000db\\u007f\\u0000"),
            ("\u{9b}2J", "\\u009b2J"),
            ("\u{202e}abc\u{2066}", "\\u202eabc\\u2066"),
        ];
        for (text, expected) in cases {
            assert_eq!(printable(text), expected, "{}", text.escape_debug());
        }
    }

    #[test]
    fn the_escape_is_valid_json() {
        let text = serde_json::to_string("a\u{9b}\x7f\x1b\u{202e}").unwrap();
        let shown = printable(&text);
        assert!(shown.is_ascii(), "{shown}");
        let read: String = serde_json::from_str(&shown).unwrap();
        assert_eq!(read, "a\u{9b}\x7f\x1b\u{202e}");
    }

    #[test]
    fn only_the_end_of_a_large_log_is_read() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        let line = "x".repeat(1024 * 1024);
        std::io::Write::write_all(&mut file, format!("{line}\nlast\n").as_bytes()).unwrap();
        let shown = last_lines(file.path(), 2);
        assert!(shown.ends_with("\n  last"));
        assert!(shown.len() <= 64 * 1024 + 16, "{}", shown.len());
    }

    #[test]
    fn bytes_are_escaped_as_the_standard_library_does() {
        let all: Vec<u8> = (0..=255).collect();
        let mut text = b"before ".to_vec();
        push_escaped(&mut text, &all);
        let expected = format!("before {}", all.escape_ascii());
        assert_eq!(String::from_utf8(text).unwrap(), expected);
    }

    #[test]
    fn a_star_matches_any_run() {
        for (pattern, text) in [
            ("a/b", "a/b"),
            ("a/*", "a/b"),
            ("*", ""),
            ("*-x", "a/b-x"),
            ("a*c*e", "abcde"),
            ("a/*", "a/"),
        ] {
            assert!(matches(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in [("a", "ab"), ("a/*", "b/a"), ("*-x", "a-xy"), ("", "a")] {
            assert!(!matches(pattern, text), "{pattern} {text}");
        }
    }

    #[test]
    fn numbers_of_ids_are_selected_by_a_range() {
        for (pattern, id) in [
            ("a/b@10..20", "a/b@10"),
            ("a/b@10..20", "a/b@20"),
            ("a/b@..20", "a/b@-3"),
            ("*@10..", "a/b@99999999999"),
            ("a/b@*", "a/b@x"),
            ("a/b", "a/b"),
        ] {
            assert!(selects(pattern, id), "{pattern} {id}");
        }
        for (pattern, id) in [
            ("a/b@10..20", "a/b@9"),
            ("a/b@10..20", "a/b@21"),
            ("a/b@10..20", "a/c@10"),
            ("a/b@10..", "a/b"),
            ("a/b@10..", "a/b@x"),
            ("a/b@x..20", "a/b@10"),
        ] {
            assert!(!selects(pattern, id), "{pattern} {id}");
        }
    }
}
