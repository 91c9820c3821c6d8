//! Every request is answered, or its connection closed, within the deadline.

use super::findings::Findings;
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
        "https://github.com/twitter/twemproxy/issues/145"
    }

    fn judge(&self, observed: &Observed) -> Verdict {
        let mut findings = Findings::default();
        for (index, record) in observed.history.records.iter().enumerate() {
            judge(observed, index, record, &mut findings);
        }
        findings.verdict(
            "requests were answered or closed within the deadline",
            "a request that neither a stall, a fault of proxy or clients, nor the end of the run cut short",
        )
    }
}

fn judge(observed: &Observed, index: usize, record: &Record, findings: &mut Findings) {
    let due = record.sent.saturating_add(observed.promises.deadline);
    let allowed = Span {
        from: record.sent,
        to: due.saturating_add(1),
    };
    if excused(observed, allowed) {
        return;
    }
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

/// Whether the machine, the clients or the proxy itself were held up meanwhile.
fn excused(observed: &Observed, allowed: Span) -> bool {
    let stalled = observed.stalls.iter().any(|stall| stall.overlaps(allowed));
    let node = |on| matches!(on, Subject::Node(_));
    let others = observed.windows.iter().filter(|window| !node(window.on));
    stalled
        || others
            .map(|window| window.span)
            .any(|span| span.overlaps(allowed))
}
