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

/// The faults of a run, to find those that acted in a span without looking at all of them.
pub(crate) struct Faults<'a> {
    /// In the order in which they began.
    windows: Vec<&'a Window>,
    /// For each window the latest end of those up to it.
    latest: Vec<u64>,
    /// How long the proxy may still be recovering.
    recovery: u64,
}

impl<'a> Faults<'a> {
    /// All faults.
    pub(crate) fn new(observed: &'a Observed) -> Self {
        Self::of(observed, |_| true)
    }

    /// The faults whose subject is chosen.
    pub(super) fn of(observed: &'a Observed, chosen: impl Fn(Subject) -> bool) -> Self {
        let windows = observed.windows.iter();
        let mut windows: Vec<&Window> = windows.filter(|window| chosen(window.on)).collect();
        windows.sort_by_key(|window| window.span.from);
        let mut latest = 0;
        let ends = windows.iter().map(|window| {
            latest = window.span.to.max(latest);
            latest
        });
        Self {
            latest: ends.collect(),
            recovery: observed.promises.recovery,
            windows,
        }
    }

    /// The faults that acted in a span, the last one first.
    pub(crate) fn acting(&self, span: Span) -> impl Iterator<Item = &'a Window> {
        let begun = |window: &&Window| window.span.from < span.to;
        let until = self.windows.partition_point(begun);
        let places = (0..until).rev();
        let near = places.take_while(move |place| self.latest[*place] > span.from);
        near.map(|place| self.windows[place])
            .filter(move |window| window.span.overlaps(span))
    }

    /// The faults that acted in a span or so shortly before that the proxy may still be recovering.
    pub(super) fn felt(&self, span: Span) -> impl Iterator<Item = &'a Window> {
        let from = span.from.saturating_sub(self.recovery);
        self.acting(Span { from, ..span })
    }

    /// Whether only faults of nodes were felt in a span, none of them on one of `owners`.
    pub(super) fn only_others(&self, span: Span, owners: &[u16]) -> bool {
        self.felt(span).all(|window| match window.on {
            Subject::Node(node) => !owners.contains(&node),
            Subject::Proxy | Subject::Clients => false,
        })
    }
}

/// Whether the machine stalled in a span.
pub(super) fn stalled(observed: &Observed, span: Span) -> bool {
    let stalls = &observed.stalls;
    let next = stalls.partition_point(|stall| stall.to <= span.from);
    stalls.get(next).is_some_and(|stall| stall.overlaps(span))
}

/// The longest time that threads may have waited for a processor in a span, in nanoseconds: that of each part of the run that
/// the span touches.
pub(super) fn waited(observed: &Observed, span: Span) -> u64 {
    let waits = &observed.waits;
    let next = waits.partition_point(|wait| wait.span.to <= span.from);
    let touching = waits[next..]
        .iter()
        .take_while(|wait| wait.span.from < span.to);
    touching.map(|wait| wait.longest).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::law::tests::run::Run;

    const MS: u64 = 1_000_000;

    #[test]
    fn faults_that_acted_in_a_span_are_found_as_by_looking_at_all() {
        let mut run = Run::new();
        // Some last long, so that ends are in another order than beginnings; one is empty.
        for (number, (from, lasts)) in [(0, 5), (10, 90), (20, 5), (30, 0), (40, 20), (95, 10)]
            .into_iter()
            .enumerate()
        {
            run.now = from;
            run.window(Subject::Node(number as u16 % 3), lasts);
        }
        let observed = &run.observed;
        let faults = Faults::new(observed);
        for from in 0..130 {
            for lasts in [1, 7, 50] {
                let span = Span {
                    from: from * MS,
                    to: (from + lasts) * MS,
                };
                let all = observed.windows.iter().rev();
                let acting: Vec<&Window> = all.filter(|it| it.span.overlaps(span)).collect();
                assert_eq!(faults.acting(span).collect::<Vec<_>>(), acting, "{span:?}");
            }
        }
    }
}
