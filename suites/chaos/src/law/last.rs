//! The last value of a register: which of its writes no other acknowledged change certainly follows.

use std::collections::HashMap;

use testbed::wire::Value;

use super::command::Command;
use super::keys::bulk;
use super::operation::Operation;
use crate::ledger::KeyOutcome;

/// Which of its writes may be the last one of a key.
pub(super) struct Last<'a, 'o> {
    key: &'a [u8],
    uses: &'o [&'o Operation<'a>],
    /// When the latest acknowledged change was sent.
    sent: u64,
    /// The latest acknowledged change of each session.
    sessions: HashMap<u32, usize>,
}

impl<'a, 'o> Last<'a, 'o> {
    pub(super) fn new(key: &'a [u8], uses: &'o [&'o Operation<'a>]) -> Self {
        let changes = || {
            uses.iter()
                .filter(|operation| !operation.command.reads() && operation.ok())
        };
        let sent = changes().map(|change| change.sent).max().unwrap_or(0);
        let read = changes().filter(|change| change.received.is_some());
        Self {
            key,
            uses,
            sent,
            sessions: read.map(|change| (change.session, change.record)).collect(),
        }
    }

    /// Whether no acknowledged change is certainly later: neither by time, nor by the order of a session.
    fn may_be(&self, change: &Operation<'_>) -> bool {
        let in_session = self.sessions.get(&change.session);
        let overtaken =
            change.received.is_some() && in_session.is_some_and(|last| *last > change.record);
        change.possible() && change.latest() >= self.sent && !overtaken
    }

    pub(super) fn may_be_missing(&self) -> bool {
        let removals = self
            .uses
            .iter()
            .filter(|operation| matches!(operation.command, Command::Remove(_)));
        removals.into_iter().any(|removal| self.may_be(removal))
    }

    pub(super) fn outcome(&self, found: &Value) -> KeyOutcome {
        let found = bulk(found);
        let wrote =
            |operation: &&&Operation<'a>| found.is_some() && value(operation, self.key) == found;
        let writers: Vec<_> = self.uses.iter().filter(wrote).collect();
        match writers.as_slice() {
            [] => KeyOutcome::Wrong,
            writers if writers.iter().any(|write| self.may_be(write)) => KeyOutcome::Found,
            _ => KeyOutcome::Stale,
        }
    }
}

/// Whether a request leaves a value that is followed.
pub(super) fn followed(operation: &Operation<'_>) -> bool {
    let command = &operation.command;
    command.reads()
        || matches!(
            command,
            Command::Set(..) | Command::Mset(_) | Command::Remove(_)
        )
}

/// The value that a request writes under a key.
pub(super) fn value<'a>(operation: &Operation<'a>, key: &[u8]) -> Option<&'a [u8]> {
    let writes = operation.command.writes().into_iter().rev();
    let mut under = writes.filter(|(written, _)| *written == key);
    under.next().map(|(_, value)| value)
}
