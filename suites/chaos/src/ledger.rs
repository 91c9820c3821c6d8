//! The ledger: one line per acknowledged key, with its outcome.
//!
//! Pure: computed from reads and from the data on the nodes; never uses a socket.

use schemars::JsonSchema;
use serde::Serialize;

/// Outcome of an acknowledged key, observed through the proxy and on the nodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum KeyOutcome {
    /// The last acknowledged value was read.
    Found,
    /// Missing through the proxy, but present on a node.
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

impl KeyOutcome {
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

/// The proxy's answer when a key was read back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Read {
    /// A value.
    Value(Vec<u8>),
    /// No value under this key.
    Missing,
    /// An error reply, or none.
    Error(String),
}

/// The fate of a key. `written` are the values that were written to it, the last one acknowledged last; `held` is true
/// if any node has the key.
#[must_use]
pub fn fate(read: &Read, written: &[&[u8]], held: bool) -> KeyOutcome {
    match read {
        Read::Error(_) => KeyOutcome::Failed,
        Read::Missing if held => KeyOutcome::Unreachable,
        Read::Missing => KeyOutcome::Lost,
        Read::Value(value) => match written.iter().rposition(|known| *known == value) {
            None => KeyOutcome::Wrong,
            Some(last) if last + 1 == written.len() => KeyOutcome::Found,
            Some(_) => KeyOutcome::Stale,
        },
    }
}

/// Number of keys by outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, JsonSchema)]
pub struct Tally {
    /// See [`KeyOutcome::Found`].
    pub found: usize,
    /// See [`KeyOutcome::Unreachable`].
    pub unreachable: usize,
    /// See [`KeyOutcome::Lost`].
    pub lost: usize,
    /// See [`KeyOutcome::Stale`].
    pub stale: usize,
    /// See [`KeyOutcome::Wrong`].
    pub wrong: usize,
    /// See [`KeyOutcome::Failed`].
    pub failed: usize,
}

impl FromIterator<KeyOutcome> for Tally {
    fn from_iter<I: IntoIterator<Item = KeyOutcome>>(fates: I) -> Self {
        let mut tally = Self::default();
        for fate in fates {
            *match fate {
                KeyOutcome::Found => &mut tally.found,
                KeyOutcome::Unreachable => &mut tally.unreachable,
                KeyOutcome::Lost => &mut tally.lost,
                KeyOutcome::Stale => &mut tally.stale,
                KeyOutcome::Wrong => &mut tally.wrong,
                KeyOutcome::Failed => &mut tally.failed,
            } += 1;
        }
        tally
    }
}

#[cfg(test)]
mod tests {
    use super::{KeyOutcome, Read, Tally, fate};

    #[track_caller]
    fn check(read: &Read, held: bool, expected: KeyOutcome) {
        assert_eq!(fate(read, &[b"old", b"new"], held), expected, "{read:?}");
    }

    #[test]
    fn a_key_is_judged_by_its_value_and_by_the_nodes() {
        let value = |text: &str| Read::Value(text.as_bytes().to_vec());
        check(&value("new"), true, KeyOutcome::Found);
        check(&value("old"), true, KeyOutcome::Stale);
        check(&value("other"), true, KeyOutcome::Wrong);
        check(&Read::Missing, true, KeyOutcome::Unreachable);
        check(&Read::Missing, false, KeyOutcome::Lost);
        check(&Read::Error("ERR".to_owned()), true, KeyOutcome::Failed);
    }

    #[test]
    fn the_tally_counts_each_fate_once() {
        let fates = [
            KeyOutcome::Found,
            KeyOutcome::Unreachable,
            KeyOutcome::Lost,
            KeyOutcome::Stale,
            KeyOutcome::Wrong,
            KeyOutcome::Failed,
            KeyOutcome::Found,
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
