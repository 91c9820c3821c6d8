//! The ledger: one line a key that was acknowledged, with what became of it.
//!
//! Pure: computed from what was read and from what lies on the nodes; never asks anybody.

use schemars::JsonSchema;
use serde::Serialize;

/// What became of an acknowledged key, seen through the proxy and on the nodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Fate {
    /// The last acknowledged value was read.
    Found,
    /// Missing through the proxy, though it lies on a node.
    Unreachable,
    /// Missing through the proxy and on every node.
    Lost,
    /// A value was read that had been overwritten.
    Stale,
    /// A value was read that was never written to this key.
    Wrong,
    /// An error was read.
    Failed,
}

impl Fate {
    /// The word in reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Found => "found",
            Self::Unreachable => "unreachable",
            Self::Lost => "lost",
            Self::Stale => "stale",
            Self::Wrong => "wrong",
            Self::Failed => "failed",
        }
    }
}

/// What the proxy answered when a key was read back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Read {
    /// A value.
    Value(Vec<u8>),
    /// Nothing under this key.
    Missing,
    /// An error reply, or none.
    Error(String),
}

/// The fate of a key. `written` are the values that it was given, the last one acknowledged last; `held` says whether
/// any node has the key.
#[must_use]
pub fn fate(read: &Read, written: &[&[u8]], held: bool) -> Fate {
    match read {
        Read::Error(_) => Fate::Failed,
        Read::Missing if held => Fate::Unreachable,
        Read::Missing => Fate::Lost,
        Read::Value(value) => match written.iter().rposition(|known| *known == value) {
            None => Fate::Wrong,
            Some(last) if last + 1 == written.len() => Fate::Found,
            Some(_) => Fate::Stale,
        },
    }
}

/// How many keys met each fate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, JsonSchema)]
pub struct Tally {
    /// Keys of this fate; see [`Fate`].
    pub found: usize,
    /// See [`Fate::Unreachable`].
    pub unreachable: usize,
    /// See [`Fate::Lost`].
    pub lost: usize,
    /// See [`Fate::Stale`].
    pub stale: usize,
    /// See [`Fate::Wrong`].
    pub wrong: usize,
    /// See [`Fate::Failed`].
    pub failed: usize,
}

impl FromIterator<Fate> for Tally {
    fn from_iter<I: IntoIterator<Item = Fate>>(fates: I) -> Self {
        let mut tally = Self::default();
        for fate in fates {
            *match fate {
                Fate::Found => &mut tally.found,
                Fate::Unreachable => &mut tally.unreachable,
                Fate::Lost => &mut tally.lost,
                Fate::Stale => &mut tally.stale,
                Fate::Wrong => &mut tally.wrong,
                Fate::Failed => &mut tally.failed,
            } += 1;
        }
        tally
    }
}

#[cfg(test)]
mod tests {
    use super::{Fate, Read, Tally, fate};

    #[track_caller]
    fn check(read: &Read, held: bool, expected: Fate) {
        assert_eq!(fate(read, &[b"old", b"new"], held), expected, "{read:?}");
    }

    #[test]
    fn a_key_is_judged_by_its_value_and_by_the_nodes() {
        let value = |text: &str| Read::Value(text.as_bytes().to_vec());
        check(&value("new"), true, Fate::Found);
        check(&value("old"), true, Fate::Stale);
        check(&value("other"), true, Fate::Wrong);
        check(&Read::Missing, true, Fate::Unreachable);
        check(&Read::Missing, false, Fate::Lost);
        check(&Read::Error("ERR".to_owned()), true, Fate::Failed);
    }

    #[test]
    fn the_tally_counts_each_fate_once() {
        let fates = [
            Fate::Found,
            Fate::Unreachable,
            Fate::Lost,
            Fate::Stale,
            Fate::Wrong,
            Fate::Failed,
            Fate::Found,
        ];
        let expected = Tally {
            found: 2,
            unreachable: 1,
            lost: 1,
            stale: 1,
            wrong: 1,
            failed: 1,
        };
        assert_eq!(fates.into_iter().collect::<Tally>(), expected);
    }
}
