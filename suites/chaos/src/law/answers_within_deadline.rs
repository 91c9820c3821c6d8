//! Every request is answered, or its connection closed, within the deadline.

use testbed::class::Class;

use super::findings::Findings;
use super::windows::{Faults, stalled};
use super::{Law, Verdict, text};
use crate::history::Record;
use crate::observed::{Closer, Observed, Span, Subject};

pub(super) struct AnswersWithinDeadline;

impl Law for AnswersWithinDeadline {
    fn id(&self) -> &'static str {
        "answers-within-deadline"
    }

    fn promise(&self) -> &'static str {
        "every request is answered, or its connection closed, within the deadline that the target promises"
    }

    fn source(&self) -> &'static str {
        "https://github.com/joyieldInc/predixy/issues/21"
    }

    fn classes(&self) -> &'static [Class] {
        &[Class::Hung]
    }

    fn judge(&self, observed: &Observed) -> Verdict {
        let mut findings = Findings::default();
        let mut stalls = Stalls::default();
        let others = Faults::of(observed, |on| !matches!(on, Subject::Node(_)));
        for (index, record) in observed.history.records.iter().enumerate() {
            let allowed = allowed(observed, record);
            // A fault acted on the clients or the proxy.
            if others.acting(allowed).next().is_some() {
                continue;
            }
            match stalled(observed, allowed) {
                true => stalls.count(observed, record),
                false => judge(observed, index, record, &mut findings),
            }
        }
        if stalls.late == 0 {
            findings.judge_all(stalls.in_time);
        }
        findings.verdict(
            "requests were answered or closed within the deadline",
            "a request that neither a stall, a fault of proxy or clients, nor the end of the run cut short",
        )
    }
}

/// Requests while the machine stalled. A late one may be the machine's fault. They count if all were in time: if only those in
/// time counted, a proxy that hangs would keep the promise.
#[derive(Default)]
struct Stalls {
    in_time: usize,
    late: usize,
}

impl Stalls {
    fn count(&mut self, observed: &Observed, record: &Record) {
        match ended(observed, record) {
            End::Served(at) if at <= due(observed, record) => self.in_time += 1,
            _ => self.late += 1,
        }
    }
}

/// When the reply is due.
fn due(observed: &Observed, record: &Record) -> u64 {
    record.sent.saturating_add(observed.promises.deadline)
}

/// The life that a request may have.
fn allowed(observed: &Observed, record: &Record) -> Span {
    Span {
        from: record.sent,
        to: due(observed, record).saturating_add(1),
    }
}

fn judge(observed: &Observed, index: usize, record: &Record, findings: &mut Findings) {
    let due = due(observed, record);
    match ended(observed, record) {
        End::Served(at) if at <= due => findings.judge(),
        End::Served(at) => {
            findings.judge();
            findings.broken(record.sent, [index], || {
                let (request, at) = (text::request(record), text::time(at));
                format!("{request} was answered or closed only at {at}")
            });
        }
        End::Unserved(watched) if watched > due => {
            findings.judge();
            findings.broken(record.sent, [index], || {
                let (request, at) = (text::request(record), text::time(watched));
                format!("{request} was neither answered nor closed until {at}")
            });
        }
        End::Unserved(_) => {}
    }
}

/// How a request ended.
enum End {
    /// The proxy answered, or closed the connection.
    Served(u64),
    /// Nothing had come when the client left or the run was over.
    Unserved(u64),
}

fn ended(observed: &Observed, record: &Record) -> End {
    if let Some(received) = record.received {
        return End::Served(received);
    }
    let session = observed.sessions.get(&record.session);
    match session.and_then(|session| session.closed) {
        Some(closed) if closed.by == Closer::Proxy => End::Served(closed.at),
        Some(closed) => End::Unserved(closed.at),
        None => End::Unserved(observed.load.to),
    }
}

#[cfg(test)]
pub(in crate::law) mod tests {
    use super::*;
    use crate::law::tests::run::{Run, bulk, check_broken, check_kept, check_unknown};
    use crate::observed::Closed;

    const SECOND: u64 = 1_000_000_000;

    pub(in crate::law) fn double() -> Run {
        let mut run = Run::healthy();
        let late = run.ok(9, "GET a-key-1", bulk("value-a-key-1"));
        run.record(late).received = Some(11 * SECOND);
        run
    }

    /// One request, sent at 0.000 s and never answered.
    fn unanswered(closed: Option<Closed>) -> Run {
        let mut run = Run::new();
        let lost = run.indefinite(1, "GET a-key");
        run.record(lost).reply = None;
        run.record(lost).received = None;
        run.observed.sessions.get_mut(&1).unwrap().closed = closed;
        run
    }

    fn closed(by: Closer, at: u64) -> Option<Closed> {
        Some(Closed { at, by })
    }

    #[test]
    fn a_late_reply_breaks_it() {
        let sentence =
            r#"GET "a-key-1" (session 9, sent at 9.000 s) was answered or closed only at 11.000 s"#;
        check_broken(&AnswersWithinDeadline, &double(), sentence);
    }

    #[test]
    fn no_reply_until_the_end_breaks_it() {
        let sentence = r#"GET "a-key" (session 1, sent at 0.000 s) was neither answered nor closed until 10.000 s"#;
        check_broken(&AnswersWithinDeadline, &unanswered(None), sentence);
    }

    #[test]
    fn a_close_by_the_proxy_is_an_answer() {
        check_kept(
            &AnswersWithinDeadline,
            &unanswered(closed(Closer::Proxy, SECOND / 2)),
        );
    }

    /// A stall excuses a late reply. Then replies in time prove nothing either.
    #[test]
    fn replies_in_time_during_a_stall_count_if_none_is_late() {
        let stall = Span {
            from: 0,
            to: 10 * SECOND,
        };
        let mut run = Run::new();
        run.ok(1, "GET a-key", bulk("value"));
        run.observed.stalls.push(stall);
        check_kept(&AnswersWithinDeadline, &run);
        let late = run.ok(1, "GET a-key", bulk("value"));
        run.record(late).received = Some(3 * SECOND);
        check_unknown(&AnswersWithinDeadline, &run);
    }

    #[test]
    fn clients_that_leave_and_stalls_are_not_judged() {
        let left = unanswered(closed(Closer::Client, SECOND / 2));
        check_unknown(&AnswersWithinDeadline, &left);
        let mut stalled = unanswered(None);
        let to = SECOND / 2;
        stalled.observed.stalls.push(Span { from: 0, to });
        check_unknown(&AnswersWithinDeadline, &stalled);
        let mut cut = unanswered(None);
        cut.observed.load.to = SECOND;
        check_unknown(&AnswersWithinDeadline, &cut);
    }
}
