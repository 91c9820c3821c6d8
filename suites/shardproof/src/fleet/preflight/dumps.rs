//! Formats of dumps: a server refuses RESTORE of a dump in a newer format than its own, or in one of another program.
//!
//! Source: `verifyDumpPayload` of Redis 7.0.15 and 8.2.3 and of Valkey 9.1.2, tried in all pairs.

use super::facts::Facts;
use super::{Finding, Level, Point};

/// Valkey's own formats begin here. It refuses formats that Redis introduced after the fork.
const VALKEY: u16 = 80;
/// The last format that Redis and Valkey share.
const SHARED: u16 = 11;

/// Each node must accept the dumps of every other node that has keys placed on it. `matrix` has the number of keys by
/// right node and by current node.
pub(super) fn compare(facts: &[Facts], matrix: &[Vec<u64>]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (right, row) in matrix.iter().enumerate() {
        for (on, keys) in row
            .iter()
            .enumerate()
            .filter(|(on, keys)| *on != right && **keys > 0)
        {
            let (source, target) = (&facts[on], &facts[right]);
            let keys = format!("{keys} keys of {} are placed here", source.node);
            let (level, what) = match (&source.dumps, &target.dumps) {
                (Ok(given), Ok(own)) if takes(*own, *given) => continue,
                (Ok(given), Ok(own)) => (
                    Level::Blocks,
                    format!("{keys}, and it refuses their dumps: format {given}, its own is {own}"),
                ),
                (Err(why), _) | (_, Err(why)) => (Level::Unknown, format!("{keys}: {why}")),
            };
            findings.push(target.finding(Point::Dumps, level, what));
        }
    }
    findings
}

/// Whether a server whose own format is `own` accepts a dump in the format `given`.
fn takes(own: u16, given: u16) -> bool {
    let foreign = own >= VALKEY && given > SHARED && given < VALKEY;
    given <= own && !foreign
}

#[cfg(test)]
mod tests {
    use super::takes;

    /// Redis 7.0.15 has format 10, Redis 8.2.3 has 12, Valkey 9.1.2 has 80.
    #[test]
    fn newer_and_foreign_formats_are_refused() {
        assert!(takes(10, 10) && takes(12, 10) && takes(80, 10) && takes(80, 80));
        assert!(!takes(10, 12) && !takes(80, 12) && !takes(10, 80) && !takes(12, 80));
    }
}
