//! The preflight: what nodes need besides keys to serve moved keys as before, compared before anything moves.
//!
//! Reads only. A node that refuses a command makes the point unknown, and the report says so: a point is never taken as
//! equal because a node did not answer.

mod dumps;
mod facts;
mod functions;
mod modules;
mod settings;
mod users;
mod versions;

use schemars::JsonSchema;
use serde::Serialize;

use super::report::Check;
use super::{Error, Fleet};
use facts::Facts;

/// What is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Point {
    /// Libraries of functions: FCALL of a moved key fails on a node without them.
    Functions,
    /// Loaded modules: a node without them does not take their data types.
    Modules,
    /// Formats of dumps: an older server refuses RESTORE of a newer server's DUMP.
    Dumps,
    /// Versions of the servers.
    Versions,
    /// Settings that change how keys are served.
    Settings,
    /// ACL users.
    Users,
}

impl Point {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Functions,
        Self::Modules,
        Self::Dumps,
        Self::Versions,
        Self::Settings,
        Self::Users,
    ];

    /// The word on the command line and in reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Functions => "functions",
            Self::Modules => "modules",
            Self::Dumps => "dumps",
            Self::Versions => "versions",
            Self::Settings => "settings",
            Self::Users => "users",
        }
    }
}

/// How much a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// Keys would be refused, or commands on moved keys would fail for good. Nothing is moved.
    Blocks,
    /// Nodes do not serve alike.
    Differs,
    /// A node did not answer.
    Unknown,
}

/// One difference between nodes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Finding {
    /// What was compared.
    pub point: Point,
    /// How much it matters.
    pub level: Level,
    /// The address of the node that it is about, as the proxy sees it.
    pub node: String,
    /// What is different there, or what was not answered.
    pub what: String,
}

/// Compares all nodes of the fleet, but for the `ignored` points. `check` has the keys that would move.
pub(super) async fn preflight(
    fleet: &Fleet,
    ignored: &[Point],
    check: &Check,
) -> Result<Vec<Finding>, Error> {
    let mut facts = Vec::new();
    for place in 0..fleet.members().len() {
        facts.push(Facts::ask(fleet, place).await?);
    }
    let (placed, _) = facts.split_at(fleet.placed());
    let mut findings = functions::compare(&facts, placed.len());
    findings.extend(modules::compare(&facts, placed.len()));
    findings.extend(dumps::compare(&facts, &check.matrix));
    findings.extend(versions::compare(placed));
    findings.extend(settings::compare(placed));
    findings.extend(users::compare(placed));
    findings.retain(|finding| !ignored.contains(&finding.point));
    Ok(findings)
}

/// What most of the nodes have; the first one's where none has more.
fn usual<'a, T: PartialEq>(values: &[&'a T]) -> Option<&'a T> {
    let count = |value: &T| values.iter().filter(|other| **other == value).count();
    let most = values.iter().map(|value| count(value)).max()?;
    values.iter().find(|value| count(value) == most).copied()
}

/// One finding for each node that did not answer.
fn unknown<T>(
    facts: &[Facts],
    point: Point,
    asked: impl Fn(&Facts) -> &facts::Answer<T>,
) -> Vec<Finding> {
    let refused = |facts: &Facts| {
        let why = asked(facts).as_ref().err()?;
        Some(facts.finding(point, Level::Unknown, why.clone()))
    };
    facts.iter().filter_map(refused).collect()
}
