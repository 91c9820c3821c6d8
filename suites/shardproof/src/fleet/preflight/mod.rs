//! The preflight: what nodes need besides keys to serve moved keys as before, compared before anything moves.
//!
//! Reads only. A node that refuses a command makes the point unknown, and the report says so: a point is never treated
//! as equal because a node did not answer.

mod dumps;
mod facts;
mod finding;
mod functions;
mod modules;
mod settings;
mod users;
mod versions;

use super::{Error, Fleet};
use facts::Facts;

pub use finding::{Finding, Level, Point};

/// Compares all nodes of the fleet, but for the `ignored` points. `matrix` has the keys that would
/// move, as a check counts them.
pub(super) async fn preflight(
    fleet: &Fleet,
    ignored: &[Point],
    matrix: &[Vec<u64>],
) -> Result<Vec<Finding>, Error> {
    let mut facts = Vec::new();
    for place in 0..fleet.members().len() {
        facts.push(Facts::ask(fleet, place).await?);
    }
    let (placed, _) = facts.split_at(fleet.placed());
    let mut findings = functions::compare(&facts, placed.len());
    findings.extend(modules::compare(&facts, placed.len()));
    findings.extend(dumps::compare(&facts, matrix));
    findings.extend(versions::compare(placed));
    findings.extend(settings::compare(placed));
    findings.extend(users::compare(placed));
    findings.retain(|finding| !ignored.contains(&finding.point));
    Ok(findings)
}

/// The value that most nodes have; the first node's if no value is more frequent.
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
