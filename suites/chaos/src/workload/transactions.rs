//! `transactions`: two keys of one hash tag, written and read together.

use testbed::wire::Arguments;

use super::draw::Draw;
use super::{Generator, Key, Plan, Workload, request};

pub(super) struct Transactions;

impl Workload for Transactions {
    fn id(&self) -> &'static str {
        "transactions"
    }

    fn summary(&self) -> &'static str {
        "MULTI, EXEC and WATCH that write one unique value under two keys of a hash tag, or read both"
    }

    fn needs(&self) -> &'static [&'static str] {
        &["hash-tags", "transactions", "watch"]
    }

    fn keys(&self, plan: &Plan) -> Vec<Key> {
        pairs(plan).into_iter().flatten().collect()
    }

    fn client(&self, plan: &Plan, number: u16) -> Box<dyn Generator> {
        Box::new(Client {
            pairs: pairs(plan),
            draw: plan.draw(number),
        })
    }
}

/// Two keys of each hash tag.
fn pairs(plan: &Plan) -> Vec<[Key; 2]> {
    let tag = |key: Key| [&b"{"[..], &key, b"}"].concat();
    let pair = |tag: Key| [[&tag[..], b":one"].concat(), [&tag[..], b":two"].concat()];
    let keys = plan.numbered_keys().into_iter();
    keys.map(|key| pair(tag(key))).collect()
}

struct Client {
    pairs: Vec<[Key; 2]>,
    draw: Draw,
}

impl Generator for Client {
    fn batch(&mut self) -> Vec<Arguments> {
        let [one, two] = self.draw.one(&self.pairs);
        if self.draw.happens(40) {
            let (get_one, get_two) = (request([b"GET", one]), request([b"GET", two]));
            return vec![request([b"MULTI"]), get_one, get_two, request([b"EXEC"])];
        }
        let value = self.draw.value();
        let sets = [
            request([b"MULTI"]),
            request([b"SET", one, &value]),
            request([b"SET", two, &value]),
            request([b"EXEC"]),
        ];
        match self.draw.happens(50) {
            true => [request([b"WATCH", one])].into_iter().chain(sets).collect(),
            false => sets.into(),
        }
    }
}
