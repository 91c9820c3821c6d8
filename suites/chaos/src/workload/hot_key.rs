//! `hot-key`: one key takes most of the requests, and so does its node.

use super::{Generator, Plan, Workload, drawn, request};

pub(super) struct HotKey;

impl Workload for HotKey {
    fn id(&self) -> &'static str {
        "hot-key"
    }

    fn summary(&self) -> &'static str {
        "GET and SET of unique values, nine of ten requests under one key"
    }

    fn client(&self, plan: &Plan, number: u16) -> Box<dyn Generator> {
        drawn(plan, self.keys(plan), number, |draw, keys| {
            let key = match draw.happens(90) {
                true => &keys[0],
                false => draw.one(keys),
            };
            match draw.happens(80) {
                true => request([b"GET", key]),
                false => request([b"SET", key, &draw.value()]),
            }
        })
    }
}
