//! A TOML document, read by the table of fields: everything that is wrong with it, each with its line.
//!
//! Pure: never opens a file.

use std::collections::BTreeMap;
use std::ops::Range;

use toml::de::{DeTable, DeValue};
use toml::{Spanned, Table, Value};

use super::capability::correction;
use super::field::{FIELDS, Field, Kind, Presence};
use crate::text;

/// A problem of a file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Problem {
    pub(super) line: usize,
    /// The field, as `start.args[1]`; empty if it is none.
    pub(super) field: String,
    /// The mistake and the expectation.
    pub(super) why: String,
}

/// The values of a document that are as the table of fields describes, and the problems of the rest.
#[derive(Debug)]
pub(super) struct Document<'a> {
    text: &'a str,
    /// The fields. Each required one that is missing or wrong has an empty value.
    pub(super) fields: Table,
    pub(super) problems: Vec<Problem>,
    /// Where each value is in the text, by its field.
    spans: BTreeMap<String, Range<usize>>,
}

impl<'a> Document<'a> {
    /// Reads a document. One that is no TOML has no fields.
    pub(super) fn read(text: &'a str) -> Self {
        let mut read = Self {
            text,
            fields: Table::new(),
            problems: Vec::new(),
            spans: BTreeMap::new(),
        };
        let (root, errors) = DeTable::parse_recoverable(text);
        for error in errors {
            let line = error.span().map_or(1, |span| read.line_at(span.start));
            let why = error.message().replace('\n', ", ");
            read.problem(line, "", why);
        }
        // Values recovered from broken TOML may differ from those that its author meant.
        if read.problems.is_empty() {
            read.fields = read.table(root.get_ref(), "", "", 1);
        }
        read
    }

    /// Notes a problem of a field.
    pub(super) fn wrong(&mut self, field: &str, why: String) {
        self.problem(self.line(field), field, why);
    }

    /// Notes a problem in a line of the text of a field.
    pub(super) fn wrong_in(&mut self, field: &str, line: usize, why: String) {
        let span = self.spans.get(field).cloned().unwrap_or_default();
        let raw = self.text.get(span).unwrap_or_default();
        let begun = ["'''\n", "\"\"\"\n"].iter().any(|it| raw.starts_with(it));
        // The line feed after the opening quotes is no part of the value. In a text of one line, `\n` is no new line.
        let below = match (begun, raw.contains('\n')) {
            (true, _) => line,
            (false, true) => line - 1,
            (false, false) => 0,
        };
        self.problem(self.line(field) + below, field, why);
    }

    /// Whether a field has a problem.
    pub(super) fn is_wrong(&self, field: &str) -> bool {
        self.problems.iter().any(|problem| problem.field == field)
    }

    /// Whether the document has a field.
    pub(super) fn has(&self, field: &str) -> bool {
        self.spans.contains_key(field)
    }

    /// The line of a field; that of the table around it if it is absent.
    fn line(&self, field: &str) -> usize {
        let around = field.rsplit_once('.').map_or("", |(table, _)| table);
        let span = self.spans.get(field).or_else(|| self.spans.get(around));
        span.map_or(1, |span| self.line_at(span.start))
    }

    fn line_at(&self, offset: usize) -> usize {
        let before = &self.text.as_bytes()[..offset.min(self.text.len())];
        before.iter().filter(|byte| **byte == b'\n').count() + 1
    }

    fn problem(&mut self, line: usize, field: &str, why: String) {
        self.problems.push(Problem {
            line,
            field: field.to_owned(),
            why,
        });
    }

    /// The fields of a table: `path` is its place in the table of fields, `at` its place in the document.
    fn table(&mut self, found: &DeTable<'_>, path: &str, at: &str, line: usize) -> Table {
        let mut fields = Table::new();
        for (key, value) in found {
            let name = key.get_ref().as_ref();
            let (path, at) = (below(path, name), below(at, name));
            let line = self.line_at(key.span().start);
            match FIELDS.iter().find(|field| field.path == path) {
                None => self.problem(line, &at, unknown(&path)),
                Some(field) => {
                    self.spans.insert(at.clone(), value.span());
                    if let Some(value) = self.value(field, value, &at) {
                        fields.insert(name.to_owned(), value);
                    }
                }
            }
        }
        for field in directly_below(path).filter(|field| field.presence == Presence::Required) {
            let name = last(field.path);
            let at = below(at, name);
            let value = match (field.kind, found.contains_key(name)) {
                // Its own required fields are reported as missing.
                (Kind::Table, false) => {
                    Value::Table(self.table(&DeTable::new(), field.path, &at, line))
                }
                (kind, false) => {
                    let expected = kind.expected();
                    self.problem(line, &at, format!("missing, expected {expected}"));
                    empty(kind)
                }
                (kind, true) => empty(kind),
            };
            fields.entry(name).or_insert(value);
        }
        fields
    }

    /// The value of a field, if it is of the field's kind.
    fn value(&mut self, field: &Field, value: &Spanned<DeValue<'_>>, at: &str) -> Option<Value> {
        let line = self.line_at(value.span().start);
        match (field.kind, value.get_ref()) {
            (Kind::Text | Kind::Template | Kind::TextOrTable, DeValue::String(text)) => {
                return Some(text.as_ref().into());
            }
            (Kind::Number, DeValue::Integer(number)) => {
                let read = i64::from_str_radix(number.as_str(), number.radix());
                if let Some(number) = read.ok().filter(|number| *number > 0) {
                    return Some(number.into());
                }
                let expected = field.kind.expected();
                self.problem(line, at, format!("{number}, expected {expected}"));
            }
            (Kind::OneOf(words), DeValue::String(word)) => {
                if words.contains(&word.as_ref()) {
                    return Some(word.as_ref().into());
                }
                self.problem(
                    line,
                    at,
                    format!("`{word}`, expected one of {}", words.join(", ")),
                );
            }
            (Kind::Texts | Kind::Templates | Kind::Capabilities, DeValue::Array(texts)) => {
                return Some(Value::Array(self.texts(field.kind, texts.iter(), at)));
            }
            (Kind::Table | Kind::TextOrTable, DeValue::Table(table)) => {
                return Some(self.table(table, field.path, at, line).into());
            }
            (Kind::Tables, DeValue::Array(tables)) => {
                return Some(Value::Array(self.tables(field, tables.iter(), at)));
            }
            (kind, other) => {
                let (found, expected) = (other.type_str(), kind.expected());
                self.problem(line, at, format!("found {found}, expected {expected}"));
            }
        }
        None
    }

    fn texts<'v>(
        &mut self,
        kind: Kind,
        found: impl Iterator<Item = &'v Spanned<DeValue<'v>>>,
        at: &str,
    ) -> Vec<Value> {
        let mut texts = Vec::new();
        for (place, value) in found.enumerate() {
            let line = self.line_at(value.span().start);
            let DeValue::String(text) = value.get_ref() else {
                let found = value.get_ref().type_str();
                self.problem(
                    line,
                    &format!("{at}[{place}]"),
                    format!("found {found}, expected a string"),
                );
                continue;
            };
            self.spans.insert(format!("{at}[{place}]"), value.span());
            match correction(text) {
                Some(correction) if kind == Kind::Capabilities => {
                    self.problem(line, at, format!("`{text}` is unknown, {correction}"));
                }
                _ => texts.push(text.as_ref().into()),
            }
        }
        texts
    }

    fn tables<'v>(
        &mut self,
        field: &Field,
        found: impl Iterator<Item = &'v Spanned<DeValue<'v>>>,
        at: &str,
    ) -> Vec<Value> {
        let mut tables = Vec::new();
        for (place, value) in found.enumerate() {
            let (at, line) = (format!("{at}[{place}]"), self.line_at(value.span().start));
            self.spans.insert(at.clone(), value.span());
            match value.get_ref() {
                DeValue::Table(table) => {
                    tables.push(self.table(table, field.path, &at, line).into())
                }
                other => {
                    let found = other.type_str();
                    self.problem(line, &at, format!("found {found}, expected a table"));
                }
            }
        }
        tables
    }
}

/// What to write instead of an unknown field.
fn unknown(path: &str) -> String {
    let (table, name) = path.rsplit_once('.').unwrap_or(("", path));
    let names = || directly_below(table).map(|field| last(field.path));
    let elsewhere = FIELDS.iter().find(|field| last(field.path) == name);
    match (text::nearest(name, names()), elsewhere) {
        (Some(near), _) => format!("unknown field, did you mean `{}`?", below(table, near)),
        (None, Some(field)) => format!("unknown field, did you mean `{}`?", field.path),
        (None, None) => {
            let names: Vec<&str> = names().collect();
            format!("unknown field, expected one of {}", names.join(", "))
        }
    }
}

/// The fields of a table, but not those of its tables.
fn directly_below(table: &str) -> impl Iterator<Item = &'static Field> {
    let table = table.to_owned();
    FIELDS.iter().filter(move |field| {
        let around = field.path.rsplit_once('.').map_or("", |(table, _)| table);
        around == table
    })
}

fn below(table: &str, name: &str) -> String {
    match table {
        "" => name.to_owned(),
        table => format!("{table}.{name}"),
    }
}

fn last(path: &str) -> &str {
    path.rsplit_once('.').map_or(path, |(_, name)| name)
}

fn empty(kind: Kind) -> Value {
    match kind {
        Kind::Texts | Kind::Templates | Kind::Capabilities | Kind::Tables => {
            Vec::<Value>::new().into()
        }
        Kind::Table => Table::new().into(),
        Kind::Number => 1.into(),
        Kind::OneOf(words) => words[0].into(),
        Kind::Text | Kind::Template | Kind::TextOrTable => "".into(),
    }
}
