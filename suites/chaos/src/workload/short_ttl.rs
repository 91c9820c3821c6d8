//! `short-ttl`: values that expire while the run lasts, and reads before and after that.

use super::{Generator, Plan, Workload, drawn, request};

pub(super) struct ShortTtl;

/// In milliseconds.
const TTL: &[u8] = b"300";

impl Workload for ShortTtl {
    fn id(&self) -> &'static str {
        "short-ttl"
    }

    fn summary(&self) -> &'static str {
        "SET PX 300 of unique values and, three times as often, GET, evenly over all keys"
    }

    fn client(&self, plan: &Plan, number: u16) -> Box<dyn Generator> {
        drawn(plan, self.keys(plan), number, |draw, keys| {
            let key = draw.one(keys);
            match draw.happens(75) {
                true => request([b"GET", key]),
                false => request([b"SET", key, &draw.value(), b"PX", TTL]),
            }
        })
    }
}
