//! `pipelined-mix`: replies of different types close to each other, so that a reply in another's place shows at once.

use super::{Generator, Key, Plan, Workload, drawn, request};

pub(super) struct PipelinedMix;

impl Workload for PipelinedMix {
    fn id(&self) -> &'static str {
        "pipelined-mix"
    }

    fn summary(&self) -> &'static str {
        "SET and GET of unique values, next to INCR of counters and RPUSH and LRANGE of lists, in one pipeline"
    }

    fn keys(&self, plan: &Plan) -> Vec<Key> {
        let kinds = [&b"s"[..], b"n", b"l"].into_iter();
        kinds
            .flat_map(|kind| {
                plan.numbered_keys()
                    .into_iter()
                    .map(|key| typed(kind, &key))
            })
            .collect()
    }

    fn client(&self, plan: &Plan, number: u16) -> Box<dyn Generator> {
        drawn(plan, self.keys(plan), number, |draw, keys| {
            let key = draw.one(keys);
            let (adds, end) = (draw.happens(40), key.last().copied());
            match (end, adds) {
                (Some(b'l'), true) => request([b"RPUSH", key, &draw.value()]),
                (Some(b'l'), false) => request([b"LRANGE", key, b"0", b"-1"]),
                (Some(b'n'), _) => request([b"INCR", key]),
                (_, true) => request([b"SET", key, &draw.value()]),
                (_, false) => request([b"GET", key]),
            }
        })
    }
}

/// A key for values of one type, which its last letter names.
fn typed(kind: &[u8], key: &[u8]) -> Key {
    [key, b":", kind].concat()
}
