//! `append`: unique elements appended to lists, which keep the order of all writes.

use super::{Generator, Plan, Workload, drawn, request};

pub(super) struct Append;

impl Workload for Append {
    fn id(&self) -> &'static str {
        "append"
    }

    fn summary(&self) -> &'static str {
        "RPUSH of unique elements, and LRANGE of whole lists"
    }

    fn client(&self, plan: &Plan, number: u16) -> Box<dyn Generator> {
        drawn(plan, self.keys(plan), number, |draw, keys| {
            let key = draw.one(keys);
            match draw.happens(80) {
                true => request([b"RPUSH", key, &draw.value()]),
                false => request([b"LRANGE", key, b"0", b"-1"]),
            }
        })
    }
}
