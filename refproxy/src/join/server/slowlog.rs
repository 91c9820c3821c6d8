//! SLOWLOG and COMMANDLOG of all nodes as one log: the latest entry first.
//!
//! A request that the proxy has sent to every node is one entry, that of the slowest node. Requests count as one if
//! their words are the same, each node has one of them, and they began within a second of each other: logs count
//! seconds. The parts of MGET and similar commands differ from node to node, and each is an entry.

use std::cmp::Reverse;
use std::collections::HashMap;

use bytes::Bytes;

use crate::command::goes_to_every_node;
use crate::resp::{bulk, elements, integer, put_array, put_integer};

const SECOND: i64 = 1_000_000;

/// The unit of an entry.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::join) enum Measure {
    /// Microseconds, which end at the entry's time.
    #[default]
    Time,
    /// Bytes: each node has read or written its own.
    Bytes,
}

/// One entry of one node's log.
struct Entry<'a> {
    node: usize,
    id: i64,
    time: i64,
    took: i64,
    /// The array of the request's arguments, as far as the node keeps them.
    words: &'a [u8],
    reply: &'a [u8],
}

impl<'a> Entry<'a> {
    fn read(node: usize, reply: &'a [u8]) -> Option<Self> {
        let mut walk = elements(reply)?.1;
        let mut number = || integer(walk.next()?);
        let (id, time, took) = (number()?, number()?, number()?);
        let words = walk.next().filter(|words| elements(words).is_some())?;
        Some(Self {
            node,
            id,
            time,
            took,
            words,
            reply,
        })
    }

    /// In microseconds, as exactly as seconds tell.
    fn began_at(&self) -> i64 {
        self.time.saturating_mul(SECOND).saturating_sub(self.took)
    }

    fn is_of_every_node(&self) -> bool {
        let Some((_, words)) = elements(self.words) else {
            return false;
        };
        let mut words = words.map_while(bulk).map(String::from_utf8_lossy);
        let Some(name) = words.next() else {
            return false;
        };
        let with_next = words.next().map(|next| format!("{name}|{next}"));
        goes_to_every_node(&name) || with_next.is_some_and(|name| goes_to_every_node(&name))
    }

    /// With a number that no entry of another node has.
    fn put(&self, nodes: usize, out: &mut Vec<u8>) -> Option<()> {
        let (len, walk) = elements(self.reply)?;
        let nodes = i64::try_from(nodes).ok()?;
        let place = i64::try_from(self.node).ok()?;
        put_array(out, len);
        put_integer(out, self.id.checked_mul(nodes)?.checked_add(place)?);
        walk.skip(1)
            .for_each(|element| out.extend_from_slice(element));
        Some(())
    }
}

/// At most `most` entries.
pub(in crate::join) fn log(replies: &[Bytes], most: usize, measure: Measure) -> Option<Vec<u8>> {
    let mut entries = entries(replies, measure)?;
    entries.truncate(most);
    let mut out = Vec::new();
    put_array(&mut out, entries.len());
    for entry in &entries {
        entry.put(replies.len(), &mut out)?;
    }
    Some(out)
}

/// The number of entries.
pub(in crate::join) fn len(replies: &[Bytes], measure: Measure) -> Option<Vec<u8>> {
    let entries = entries(replies, measure)?.len();
    let mut out = Vec::new();
    put_integer(&mut out, i64::try_from(entries).ok()?);
    Some(out)
}

fn entries(replies: &[Bytes], measure: Measure) -> Option<Vec<Entry<'_>>> {
    let mut entries = Vec::new();
    for (node, reply) in replies.iter().enumerate() {
        for entry in elements(reply)?.1 {
            entries.push(Entry::read(node, entry)?);
        }
    }
    // Stable: each node's own order stays.
    entries.sort_by_key(|entry| Reverse(entry.time));
    if measure == Measure::Time {
        entries = merged(entries);
        entries.sort_by_key(|entry| Reverse(entry.time));
    }
    Some(entries)
}

/// Each request once.
fn merged(entries: Vec<Entry<'_>>) -> Vec<Entry<'_>> {
    let mut kept: Vec<Entry<'_>> = Vec::with_capacity(entries.len());
    // By request: places among the kept entries, each with the nodes that have it.
    let mut known: HashMap<&[u8], Vec<(usize, Vec<usize>)>> = HashMap::new();
    for entry in entries {
        if !entry.is_of_every_node() {
            kept.push(entry);
            continue;
        }
        let requests = known.entry(entry.words).or_default();
        let same = requests.iter_mut().find(|(place, nodes)| {
            let apart = kept[*place].began_at().abs_diff(entry.began_at());
            !nodes.contains(&entry.node) && apart <= SECOND.unsigned_abs()
        });
        match same {
            Some((place, nodes)) => {
                nodes.push(entry.node);
                if entry.took > kept[*place].took {
                    kept[*place] = entry;
                }
            }
            None => {
                requests.push((kept.len(), vec![entry.node]));
                kept.push(entry);
            }
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::{Measure, len, log};
    use crate::resp::{put_array, put_bulk, put_integer};

    /// `ID TIME TOOK WORD...`, one entry per line.
    fn reply(lines: &[&str]) -> Bytes {
        let mut out = Vec::new();
        put_array(&mut out, lines.len());
        for line in lines {
            let words: Vec<&str> = line.split(' ').collect();
            put_array(&mut out, 4);
            for number in &words[..3] {
                put_integer(&mut out, number.parse().unwrap());
            }
            put_array(&mut out, words.len() - 3);
            words[3..]
                .iter()
                .for_each(|word| put_bulk(&mut out, word.as_bytes()));
        }
        out.into()
    }

    #[track_caller]
    fn check(nodes: &[&[&str]], most: usize, expected: &[&str]) {
        let replies: Vec<Bytes> = nodes.iter().map(|lines| reply(lines)).collect();
        let shown = |bytes: &[u8]| bytes.escape_ascii().to_string();
        let joined = log(&replies, most, Measure::Time).unwrap();
        assert_eq!(shown(&joined), shown(&reply(expected)));
    }

    #[test]
    fn the_latest_entries_come_first_and_no_number_comes_twice() {
        let a: &[&str] = &["9 50 1 GET a", "8 20 1 GET b"];
        let b: &[&str] = &["9 50 2 GET c", "3 30 2 GET d"];
        let all = [
            "18 50 1 GET a",
            "19 50 2 GET c",
            "7 30 2 GET d",
            "16 20 1 GET b",
        ];
        check(&[a, b], 100, &all);
        check(&[a, b], 3, &all[..3]);
        check(&[a], 100, a);
    }

    #[test]
    fn a_request_to_every_node_is_one_entry_with_the_longest_time() {
        check(
            &[
                &["2 100 500 KEYS *", "1 90 20 dbsize"],
                &["7 104 4000000 KEYS *", "6 90 30 dbsize", "5 90 10 dbsize"],
                &["1 100 300 KEYS *"],
            ],
            100,
            &[
                "22 104 4000000 KEYS *",
                "19 90 30 dbsize",
                "16 90 10 dbsize",
            ],
        );
    }

    #[test]
    fn entries_of_different_requests_stay_separate() {
        // Of one node, of another time, with other arguments, or not sent to every node.
        let a: &[&str] = &[
            "4 99 1 KEYS *",
            "3 99 1 KEYS *",
            "2 99 1 KEYS a",
            "1 99 1 GET k",
        ];
        let b: &[&str] = &["4 90 1 KEYS *", "3 90 1 KEYS b", "1 90 1 GET k"];
        let replies = [reply(a), reply(b)];
        assert_eq!(len(&replies, Measure::Time).unwrap(), b":7\r\n");
        let replies = [reply(&["1 9 10 KEYS *"]), reply(&["1 9 10 KEYS *"])];
        assert_eq!(len(&replies, Measure::Time).unwrap(), b":1\r\n");
        assert_eq!(len(&replies, Measure::Bytes).unwrap(), b":2\r\n");
    }
}
