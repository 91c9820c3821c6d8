//! The databases of a node that hold keys, and how many: INFO keyspace.
//!
//! A check inspects one database, or those that were asked for. Keys in others are counted here, so that "0 keys" never
//! hides them.

use std::collections::BTreeSet;

use super::report::OtherDatabase;
use super::{Error, Fleet};
use testbed::wire::Value;

/// The databases of all nodes that hold keys, in ascending order.
///
/// # Errors
/// A node does not answer INFO.
pub async fn databases(fleet: &Fleet) -> Result<Vec<u32>, Error> {
    let mut all = BTreeSet::new();
    for place in 0..fleet.members().len() {
        all.extend(
            of(fleet, place)
                .await?
                .into_iter()
                .map(|(number, _)| number),
        );
    }
    Ok(all.into_iter().collect())
}

/// The databases of every node outside `looked_at`.
pub(super) async fn others(fleet: &Fleet, looked_at: &[u32]) -> Result<Vec<OtherDatabase>, Error> {
    let mut others = Vec::new();
    for (place, member) in fleet.members().iter().enumerate() {
        let held = of(fleet, place).await?.into_iter();
        let elsewhere = held.filter(|(database, _)| !looked_at.contains(database));
        others.extend(elsewhere.map(|(database, keys)| OtherDatabase {
            node: member.seen.clone(),
            database,
            keys,
        }));
    }
    Ok(others)
}

/// Databases of one node, with the number of their keys.
async fn of(fleet: &Fleet, place: usize) -> Result<Vec<(u32, u64)>, Error> {
    let mut node = fleet.connect(place).await?;
    match node.ask(&[b"INFO", b"keyspace"]).await? {
        Value::Bulk(text) => Ok(parse(&String::from_utf8_lossy(&text))),
        other => Err(node.unexpected("INFO", &other)),
    }
}

/// Lines such as `db2:keys=9,expires=0,avg_ttl=0`.
fn parse(text: &str) -> Vec<(u32, u64)> {
    let line = |line: &str| {
        let (number, counts) = line.strip_prefix("db")?.split_once(":keys=")?;
        let keys = counts.split(',').next()?;
        Some((number.parse().ok()?, keys.trim().parse().ok()?))
    };
    text.lines().filter_map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn databases_are_read_with_their_keys() {
        let text =
            "# Keyspace\r\ndb0:keys=3,expires=0,avg_ttl=0\r\ndb12:keys=1,expires=1,avg_ttl=9\r\n";
        assert_eq!(parse(text), [(0, 3), (12, 1)]);
        assert_eq!(parse("# Keyspace\r\n"), []);
    }
}
