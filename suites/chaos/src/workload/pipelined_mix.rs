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
        drawn(plan, plan.numbered_keys(), number, |draw, keys| {
            let key = draw.one(keys);
            let (string, count, list) = (typed(b"s", key), typed(b"n", key), typed(b"l", key));
            match draw.below(10) {
                0..3 => request([b"SET", &string, &draw.value()]),
                3..7 => request([b"GET", &string]),
                7 => request([b"INCR", &count]),
                8 => request([b"RPUSH", &list, &draw.value()]),
                _ => request([b"LRANGE", &list, b"-3", b"-1"]),
            }
        })
    }
}

/// A key for values of one type.
fn typed(kind: &[u8], key: &[u8]) -> Key {
    [key, b":", kind].concat()
}
