//! `register`: reads and writes of unique values under few keys, for the law of linearizable registers.

use super::{Generator, Plan, Workload, drawn, request};

pub(super) struct Register;

impl Workload for Register {
    fn id(&self) -> &'static str {
        "register"
    }

    fn summary(&self) -> &'static str {
        "GET, SET, GETSET and SET NX of unique values under few keys"
    }

    fn client(&self, plan: &Plan, number: u16) -> Box<dyn Generator> {
        drawn(plan, self.keys(plan), number, |draw, keys| {
            let key = draw.one(keys);
            match draw.below(20) {
                0..8 => request([b"GET", key]),
                8..16 => request([b"SET", key, &draw.value()]),
                16..18 => request([b"GETSET", key, &draw.value()]),
                _ => request([b"SET", key, &draw.value(), b"NX"]),
            }
        })
    }
}
