//! Which requests a fault may explain, by the objects that it acted on and its time.

use super::command::Command;
use crate::history::Record;
use crate::observed::{Observed, Span, Subject, Window};

/// The nodes of the keys of a request, if all are known.
pub(crate) fn owners(observed: &Observed, record: &Record) -> Option<Vec<u16>> {
    let command = Command::of(&record.request);
    if matches!(command, Command::Other(_)) {
        return None;
    }
    let keys = command.keys();
    let owner = |key: &[u8]| {
        let before = observed.owners.get(key).copied()?;
        let after = observed.owners_after.get(key).copied().unwrap_or(before);
        (before == after).then_some(before)
    };
    let mut owners: Vec<u16> = keys.into_iter().map(owner).collect::<Option<_>>()?;
    owners.sort_unstable();
    owners.dedup();
    (!owners.is_empty()).then_some(owners)
}

/// From when a request was sent until it was answered, or until the run was over.
pub(crate) fn life(observed: &Observed, record: &Record) -> Span {
    let closed = || observed.sessions.get(&record.session)?.closed;
    let to = record.received.or_else(|| Some(closed()?.at));
    Span {
        from: record.sent,
        to: to.unwrap_or(observed.load.to).max(record.sent + 1),
    }
}

/// The faults that acted in a span or so shortly before that the proxy may still be recovering.
pub(super) fn felt(observed: &Observed, span: Span) -> impl Iterator<Item = &Window> {
    let recovery = observed.promises.recovery;
    observed.windows.iter().filter(move |window| {
        let felt = Span {
            from: window.span.from,
            to: window.span.to.saturating_add(recovery),
        };
        felt.overlaps(span)
    })
}

/// Whether only faults of nodes acted in a span, none of them on one of `owners`.
pub(super) fn only_others(observed: &Observed, span: Span, owners: &[u16]) -> bool {
    felt(observed, span).all(|window| match window.on {
        Subject::Node(node) => !owners.contains(&node),
        Subject::Proxy | Subject::Clients => false,
    })
}

/// Whether the machine stalled in a span.
pub(super) fn stalled(observed: &Observed, span: Span) -> bool {
    observed.stalls.iter().any(|stall| stall.overlaps(span))
}
