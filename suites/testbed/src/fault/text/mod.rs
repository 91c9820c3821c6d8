//! The text of a fault: `latency 50ms jitter 10ms`.
//!
//! One grammar for cases and for the command line: the name, the main parameter without its name, then other parameters
//! with theirs. Numbers have units.

use std::fmt;
use std::str::FromStr;

use serde_json::{Map, Value};

use super::{Fault, Parameter, Row, Unit};

/// Longest time that a text can say, in milliseconds.
const TIME_MS_MAX: u64 = 600_000;

/// A text is no fault.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct ParseError {
    /// The text found; none at the end of the text.
    pub found: Option<String>,
    /// What has to be there.
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
    /// The fault that these words say.
    ///
    /// # Errors
    /// The first word that does not belong there, and what does.
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

/// The parameters with their values, all of them.
fn attributes(row: &Row, words: &[&str]) -> Result<Map<String, Value>, ParseError> {
    let mut words = words.iter().copied();
    let mut values: Vec<Option<i64>> = vec![None; row.parameters.len()];
    if let Some(main) = row.parameters.first()
        && let Some(word) = words.next()
    {
        values[0] = Some(value(main, Some(word))?);
    }
    while let Some(word) = words.next() {
        let known = row.parameters.iter().position(|it| it.name == word);
        let open = known.filter(|at| values[*at].is_none());
        let at = open.ok_or_else(|| ParseError::new(Some(word), rest(row, &values)))?;
        values[at] = Some(value(&row.parameters[at], words.next())?);
    }
    let mut attributes = Map::new();
    for (parameter, given) in row.parameters.iter().zip(values) {
        let number = match given {
            None if parameter.required => value(parameter, None)?,
            given => given.unwrap_or(0),
        };
        attributes.insert(parameter.name.to_owned(), number.into());
    }
    Ok(attributes)
}

/// What may follow where these values have been given.
fn rest(row: &Row, values: &[Option<i64>]) -> String {
    let open: Vec<&str> = row
        .parameters
        .iter()
        .zip(values)
        .filter(|(_, value)| value.is_none())
        .map(|(parameter, _)| parameter.name)
        .collect();
    match open.is_empty() {
        true => "the end".to_owned(),
        false => format!("the end or {}", open.join(", ")),
    }
}

fn value(parameter: &Parameter, word: Option<&str>) -> Result<i64, ParseError> {
    let wrong = || ParseError::new(word, parameter.unit.example());
    let word = word.ok_or_else(wrong)?;
    parameter.unit.read(word).ok_or_else(wrong)
}

impl Unit {
    /// The suffixes, each with its factor; the first one is written.
    fn suffixes(self) -> &'static [(&'static str, u64)] {
        match self {
            Self::Bytes => &[("B", 1)],
            Self::KilobytesPerSecond => &[("KB/s", 1)],
            Self::Milliseconds => &[("ms", 1), ("s", 1000)],
            Self::Microseconds => &[("us", 1), ("ms", 1000), ("s", 1_000_000)],
        }
    }

    fn max(self) -> u64 {
        match self {
            Self::Bytes | Self::KilobytesPerSecond => i64::MAX.unsigned_abs(),
            Self::Milliseconds => TIME_MS_MAX,
            Self::Microseconds => TIME_MS_MAX * 1000,
        }
    }

    /// The number with its unit, digits and suffix only.
    fn read(self, word: &str) -> Option<i64> {
        let end = word.find(|char: char| !char.is_ascii_digit())?;
        let (digits, suffix) = word.split_at(end);
        let mut suffixes = self.suffixes().iter();
        let (_, factor) = suffixes.find(|(known, _)| *known == suffix)?;
        let number = digits.parse::<u64>().ok()?.checked_mul(*factor)?;
        i64::try_from(number).ok().filter(|_| number <= self.max())
    }

    fn write(self, number: i64) -> String {
        format!("{number}{}", self.suffixes()[0].0)
    }

    fn example(self) -> &'static str {
        match self {
            Self::Bytes => "a number of bytes such as 100B",
            Self::KilobytesPerSecond => "a rate such as 10KB/s",
            Self::Milliseconds => "a time such as 50ms or 2s",
            Self::Microseconds => "a time such as 10us or 50ms",
        }
    }

    /// The name in a grammar.
    fn symbol(self) -> &'static str {
        match self {
            Self::Bytes => "BYTES",
            Self::KilobytesPerSecond => "RATE",
            Self::Milliseconds | Self::Microseconds => "TIME",
        }
    }
}

impl Row {
    /// How the fault is written: `latency TIME [jitter TIME]`.
    #[must_use]
    pub fn usage(&self) -> String {
        let mut usage = self.name.to_owned();
        for (at, parameter) in self.parameters.iter().enumerate() {
            let unit = parameter.unit.symbol();
            let words = match at {
                0 => unit.to_owned(),
                _ => format!("{} {unit}", parameter.name),
            };
            usage += &match parameter.required {
                true => format!(" {words}"),
                false => format!(" [{words}]"),
            };
        }
        usage
    }
}

/// How all faults are written, sorted.
#[must_use]
pub fn usages() -> String {
    let usages: Vec<String> = Fault::rows().iter().map(|row| row.usage()).collect();
    usages.join(", ")
}

/// As [`Fault::parse`] reads it, without parameters that are optional and 0.
impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (row, attributes) = (self.row(), self.attributes());
        let number = |parameter: &Parameter| {
            let value = attributes.get(parameter.name);
            value.and_then(Value::as_i64).unwrap_or(0)
        };
        // The main parameter goes without its name, so it is there when any other is.
        let others = row.parameters.iter().skip(1);
        let any_other = others.clone().any(|other| number(other) != 0);
        f.write_str(row.name)?;
        if let Some(main) = row.parameters.first()
            && (main.required || any_other || number(main) != 0)
        {
            write!(f, " {}", main.unit.write(number(main)))?;
        }
        for other in others.filter(|other| other.required || number(other) != 0) {
            write!(f, " {} {}", other.name, other.unit.write(number(other)))?;
        }
        Ok(())
    }
}

impl FromStr for Fault {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        Self::parse(&text.split_whitespace().collect::<Vec<_>>())
    }
}
