//! Copies of a key on several wrong nodes, while its right node does not have it.
//!
//! Equal copies are not a conflict: whichever is moved, the value is the same. Copies with other values or another time
//! of expiry are a conflict, as are copies that are too large to compare: no evidence shows which one is newer, so only
//! the operator can choose.

use super::connection::{Connection, Request};
use super::connections::Connections;
use super::sizes::KeyBytesMax;
use super::{Error, Fleet, value};
use testbed::wire::Value;

/// Times to live that differ by no more are the same: the nodes are asked one after the other, and have clocks of their own.
const SLACK_MS: u64 = 2000;

/// The copies of a key on other wrong nodes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct OtherCopies {
    /// Places of nodes with the same value.
    pub(super) same: Vec<usize>,
    /// Places of nodes with another one.
    pub(super) differ: Vec<usize>,
}

/// Finds for each key, with the place of its right node, its copies on other wrong nodes. `own` is a connection to the
/// node at `on`, which has the keys.
pub(super) async fn find(
    fleet: &Fleet,
    on: usize,
    own: &mut Connection,
    nodes: &mut Connections,
    keys: &[(&[u8], usize)],
    key_bytes_max: KeyBytesMax,
) -> Result<Vec<OtherCopies>, Error> {
    let mut rivals = vec![OtherCopies::default(); keys.len()];
    for place in (0..fleet.members().len()).filter(|place| *place != on) {
        let asked: Vec<usize> = (0..keys.len()).filter(|at| keys[*at].1 != place).collect();
        if asked.is_empty() {
            continue;
        }
        let names: Vec<&[u8]> = asked.iter().map(|at| keys[*at].0).collect();
        let other = nodes.to(place).await?;
        let there = other.exist(&names).await?;
        let held = asked.into_iter().zip(there).filter(|(_, there)| *there);
        for at in held.map(|(at, _)| at).collect::<Vec<_>>() {
            match same(own, other, keys[at].0, key_bytes_max).await? {
                Some(true) => rivals[at].same.push(place),
                Some(false) => rivals[at].differ.push(place),
                None => {}
            }
        }
    }
    Ok(rivals)
}

/// Whether a key has the same value and time of expiry on both; `None` if one does not have it any more.
async fn same(
    own: &mut Connection,
    other: &mut Connection,
    key: &[u8],
    key_bytes_max: KeyBytesMax,
) -> Result<Option<bool>, Error> {
    let same = value::same(own, other, &[key], key_bytes_max).await?;
    match same.as_slice() {
        [Some(true)] => {
            let ttls = (ttl(own, key).await?, ttl(other, key).await?);
            Ok(same_expiry(ttls.0, ttls.1))
        }
        [different] => Ok(*different),
        _ => Ok(None),
    }
}

async fn ttl(node: &mut Connection, key: &[u8]) -> Result<i64, Error> {
    let request: Request<'_> = vec![b"PTTL", key];
    match node.ask(&request).await? {
        Value::Integer(ttl) => Ok(ttl),
        other => Err(node.unexpected("PTTL", &other)),
    }
}

/// Replies of PTTL: -1 never expires, -2 is gone.
fn same_expiry(here: i64, there: i64) -> Option<bool> {
    match (here, there) {
        (-2, _) | (_, -2) => None,
        (-1, -1) => Some(true),
        (-1, _) | (_, -1) => Some(false),
        (here, there) => Some(here.abs_diff(there) <= SLACK_MS),
    }
}

#[cfg(test)]
mod tests {
    use super::same_expiry;

    #[test]
    fn expiry_is_compared_up_to_clocks() {
        assert_eq!(same_expiry(-1, -1), Some(true));
        assert_eq!(same_expiry(-1, 5), Some(false));
        assert_eq!(same_expiry(100_000, 100_900), Some(true));
        assert_eq!(same_expiry(100_000, 200_000), Some(false));
        assert_eq!(same_expiry(-2, 5), None);
    }
}
