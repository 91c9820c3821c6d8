//! `overwrite`: as many writes as reads, spread evenly over many keys, so that each key has a last value in the end.

use super::{Generator, Plan, Workload, drawn, request};

pub(super) struct Overwrite;

impl Workload for Overwrite {
    fn id(&self) -> &'static str {
        "overwrite"
    }

    fn summary(&self) -> &'static str {
        "GET and SET of unique values, as many of each, evenly over all keys"
    }

    fn client(&self, plan: &Plan, number: u16) -> Box<dyn Generator> {
        drawn(plan, self.keys(plan), number, |draw, keys| {
            let key = draw.one(keys);
            match draw.happens(50) {
                true => request([b"GET", key]),
                false => request([b"SET", key, &draw.value()]),
            }
        })
    }
}
