//! The cost of the checker: one million operations over 1,000 keys by 16 sessions that pipeline 16 requests.
//!
//! `cargo bench -p shardproof-chaos --bench checker` checks the same workload with and without the records of the taps,
//! with deletions, and with one stale read. Each row runs once, on one core. CPU time hardly depends on other load of
//! the machine; memory is the peak of the process so far, including the history itself.

mod cost;

use std::fs;
use std::time::Instant;

use shardproof_chaos::checker::{Method, Options, Verdict, registers};
use shardproof_chaos::history::{Answered, Completion, Header, History, Library, Record, Seen};
use testbed::wire::Value;

const OPERATIONS: usize = 1_000_000;
const KEYS: u64 = 1_000;
const SESSIONS: usize = 16;
const PIPELINE: usize = 16;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Workload {
    /// GET and SET.
    Plain,
    /// GET, SET and, one in ten, DEL.
    Deletes,
}

fn main() {
    println!(
        "{OPERATIONS} operations, {KEYS} keys, {SESSIONS} sessions, pipeline {PIPELINE}\n\
         {:<28} {:>7} {:>7} {:>8} {:>8} {:>8} {:>8} {:>10} {:>8}",
        "", "wall s", "cpu s", "peak MB", "witness", "clusters", "search", "violations", "unknown"
    );
    let plain = history(Workload::Plain);
    row("GET, SET, with tap", &plain);
    let mut untapped = without_tap(plain);
    row("GET, SET, without tap", &untapped);
    make_stale(&mut untapped);
    row("one read made stale", &untapped);
    drop(untapped);
    let deletes = history(Workload::Deletes);
    row("GET, SET, DEL, with tap", &deletes);
    row("GET, SET, DEL, without tap", &without_tap(deletes));
}

fn row(name: &str, history: &History) {
    let (begun, cpu) = (Instant::now(), cost::cpu_seconds());
    let checked = registers(history, Options::default());
    let (wall, cpu) = (begun.elapsed().as_secs_f64(), cost::cpu_seconds() - cpu);
    let by = |method| {
        checked
            .iter()
            .filter(|key| key.method == Some(method))
            .count()
    };
    let violations = checked
        .iter()
        .filter(|key| matches!(key.verdict, Verdict::Violation(_)));
    let unknown = checked
        .iter()
        .filter(|key| matches!(key.verdict, Verdict::Unknown(_)));
    println!(
        "{name:<28} {wall:>7.2} {cpu:>7.2} {:>8} {:>8} {:>8} {:>8} {:>10} {:>8}",
        peak_mb(),
        by(Method::Witness),
        by(Method::Clusters),
        by(Method::Search),
        violations.count(),
        unknown.count(),
    );
}

/// The most memory that this process has used.
fn peak_mb() -> String {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    kilobytes.map_or("?".to_owned(), |kilobytes| (kilobytes / 1024).to_string())
}

fn without_tap(mut history: History) -> History {
    for record in &mut history.records {
        record.seen.clear();
    }
    history
}

/// Makes the last read of a value give the first value of its key.
fn make_stale(history: &mut History) {
    let records = &history.records;
    let reads = |record: &&Record| matches!(record.reply, Some(Value::Bulk(_)));
    let key = records
        .iter()
        .rfind(reads)
        .map(|record| record.request[1].clone());
    let of_key = |record: &&Record| reads(record) && Some(&record.request[1]) == key.as_ref();
    let first = records
        .iter()
        .find(of_key)
        .and_then(|record| record.reply.clone());
    if let Some(last) = history
        .records
        .iter_mut()
        .rfind(|record| of_key(&&**record))
    {
        last.reply = first;
    }
}

/// Sessions send batches in turn. Each request takes effect while its batch is pending, in the order of its session.
fn history(workload: Workload) -> History {
    let mut run = Run {
        random: 1,
        values: vec![None; KEYS as usize],
        records: Vec::with_capacity(OPERATIONS),
    };
    let mut sequences = [0; SESSIONS];
    let mut now = 0;
    while run.records.len() < OPERATIONS {
        // All sessions send at once: their requests take effect in a random order.
        let mut batches: Vec<(usize, usize)> = (0..SESSIONS).map(|session| (session, 0)).collect();
        let begun = now;
        while !batches.is_empty() && run.records.len() < OPERATIONS {
            let at = run.below(batches.len() as u64) as usize;
            now += 1_000;
            let (session, done) = &mut batches[at];
            let sent = begun + *done as u64;
            let sequence = sequences[*session];
            sequences[*session] += 1;
            *done += 1;
            let (session, done) = (*session, *done);
            run.request(workload, (session as u32, sequence), sent, now);
            if done == PIPELINE {
                batches.swap_remove(at);
            }
        }
    }
    let mut header = Header::new("bench", "bench", 1);
    header.nodes = vec!["127.0.0.1:7001".to_owned()];
    header.tapped = true;
    History {
        header,
        records: run.records,
    }
}

struct Run {
    random: u64,
    values: Vec<Option<Vec<u8>>>,
    records: Vec<Record>,
}

impl Run {
    /// A number below `limit` (xorshift64*).
    fn below(&mut self, limit: u64) -> u64 {
        self.random ^= self.random >> 12;
        self.random ^= self.random << 25;
        self.random ^= self.random >> 27;
        self.random.wrapping_mul(0x2545_f491_4f6c_dd1d) % limit
    }

    fn request(&mut self, workload: Workload, place: (u32, u64), sent: u64, at: u64) {
        let key = self.below(KEYS) as usize;
        let name = format!("key:{key}").into_bytes();
        let kind = self.below(10);
        let value = format!("value:{}", self.records.len()).into_bytes();
        let (request, reply) = match (workload, kind) {
            (Workload::Deletes, 9) => {
                let was_there = self.values[key].take().is_some();
                (
                    vec![b"DEL".to_vec(), name],
                    Value::Integer(i64::from(was_there)),
                )
            }
            (_, 0..=4) => {
                self.values[key] = Some(value.clone());
                (
                    vec![b"SET".to_vec(), name, value],
                    Value::Simple(b"OK".to_vec()),
                )
            }
            _ => {
                let reply = self.values[key]
                    .clone()
                    .map_or(Value::NullBulk, Value::Bulk);
                (vec![b"GET".to_vec(), name], reply)
            }
        };
        let order = self.records.len() as u64;
        self.records.push(Record {
            session: place.0,
            sequence: place.1,
            client: Library::Raw,
            sent,
            received: Some(at + 100_000),
            request,
            reply: Some(reply.clone()),
            completion: Completion::Ok,
            seen: vec![Seen {
                node: 0,
                connection: 1,
                order,
                asked: at,
                answered: Some(Answered::new(at + 1, reply)),
            }],
        });
    }
}
