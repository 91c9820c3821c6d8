//! `ttl-worker`: a batch job that writes keys with a time to live in pipelines without transactions, and reads them back.

use testbed::wire::Arguments;

use super::draw::Draw;
use super::{Generator, Key, Plan, Workload, request};

pub(super) struct TtlWorker;

/// In seconds.
const TTL: &[u8] = b"60";

impl Workload for TtlWorker {
    fn id(&self) -> &'static str {
        "ttl-worker"
    }

    fn summary(&self) -> &'static str {
        "pipelines of SET EX 60, each followed by a pipeline of GET of the same keys"
    }

    fn client(&self, plan: &Plan, number: u16) -> Box<dyn Generator> {
        Box::new(Worker {
            keys: plan.share(self.keys(plan), number),
            draw: plan.draw(number),
            pipeline: plan.pipeline as usize,
            written: None,
        })
    }
}

struct Worker {
    keys: Vec<Key>,
    draw: Draw,
    pipeline: usize,
    /// The keys that the last pipeline wrote, to be read next.
    written: Option<Vec<Key>>,
}

impl Generator for Worker {
    fn batch(&mut self) -> Vec<Arguments> {
        if let Some(written) = self.written.take() {
            return written.iter().map(|key| request([b"GET", key])).collect();
        }
        let keys = self.draw.several(&self.keys, self.pipeline);
        let keys: Vec<Key> = keys.into_iter().cloned().collect();
        let draw = &mut self.draw;
        let set = |key: &Key| request([b"SET", key, &draw.value(), b"EX", TTL]);
        let batch = keys.iter().map(set).collect();
        self.written = Some(keys);
        batch
    }
}
