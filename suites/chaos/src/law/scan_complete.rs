//! SCAN returns every key that existed during the whole scan.

use std::collections::{BTreeMap, HashMap, HashSet};

use testbed::wire::{Value, quoted};

use super::command::Command;
use super::findings::Findings;
use super::keys::{bulk, by_key, lasts, restarted};
use super::operation::{Operation, operations};
use super::{Law, Verdict, text};
use crate::observed::{Observed, Span};

pub(super) struct ScanComplete;

impl Law for ScanComplete {
    fn id(&self) -> &'static str {
        "scan-complete"
    }

    fn promise(&self) -> &'static str {
        "SCAN from cursor 0 to cursor 0 returns each key that exists from its first request to its last reply"
    }

    fn source(&self) -> &'static str {
        "https://github.com/envoyproxy/envoy/issues/38516"
    }

    fn judge(&self, observed: &Observed) -> Verdict {
        let operations = operations(&observed.history);
        let staying = Staying::new(observed, &operations);
        let mut findings = Findings::default();
        for scan in scans(&operations) {
            staying.judge(observed, &scan, &mut findings);
        }
        findings.verdict(
            "keys that stayed were returned by SCAN",
            "a whole SCAN without errors, and keys that were there before it and never removed",
        )
    }
}

/// A whole scan.
struct Scan<'a> {
    first: usize,
    last: usize,
    sent: u64,
    received: u64,
    /// The prefix of the keys.
    prefix: &'a [u8],
    returned: HashSet<&'a [u8]>,
    /// The cursor of the next page.
    cursor: &'a [u8],
}

/// The scans that were answered from the first cursor to the last.
fn scans<'a>(operations: &[Operation<'a>]) -> Vec<Scan<'a>> {
    let mut open: HashMap<u32, Scan<'a>> = HashMap::new();
    let mut whole = Vec::new();
    for operation in operations {
        let Command::Scan(cursor, options) = operation.command else {
            continue;
        };
        let so_far = open.remove(&operation.session);
        let scan = match cursor {
            b"0" => begin(operation, options),
            cursor => so_far.filter(|scan| scan.cursor == cursor),
        };
        let Some(scan) = scan.and_then(|scan| go_on(scan, operation)) else {
            continue;
        };
        match scan.cursor {
            b"0" => whole.push(scan),
            _ => drop(open.insert(operation.session, scan)),
        }
    }
    whole
}

fn begin<'a>(operation: &Operation<'a>, options: &'a [Vec<u8>]) -> Option<Scan<'a>> {
    Some(Scan {
        first: operation.record,
        last: operation.record,
        sent: operation.sent,
        received: operation.sent,
        prefix: prefix(options)?,
        returned: HashSet::new(),
        cursor: b"0",
    })
}

/// The prefix that MATCH demands of keys. `None` if it demands more, or other options are given.
fn prefix(options: &[Vec<u8>]) -> Option<&[u8]> {
    let mut prefix: &[u8] = b"";
    for pair in options.chunks(2) {
        let [name, value] = pair else {
            return None;
        };
        match name.to_ascii_uppercase().as_slice() {
            b"COUNT" => {}
            b"MATCH" => prefix = value.strip_suffix(b"*").filter(|text| literal(text))?,
            _ => return None,
        }
    }
    Some(prefix)
}

fn literal(text: &[u8]) -> bool {
    !text.iter().any(|byte| b"*?[]\\^".contains(byte))
}

/// The scan after one more page. `None` if there is no such page.
fn go_on<'a>(mut scan: Scan<'a>, operation: &Operation<'a>) -> Option<Scan<'a>> {
    scan.received = operation.received?;
    let Some(Value::Array(page)) = operation.reply else {
        return None;
    };
    let [cursor, Value::Array(keys)] = page.as_slice() else {
        return None;
    };
    scan.cursor = bulk(cursor)?;
    scan.last = operation.record;
    scan.returned.extend(keys.iter().filter_map(bulk));
    Some(scan)
}

/// Keys that exist from some time on, by that time.
struct Staying<'a> {
    from: BTreeMap<u64, Vec<(&'a [u8], usize)>>,
}

impl<'a> Staying<'a> {
    fn new(observed: &Observed, operations: &[Operation<'a>]) -> Self {
        let mut from: BTreeMap<u64, Vec<_>> = BTreeMap::new();
        for (key, uses) in by_key(operations) {
            let stays = uses.iter().all(|operation| keeps(operation));
            let written = uses
                .iter()
                .filter(|operation| operation.ok() && writes(operation));
            let first = written
                .filter_map(|write| Some((write.end?, write.record)))
                .min();
            if let Some((end, record)) = first.filter(|_| stays && lasts(observed, key)) {
                from.entry(end).or_default().push((key, record));
            }
        }
        Self { from }
    }

    fn judge(&self, observed: &Observed, scan: &Scan<'_>, findings: &mut Findings) {
        let (from, to) = (scan.sent, scan.received);
        for (key, written) in self.from.range(..scan.sent).flat_map(|(_, keys)| keys) {
            if !key.starts_with(scan.prefix) || restarted(observed, key, Span { from, to }) {
                continue;
            }
            findings.judge();
            if !scan.returned.contains(key) {
                findings.broken(scan.sent, [*written, scan.first, scan.last], || {
                    let (key, sent) = (quoted(key), text::time(scan.sent));
                    format!("the SCAN that began at {sent} did not return {key}, which was there all the time")
                });
            }
        }
    }
}

fn writes(operation: &Operation<'_>) -> bool {
    matches!(
        operation.command,
        Command::Set(..) | Command::Mset(_) | Command::Increment(_) | Command::Append(..)
    )
}

/// Whether a request removes no key.
fn keeps(operation: &Operation<'_>) -> bool {
    operation.command.reads() || writes(operation) || !operation.possible()
}

#[cfg(test)]
pub(in crate::law) mod tests {
    use super::*;
    use crate::law::tests::run::{
        Run, array, bulk, check_broken, check_kept, check_unknown, int, ok,
    };
    use crate::observed::Subject;

    fn scan(pages: &[(&str, &[&str])]) -> Run {
        let mut run = Run::healthy();
        run.ok(7, "SET a-stay-1 one", ok());
        run.ok(7, "SET a-stay-2 one", ok());
        run.ok(7, "SET a-come one", ok());
        run.ok(7, "DEL a-come", int(1));
        let mut cursor = "0";
        for (next, keys) in pages {
            let page = array([bulk(next), array(keys.iter().map(|key| bulk(key)))]);
            run.ok(8, &format!("SCAN {cursor} MATCH a-stay* COUNT 20"), page);
            cursor = next;
        }
        run.holds("a-stay-1", bulk("one"));
        run.holds("a-stay-2", bulk("one"));
        run
    }

    pub(in crate::law) fn double() -> Run {
        scan(&[("5", &["a-stay-2"]), ("0", &[])])
    }

    #[test]
    fn a_key_that_stays_and_is_not_returned_breaks_it() {
        let sentence = r#"the SCAN that began at 9.004 s did not return "a-stay-1", which was there all the time"#;
        check_broken(&ScanComplete, &double(), sentence);
    }

    #[test]
    fn pages_are_taken_together() {
        check_kept(
            &ScanComplete,
            &scan(&[("5", &["a-stay-2"]), ("0", &["a-stay-1"])]),
        );
    }

    /// A scan that lacks a key of the first node, over a fault of this name.
    fn scan_over(fault: &str, on: Subject) -> Run {
        let mut run = double();
        run.window(on, 1);
        let mut records = run.observed.history.records.iter();
        let scan = records.rfind(|record| record.request[..2] == [&b"SCAN"[..], b"0"]);
        let from = scan.expect("a SCAN").sent;
        let window = run.observed.windows.last_mut().expect("a window");
        window.fault = fault.to_owned();
        window.span = Span { from, to: from + 1 };
        run
    }

    #[test]
    fn a_node_that_restarts_during_the_scan_may_miss_its_keys() {
        check_kept(&ScanComplete, &scan_over("restart", Subject::Node(0)));
        let sentence = r#"the SCAN that began at 9.004 s did not return "a-stay-1", which was there all the time"#;
        for run in [
            scan_over("restart", Subject::Node(1)),
            scan_over("latency 50ms", Subject::Node(0)),
        ] {
            check_broken(&ScanComplete, &run, sentence);
        }
    }

    #[test]
    fn half_a_scan_is_not_judged() {
        let mut run = scan(&[("5", &["a-stay-2"])]);
        let whole = |record: &crate::history::Record| record.request != [b"SCAN", &b"0"[..]];
        run.observed.history.records.retain(whole);
        check_unknown(&ScanComplete, &run);
    }
}
