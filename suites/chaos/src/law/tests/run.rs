//! Builds runs by hand: the clock, the taps and the contents are kept consistent, so that a double breaks one law.

use std::collections::BTreeMap;

use testbed::wire::Value;

use crate::history::{Answered, Completion, Header, History, Library, Record, Seen};
use crate::law::{Law, Verdict};
use crate::observed::{Key, Observed, Promises, ProxyView, Sample, Session, Span, Subject, Window};

const MILLISECOND: u64 = 1_000_000;

/// A run that is written down request by request, on three nodes. A key that begins with `a` is on node 0, with `b` on
/// node 1, with `c` on node 2.
#[derive(Clone)]
pub(crate) struct Run {
    pub(crate) observed: Observed,
    /// Now, in milliseconds.
    pub(crate) now: u64,
    asked: u64,
}

pub(crate) fn ok() -> Value {
    Value::Simple(b"OK".to_vec())
}

pub(crate) fn queued() -> Value {
    Value::Simple(b"QUEUED".to_vec())
}

pub(crate) fn bulk(text: &str) -> Value {
    Value::Bulk(text.as_bytes().to_vec())
}

pub(crate) fn int(number: i64) -> Value {
    Value::Integer(number)
}

pub(crate) fn array(values: impl IntoIterator<Item = Value>) -> Value {
    Value::Array(values.into_iter().collect())
}

pub(crate) fn error(text: &str) -> Value {
    Value::Error(text.as_bytes().to_vec())
}

/// The nodes of the keys that a request names.
fn nodes(request: &[&str]) -> Vec<u16> {
    let keyed = |word: &&&str| word.starts_with(['a', 'b', 'c']) && word.contains('-');
    let node = |word: &&str| u16::from(word.as_bytes()[0] - b'a');
    let mut nodes: Vec<u16> = request.iter().skip(1).filter(keyed).map(node).collect();
    nodes.sort_unstable();
    nodes.dedup();
    nodes
}

impl Run {
    /// A run without requests: tapped, with a load of ten seconds.
    pub(crate) fn new() -> Self {
        let mut header = Header::new("a-proxy", "a-scenario", 1);
        header.tapped = true;
        let node_names: Vec<String> = (7001..7004)
            .map(|port| format!("127.0.0.1:{port}"))
            .collect();
        header.nodes.clone_from(&node_names);
        let observed = Observed {
            history: History {
                header,
                records: Vec::new(),
            },
            sessions: Default::default(),
            windows: Vec::new(),
            load: Span {
                from: 0,
                to: 10_000 * MILLISECOND,
            },
            owners: Default::default(),
            owners_after: Default::default(),
            contents: Default::default(),
            proxies: Vec::new(),
            predicted: Default::default(),
            samples: Vec::new(),
            stalls: Vec::new(),
            waits: Vec::new(),
            node_names,
            promises: Promises {
                deadline: 1000 * MILLISECOND,
                recovery: 2000 * MILLISECOND,
                memory_bytes: Some(1000),
                node_connections: Some(10),
                idle_node_connections: Some(6),
            },
        };
        Self {
            observed,
            now: 0,
            asked: 0,
        }
    }

    /// A run that keeps every law: traffic, a fault of node 1 from 4.000 s to 5.000 s, recovery, and a final scan. It
    /// ends at 9.000 s.
    pub(crate) fn healthy() -> Self {
        let mut run = Self::new();
        run.traffic("1");
        run.now = 4000;
        run.window(Subject::Node(1), 1000);
        run.ok(1, "SET a-during one", ok());
        run.refused(2, "SET b-during one");
        run.ok(1, "GET a-during", bulk("one"));
        run.holds("a-during", bulk("one"));
        run.refused(3, "MGET a-during b-other");
        run.now = 5100;
        run.traffic("2");
        for at in [100, 4500, 11_000] {
            run.sample(at, 500, 6);
        }
        run.now = 9000;
        run.two_proxies();
        run
    }

    /// Clients with an even number used the first of two proxies, the others the second; both find what the nodes hold.
    pub(crate) fn two_proxies(&mut self) {
        let view = |port: u16| ProxyView {
            addr: format!("127.0.0.1:{port}"),
            owners: self.observed.owners.clone(),
            predicted: BTreeMap::new(),
            reads: self.single_values(),
        };
        self.observed.proxies = vec![view(6001), view(6002)];
    }

    /// The values that are on one node, or null for a key that is on none.
    fn single_values(&self) -> BTreeMap<Key, Value> {
        let read = |key: &Key| match self.observed.contents.get(key).map(Vec::as_slice) {
            Some([(_, value)]) => Some((key.clone(), value.clone())),
            Some([_, _, ..]) => None,
            Some([]) | None => Some((key.clone(), Value::NullBulk)),
        };
        self.observed.owners.keys().filter_map(read).collect()
    }

    fn traffic(&mut self, round: &str) {
        let [a, b, c] = ["a", "b", "c"].map(|node| format!("{node}-key-{round}"));
        self.ok(1, &format!("SET {a} value-{a}"), ok());
        self.ok(2, &format!("SET {b} value-{b}"), ok());
        self.ok(1, &format!("MSET {c} value-{c}"), ok());
        let values = [&a, &b, &c].map(|key| bulk(&format!("value-{key}")));
        self.ok(1, &format!("GET {a}"), values[0].clone());
        self.ok(2, &format!("MGET {a} {b} {c}"), array(values.clone()));
        let [counter, list, gone] =
            ["a-count", "b-list", "c-gone"].map(|key| format!("{key}-{round}"));
        self.ok(1, &format!("INCR {counter}"), int(1));
        self.ok(2, &format!("INCR {counter}"), int(2));
        self.ok(1, &format!("RPUSH {list} {list}/1"), int(1));
        self.ok(2, &format!("RPUSH {list} {list}/2"), int(2));
        let elements = array([1, 2].map(|place| bulk(&format!("{list}/{place}"))));
        self.ok(1, &format!("LRANGE {list} 0 -1"), elements.clone());
        self.ok(1, &format!("SET {gone} value"), ok());
        self.ok(2, &format!("DEL {gone} {gone}-too"), int(1));
        self.transaction(round);
        self.ok(3, "SCAN 0", array([bulk("0"), self.stored()]));
        self.expiry(round);
        for (key, value) in [&a, &b, &c].into_iter().zip(values) {
            self.holds(key, value);
        }
        self.holds(&counter, bulk("2"));
        self.holds(&list, elements);
    }

    /// A value that is gone when its time is over.
    fn expiry(&mut self, round: &str) {
        let key = format!("c-ttl-{round}");
        self.ok(1, &format!("SET {key} value PX 10"), ok());
        self.now += 200;
        self.ok(2, &format!("GET {key}"), Value::NullBulk);
    }

    fn transaction(&mut self, round: &str) {
        let [one, two] = ["a-tx-one", "a-tx-two"].map(|key| format!("{key}-{round}"));
        self.ok(4, "MULTI", ok());
        self.ok(4, &format!("SET {one} {one}"), queued());
        self.ok(4, &format!("SET {two} {two}"), queued());
        self.ok(4, "EXEC", array([ok(), ok()]));
        self.holds(&one, bulk(&one));
        self.holds(&two, bulk(&two));
    }

    /// Every key of the run, as SCAN returns them.
    fn stored(&self) -> Value {
        let keys = self.observed.owners.keys().cloned().map(Value::Bulk);
        array(keys)
    }

    /// A request that its nodes executed and that was answered within the millisecond.
    pub(crate) fn ok(&mut self, session: u32, request: &str, reply: Value) -> usize {
        let place = self.send(session, request, Some(&reply));
        let record = &mut self.observed.history.records[place];
        record.received = Some(record.sent + MILLISECOND / 2);
        (record.reply, record.completion) = (Some(reply), Completion::Ok);
        place
    }

    /// A request that was asked of its node, which did not answer: the proxy gave up after 0.1 s, and named the node.
    pub(crate) fn indefinite(&mut self, session: u32, request: &str) -> usize {
        let place = self.send(session, request, None);
        let record = &mut self.observed.history.records[place];
        let node = record.seen.first().map_or(0, |seen| usize::from(seen.node));
        record.received = Some(record.sent + 100 * MILLISECOND);
        let name = &self.observed.node_names[node];
        record.reply = Some(error(&format!("ERR no answer from node {name}")));
        place
    }

    /// A request that the proxy refused without asking its node, which it named.
    pub(crate) fn refused(&mut self, session: u32, request: &str) -> usize {
        let place = self.indefinite(session, request);
        let record = &mut self.observed.history.records[place];
        record.seen.clear();
        record.completion = Completion::Failed;
        place
    }

    fn send(&mut self, session: u32, request: &str, answer: Option<&Value>) -> usize {
        let words: Vec<&str> = request.split(' ').collect();
        let sent = self.now * MILLISECOND;
        let nodes = nodes(&words);
        for word in words.iter().skip(1) {
            if let [node] = self::nodes(&["", word])[..] {
                let owners = &mut self.observed.owners;
                owners.entry(word.as_bytes().to_vec()).or_insert(node);
                for proxy in &mut self.observed.proxies {
                    let owners = &mut proxy.owners;
                    owners.entry(word.as_bytes().to_vec()).or_insert(node);
                }
            }
        }
        let sessions = &mut self.observed.sessions;
        sessions.entry(session).or_insert_with(|| Session {
            workload: "mixed".to_owned(),
            proxy: u16::try_from(session % 2).unwrap(),
            closed: None,
        });
        let seen = nodes
            .iter()
            .map(|&node| self.seen(node, sent, answer))
            .collect();
        self.now += 1;
        let records = &mut self.observed.history.records;
        let sequence = records
            .iter()
            .filter(|record| record.session == session)
            .count();
        records.push(Record {
            session,
            sequence: sequence as u64,
            client: Library::Raw,
            sent,
            received: None,
            request: words.iter().map(|word| word.as_bytes().to_vec()).collect(),
            reply: None,
            completion: Completion::Indefinite,
            seen,
        });
        records.len() - 1
    }

    fn seen(&mut self, node: u16, sent: u64, answer: Option<&Value>) -> Seen {
        self.asked += 1;
        Seen {
            node,
            connection: u64::from(node),
            order: self.asked,
            asked: sent + MILLISECOND / 10,
            answered: answer.map(|reply| Answered::new(sent + MILLISECOND / 4, reply.clone())),
        }
    }

    /// The value of a key on its node in the end.
    pub(crate) fn holds(&mut self, key: &str, value: Value) {
        let node = nodes(&["", key])[0];
        let key = key.as_bytes().to_vec();
        self.observed.contents.insert(key, vec![(node, value)]);
    }

    /// A fault that begins now.
    pub(crate) fn window(&mut self, on: Subject, milliseconds: u64) {
        let from = self.now * MILLISECOND;
        let span = Span {
            from,
            to: from + milliseconds * MILLISECOND,
        };
        self.observed.windows.push(Window {
            fault: "a-fault".to_owned(),
            on,
            span,
            in_force: span,
            empties: false,
        });
    }

    /// The proxy's resources at a time, in milliseconds.
    pub(crate) fn sample(&mut self, at: u64, proxy_bytes: u64, node_connections: u64) {
        let at = at * MILLISECOND;
        let sample = Sample {
            at,
            proxy_bytes,
            node_connections: Some(node_connections),
        };
        self.observed.samples.push(sample);
    }

    pub(crate) fn record(&mut self, place: usize) -> &mut Record {
        &mut self.observed.history.records[place]
    }
}

#[track_caller]
pub(crate) fn check_kept(law: &dyn Law, run: &Run) {
    let verdict = law.judge(&run.observed);
    assert!(matches!(verdict, Verdict::Kept { .. }), "{verdict:?}");
}

#[track_caller]
pub(crate) fn check_unknown(law: &dyn Law, run: &Run) {
    let verdict = law.judge(&run.observed);
    assert!(matches!(verdict, Verdict::Unknown { .. }), "{verdict:?}");
}

#[track_caller]
pub(crate) fn check_not_promised(law: &dyn Law, run: &Run) {
    let verdict = law.judge(&run.observed);
    assert!(
        matches!(verdict, Verdict::NotPromised { .. }),
        "{verdict:?}"
    );
}

#[track_caller]
pub(crate) fn check_broken(law: &dyn Law, run: &Run, sentence: &str) {
    match law.judge(&run.observed) {
        Verdict::Broken(violation) => {
            assert_eq!(violation.sentence, sentence);
            let records = &run.observed.history.records;
            assert!(violation.count > 0);
            assert!(violation.records.iter().all(|place| *place < records.len()));
        }
        verdict => panic!("{verdict:?}, expected: {sentence}"),
    }
}
