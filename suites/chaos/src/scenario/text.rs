//! Words of a scenario: durations, places and names. Each is checked while it is read, so that an error names its line.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::de::{Deserialize, Deserializer, Error};
use serde::{Serialize, Serializer};
use testbed::fault::{Fault, Object};

use crate::cover::{self, Condition};
use crate::law::{self, Law};
use crate::observed::Subject;
use crate::workload::{self, WORKLOADS, Workload};

/// Reads a value from its text.
fn parsed<'de, D: Deserializer<'de>, T>(from: D) -> Result<T, D::Error>
where
    T: FromStr<Err = String>,
{
    String::deserialize(from)?.parse().map_err(D::Error::custom)
}

macro_rules! deserialize_from_str {
    ($($Type:ty),*) => {$(
        impl<'de> Deserialize<'de> for $Type {
            fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                parsed(from)
            }
        }
    )*};
}

deserialize_from_str!(
    Time,
    Moment,
    On,
    FaultText,
    WorkloadName,
    LawName,
    ConditionName
);

macro_rules! serialize_to_str {
    ($($Type:ty),*) => {$(
        impl Serialize for $Type {
            fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.collect_str(self)
            }
        }
    )*};
}

serialize_to_str!(
    Time,
    Moment,
    On,
    FaultText,
    WorkloadName,
    LawName,
    ConditionName
);

/// A time since the start of the load, or a length: `500ms` or `2s`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Time(pub Duration);

impl FromStr for Time {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}`, expected a time such as 500ms or 2s");
        let end = text.find(|char: char| !char.is_ascii_digit());
        let (digits, unit) = text.split_at(end.ok_or_else(wrong)?);
        let number: u32 = digits.parse().map_err(|_| wrong())?;
        match unit {
            "ms" => Ok(Self(Duration::from_millis(number.into()))),
            "s" => Ok(Self(Duration::from_secs(number.into()))),
            _ => Err(wrong()),
        }
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.as_millis() {
            ms if ms % 1000 == 0 => write!(f, "{}s", ms / 1000),
            ms => write!(f, "{ms}ms"),
        }
    }
}

/// A time, or a range that the seed draws one from: `500ms`, or `300ms..900ms`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// The earliest.
    pub from: Time,
    /// The latest.
    pub to: Time,
}

impl FromStr for Moment {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (from, to) = text.split_once("..").unwrap_or((text, text));
        let (from, to) = (from.parse()?, to.parse()?);
        match from <= to {
            true => Ok(Self { from, to }),
            false => Err(format!("`{text}`, expected the earlier time first")),
        }
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.from == self.to {
            true => write!(f, "{}", self.from),
            false => write!(f, "{}..{}", self.from, self.to),
        }
    }
}

/// What a fault acts on: a node by its letter, `any` node that the seed draws, `all` nodes, `proxy` or `clients`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum On {
    /// A node, by its place in the cluster.
    Node(u16),
    /// One node that is drawn.
    Any,
    /// Every node.
    All,
    /// The proxy.
    Proxy,
    /// The clients.
    Clients,
}

impl On {
    /// Whether a fault of such an object can act here.
    pub(super) fn fits(self, object: Object) -> bool {
        match self {
            Self::Node(_) | Self::Any | Self::All => {
                matches!(object, Object::Link | Object::Node)
            }
            Self::Proxy => object == Object::Proxy,
            Self::Clients => object == Object::Client,
        }
    }
}

impl FromStr for On {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "any" => Ok(Self::Any),
            "all" => Ok(Self::All),
            "proxy" => Ok(Self::Proxy),
            "clients" => Ok(Self::Clients),
            _ => match text.as_bytes() {
                [letter @ b'A'..=b'Z'] => Ok(Self::Node((letter - b'A').into())),
                _ => Err(format!(
                    "`{text}`, expected a node such as A, or any, all, proxy or clients"
                )),
            },
        }
    }
}

impl fmt::Display for On {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Node(node) => Subject::Node(*node).fmt(f),
            Self::Any => f.write_str("any"),
            Self::All => f.write_str("all"),
            Self::Proxy => Subject::Proxy.fmt(f),
            Self::Clients => Subject::Clients.fmt(f),
        }
    }
}

/// A fault as cases write it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct FaultText(pub(super) Fault);

impl FromStr for FaultText {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        text.parse().map(Self).map_err(|why| format!("{why}"))
    }
}

impl fmt::Display for FaultText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A workload by its name.
#[derive(Clone, Copy)]
pub(super) struct WorkloadName(pub(super) &'static dyn Workload);

impl FromStr for WorkloadName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = WORKLOADS.iter().map(|row| row.id());
        named(workload::workload(text).map(Self), text, known)
    }
}

/// A law by its name.
#[derive(Clone, Copy)]
pub(super) struct LawName(pub(super) &'static dyn Law);

impl FromStr for LawName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = law::LAWS.iter().map(|row| row.id());
        named(law::law(text).map(Self), text, known)
    }
}

/// A coverage condition by its name.
#[derive(Clone, Copy)]
pub(super) struct ConditionName(pub(super) &'static dyn Condition);

impl FromStr for ConditionName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = cover::CONDITIONS.iter().map(|row| row.id());
        named(cover::condition(text).map(Self), text, known)
    }
}

macro_rules! display_id {
    ($($Type:ty),*) => {$(
        impl fmt::Display for $Type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.0.id())
            }
        }
    )*};
}

display_id!(WorkloadName, LawName, ConditionName);

fn named<T>(
    found: Option<T>,
    text: &str,
    known: impl Iterator<Item = &'static str> + Clone,
) -> Result<T, String> {
    found.ok_or_else(|| match testbed::text::nearest(text, known.clone()) {
        Some(near) => format!("`{text}` is unknown, did you mean `{near}`?"),
        None => {
            let known: Vec<&str> = known.collect();
            format!("`{text}` is unknown, expected one of {}", known.join(", "))
        }
    })
}
