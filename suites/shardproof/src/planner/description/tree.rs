//! A file as a tree: YAML or JSON whose values keep their lines and the way they were written.
//!
//! Programs disagree on the meaning of a plain word (`on` is a boolean in Envoy and a word in twemproxy), so scalars
//! stay text here. Errors give the line and never the content, because a file may contain passwords.

use std::fmt;

use ::placement::file::Error as Unread;
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::options::MergeKeyPolicy;
use serde_saphyr::{Location, Spanned};

/// A value and where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Tree {
    /// Its line, from 1.
    pub(super) line: u64,
    /// The value.
    pub(super) content: Content,
}

/// A value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Content {
    /// A scalar without quotes, as it is written; empty if the value is missing.
    Plain(String),
    /// A scalar in quotes, or a block of text.
    Quoted(String),
    /// A sequence.
    List(Vec<Tree>),
    /// A mapping, in the order of the file.
    Map(Vec<(String, Tree)>),
}

impl Tree {
    /// The value under `key`, of a mapping.
    pub(super) fn get(&self, key: &str) -> Option<&Tree> {
        let found = self.entries().iter().find(|(name, _)| name == key);
        found.map(|(_, value)| value)
    }

    /// The entries of a mapping; empty for other values.
    pub(super) fn entries(&self) -> &[(String, Tree)] {
        match &self.content {
            Content::Map(entries) => entries,
            _ => &[],
        }
    }

    /// The values in a sequence or in a mapping.
    pub(super) fn children(&self) -> impl Iterator<Item = &Tree> {
        let items = match &self.content {
            Content::List(items) => items.as_slice(),
            _ => &[],
        };
        items
            .iter()
            .chain(self.entries().iter().map(|(_, value)| value))
    }

    /// The text of a scalar.
    pub(super) fn text(&self) -> Option<&str> {
        match &self.content {
            Content::Plain(text) | Content::Quoted(text) => Some(text),
            _ => None,
        }
    }

    /// Whether the value is missing: no text, `~` or `null`.
    pub(super) fn is_null(&self) -> bool {
        matches!(&self.content, Content::Plain(text) if matches!(&**text, "" | "~" | "null" | "Null" | "NULL"))
    }
}

/// The meaning of merge keys (`<<`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Merges {
    /// Fields with an odd name.
    Fields,
    /// The fields of another mapping.
    Merged,
}

/// Parses `text`; `name` is the name of the file in errors.
///
/// # Errors
/// `file:line: ` and the problem.
pub(super) fn parse(text: &str, name: &str, merges: Merges) -> Result<Tree, Unread> {
    let options = serde_saphyr::options! {
        merge_keys: match merges {
            Merges::Fields => MergeKeyPolicy::AsOrdinary,
            Merges::Merged => MergeKeyPolicy::Merge,
        },
    };
    let read: Result<Spanned<Raw>, _> = serde_saphyr::from_str_with_options(text, options);
    read.map(|raw| tree(raw, text)).map_err(|error| {
        let line = error.location().map_or(1, |location| location.line());
        Unread(format!("{name}:{line}: {}", reason(&error)))
    })
}

/// The message of a parser error, without its quotes: names of anchors and tags may be parts of a password.
fn reason(error: &serde_saphyr::Error) -> String {
    let said = error.without_snippet().to_string();
    let said = said.lines().next().unwrap_or_default().to_lowercase();
    let known = [
        (
            "duplicate",
            "duplicate field: give it once (Envoy uses the last one)",
        ),
        ("anchor", "no value has the anchor that is named here"),
        ("alias", "no value has the anchor that is named here"),
        ("tag", "this tag is not supported"),
        ("tab", "tabs are not allowed here"),
        (
            "multiple",
            "the file has several documents, expected only the proxy configuration",
        ),
        ("merge", "a merge key needs a mapping"),
    ];
    let found = known.iter().find(|(word, _)| said.contains(word));
    found
        .map_or(
            "not valid YAML, or a number is out of range",
            |(_, what)| what,
        )
        .to_owned()
}

fn tree(raw: Spanned<Raw>, text: &str) -> Tree {
    let line = raw.referenced.line();
    let content = match raw.value {
        Raw::List(items) => Content::List(items.into_iter().map(|item| tree(item, text)).collect()),
        Raw::Map(entries) => {
            let entries = entries.into_iter();
            Content::Map(
                entries
                    .map(|(key, value)| (key, tree(value, text)))
                    .collect(),
            )
        }
        Raw::Scalar(decoded) => match written(&raw.defined, text).map(str::trim) {
            Some(plain) if is_plain(plain) && plain == decoded => Content::Plain(decoded),
            _ => Content::Quoted(decoded),
        },
        Raw::Typed(decoded) => {
            let written = written(&raw.defined, text).map(str::trim);
            Content::Plain(
                written
                    .filter(|text| is_plain(text))
                    .map_or(decoded, str::to_owned),
            )
        }
    };
    Tree { line, content }
}

/// The text of the file at a place.
fn written<'a>(place: &Location, text: &'a str) -> Option<&'a str> {
    let span = place.span();
    let from = usize::try_from(span.byte_offset()?).ok()?;
    let len = usize::try_from(span.byte_len()?).ok()?;
    text.get(from..from.checked_add(len)?)
}

/// Whether a scalar is written without quotes, in one line.
fn is_plain(written: &str) -> bool {
    !written.starts_with(['"', '\'', '|', '>', '!', '&', '*']) && !written.contains('\n')
}

/// A value as the parser reads it.
enum Raw {
    /// A word.
    Scalar(String),
    /// A value that the parser reads as null, a number or a boolean.
    Typed(String),
    List(Vec<Spanned<Raw>>),
    Map(Vec<(String, Spanned<Raw>)>),
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyValue)
    }
}

struct AnyValue;

impl<'de> Visitor<'de> for AnyValue {
    type Value = Raw;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Raw, E> {
        Ok(Raw::Typed(String::new()))
    }

    fn visit_none<E>(self) -> Result<Raw, E> {
        Ok(Raw::Typed(String::new()))
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Raw, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Raw, E> {
        Ok(Raw::Typed(value.to_string()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Raw, E> {
        Ok(Raw::Typed(value.to_string()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Raw, E> {
        Ok(Raw::Typed(value.to_string()))
    }

    fn visit_i128<E>(self, value: i128) -> Result<Raw, E> {
        Ok(Raw::Typed(value.to_string()))
    }

    fn visit_u128<E>(self, value: u128) -> Result<Raw, E> {
        Ok(Raw::Typed(value.to_string()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Raw, E> {
        Ok(Raw::Typed(value.to_string()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Raw, E> {
        Ok(Raw::Scalar(value.to_owned()))
    }

    fn visit_bytes<E>(self, value: &[u8]) -> Result<Raw, E> {
        Ok(Raw::Scalar(String::from_utf8_lossy(value).into_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Raw, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Raw::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Raw, A::Error> {
        let mut map = Vec::new();
        while let Some(entry) = entries.next_entry()? {
            map.push(entry);
        }
        Ok(Raw::Map(map))
    }
}

#[cfg(test)]
mod tests {
    use super::{Content, Merges, Tree, parse};

    /// A tree in one line: plain scalars as they are, quoted ones in quotes.
    fn shown(tree: &Tree) -> String {
        match &tree.content {
            Content::Plain(text) => text.clone(),
            Content::Quoted(text) => format!("{text:?}"),
            Content::List(items) => {
                let items: Vec<String> = items.iter().map(shown).collect();
                format!("[{}]", items.join(", "))
            }
            Content::Map(entries) => {
                let entries = entries.iter();
                let entries: Vec<String> = entries
                    .map(|(key, value)| format!("{key}: {}", shown(value)))
                    .collect();
                format!("{{{}}}", entries.join(", "))
            }
        }
    }

    #[track_caller]
    fn check(text: &str, expected: &str) {
        assert_eq!(
            shown(&parse(text, "file", Merges::Fields).unwrap()),
            expected,
            "{text}"
        );
    }

    #[test]
    fn scalars_stay_as_they_are_written() {
        check(
            "[on, 'on', 007, 0xfb, 1.50, 2.51e2, 1_0]",
            "[on, \"on\", 007, 0xfb, 1.50, 2.51e2, 1_0]",
        );
        check(
            "a: 'é'\nb: y # a comment\nc: \"2:\"\nd:\ne: ~",
            "{a: \"é\", b: y, c: \"2:\", d: , e: ~}",
        );
        check("a: |\n  text\nb: é x", "{a: \"text\\n\", b: é x}");
        check("a: &x 5\nb: *x", "{a: 5, b: 5}");
        check("7: a\ntrue: b", "{7: a, true: b}");
        check(
            "{\"a\": [1, \"1\", null, 1.0]}",
            "{a: [1, \"1\", null, 1.0]}",
        );
        check("", "");
    }

    #[test]
    fn merge_keys_are_fields_unless_they_are_asked_for() {
        let text = "a: &x {b: 1}\nc: {<<: *x, d: 2}";
        check(text, "{a: {b: 1}, c: {<<: {b: 1}, d: 2}}");
        let merged = parse(text, "file", Merges::Merged).unwrap();
        assert_eq!(shown(&merged), "{a: {b: 1}, c: {d: 2, b: 1}}");
    }

    #[test]
    fn errors_never_repeat_the_file() {
        for text in [
            "auth: *hunter2",
            "auth: !hunter2 [",
            "auth: {hunter2: 1, hunter2: 2}",
            "auth: hunter2: hunter2",
            "auth: \"hunter2",
            "auth: [hunter2",
            "auth:\n\thunter2",
            "auth: a\n hunter2: b\n- hunter2",
            "auth: @hunter2",
            "auth: %hunter2",
            "auth: `hunter2",
            "<<: hunter2",
            "a: 1\n---\nhunter2: 1",
            "auth: !!int hunter2",
        ] {
            for merges in [Merges::Fields, Merges::Merged] {
                if let Err(error) = parse(text, "file", merges) {
                    assert!(!error.to_string().contains("hunter"), "{error} of {text}");
                }
            }
        }
    }
}
