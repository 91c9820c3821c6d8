//! The values of parameters as words: digits with a unit, names, and choices.

use serde_json::Value;

use crate::fault::{CLIENTS_MAX, CONNECTIONS_MAX, REQUESTS_MAX, Unit};

/// Longest time that a text can give, in milliseconds.
const TIME_MS_MAX: i64 = 600_000;

impl Unit {
    /// The suffixes of a number, each with its factor; the first one is written. Empty for units without numbers.
    fn suffixes(self) -> &'static [(&'static str, i64)] {
        match self {
            Self::Bytes => &[("B", 1)],
            Self::KilobytesPerSecond => &[("KB/s", 1)],
            Self::Milliseconds => &[("ms", 1), ("s", 1000)],
            Self::Microseconds => &[("us", 1), ("ms", 1000), ("s", 1_000_000)],
            Self::Count | Self::Clients | Self::Connections | Self::Requests => &[("", 1)],
            Self::Percent => &[("%", 1)],
            Self::Command | Self::Glob | Self::Choice(_) => &[],
        }
    }

    /// The least and the largest number that a text can give.
    fn limits(self) -> (i64, i64) {
        match self {
            Self::Milliseconds => (0, TIME_MS_MAX),
            Self::Microseconds => (0, TIME_MS_MAX * 1000),
            Self::Count => (1, i64::MAX),
            Self::Clients => (1, CLIENTS_MAX),
            Self::Connections => (1, CONNECTIONS_MAX),
            Self::Requests => (1, REQUESTS_MAX),
            Self::Percent => (0, 100),
            _ => (0, i64::MAX),
        }
    }

    /// Parses a word.
    pub(super) fn read(self, word: &str) -> Option<Value> {
        match self {
            Self::Command => is_command(word).then(|| word.into()),
            Self::Glob => (!word.is_empty()).then(|| word.into()),
            Self::Choice(words) => words.contains(&word).then(|| word.into()),
            _ => self.number(word).map(Value::from),
        }
    }

    /// The number with its unit, digits and suffix only.
    fn number(self, word: &str) -> Option<i64> {
        let end = word.find(|char: char| !char.is_ascii_digit());
        let (digits, suffix) = word.split_at(end.unwrap_or(word.len()));
        let mut suffixes = self.suffixes().iter();
        let (_, factor) = suffixes.find(|(known, _)| *known == suffix)?;
        let number = digits.parse::<i64>().ok()?.checked_mul(*factor)?;
        let (least, most) = self.limits();
        (least..=most).contains(&number).then_some(number)
    }

    /// The word for a value.
    pub(super) fn write(self, value: &Value) -> String {
        match self.suffixes().first() {
            Some((suffix, _)) => format!("{}{suffix}", value.as_i64().unwrap_or(0)),
            None => value.as_str().unwrap_or_default().to_owned(),
        }
    }

    /// A small value, as a word.
    pub(super) fn smallest(self) -> String {
        match self {
            Self::Command => "GET".to_owned(),
            Self::Glob => "a*".to_owned(),
            Self::Choice(words) => words[0].to_owned(),
            _ => self.write(&1.into()),
        }
    }

    pub(super) fn example(self) -> String {
        let example = match self {
            Self::Bytes => "a number of bytes such as 100B",
            Self::KilobytesPerSecond => "a rate such as 10KB/s",
            Self::Milliseconds => "a time such as 50ms or 2s",
            Self::Microseconds => "a time such as 10us or 50ms",
            Self::Count => "a number such as 3",
            Self::Clients => "a number of clients such as 20, at most 500",
            Self::Connections => "a number of connections such as 1000, at most 10000",
            Self::Requests => "a number of requests such as 1000, at most 100000",
            Self::Percent => "a part of a hundred such as 10%",
            Self::Command => "a command such as GET",
            Self::Glob => "a key such as user:*",
            Self::Choice(words) => return words.join(" or "),
        };
        example.to_owned()
    }

    /// Its name in a grammar.
    pub(super) fn symbol(self) -> String {
        let symbol = match self {
            Self::Bytes => "BYTES",
            Self::KilobytesPerSecond => "RATE",
            Self::Milliseconds | Self::Microseconds => "TIME",
            Self::Count | Self::Clients | Self::Connections | Self::Requests => "N",
            Self::Percent => "PERCENT",
            Self::Command => "COMMAND",
            Self::Glob => "KEY",
            Self::Choice(words) => return words.join("|"),
        };
        symbol.to_owned()
    }

    /// Its name in the API of the fault server.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Bytes => "bytes",
            Self::KilobytesPerSecond => "KB/s",
            Self::Milliseconds => "ms",
            Self::Microseconds => "us",
            Self::Count => "count",
            Self::Clients => "clients",
            Self::Connections => "connections",
            Self::Requests => "requests",
            Self::Percent => "percent",
            Self::Command => "command",
            Self::Glob => "key",
            Self::Choice(_) => "choice",
        }
    }
}

fn is_command(word: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    !word.is_empty() && word.bytes().all(fits)
}
