//! The rules by which Envoy reads YAML and JSON as protobuf messages: a message becomes an object whose fields have their
//! protobuf names and whose values have their types.
//!
//! Source: proto3 JSON mapping, and Envoy 1.40 by `--mode validate`: names in both spellings; `null` is the default; enum
//! values by name in any case or by number; numbers and truth values as text; one element where a list is usual; lists in
//! lists. Each message carries its line as [`LINE`].

use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use super::super::tree::{Content, Tree};
use super::super::{Error, Suggestion, Why};
use super::replaced;

/// The line of a message, next to its fields.
pub(super) const LINE: &str = "@line";
/// The type of a message that may be of any type.
pub(super) const TYPE: &str = "@type";

/// Messages that hold a message of another type as a `Struct`.
const TYPED_STRUCTS: [&str; 2] = ["xds.type.v3.TypedStruct", "udpa.type.v1.TypedStruct"];

/// Types by their full names.
pub(super) type Types = &'static [(&'static str, &'static Message)];

/// A message whose fields are known.
#[derive(Debug)]
pub(super) struct Message {
    /// Its name.
    pub(super) name: &'static str,
    /// The fields that are read.
    pub(super) fields: &'static [(&'static str, Kind)],
    /// Fields that Envoy supports and that do not affect placement.
    pub(super) others: &'static [&'static str],
}

/// The type of a field.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    /// A truth value.
    Bool,
    /// A whole number up to the given one.
    Number(u64),
    /// `UInt32Value` or `UInt64Value`, up to the given number.
    Wrapped(u64),
    /// Any number.
    Double,
    /// A string.
    Text,
    /// One of these names, in the order of their numbers; unused numbers have no name.
    Enum(&'static [&'static str]),
    /// A message.
    Message(&'static Message),
    /// Any number of messages.
    List(&'static Message),
    /// A message of one of these types, or of a type that is not looked into.
    Any(Types),
    /// A `Struct`, as it is.
    Struct,
}

/// Reads messages of one file.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reader<'a> {
    /// The name of the file in errors.
    pub(super) file: &'a str,
}

impl Reader<'_> {
    fn at(self, tree: &Tree, why: Why) -> Error {
        why.at(format!("{}:{}", self.file, tree.line))
    }

    fn wrong(self, tree: &Tree, field: &str, expected: &str) -> Error {
        self.at(tree, Why::field(field, expected))
    }

    /// The fields of `tree`, which is a `message`.
    pub(super) fn message(self, tree: &Tree, message: &Message) -> Result<Value, Error> {
        self.named(tree, message, message.name)
    }

    /// The content of `tree`, as Rust types.
    pub(super) fn shaped<T: DeserializeOwned>(self, read: Value, tree: &Tree) -> Result<T, Error> {
        // The types are right already; the text of this error would repeat values.
        serde_json::from_value(read).map_err(|_| self.wrong(tree, "value", "cannot be parsed"))
    }

    fn named(self, tree: &Tree, message: &Message, field: &str) -> Result<Value, Error> {
        let entries = match &tree.content {
            Content::Map(entries) => entries,
            _ if tree.is_null() => &[][..],
            _ => return Err(self.wrong(tree, field, "expected a mapping")),
        };
        let mut read = Map::from_iter([(LINE.to_owned(), json!(tree.line))]);
        for (key, value) in entries {
            let is_key = |name: &str| name == key || camel(name) == *key;
            if let Some((name, kind)) = message.fields.iter().find(|(name, _)| is_key(name)) {
                let value = self.value(value, *kind, name)?;
                if !value.is_null() && read.insert((*name).to_owned(), value).is_some() {
                    return Err(self.wrong(
                        tree,
                        name,
                        "duplicate field: give it once (Envoy uses the last one)",
                    ));
                }
            } else if key != TYPE && !message.others.iter().any(|name| is_key(name)) {
                return Err(self.at(value, unknown(key, message)));
            }
        }
        Ok(Value::Object(read))
    }

    /// A value, `null` if it has its default.
    fn value(self, tree: &Tree, kind: Kind, field: &str) -> Result<Value, Error> {
        if tree.is_null() {
            return Ok(Value::Null);
        }
        let expected = match kind {
            Kind::Message(message) => return self.named(tree, message, field),
            Kind::List(message) => {
                let mut list = Vec::new();
                self.list(tree, message, field, &mut list)?;
                return Ok(Value::Array(list));
            }
            Kind::Any(known) => return self.any(tree, known, field),
            Kind::Wrapped(most) => {
                let inner = tree.entries();
                return match inner {
                    [] if matches!(tree.content, Content::Map(_)) => Ok(json!(0)),
                    [(key, value)] if key == "value" => self.value(value, Kind::Number(most), field),
                    _ => self.value(tree, Kind::Number(most), field),
                };
            }
            Kind::Struct => return Ok(plain(tree)),
            Kind::Bool => match truth(tree) {
                Some(value) => return Ok(json!(value)),
                None => "expected true or false".to_owned(),
            },
            Kind::Number(most) => match whole(tree).filter(|number| *number <= most) {
                Some(number) => return Ok(json!(number)),
                None => format!("expected a whole number from 0 to {most}"),
            },
            Kind::Double => match double(tree) {
                Some(number) => return Ok(json!(number)),
                None => "expected a number".to_owned(),
            },
            Kind::Text => match string(tree) {
                Some(text) => return Ok(json!(text)),
                None => "expected a string; a number, or a word that YAML reads as a boolean, needs quotes".to_owned(),
            },
            Kind::Enum(names) => match enum_name(tree, names) {
                Some(name) => return Ok(json!(name)),
                None => {
                    let names = names.iter().filter(|name| !name.is_empty());
                    let names: Vec<&str> = names.copied().collect();
                    let given = tree.text().unwrap_or_default();
                    let field = format!("{field} `{given}`");
                    return Err(self.wrong(tree, &field, &format!("expected one of {}", names.join(", "))));
                }
            },
        };
        Err(self.wrong(tree, field, &expected))
    }

    fn list(
        self,
        tree: &Tree,
        message: &Message,
        field: &str,
        list: &mut Vec<Value>,
    ) -> Result<(), Error> {
        match &tree.content {
            Content::List(items) => items
                .iter()
                .try_for_each(|item| self.list(item, message, field, list)),
            _ => {
                list.push(self.named(tree, message, field)?);
                Ok(())
            }
        }
    }

    /// A message of a type that it names itself, directly or as a `TypedStruct`. Of an unknown type only the name is kept.
    fn any(self, tree: &Tree, known: Types, field: &str) -> Result<Value, Error> {
        let wrong = |expected: &str| Err(self.wrong(tree, field, expected));
        let url = tree.get(TYPE).and_then(Tree::text);
        let Some((_, kind)) = url.and_then(|url| url.rsplit_once('/')) else {
            return wrong("expected `@type` in it, as type.googleapis.com/NAME");
        };
        let nothing = Tree {
            line: tree.line,
            content: Content::Map(Vec::new()),
        };
        let (kind, inner) = if TYPED_STRUCTS.contains(&kind) {
            let url = ["type_url", "typeUrl"]
                .iter()
                .find_map(|name| tree.get(name));
            let Some(url) = url.and_then(Tree::text) else {
                return wrong("expected `type_url` in a TypedStruct");
            };
            let value = tree.get("value").unwrap_or(&nothing);
            (url.rsplit('/').next().unwrap_or_default(), value)
        } else {
            (kind, tree)
        };
        let found = known.iter().find(|(name, _)| *name == kind);
        let alike = known.iter().find(|(name, _)| base(name) == base(kind));
        let mut read = match (found, alike) {
            (Some((_, message)), _) => self.named(inner, message, field)?,
            (None, Some((name, _))) => {
                let expected =
                    format!("expected {name}, Envoy 1.18 and later do not support older types");
                return Err(self.wrong(tree, &format!("type `{kind}`"), &expected));
            }
            (None, None) => json!({LINE: tree.line}),
        };
        read[TYPE] = json!(base(kind));
        Ok(read)
    }
}

/// The last part of the URL or the full name of a type.
fn base(url: &str) -> &str {
    url.rsplit(['/', '.']).next().unwrap_or_default()
}

fn unknown(key: &str, message: &Message) -> Why {
    let fields = message.fields.iter().map(|(name, _)| *name);
    let known = fields.chain(message.others.iter().copied());
    let replaced = || replaced::field(message.name, key).map(Suggestion::Known);
    Why::UnknownField {
        field: key.to_owned(),
        of: message.name,
        instead: Suggestion::merge_key(key)
            .or_else(replaced)
            .unwrap_or_else(|| Suggestion::nearest(key, known)),
    }
}

/// The second spelling of a field.
fn camel(name: &str) -> String {
    let mut words = name.split('_');
    let mut text = words.next().unwrap_or_default().to_owned();
    for word in words {
        let mut letters = word.chars();
        text.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        text.push_str(letters.as_str());
    }
    text
}

/// The boolean of an unquoted word, as Envoy reads YAML.
fn plain_truth(text: &str) -> Option<bool> {
    let is_one_case = text == text.to_lowercase()
        || text == text.to_uppercase()
        || text
            .get(1..)
            .is_some_and(|rest| rest == rest.to_lowercase());
    if !is_one_case {
        return None;
    }
    match &*text.to_lowercase() {
        "true" | "yes" | "on" | "y" => Some(true),
        "false" | "no" | "off" | "n" => Some(false),
        _ => None,
    }
}

fn truth(tree: &Tree) -> Option<bool> {
    match &tree.content {
        Content::Plain(text) if plain_truth(text).is_some() => plain_truth(text),
        Content::Quoted(text) => match &*text.to_lowercase() {
            "true" | "t" | "yes" | "y" | "1" => Some(true),
            "false" | "f" | "no" | "n" | "0" => Some(false),
            _ => None,
        },
        _ => None,
    }
}

/// The integer of an unquoted YAML word: decimal, octal or hexadecimal.
fn plain_whole(text: &str) -> Option<i128> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let (digits, base) = match digits.strip_prefix("0x").or(digits.strip_prefix("0X")) {
        Some(digits) => (digits, 16),
        None if digits.len() > 1 && digits.starts_with('0') => (digits, 8),
        None => (digits, 10),
    };
    let is_number = !digits.is_empty() && digits.chars().all(|digit| digit.is_digit(base));
    let number = is_number
        .then(|| i64::from_str_radix(digits, base).ok())
        .flatten()?;
    Some(sign * i128::from(number))
}

fn double(tree: &Tree) -> Option<f64> {
    let number = match &tree.content {
        Content::Plain(text) if plain_whole(text).is_some() => plain_whole(text)? as f64,
        Content::Plain(text) | Content::Quoted(text) => {
            let is_number = |letter: char| {
                letter.is_ascii_digit() || matches!(letter, '.' | 'e' | 'E' | '+' | '-')
            };
            text.chars()
                .all(is_number)
                .then(|| text.parse::<f64>().ok())
                .flatten()?
        }
        _ => return None,
    };
    number.is_finite().then_some(number)
}

fn whole(tree: &Tree) -> Option<u64> {
    let text = tree.text()?;
    if let Content::Plain(plain) = &tree.content
        && let Some(number) = plain_whole(plain)
    {
        return u64::try_from(number).ok();
    }
    if let Ok(number) = text.parse::<u64>() {
        return Some(number);
    }
    let number = double(tree)?;
    // Above 2^53 a float is not an exact integer any more.
    (number.fract() == 0.0 && (0.0..=9.0e15).contains(&number)).then_some(number as u64)
}

/// A string; unquoted numbers and booleans of YAML are not strings.
fn string(tree: &Tree) -> Option<&str> {
    match &tree.content {
        Content::Quoted(text) => Some(text),
        Content::Plain(text) => {
            let is_other = plain_truth(text).is_some() || plain_whole(text).is_some();
            (!is_other).then_some(text)
        }
        _ => None,
    }
}

fn enum_name(tree: &Tree, names: &[&'static str]) -> Option<&'static str> {
    let text = tree.text()?;
    let number = match &tree.content {
        Content::Plain(plain) => plain_whole(plain),
        _ => text.parse::<u32>().ok().map(i128::from),
    };
    let by_number = || {
        names
            .get(usize::try_from(number?).ok()?)
            .filter(|name| !name.is_empty())
    };
    let by_name = || {
        names
            .iter()
            .find(|name| !name.is_empty() && name.eq_ignore_ascii_case(text))
    };
    by_name().or_else(by_number).copied()
}

/// A `Struct`, where a string must stay apart from everything else.
fn plain(tree: &Tree) -> Value {
    match &tree.content {
        Content::List(items) => Value::Array(items.iter().map(plain).collect()),
        Content::Map(entries) => {
            let entries = entries.iter();
            Value::Object(
                entries
                    .map(|(key, value)| (key.clone(), plain(value)))
                    .collect(),
            )
        }
        _ => string(tree).map_or(Value::Null, |text| json!(text)),
    }
}
