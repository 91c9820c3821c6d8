//! A fault of one node does not affect requests to the others.
//!
//! Judged are requests whose nodes have no fault while another node has one, on connections without a request to that
//! other node: replies come in order, so that a client which asks a broken node waits for it. Such a request may neither
//! fail nor wait for a broken node. It waited if it was answered after a slow request to a broken node that was already
//! there, and took so long that nothing else explains it: half of that request's time, and much more than the slowest
//! request to its node without a fault. The time that its own node took does not count, nor the time that a thread waited for
//! a processor, and a request that its node answered slowly proves nothing.

use std::collections::{BTreeSet, BinaryHeap, HashMap};

use super::findings::Findings;
use super::windows::{Faults, life, owners, stalled, waited};
use super::{Law, Verdict, text};
use crate::history::Record;
use crate::observed::{Closer, Observed, Span, Subject, Window};

pub(super) struct Isolation;

/// Waiting is suspicious from this many times the slowest reply without a fault.
const SLOWER: u64 = 5;
/// A node that takes longer than this is slow by itself: 50 ms.
const NODE_SLOW: u64 = 50_000_000;
/// Waiting for less than this is never suspicious: 20 ms.
const SHORTEST: u64 = 20_000_000;

impl Law for Isolation {
    fn id(&self) -> &'static str {
        "isolation"
    }

    fn promise(&self) -> &'static str {
        "while a node has a fault, requests of other clients to the other nodes neither fail nor wait for it"
    }

    fn source(&self) -> &'static str {
        "https://github.com/envoyproxy/envoy/issues/36962"
    }

    fn judge(&self, observed: &Observed) -> Verdict {
        let mut findings = Findings::default();
        let requests = Requests::new(observed);
        requests.failed(observed, &mut findings);
        requests.waited(observed, &mut findings);
        findings.verdict(
            "requests to nodes without a fault were served while another node had one",
            "a request to a node without a fault, while another node had one, on a connection that did not use that one",
        )
    }
}

/// Requests by the faults during their life.
struct Requests {
    /// Of nodes without a fault while another had one.
    healthy: Vec<(usize, Span)>,
    /// Of nodes with a fault.
    broken: Vec<(usize, Span)>,
    /// Connections that may have used a broken node.
    entangled: Entangled,
    /// The longest life of a request while there was no fault.
    usual: u64,
}

impl Requests {
    fn new(observed: &Observed) -> Self {
        let mut requests = Self {
            healthy: Vec::new(),
            broken: Vec::new(),
            entangled: Entangled::default(),
            usual: 0,
        };
        let faults = Faults::new(observed);
        let mut apart = Vec::new();
        // Requests that may need a broken node: EXEC and SCAN name no keys.
        let mut entangling = Vec::new();
        for (index, record) in observed.history.records.iter().enumerate() {
            let span = life(observed, record);
            let Some(owners) = owners(observed, record) else {
                entangling.push((index, span));
                continue;
            };
            if faults.felt(span).next().is_none() {
                if record.received.is_some() && !stalled(observed, span) {
                    requests.usual = requests.usual.max(span.to - span.from);
                }
            } else if !faults.only_others(span, &owners) {
                requests.broken.push((index, span));
                entangling.push((index, span));
            } else if during(&faults, span) && !stalled(observed, span) {
                apart.push((index, span));
            }
        }
        let entangled = Entangled::new(observed, &entangling);
        let records = &observed.history.records;
        apart.retain(|(index, span)| {
            let record = &records[*index];
            !entangled.has(record.session, *span) && !answered_slowly(record, *span)
        });
        requests.healthy = apart;
        requests.entangled = entangled;
        requests
    }

    /// Requests that were refused, or whose connection the proxy closed.
    fn failed(&self, observed: &Observed, findings: &mut Findings) {
        for (index, _) in &self.healthy {
            let record = &observed.history.records[*index];
            let Some(failure) = self.failure(observed, record) else {
                continue;
            };
            findings.judge();
            if let Some(how) = failure {
                let request = || text::request(record);
                findings.broken(record.sent, [*index], || {
                    format!("{} {how}, though its node had no fault", request())
                });
            }
        }
    }

    /// How a request failed, if it did; `None` if that is unknown. A proxy that closes a connection after an error of a
    /// broken node closes it for all later requests too.
    fn failure(&self, observed: &Observed, record: &Record) -> Option<Option<String>> {
        match &record.reply {
            Some(reply) if reply.is_error() && !own_error(record) => {
                Some(Some(format!("was answered {reply}")))
            }
            Some(_) => Some(None),
            None if self.entangled.sessions.contains_key(&record.session) => None,
            None => closed_by_proxy(observed, record).then(|| Some("was closed".to_owned())),
        }
    }

    /// Requests that waited for a broken node: a sweep over the slow requests to broken nodes that are under way.
    fn waited(&self, observed: &Observed, findings: &mut Findings) {
        if self.usual == 0 {
            return;
        }
        let suspicious = (self.usual * SLOWER).max(SHORTEST);
        let mut slow: Vec<_> = self
            .broken
            .iter()
            .filter(|(_, span)| (span.to - span.from) / 2 >= suspicious)
            .collect();
        slow.sort_unstable_by_key(|(_, span)| span.from);
        // Without the time of its node, and without that of threads that had no processor.
        let held = |index: usize, span: Span| {
            let held = span.to - span.from - node_time(&observed.history.records[index], span);
            held.saturating_sub(waited(observed, span))
        };
        let mut healthy: Vec<_> = self
            .healthy
            .iter()
            .filter(|(index, span)| held(*index, *span) >= suspicious)
            .collect();
        healthy.sort_unstable_by_key(|(_, span)| span.from);
        let mut slow = slow.into_iter().peekable();
        let mut young = BinaryHeap::new();
        let mut ends: BTreeSet<(u64, usize)> = BTreeSet::new();
        for (index, span) in healthy {
            while let Some((place, begun)) = slow.next_if(|(_, begun)| begun.from <= span.from) {
                let half = begun.from + (begun.to - begun.from) / 2;
                young.push((std::cmp::Reverse(half), (begun.to, *place)));
                ends.insert((begun.to, *place));
            }
            while young.peek().is_some_and(|(half, _)| half.0 < span.from) {
                if let Some((_, old)) = young.pop() {
                    ends.remove(&old);
                }
            }
            if let Some((_, broken)) = ends.first().filter(|(end, _)| *end <= span.to) {
                let records = &observed.history.records;
                findings.broken(span.from, [*index, *broken], || {
                    let [request, broken] =
                        [*index, *broken].map(|place| text::request(&records[place]));
                    format!("{request} waited until {broken} on another connection was over")
                });
            }
        }
    }
}

/// Whether a fault of a node acts during the whole span.
fn during(faults: &Faults<'_>, span: Span) -> bool {
    let whole = |window: &Window| window.span.from <= span.from && span.to <= window.span.to;
    let mut acting = faults.acting(span);
    acting.any(|window| matches!(window.on, Subject::Node(_)) && whole(window))
}

/// Whether the node itself answered with an error.
fn own_error(record: &Record) -> bool {
    let mut answers = record.seen.iter().filter_map(|seen| seen.answered.as_ref());
    answers.any(|answered| answered.reply.is_error())
}

/// Whether a node had the request for long before it answered, or before the client had a reply.
fn answered_slowly(record: &Record, span: Span) -> bool {
    node_time(record, span) > NODE_SLOW
}

/// The longest time that a node had the request before it answered, or before the client had a reply; 0 without a tap.
fn node_time(record: &Record, span: Span) -> u64 {
    let times = record.seen.iter().map(|seen| {
        let answered = seen.answered.as_ref().map_or(span.to, |it| it.at);
        answered
            .min(span.to)
            .saturating_sub(seen.asked.max(span.from))
    });
    times.max().unwrap_or(0)
}

fn closed_by_proxy(observed: &Observed, record: &Record) -> bool {
    let session = observed.sessions.get(&record.session);
    let closed = session.and_then(|session| session.closed);
    closed.is_some_and(|closed| closed.by == Closer::Proxy)
}

/// When each connection had requests under way that may need a broken node.
#[derive(Default)]
struct Entangled {
    sessions: HashMap<u32, Vec<Span>>,
}

impl Entangled {
    fn new(observed: &Observed, entangling: &[(usize, Span)]) -> Self {
        let mut sessions: HashMap<u32, Vec<Span>> = HashMap::new();
        for (index, span) in entangling {
            let session = observed.history.records[*index].session;
            let spans = sessions.entry(session).or_default();
            match spans.last_mut() {
                // Requests of a session are in order, and so are their replies.
                Some(last) if span.from <= last.to => last.to = last.to.max(span.to),
                _ => spans.push(*span),
            }
        }
        Self { sessions }
    }

    fn has(&self, session: u32, span: Span) -> bool {
        let spans = self.sessions.get(&session).map_or(&[][..], Vec::as_slice);
        let from = spans.partition_point(|broken| broken.to <= span.from);
        spans.get(from).is_some_and(|broken| broken.overlaps(span))
    }
}

#[cfg(test)]
pub(in crate::law) mod tests {
    use super::*;
    use crate::law::tests::run::{Run, bulk, check_broken, check_kept, check_unknown, error};
    use crate::observed::{Closed, Wait};

    const MILLISECOND: u64 = 1_000_000;

    /// A request to node 0 fails while node 1 has a fault.
    pub(in crate::law) fn double() -> Run {
        let mut run = Run::healthy();
        run.now = 4500;
        let refused = run.refused(7, "GET a-key-1");
        run.record(refused).reply = Some(error("ERR down"));
        run
    }

    /// A request to node 1 takes 0.4 s, and one of another client to node 0, sent 10 ms later, a little more or less.
    fn waiting(session: u32, milliseconds: u64) -> Run {
        waiting_for(400, session, milliseconds)
    }

    fn waiting_for(slow_ms: u64, session: u32, milliseconds: u64) -> Run {
        let mut run = Run::healthy();
        run.now = 4500;
        let slow = run.indefinite(7, "GET b-key-1");
        run.record(slow).received = Some((4500 + slow_ms) * MILLISECOND);
        run.now = 4510;
        let other = run.ok(session, "GET a-key-1", bulk("value-a-key-1"));
        run.record(other).received = Some((4510 + milliseconds) * MILLISECOND);
        run
    }

    #[test]
    fn an_error_of_a_healthy_node_breaks_it() {
        let sentence = r#"GET "a-key-1" (session 7, sent at 4.500 s) was answered -ERR down, though its node had no fault"#;
        check_broken(&Isolation, &double(), sentence);
    }

    #[test]
    fn waiting_for_another_node_breaks_it() {
        let sentence = r#"GET "a-key-1" (session 8, sent at 4.510 s) waited until GET "b-key-1" (session 7, sent at 4.500 s) on another connection was over"#;
        check_broken(&Isolation, &waiting(8, 391), sentence);
        check_kept(&Isolation, &waiting(8, 300));
    }

    #[test]
    fn a_node_that_answers_slowly_by_itself_is_excused() {
        let answered_within = |milliseconds: u64| {
            let mut run = double();
            run.now = 4600;
            let late = run.ok(8, "GET a-key-1", bulk("value-a-key-1"));
            let record = run.record(late);
            let (asked, received) = (record.sent, record.sent + milliseconds * MILLISECOND);
            record.reply = Some(error("ERR timeout"));
            record.received = Some(received);
            record.seen[0].asked = asked;
            record.seen[0].answered = None;
            match Isolation.judge(&run.observed) {
                Verdict::Broken(violation) => violation.count,
                verdict => panic!("{verdict:?}"),
            }
        };
        assert_eq!(answered_within(51), 1);
        assert_eq!(answered_within(49), 2);
    }

    /// A busy machine gives a healthy node no processor: the proxy asked it at once, and passed its answer on at once.
    #[test]
    fn the_time_of_its_own_node_is_no_waiting() {
        let answered_after = |milliseconds: u64| {
            let mut run = waiting_for(43, 8, 34);
            let other = run.observed.history.records.len() - 1;
            let record = run.record(other);
            let asked = record.sent + MILLISECOND;
            let seen = &mut record.seen[0];
            seen.asked = asked;
            let answered = seen.answered.as_mut().expect("an answer");
            answered.at = asked + milliseconds * MILLISECOND;
            run
        };
        let sentence = r#"GET "a-key-1" (session 8, sent at 4.510 s) waited until GET "b-key-1" (session 7, sent at 4.500 s) on another connection was over"#;
        check_broken(&Isolation, &answered_after(1), sentence);
        check_kept(&Isolation, &answered_after(28));
    }

    /// Also in waits that are too short for a stall.
    #[test]
    fn the_time_without_a_processor_is_no_waiting() {
        let with_a_wait_of = |milliseconds: u64| {
            let mut run = waiting_for(43, 8, 34);
            let span = Span {
                from: 4490 * MILLISECOND,
                to: 4540 * MILLISECOND,
            };
            let longest = milliseconds * MILLISECOND;
            run.observed.waits.push(Wait { span, longest });
            Isolation.judge(&run.observed)
        };
        assert!(matches!(with_a_wait_of(13), Verdict::Broken(_)));
        assert!(matches!(with_a_wait_of(15), Verdict::Kept { .. }));
    }

    #[test]
    fn waiting_on_the_same_connection_is_right() {
        check_kept(&Isolation, &waiting(7, 391));
    }

    #[test]
    fn faults_of_the_proxy_and_clients_that_leave_are_excused() {
        let mut run = double();
        run.observed.windows[0].on = Subject::Proxy;
        check_unknown(&Isolation, &run);
        let mut run = double();
        let last = run.observed.history.records.len() - 1;
        run.record(last).reply = None;
        run.record(last).received = None;
        let by = Closer::Client;
        let at = 4600 * MILLISECOND;
        run.observed.sessions.get_mut(&7).unwrap().closed = Some(Closed { at, by });
        check_kept(&Isolation, &run);
    }
}
