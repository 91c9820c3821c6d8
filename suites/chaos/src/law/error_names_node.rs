//! An error that a node's fault causes names that node.

use super::findings::Findings;
use super::windows::{Faults, life, owners};
use super::{Law, Level, Verdict, text};
use crate::history::Record;
use crate::observed::{Observed, Subject};

pub(super) struct ErrorNamesNode;

impl Law for ErrorNamesNode {
    fn id(&self) -> &'static str {
        "error-names-node"
    }

    fn promise(&self) -> &'static str {
        "an error caused by a fault of a node names the node"
    }

    fn source(&self) -> &'static str {
        "https://github.com/envoyproxy/envoy/issues/21352"
    }

    fn level(&self) -> Level {
        Level::Should
    }

    fn judge(&self, observed: &Observed) -> Verdict {
        let mut findings = Findings::default();
        let faults = Faults::new(observed);
        for (index, record) in observed.history.records.iter().enumerate() {
            judge(observed, &faults, index, record, &mut findings);
        }
        findings.verdict(
            "errors named the node whose fault caused them",
            "an error of the proxy on a request to a node with a fault",
        )
    }
}

fn judge(
    observed: &Observed,
    faults: &Faults<'_>,
    index: usize,
    record: &Record,
    findings: &mut Findings,
) {
    let Some(error) = error(record).filter(|_| !passed_on(record)) else {
        return;
    };
    let Some(node) = faulted(observed, faults, record) else {
        return;
    };
    let Some(name) = observed.node_names.get(usize::from(node)) else {
        return;
    };
    findings.judge();
    if !contains(error, name.as_bytes()) {
        findings.broken(record.sent, [index], || {
            let (request, error) = (text::request(record), error.escape_ascii());
            format!("{request} was answered \"{error}\", which does not name node {node}, {name}")
        });
    }
}

/// The line of an error.
fn error(record: &Record) -> Option<&[u8]> {
    match record.reply.as_ref()? {
        testbed::wire::Value::Error(line) => Some(line),
        _ => None,
    }
}

/// Whether the error is a node's own.
fn passed_on(record: &Record) -> bool {
    let mut answers = record.seen.iter().filter_map(|seen| seen.answered.as_ref());
    answers.any(|answered| Some(&answered.reply) == record.reply.as_ref())
}

/// The one node that a request needs, if its fault is the only one felt.
fn faulted(observed: &Observed, faults: &Faults<'_>, record: &Record) -> Option<u16> {
    let owners = owners(observed, record)?;
    let [node] = owners.as_slice() else {
        return None;
    };
    let span = life(observed, record);
    let mut felt = faults.felt(span).peekable();
    felt.peek()?;
    felt.all(|window| window.on == Subject::Node(*node) && window.span.overlaps(span))
        .then_some(*node)
}

fn contains(text: &[u8], name: &[u8]) -> bool {
    text.windows(name.len().max(1)).any(|part| part == name)
}

#[cfg(test)]
pub(in crate::law) mod tests {
    use super::*;
    use crate::law::tests::run::{Run, check_broken, check_kept, error};

    pub(in crate::law) fn double() -> Run {
        nameless("ERR upstream failure")
    }

    fn nameless(text: &str) -> Run {
        let mut run = Run::healthy();
        run.now = 4500;
        let refused = run.refused(7, "SET b-x one");
        run.record(refused).reply = Some(error(text));
        run
    }

    #[test]
    fn an_error_without_the_node_breaks_it() {
        let sentence = r#"SET "b-x" "one" (session 7, sent at 4.500 s) was answered "ERR upstream failure", which does not name node 1, 127.0.0.1:7002"#;
        check_broken(&ErrorNamesNode, &double(), sentence);
    }

    #[test]
    fn an_error_with_the_wrong_node_breaks_it() {
        let sentence = r#"SET "b-x" "one" (session 7, sent at 4.500 s) was answered "ERR 127.0.0.1:7001 down", which does not name node 1, 127.0.0.1:7002"#;
        check_broken(
            &ErrorNamesNode,
            &nameless("ERR 127.0.0.1:7001 down"),
            sentence,
        );
    }

    #[test]
    fn errors_of_the_node_itself_are_excused() {
        let mut run = Run::healthy();
        run.now = 4500;
        let refused = run.ok(7, "SET b-x one", error("LOADING"));
        assert!(run.record(refused).seen[0].answered.is_some());
        check_kept(&ErrorNamesNode, &run);
    }
}
