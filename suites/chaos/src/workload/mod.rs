//! Workloads: the requests of clients while faults act.
//!
//! A workload is one file of this folder, whose stem is its name with underscores, and one row of the table below. Each
//! is a generator of requests from a seed. Pure: opens no socket and reads no clock; the executor does both.

mod append;
mod counter;
mod draw;
mod hot_key;
mod large_values;
mod multi_key;
mod overwrite;
mod pipelined_mix;
mod register;
mod scan_while_writing;
mod short_ttl;
mod transactions;
mod ttl_worker;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use testbed::chance::Chance;
use testbed::wire::{Arguments, Value};

use crate::observed::Key;
use draw::Draw;

/// The requests of the clients of a scenario.
pub trait Workload: Sync {
    /// The name in scenarios and reports: the stem of its file, with hyphens.
    fn id(&self) -> &'static str;

    /// What its clients do, in one sentence.
    fn summary(&self) -> &'static str;

    /// What a target must be able to do for it.
    fn needs(&self) -> &'static [&'static str] {
        &[]
    }

    /// Every key that its clients use: by default as many as are planned.
    fn keys(&self, plan: &Plan) -> Vec<Key> {
        plan.numbered_keys()
    }

    /// The requests of one client; its number is from 0 to the number of clients.
    fn client(&self, plan: &Plan, number: u16) -> Box<dyn Generator>;
}

/// The requests of one client, the same for the same plan and replies.
pub trait Generator: Send + Sync {
    /// The next requests, to be sent together. Never empty.
    fn batch(&mut self) -> Vec<Arguments>;

    /// Called with the replies to the last batch; `None` for a reply that was not read.
    fn answered(&mut self, _replies: &[Option<Value>]) {}
}

/// Parameters of a workload: how many keys and requests, and their names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// How all keys of the workload begin.
    pub prefix: String,
    /// How all its unique values begin.
    pub mark: String,
    /// The root of its draws.
    pub chance: Chance,
    /// Number of keys.
    pub keys: u32,
    /// Requests that a client sends together.
    pub pipeline: u32,
    /// Number of clients.
    pub clients: u16,
    /// Node of each key, if each client is to use the keys of one node only; else empty. This distinguishes clients
    /// that wait for a node with a fault from clients that do not use it.
    pub apart: BTreeMap<Key, u16>,
}

/// Every workload, in the order of their names.
pub static WORKLOADS: &[&dyn Workload] = &[
    &append::Append,
    &counter::Counter,
    &hot_key::HotKey,
    &large_values::LargeValues,
    &multi_key::MultiKey,
    &overwrite::Overwrite,
    &pipelined_mix::PipelinedMix,
    &register::Register,
    &scan_while_writing::ScanWhileWriting,
    &short_ttl::ShortTtl,
    &transactions::Transactions,
    &ttl_worker::TtlWorker,
];

/// The workload of a name.
#[must_use]
pub fn workload(id: &str) -> Option<&'static dyn Workload> {
    let mut rows = WORKLOADS.iter().copied();
    rows.find(|workload| workload.id() == id)
}

impl Plan {
    /// The key of a number. Its end differs from that of every other one in many bits, because some digests hardly mix
    /// the last bytes.
    fn key(&self, number: u64) -> Key {
        let end = self.chance.named("key").of(number).number() & 0xffff_ffff;
        format!("{}{number}-{end:08x}", self.prefix).into_bytes()
    }

    /// The keys out of `keys` that a client uses.
    fn share(&self, keys: Vec<Key>, client: u16) -> Vec<Key> {
        let nodes = self.apart.values().max().map_or(1, |last| last + 1);
        let own = |key: &&Key| self.apart.get(*key) == Some(&(client % nodes));
        let own: Vec<Key> = keys.iter().filter(own).cloned().collect();
        match own.is_empty() {
            true => keys,
            false => own,
        }
    }

    /// As many keys as are planned.
    fn numbered_keys(&self) -> Vec<Key> {
        (0..u64::from(self.keys)).map(|n| self.key(n)).collect()
    }

    fn draw(&self, client: u16) -> Draw {
        Draw::new(self.chance.of(client.into()), &self.mark, client)
    }
}

/// Requests drawn one by one: most workloads are these.
struct Drawn<F> {
    plan: Plan,
    keys: Vec<Key>,
    draw: Draw,
    next: F,
}

/// A generator that fills each batch with the requests that `next` draws.
fn drawn<F>(plan: &Plan, keys: Vec<Key>, client: u16, next: F) -> Box<dyn Generator>
where
    F: FnMut(&mut Draw, &[Key]) -> Arguments + Send + Sync + 'static,
{
    Box::new(Drawn {
        plan: plan.clone(),
        keys: plan.share(keys, client),
        draw: plan.draw(client),
        next,
    })
}

impl<F: FnMut(&mut Draw, &[Key]) -> Arguments + Send + Sync> Generator for Drawn<F> {
    fn batch(&mut self) -> Vec<Arguments> {
        let mut requests = Vec::new();
        for _ in 0..self.plan.pipeline {
            let Self {
                next, draw, keys, ..
            } = self;
            requests.push(next(draw, keys));
        }
        requests
    }
}

/// A request of these words.
fn request<const N: usize>(words: [&[u8]; N]) -> Arguments {
    words.iter().map(|word| word.to_vec()).collect()
}
