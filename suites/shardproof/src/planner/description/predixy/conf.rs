//! The lines of predixy's file: keys, values, and scopes of other lines, with the lines of included files in place.
//!
//! Source: predixy at commit 57de3c2, `src/ConfParser.cpp`, with its quirks: `{` opens a scope only as the last byte of a line,
//! and an unquoted value loses as many bytes as it has spaces. Older versions keep spaces at the end of values without a scope.

use std::collections::BTreeMap;

use super::super::{Error, Why};

/// The deepest scope.
const DEPTH_MAX: usize = 10;
/// The key that includes another file.
pub(super) const INCLUDE: &str = "Include";

/// A line that is not empty.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Entry {
    /// `file:line`.
    pub(super) place: String,
    /// The first word.
    pub(super) key: String,
    /// The rest, without quotes; bytes, because the quirks may cut a letter.
    pub(super) value: Vec<u8>,
    /// The lines of its scope.
    pub(super) scope: Vec<Entry>,
}

impl Entry {
    /// Whether its key is `name`, in any case.
    pub(super) fn is(&self, name: &str) -> bool {
        self.key.eq_ignore_ascii_case(name)
    }

    /// The value as text.
    pub(super) fn text(&self) -> String {
        String::from_utf8_lossy(&self.value).into_owned()
    }

    pub(super) fn wrong(&self, field: impl Into<String>, expected: impl Into<String>) -> Error {
        Why::field(field, expected).at(self.place.clone())
    }
}

/// One line.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Line {
    Nothing,
    KeyValue(String, Vec<u8>),
    Begin(String, Vec<u8>),
    End,
    Malformed,
}

/// The paths of the files that a text includes, each with its `file:line`.
pub(super) fn includes(text: &str, name: &str) -> Vec<(String, String)> {
    let lines = (1..).zip(text.split('\n').map(parse));
    let includes = lines.filter_map(|(number, line): (u64, Line)| match line {
        Line::KeyValue(key, value) if key.eq_ignore_ascii_case(INCLUDE) => {
            let path = String::from_utf8_lossy(&value).into_owned();
            Some((format!("{name}:{number}"), beside(&path, name)))
        }
        _ => None,
    });
    includes.collect()
}

/// The key of the first line that is not empty.
pub(super) fn first_key(text: &str) -> String {
    let mut lines = text.split('\n').map(parse);
    let first = lines.find(|line| *line != Line::Nothing);
    match first {
        Some(Line::KeyValue(key, _) | Line::Begin(key, _)) => key,
        _ => String::new(),
    }
}

/// Whether the key of a line begins with one of these names.
pub(super) fn has_pool(text: &str, names: &[&str]) -> bool {
    let begins = |key: &str, name: &str| {
        let begin = key.get(..name.len());
        begin.is_some_and(|begin| begin.eq_ignore_ascii_case(name))
    };
    let mut lines = text.split('\n').map(parse);
    lines.any(|line| match line {
        Line::KeyValue(key, _) | Line::Begin(key, _) => names.iter().any(|it| begins(&key, it)),
        _ => false,
    })
}

/// The path of an included file: relative to the file that includes it.
fn beside(path: &str, name: &str) -> String {
    match name.rfind('/') {
        Some(slash) if !path.starts_with('/') => format!("{}{path}", &name[..=slash]),
        _ => path.to_owned(),
    }
}

/// All lines of a file. `included` are the texts of other files by their paths.
pub(super) fn read(
    text: &str,
    name: &str,
    included: &BTreeMap<String, String>,
) -> Result<Vec<Entry>, Error> {
    let mut reading = Reading {
        included,
        files: Vec::new(),
        open: vec![Entry::default()],
    };
    reading.file(text, name)?;
    match (reading.open.pop(), reading.open.is_empty()) {
        (Some(top), true) => Ok(top.scope),
        (Some(open), false) => Err(open.wrong(open.key.clone(), "expected } at its end")),
        (None, _) => Ok(Vec::new()),
    }
}

struct Reading<'a> {
    included: &'a BTreeMap<String, String>,
    /// The file that is read, after those that include it.
    files: Vec<String>,
    /// The scopes that are not closed yet, after the whole file. An included file may close them.
    open: Vec<Entry>,
}

impl Reading<'_> {
    fn file(&mut self, text: &str, name: &str) -> Result<(), Error> {
        self.files.push(name.to_owned());
        for (number, line) in (1_u64..).zip(text.split('\n')) {
            let place = format!("{name}:{number}");
            match parse(line) {
                Line::Nothing => {}
                Line::KeyValue(key, value) if key.eq_ignore_ascii_case(INCLUDE) => {
                    self.include(&String::from_utf8_lossy(&value), place)?;
                }
                Line::KeyValue(key, value) => self.add(Entry {
                    place,
                    key,
                    value,
                    scope: Vec::new(),
                }),
                Line::Begin(..) if self.open.len() > DEPTH_MAX => {
                    let expected = format!("expected at most {DEPTH_MAX} scopes in each other");
                    return Err(Why::field("{", expected).at(place));
                }
                Line::Begin(key, value) => self.open.push(Entry {
                    place,
                    key,
                    value,
                    scope: Vec::new(),
                }),
                Line::End => self.close(place)?,
                Line::Malformed => {
                    let expected = "expected nothing but { or a comment after a value in quotes";
                    return Err(Why::field("value", expected).at(place));
                }
            }
        }
        self.files.pop();
        Ok(())
    }

    fn include(&mut self, path: &str, place: String) -> Result<(), Error> {
        let within = self.files.last().map_or("", String::as_str);
        let path = beside(path, within);
        let field = format!("{INCLUDE} {path}");
        if self.files.contains(&path) {
            return Err(Why::field(field, "the file includes itself").at(place));
        }
        let included = self.included;
        match included.get(&path) {
            Some(text) => self.file(text, &path),
            None => Err(Why::field(field, "expected a file that can be read").at(place)),
        }
    }

    fn add(&mut self, entry: Entry) {
        if let Some(scope) = self.open.last_mut() {
            scope.scope.push(entry);
        }
    }

    fn close(&mut self, place: String) -> Result<(), Error> {
        match self.open.pop() {
            Some(closed) if !self.open.is_empty() => {
                self.add(closed);
                Ok(())
            }
            _ => Err(Why::field("}", "expected a line that ends with { before it").at(place)),
        }
    }
}

/// Reads one line, without its end.
fn parse(line: &str) -> Line {
    let line = line.as_bytes();
    let is_blank = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\r');
    let begin = line.iter().position(|byte| !is_blank(byte));
    let Some(rest) = begin.map(|begin| &line[begin..]) else {
        return Line::Nothing;
    };
    if rest[0] == b'#' {
        return Line::Nothing;
    }
    let is_end = |byte: &u8| matches!(byte, b' ' | b'\t' | b'#');
    let end = rest.iter().position(is_end).unwrap_or(rest.len());
    let key = String::from_utf8_lossy(&rest[..end]).into_owned();
    let rest = &rest[end..];
    let begin = rest.iter().position(|byte| !is_blank(byte));
    match begin.map(|begin| &rest[begin..]) {
        None | Some([b'#', ..]) if key == "}" => Line::End,
        None | Some([b'#', ..]) => Line::KeyValue(key, Vec::new()),
        Some([b'"', quoted @ ..]) => in_quotes(key, quoted),
        Some(plain) => without_quotes(key, plain),
    }
}

/// A value up to the closing quote, or to the end of the line. A backslash takes the quote or the backslash after it, also if
/// other bytes are in between.
fn in_quotes(key: String, quoted: &[u8]) -> Line {
    let (mut value, mut escapes) = (Vec::new(), false);
    let mut bytes = quoted.iter();
    for byte in bytes.by_ref() {
        match byte {
            b'\\' if !escapes => escapes = true,
            b'"' if !escapes => return after_quotes(key, value, bytes.as_slice()),
            b'\\' | b'"' => {
                escapes = false;
                value.push(*byte);
            }
            other => value.push(*other),
        }
    }
    Line::KeyValue(key, value)
}

fn after_quotes(key: String, value: Vec<u8>, rest: &[u8]) -> Line {
    let comment = rest.iter().position(|byte| *byte == b'#');
    let rest = &rest[..comment.unwrap_or(rest.len())];
    let mut words = rest
        .iter()
        .filter(|byte| !matches!(byte, b' ' | b'\t' | b'\r'));
    match (words.next(), words.next()) {
        (None, _) => Line::KeyValue(key, value),
        (Some(b'{'), None) => Line::Begin(key, value),
        _ => Line::Malformed,
    }
}

/// A value up to a comment or to the end of the line.
fn without_quotes(key: String, plain: &[u8]) -> Line {
    let comment = plain.iter().position(|byte| *byte == b'#');
    let mut value = plain[..comment.unwrap_or(plain.len())].to_vec();
    let begins = value.last() == Some(&b'{');
    if begins {
        value.pop();
    }
    let spaces = value
        .iter()
        .filter(|byte| matches!(byte, b'\t'..=b'\r' | b' '));
    value.truncate(value.len() - spaces.count());
    match begins {
        true => Line::Begin(key, value),
        false => Line::KeyValue(key, value),
    }
}

#[cfg(test)]
mod tests;
