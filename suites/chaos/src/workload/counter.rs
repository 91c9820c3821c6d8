//! `counter`: increments, whose replies count every execution.

use super::{Generator, Plan, Workload, drawn, request};

pub(super) struct Counter;

impl Workload for Counter {
    fn id(&self) -> &'static str {
        "counter"
    }

    fn summary(&self) -> &'static str {
        "INCR and GET of few counters"
    }

    fn client(&self, plan: &Plan, number: u16) -> Box<dyn Generator> {
        drawn(plan, self.keys(plan), number, |draw, keys| {
            let key = draw.one(keys);
            match draw.happens(80) {
                true => request([b"INCR", key]),
                false => request([b"GET", key]),
            }
        })
    }
}
