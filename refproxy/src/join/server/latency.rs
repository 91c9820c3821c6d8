//! LATENCY of all nodes as one server would answer it.

use std::collections::BTreeMap;

use bytes::Bytes;

use crate::command::goes_to_every_node;
use crate::resp::{Protocol, bulk, elements, integer, put_array, put_bulk, put_integer, put_map};

/// Samples that Redis keeps of one event. Source: Redis 7.0 `src/latency.h`, `LATENCY_TS_LEN`.
const SAMPLES: usize = 160;

/// The samples of one event, a time and its latency, in the order of time: the worst of each second, and the last of them.
pub(in crate::join) fn history(replies: &[Bytes]) -> Option<Vec<u8>> {
    let mut worst: BTreeMap<i64, i64> = BTreeMap::new();
    for reply in replies {
        for sample in elements(reply)?.1 {
            let [time, latency] = numbers(sample)?[..] else {
                return None;
            };
            let known = worst.entry(time).or_insert(latency);
            *known = latency.max(*known);
        }
    }
    let left_out = worst.len().saturating_sub(SAMPLES);
    let mut out = Vec::new();
    put_array(&mut out, worst.len() - left_out);
    for (time, latency) in worst.into_iter().skip(left_out) {
        put_array(&mut out, 2);
        put_integer(&mut out, time);
        put_integer(&mut out, latency);
    }
    Some(out)
}

/// One entry per event: its name, the time and the latency of the latest spike on any node, the worst of all, and the
/// sums of the counters that newer servers append.
pub(in crate::join) fn latest(replies: &[Bytes]) -> Option<Vec<u8>> {
    let mut events: BTreeMap<&[u8], Vec<i64>> = BTreeMap::new();
    for reply in replies {
        for entry in elements(reply)?.1 {
            let (name, numbers) = event(entry)?;
            match events.get_mut(name) {
                None => {
                    events.insert(name, numbers);
                }
                Some(known) if known.len() == numbers.len() => join_event(known, &numbers),
                Some(_) => return None,
            }
        }
    }
    let mut out = Vec::new();
    put_array(&mut out, events.len());
    for (name, numbers) in events {
        put_array(&mut out, 1 + numbers.len());
        put_bulk(&mut out, name);
        numbers
            .iter()
            .for_each(|number| put_integer(&mut out, *number));
    }
    Some(out)
}

/// The name of an event and its numbers: time, latest, worst at least.
fn event(entry: &[u8]) -> Option<(&[u8], Vec<i64>)> {
    let (_, mut walk) = elements(entry)?;
    let name = bulk(walk.next()?)?;
    let numbers: Option<Vec<i64>> = walk.map(integer).collect();
    Some((name, numbers.filter(|numbers| numbers.len() >= 3)?))
}

fn join_event(known: &mut [i64], numbers: &[i64]) {
    if numbers[0] > known[0] {
        known[..2].copy_from_slice(&numbers[..2]);
    }
    known[2] = known[2].max(numbers[2]);
    for (known, number) in known.iter_mut().zip(numbers).skip(3) {
        *known = known.saturating_add(*number);
    }
}

/// Calls of one command, as a histogram by microseconds.
#[derive(Default)]
struct Histogram {
    calls: i64,
    /// One per node: from microseconds to a number that only grows.
    nodes: Vec<BTreeMap<i64, i64>>,
}

impl Histogram {
    /// If the proxy sends a command to every node, a client's call is one call of each: the calls are those of the node
    /// with the most, and of several such nodes the slowest. No node knows how long a client has waited.
    fn of_one_node(self) -> Self {
        let calls = |bounds: &BTreeMap<i64, i64>| bounds.values().last().copied().unwrap_or(0);
        let time = |bounds: &BTreeMap<i64, i64>| {
            let mut before = 0;
            let times = bounds.iter().map(|(bound, count)| {
                let more = count - std::mem::replace(&mut before, *count);
                i128::from(*bound) * i128::from(more)
            });
            times.sum::<i128>()
        };
        let one = self.nodes.into_iter();
        let one = one.max_by_key(|bounds| (calls(bounds), time(bounds)));
        Self {
            calls: one.as_ref().map_or(0, calls),
            nodes: one.into_iter().collect(),
        }
    }
}

/// Commands in the order of the first node that has called them. Commands that go to every node count once; if a
/// request is split, such as MGET, each node counts its part, and it is unknown which parts were one request. If a node
/// does not list a bound, its count is that of the next lower one, so that sums are exact.
pub(in crate::join) fn histogram(replies: &[Bytes]) -> Option<Vec<u8>> {
    // Only RESP3 has maps.
    let protocol = match replies.first()?.first() {
        Some(b'%') => Protocol::Resp3,
        _ => Protocol::Resp2,
    };
    let mut names: Vec<&[u8]> = Vec::new();
    let mut commands: BTreeMap<&[u8], Histogram> = BTreeMap::new();
    for reply in replies {
        let (_, mut walk) = elements(reply)?;
        while let Some(name) = walk.next() {
            let (name, (calls, bounds)) = (bulk(name)?, command(walk.next()?)?);
            let joined = commands.entry(name).or_insert_with(|| {
                names.push(name);
                Histogram::default()
            });
            joined.calls = joined.calls.checked_add(calls)?;
            joined.nodes.push(bounds);
        }
    }
    let mut out = Vec::new();
    put_map(&mut out, protocol, names.len());
    for name in names {
        put_bulk(&mut out, name);
        let histogram = commands.remove(name)?;
        let histogram = match std::str::from_utf8(name).is_ok_and(goes_to_every_node) {
            true => histogram.of_one_node(),
            false => histogram,
        };
        put_map(&mut out, protocol, 2);
        put_bulk(&mut out, b"calls");
        put_integer(&mut out, histogram.calls);
        put_bulk(&mut out, b"histogram_usec");
        let sums = sums(&histogram.nodes);
        put_map(&mut out, protocol, sums.len());
        for (bound, count) in sums {
            put_integer(&mut out, bound);
            put_integer(&mut out, count);
        }
    }
    Some(out)
}

fn sums(nodes: &[BTreeMap<i64, i64>]) -> BTreeMap<i64, i64> {
    let bounds = nodes.iter().flat_map(BTreeMap::keys);
    let at = |node: &BTreeMap<i64, i64>, bound: i64| {
        let below = node.range(..=bound).next_back();
        below.map_or(0, |(_, count)| *count)
    };
    bounds
        .map(|bound| (*bound, nodes.iter().map(|node| at(node, *bound)).sum()))
        .collect()
}

/// The calls of a command and its bounds, of `calls N histogram_usec {BOUND COUNT...}`.
fn command(reply: &[u8]) -> Option<(i64, BTreeMap<i64, i64>)> {
    let (_, mut walk) = elements(reply)?;
    let (mut calls, mut bounds) = (None, None);
    while let Some(name) = walk.next() {
        let value = walk.next()?;
        match bulk(name)? {
            b"calls" => calls = integer(value),
            b"histogram_usec" => {
                let numbers = numbers(value)?;
                let pairs = numbers.chunks_exact(2).map(|pair| (pair[0], pair[1]));
                bounds = Some(pairs.collect());
            }
            _ => {}
        }
    }
    calls.zip(bounds)
}

fn numbers(reply: &[u8]) -> Option<Vec<i64>> {
    elements(reply)?.1.map(integer).collect()
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::{histogram, history, latest};

    #[track_caller]
    fn check(join: fn(&[Bytes]) -> Option<Vec<u8>>, replies: &[&str], expected: &str) {
        let wire = |text: &str| text.replace(' ', "\r\n") + "\r\n";
        let replies: Vec<Bytes> = replies.iter().map(|reply| wire(reply).into()).collect();
        let joined = join(&replies).map(|joined| String::from_utf8(joined).unwrap());
        assert_eq!(joined, Some(wire(expected)));
    }

    #[test]
    fn samples_are_in_the_order_of_time_and_the_worst_of_a_second_counts() {
        check(
            history,
            &["*2 *2 :10 :5 *2 :30 :7", "*0", "*2 *2 :20 :1 *2 :30 :9"],
            "*3 *2 :10 :5 *2 :20 :1 *2 :30 :9",
        );
    }

    #[test]
    fn no_more_samples_than_one_server_keeps() {
        let many = |from: usize| {
            let samples: Vec<String> = (from..from + 100)
                .map(|time| format!("*2 :{time} :1"))
                .collect();
            format!("*100 {}", samples.join(" "))
        };
        let replies = [many(0), many(100)].map(|text| text.replace(' ', "\r\n") + "\r\n");
        let joined = history(&replies.map(Bytes::from)).unwrap();
        assert!(joined.starts_with(b"*160\r\n*2\r\n:40\r\n"));
        assert!(joined.ends_with(b"*2\r\n:199\r\n:1\r\n"));
    }

    #[test]
    fn an_event_has_its_latest_and_its_worst_spike() {
        check(
            latest,
            &[
                "*1 *4 $7 command :10 :5 :9",
                "*2 *4 $4 fork :1 :2 :3 *4 $7 command :20 :4 :4",
            ],
            "*2 *4 $7 command :20 :4 :9 *4 $4 fork :1 :2 :3",
        );
        check(
            latest,
            &[
                "*1 *6 $7 command :10 :5 :9 :100 :3",
                "*1 *6 $7 command :9 :4 :4 :10 :1",
            ],
            "*1 *6 $7 command :10 :5 :9 :110 :4",
        );
    }

    #[test]
    fn calls_within_a_bound_are_those_of_all_nodes_within_it() {
        let one = "*4 $3 get *4 $5 calls :3 $14 histogram_usec *4 :1 :1 :4 :3 $3 set *4 $5 calls :1 $14 histogram_usec *2 :8 :1";
        let other = "*2 $3 get *4 $5 calls :2 $14 histogram_usec *4 :2 :1 :8 :2";
        check(
            histogram,
            &[one, other],
            "*4 $3 get *4 $5 calls :5 $14 histogram_usec *8 :1 :1 :2 :2 :4 :4 :8 :5 \
             $3 set *4 $5 calls :1 $14 histogram_usec *2 :8 :1",
        );
        let one = "*2 $6 dbsize *4 $5 calls :2 $14 histogram_usec *4 :1 :1 :4 :2";
        let slower = "*2 $6 dbsize *4 $5 calls :2 $14 histogram_usec *4 :4 :1 :8 :2";
        let fewer = "*2 $6 dbsize *4 $5 calls :1 $14 histogram_usec *2 :64 :1";
        check(histogram, &[one, slower, fewer], slower);
        let maps = "%1 $3 get %2 $5 calls :2 $14 histogram_usec %1 :2 :2";
        check(
            histogram,
            &[maps, maps],
            "%1 $3 get %2 $5 calls :4 $14 histogram_usec %1 :2 :4",
        );
    }
}
