//! The text of a fault: `latency 50ms jitter 10ms`.
//!
//! One grammar for cases and for the command line: the name, the main parameter without its name, then other parameters
//! with theirs, in any order. Bytes, rates and times have units.

mod unit;

use std::fmt;
use std::str::FromStr;

use serde_json::{Map, Value};

use super::reply::SELECTION;
use super::{Default, Fault, Parameter, Row};

/// The text is not a fault.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct ParseError {
    /// The word found; `None` at the end of the text.
    pub found: Option<String>,
    /// The word expected.
    pub expected: String,
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.found {
            Some(found) => write!(f, "`{found}`, expected {}", self.expected),
            None => write!(f, "the end, expected {}", self.expected),
        }
    }
}

impl ParseError {
    fn new(found: Option<&str>, expected: impl Into<String>) -> Self {
        Self {
            found: found.map(str::to_owned),
            expected: expected.into(),
        }
    }
}

impl Fault {
    /// Parses these words as a fault.
    ///
    /// # Errors
    /// The first word that does not fit, and the word expected.
    pub fn parse(words: &[&str]) -> Result<Self, ParseError> {
        let (name, words) = match words.split_first() {
            Some((name, words)) => (Some(*name), words),
            None => (None, words),
        };
        let unknown = || ParseError::new(name, format!("a fault: {}", usages()));
        let name = name.ok_or_else(unknown)?;
        let row = Self::row_of(name).ok_or_else(unknown)?;
        Self::build(name, attributes(row, words)?).ok_or_else(unknown)
    }
}

/// The parameters that are given, with their values.
fn attributes(row: &Row, words: &[&str]) -> Result<Map<String, Value>, ParseError> {
    let mut words = words.iter().copied().peekable();
    let mut given = Map::new();
    if let Some(main) = row.parameters.first()
        && let Some(word) = words.next_if(|word| main.required || named(row, word).is_none())
    {
        given.insert(main.name.to_owned(), value(main, Some(word))?);
    }
    while let Some(word) = words.next() {
        let open = named(row, word).filter(|it| !given.contains_key(it.name));
        let parameter = open.ok_or_else(|| ParseError::new(Some(word), rest(row, &given)))?;
        given.insert(parameter.name.to_owned(), value(parameter, words.next())?);
    }
    let missing = |it: &&Parameter| it.required && !given.contains_key(it.name);
    match row.all_parameters().find(missing) {
        Some(parameter) => value(parameter, None).map(|_| given),
        None => Ok(given),
    }
}

/// The parameter of this name.
fn named(row: &Row, name: &str) -> Option<&'static Parameter> {
    row.all_parameters().find(|it| it.name == name)
}

/// What may follow after these values.
fn rest(row: &Row, given: &Map<String, Value>) -> String {
    let open = row
        .all_parameters()
        .filter(|it| !given.contains_key(it.name));
    let open: Vec<&str> = open.map(|it| it.name).collect();
    match open.is_empty() {
        true => "the end".to_owned(),
        false => format!("the end or {}", open.join(", ")),
    }
}

fn value(parameter: &Parameter, word: Option<&str>) -> Result<Value, ParseError> {
    let wrong = || ParseError::new(word, parameter.unit.example());
    let word = word.ok_or_else(wrong)?;
    parameter.unit.read(word).ok_or_else(wrong)
}

impl Row {
    /// How the fault is written: `latency TIME [jitter TIME]`. `[REPLIES]` is short for [`selection_usage`].
    #[must_use]
    pub fn usage(&self) -> String {
        let mut usage = self.name.to_owned();
        for (at, parameter) in self.parameters.iter().enumerate() {
            let unit = parameter.unit.symbol();
            let words = match at {
                0 => unit,
                _ => format!("{} {unit}", parameter.name),
            };
            usage += &match parameter.required {
                true => format!(" {words}"),
                false => format!(" [{words}]"),
            };
        }
        if !self.selection.is_empty() {
            usage += " [REPLIES]";
        }
        usage
    }

    /// A text of the fault, with a small value for each of its parameters.
    #[must_use]
    pub fn example(&self) -> String {
        let mut text = self.name.to_owned();
        for (at, parameter) in self.all_parameters().enumerate() {
            let value = parameter.unit.smallest();
            let is_main = at == 0 && !self.parameters.is_empty();
            text += &match is_main {
                true => format!(" {value}"),
                false => format!(" {} {value}", parameter.name),
            };
        }
        text
    }
}

/// How replies are selected, in any order: `[command COMMAND] [nth N]` and so on.
#[must_use]
pub fn selection_usage() -> String {
    let usage = |it: &Parameter| format!("[{} {}]", it.name, it.unit.symbol());
    let usages: Vec<String> = SELECTION.iter().map(usage).collect();
    usages.join(" ")
}

/// How all faults are written, sorted.
#[must_use]
pub fn usages() -> String {
    let usages: Vec<String> = Fault::rows().iter().map(|row| row.usage()).collect();
    usages.join(", ")
}

/// As [`Fault::parse`] reads it, without optional parameters that have their defaults.
impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (row, attributes) = (self.row(), self.attributes());
        f.write_str(row.name)?;
        let main = row.parameters.first();
        for parameter in row.all_parameters() {
            let value = attributes.get(parameter.name).unwrap_or(&Value::Null);
            if !parameter.required && parameter.default.is(value) {
                continue;
            }
            if Some(parameter) != main {
                write!(f, " {}", parameter.name)?;
            }
            write!(f, " {}", parameter.unit.write(value))?;
        }
        Ok(())
    }
}

impl Default {
    /// Whether it is this value.
    fn is(self, value: &Value) -> bool {
        match self {
            Self::Number(number) => value.as_i64() == Some(number),
            Self::Text(text) => value.as_str() == Some(text),
        }
    }
}

impl FromStr for Fault {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        Self::parse(&text.split_whitespace().collect::<Vec<_>>())
    }
}
