//! Small texts for people.

use std::path::Path;

/// The last `count` lines of a file, indented; a note where it cannot be read.
#[must_use]
pub fn last_lines(file: &Path, count: usize) -> String {
    match std::fs::read(file) {
        Err(why) => format!("  (no log: {why})"),
        Ok(bytes) => last_lines_of(&String::from_utf8_lossy(&bytes), count),
    }
}

/// The last `count` lines of a text that say anything, indented.
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

/// An error with the errors that caused it, those that it does not tell itself.
#[must_use]
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let told = error.to_string();
        if !text.contains(&told) {
            text = format!("{text}: {told}");
        }
        cause = error.source();
    }
    text
}

/// Whether `text` matches `pattern`, in which `*` stands for any run of characters.
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

/// A word as a POSIX shell takes it.
#[must_use]
pub fn shell_quoted(word: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-./:=,@%+".contains(&byte);
    match !word.is_empty() && word.bytes().all(plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', "'\\''")),
    }
}

/// Out of `known`, the word that `word` was probably meant to be: at most a third of it is different.
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
    use super::{matches, push_escaped};

    #[test]
    fn bytes_are_escaped_as_the_standard_library_does() {
        let all: Vec<u8> = (0..=255).collect();
        let mut text = b"before ".to_vec();
        push_escaped(&mut text, &all);
        let expected = format!("before {}", all.escape_ascii());
        assert_eq!(String::from_utf8(text).unwrap(), expected);
    }

    #[test]
    fn a_star_stands_for_any_run() {
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
}
