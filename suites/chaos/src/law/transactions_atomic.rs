//! The requests of a transaction are executed together, or not at all.

use std::collections::{BTreeMap, HashMap, HashSet};

use testbed::wire::{Value, quoted};

use super::command::Command;
use super::findings::Findings;
use super::interleaved::Taps;
use super::keys::{bulk, found, is_nil, lasts};
use super::operation::{Operation, operations};
use super::{Law, Verdict, text};
use crate::observed::Observed;

pub(super) struct TransactionsAtomic;

/// Reads of one transaction, or keys of one transaction, that are compared with each other.
const COMPARED: usize = 8;

impl Law for TransactionsAtomic {
    fn id(&self) -> &'static str {
        "transactions-atomic"
    }

    fn promise(&self) -> &'static str {
        "the requests of a transaction are executed together with nothing between them, or not at all"
    }

    fn source(&self) -> &'static str {
        "https://github.com/RedisLabs/redisraft/pull/27"
    }

    fn judge(&self, observed: &Observed) -> Verdict {
        let operations = operations(&observed.history);
        let transactions = transactions(&operations);
        let taps = Taps::new(&observed.history);
        let writers = Writers::new(observed, &operations, &transactions);
        let mut findings = Findings::default();
        for (exec, queued) in &transactions {
            let record = &observed.history.records[*exec];
            let Some(Value::Array(results)) = &record.reply else {
                continue;
            };
            findings.judge();
            let why = incomplete(queued, results)
                .or_else(|| taps.torn(queued.iter().map(|operation| operation.record), *exec))
                .or_else(|| writers.torn_read(queued));
            if let Some((why, others)) = why {
                let records = queued.iter().map(|operation| operation.record);
                let records = records.chain([*exec]).chain(others);
                let named = || format!("{}: {why}", text::request(record));
                findings.broken(record.sent, records, named);
            }
        }
        writers.torn_end(&mut findings);
        findings.verdict(
            "transactions were executed as one",
            "a transaction whose EXEC was answered with results",
        )
    }
}

/// Queued requests by the place of their EXEC.
fn transactions<'a, 'o>(
    operations: &'o [Operation<'a>],
) -> BTreeMap<usize, Vec<&'o Operation<'a>>> {
    let mut transactions: BTreeMap<usize, Vec<&Operation<'a>>> = BTreeMap::new();
    for operation in operations {
        if operation.replied_by != operation.record {
            transactions
                .entry(operation.replied_by)
                .or_default()
                .push(operation);
        }
    }
    transactions
}

/// The error, and the records that prove it together with the transaction.
type Torn = (String, Vec<usize>);

fn incomplete(queued: &[&Operation<'_>], results: &[Value]) -> Option<Torn> {
    let (results, queued) = (results.len(), queued.len());
    (results != queued).then(|| {
        (
            format!("{results} results of {queued} requests"),
            Vec::new(),
        )
    })
}

/// Which transaction wrote each value.
struct Writers<'a, 'o> {
    observed: &'o Observed,
    /// The EXEC that wrote a value under a key: `None` if several requests did.
    wrote: HashMap<(&'a [u8], &'a [u8]), Option<usize>>,
    /// The keys that each EXEC wrote.
    keys: BTreeMap<usize, Vec<&'a [u8]>>,
    /// Keys that were written outside of transactions too, or removed.
    mixed: HashSet<&'a [u8]>,
}

impl<'a, 'o> Writers<'a, 'o> {
    fn new(
        observed: &'o Observed,
        operations: &[Operation<'a>],
        transactions: &BTreeMap<usize, Vec<&Operation<'a>>>,
    ) -> Self {
        let mut writers = Self {
            observed,
            wrote: HashMap::new(),
            keys: BTreeMap::new(),
            mixed: HashSet::new(),
        };
        for (exec, queued) in transactions {
            for operation in queued.iter().filter(|operation| operation.possible()) {
                writers.learn(*exec, &operation.command);
            }
        }
        for operation in operations {
            let outside = operation.record == operation.replied_by;
            let sets = matches!(operation.command, Command::Set(..));
            if operation.possible() && !operation.command.reads() && (outside || !sets) {
                writers.mixed.extend(operation.command.keys());
            }
        }
        writers
    }

    fn learn(&mut self, exec: usize, command: &Command<'a>) {
        for written in command.writes() {
            let writer = self.wrote.entry(written).or_insert(Some(exec));
            if *writer != Some(exec) {
                *writer = None;
            }
            self.keys.entry(exec).or_default().push(written.0);
        }
    }

    /// Reads of one transaction that see half of another.
    fn torn_read(&self, queued: &[&Operation<'a>]) -> Option<Torn> {
        let reads = queued
            .iter()
            .filter_map(|operation| match operation.command {
                Command::Get(key) => Some((key, operation.reply?)),
                _ => None,
            });
        let reads: Vec<_> = reads.take(COMPARED).collect();
        let pairs = |place: usize| reads[place + 1..].iter().map(move |other| (place, other));
        let mut pairs = (0..reads.len()).flat_map(pairs);
        pairs.find_map(|(place, (two, second))| {
            let (one, first) = reads[place];
            self.torn((one, Some(first)), (two, Some(second)))
        })
    }

    /// Checks the final values on the nodes in the same way.
    fn torn_end(&self, findings: &mut Findings) {
        for keys in self.keys.values() {
            let Some((one, others)) = keys.split_first() else {
                continue;
            };
            let Some(first) = found(self.observed, one) else {
                continue;
            };
            for two in others.iter().take(COMPARED) {
                let second = found(self.observed, two);
                let torn = second.and_then(|second| self.torn((one, first), (two, second)));
                if let Some((why, records)) = torn {
                    let named = || format!("in the end: {why}");
                    findings.broken(self.observed.load.to, records, named);
                }
            }
        }
    }

    /// Two keys seen at one time: one was written by a transaction that wrote both, and the other was not.
    fn torn(
        &self,
        (one, first): (&'a [u8], Option<&Value>),
        (two, second): (&'a [u8], Option<&Value>),
    ) -> Option<Torn> {
        let apart = [one, two]
            .iter()
            .any(|key| self.mixed.contains(key) || !lasts(self.observed, key));
        if apart || one == two {
            return None;
        }
        let (first, second) = (self.writer(one, first)?, self.writer(two, second)?);
        let both = |exec: &usize| {
            let keys = &self.keys[exec];
            keys.contains(&one) && keys.contains(&two)
        };
        let writers: Vec<usize> = [first, second].into_iter().flatten().collect();
        if first == second || !writers.iter().all(both) {
            return None;
        }
        let (one, two) = (quoted(one), quoted(two));
        let why =
            format!("{one} and {two} are of different transactions, each of which wrote both");
        Some((why, writers))
    }

    /// The transaction that wrote a value; the inner `None` if there is no value, the outer one if it is unknown.
    fn writer(&self, key: &'a [u8], value: Option<&Value>) -> Option<Option<usize>> {
        match value {
            None => Some(None),
            Some(value) if is_nil(value) => Some(None),
            Some(value) => (*self.wrote.get(&(key, bulk(value)?))?).map(Some),
        }
    }
}

#[cfg(test)]
pub(in crate::law) mod tests {
    use super::*;
    use crate::law::tests::run::{Run, array, bulk, check_broken, check_kept, ok, queued};

    fn transact(run: &mut Run, session: u32, requests: &[&str], results: &[Value]) -> usize {
        run.ok(session, "MULTI", ok());
        for request in requests {
            run.ok(session, request, queued());
        }
        run.ok(session, "EXEC", array(results.iter().cloned()))
    }

    fn write(run: &mut Run, session: u32, value: &str) -> usize {
        let sets = ["a-{t}one", "a-{t}two"].map(|key| format!("SET {key} {value}"));
        transact(run, session, &[&sets[0], &sets[1]], &[ok(), ok()])
    }

    /// Two transactions write two keys, and one reads them.
    fn read(one: &str, two: &str) -> Run {
        let mut run = Run::healthy();
        write(&mut run, 7, "v1");
        write(&mut run, 8, "v2");
        let gets = ["GET a-{t}one", "GET a-{t}two"];
        transact(&mut run, 9, &gets, &[bulk(one), bulk(two)]);
        run
    }

    /// A request of another client between those of a transaction, on the same connection to the node.
    pub(in crate::law) fn double() -> Run {
        let mut run = Run::healthy();
        write(&mut run, 7, "v1");
        let between = run.ok(8, "SET a-other v2", ok());
        run.holds("a-other", bulk("v2"));
        run.holds("a-{t}one", bulk("v1"));
        run.holds("a-{t}two", bulk("v1"));
        let exec = between - 1;
        let last = run.record(exec - 1).seen[0].clone();
        run.record(between).seen[0].order = last.order;
        run.record(exec - 1).seen[0].order = last.order + 1;
        run
    }

    #[test]
    fn a_request_of_another_client_in_between_breaks_it() {
        let sentence = r#"EXEC (session 7, sent at 9.003 s): SET "a-other" "v2" (session 8, sent at 9.004 s) is between its requests on the connection to node 0"#;
        check_broken(&TransactionsAtomic, &double(), sentence);
    }

    #[test]
    fn half_of_a_transaction_in_a_read_breaks_it() {
        let sentence = r#"EXEC (session 9, sent at 9.011 s): "a-{t}one" and "a-{t}two" are of different transactions, each of which wrote both"#;
        check_broken(&TransactionsAtomic, &read("v2", "v1"), sentence);
        check_kept(&TransactionsAtomic, &read("v2", "v2"));
    }

    #[test]
    fn half_of_a_transaction_in_the_end_breaks_it() {
        let mut run = Run::healthy();
        write(&mut run, 7, "v1");
        run.holds("a-{t}one", bulk("v1"));
        let sentence = r#"in the end: "a-{t}one" and "a-{t}two" are of different transactions, each of which wrote both"#;
        check_broken(&TransactionsAtomic, &run, sentence);
    }

    #[test]
    fn a_result_for_each_request() {
        let mut run = Run::healthy();
        let requests = ["SET a-{t}one v1", "SET a-{t}two v1"];
        transact(&mut run, 7, &requests, &[ok()]);
        let sentence = "EXEC (session 7, sent at 9.003 s): 1 results of 2 requests";
        check_broken(&TransactionsAtomic, &run, sentence);
    }

    #[test]
    fn a_transaction_that_was_aborted_or_mixed_with_others_says_nothing() {
        let mut run = read("v2", "v1");
        run.ok(6, "SET a-{t}two v1", ok());
        check_kept(&TransactionsAtomic, &run);
        let mut run = Run::healthy();
        let exec = write(&mut run, 7, "v1");
        run.record(exec).reply = Some(Value::NullArray);
        check_kept(&TransactionsAtomic, &run);
    }
}
