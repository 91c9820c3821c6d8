//! A node is served again soon after its fault has ended.

use std::collections::BTreeMap;

use super::findings::Findings;
use super::windows::{Faults, owners, stalled};
use super::{Law, Verdict, text};
use crate::history::{Completion, Record};
use crate::observed::{Closer, Observed, Span, Subject, Window};

pub(super) struct RecoversWithin;

impl Law for RecoversWithin {
    fn id(&self) -> &'static str {
        "recovers-within"
    }

    fn promise(&self) -> &'static str {
        "after each fault a request to the node succeeds within the time that the target promises"
    }

    fn source(&self) -> &'static str {
        "https://github.com/joyieldInc/predixy/issues/120"
    }

    fn judge(&self, observed: &Observed) -> Verdict {
        let mut findings = Findings::default();
        let requests = Requests::new(observed);
        let faults = Faults::new(observed);
        for window in &observed.windows {
            let nodes: Vec<u16> = match window.on {
                Subject::Node(node) => vec![node],
                Subject::Proxy => requests.by_node.keys().copied().collect(),
                Subject::Clients => continue,
            };
            for node in nodes {
                requests.judge((observed, &faults), window, node, &mut findings);
            }
        }
        findings.verdict(
            "nodes were served again in time after a fault",
            "a fault that ended, followed by requests to its node for as long as recovery may take",
        )
    }
}

/// Requests to one node each, in the order in which they were sent.
struct Requests {
    by_node: BTreeMap<u16, Vec<Request>>,
}

struct Request {
    record: usize,
    sent: u64,
    /// When it was answered without an error.
    succeeded: Option<u64>,
    /// When the client left without a reply.
    left: Option<u64>,
}

impl Requests {
    fn new(observed: &Observed) -> Self {
        let mut by_node: BTreeMap<u16, Vec<Request>> = BTreeMap::new();
        for (index, record) in observed.history.records.iter().enumerate() {
            let owners = owners(observed, record);
            let Some(&[node]) = owners.as_deref() else {
                continue;
            };
            let request = Request {
                record: index,
                sent: record.sent,
                succeeded: record
                    .received
                    .filter(|_| record.completion == Completion::Ok),
                left: left(observed, record),
            };
            by_node.entry(node).or_default().push(request);
        }
        let requests = by_node.values_mut();
        requests.for_each(|requests| requests.sort_by_key(|request| request.sent));
        Self { by_node }
    }

    fn judge(
        &self,
        (observed, faults): (&Observed, &Faults<'_>),
        window: &Window,
        node: u16,
        findings: &mut Findings,
    ) {
        let healed = window.span.to;
        let due = healed.saturating_add(observed.promises.recovery);
        let time = Span {
            from: healed,
            to: due,
        };
        let requests = self.by_node.get(&node).map_or(&[][..], Vec::as_slice);
        let from = requests.partition_point(|request| request.sent < healed);
        let until = requests.partition_point(|request| request.sent <= due);
        let tried = requests[from..until.max(from)].iter();
        let tried: Vec<_> = tried
            .filter(|request| request.left.is_none_or(|at| at > due))
            .collect();
        let in_time = |request: &&Request| request.succeeded.is_some_and(|at| at <= due);
        if tried.iter().any(in_time) {
            findings.judge();
            return;
        }
        let (Some(first), Some(last)) = (tried.first(), tried.last()) else {
            return;
        };
        if observed.load.to <= due
            || stalled(observed, time)
            || disturbed(faults, window, node, time)
        {
            return;
        }
        findings.judge();
        findings.broken(healed, [first.record, last.record], || {
            let (healed, due, tried) = (text::time(healed), text::time(due), tried.len());
            format!("no request to node {node} succeeded from {healed}, when its fault ended, to {due}; {tried} were sent")
        });
    }
}

/// When the client of a request closed its connection without waiting for the reply.
fn left(observed: &Observed, record: &Record) -> Option<u64> {
    let closed = observed.sessions.get(&record.session)?.closed?;
    (record.received.is_none() && closed.by == Closer::Client).then_some(closed.at)
}

/// Whether another fault may have kept the node from being served.
fn disturbed(faults: &Faults<'_>, window: &Window, node: u16, time: Span) -> bool {
    let concerns = |other: &Window| match other.on {
        Subject::Node(other) => other == node,
        Subject::Proxy | Subject::Clients => true,
    };
    let mut acting = faults.acting(time);
    acting.any(|other| other != window && concerns(other))
}

#[cfg(test)]
pub(in crate::law) mod tests {
    use super::*;
    use crate::law::tests::run::{Run, bulk, check_broken, check_unknown};
    use crate::observed::Closed;

    const MILLISECOND: u64 = 1_000_000;

    /// A fault of node 2 from 6.500 s to 6.600 s, after which its requests fail, though its answers come.
    pub(in crate::law) fn double() -> Run {
        let mut run = Run::healthy();
        run.now = 6500;
        run.window(Subject::Node(2), 100);
        run.now = 6700;
        for _ in 0..3 {
            run.refused(7, "GET c-key-1");
        }
        run
    }

    #[test]
    fn only_errors_after_a_fault_break_it() {
        let sentence = "no request to node 2 succeeded from 6.600 s, when its fault ended, to 8.600 s; 3 were sent";
        check_broken(&RecoversWithin, &double(), sentence);
    }

    #[test]
    fn without_requests_after_a_fault_it_is_unknown() {
        let mut run = Run::new();
        run.ok(1, "GET a-x", bulk("one"));
        run.window(Subject::Node(0), 100);
        check_unknown(&RecoversWithin, &run);
    }

    #[test]
    fn a_client_that_left_tried_nothing() {
        let mut run = double();
        run.observed.windows.remove(0);
        for record in run.observed.history.records.iter_mut().rev().take(3) {
            (record.received, record.reply) = (None, None);
        }
        let by = Closer::Client;
        let at = 7000 * MILLISECOND;
        run.observed.sessions.get_mut(&7).unwrap().closed = Some(Closed { at, by });
        check_unknown(&RecoversWithin, &run);
    }

    #[test]
    fn the_end_of_the_run_a_stall_or_another_fault_excuses() {
        let mut run = double();
        run.observed.windows.remove(0);
        let mut cut = run.clone();
        cut.observed.load.to = 8000 * MILLISECOND;
        check_unknown(&RecoversWithin, &cut);
        let mut stalled = run.clone();
        let at = 7000 * MILLISECOND;
        stalled.observed.stalls.push(Span {
            from: at,
            to: at + 1,
        });
        check_unknown(&RecoversWithin, &stalled);
        run.now = 7000;
        run.window(Subject::Node(2), 2500);
        check_unknown(&RecoversWithin, &run);
    }
}
