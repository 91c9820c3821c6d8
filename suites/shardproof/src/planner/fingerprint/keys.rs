//! The written keys: they have only their prefix in common, unless they are to be similar.

use placement::hash::{TagRule, hashed_part};
use testbed::chance::Draws;

/// Makes distinct keys.
#[derive(Debug, Clone)]
pub(super) struct Keys {
    prefix: String,
    draws: Draws,
}

impl Keys {
    pub(super) fn new(prefix: &str, seed: u64) -> Self {
        Self {
            prefix: prefix.to_owned(),
            draws: Draws::seeded(seed),
        }
    }

    /// A key without a tag. Its end is drawn, because weak digests keep keys that count up together.
    pub(super) fn plain(&mut self) -> Vec<u8> {
        let drawn = self.draws.number();
        format!("{}{drawn:016x}", self.prefix).into_bytes()
    }

    /// A key with a tag of its own between the bytes of `rule`; plain under a rule without.
    pub(super) fn tagged(&mut self, rule: TagRule) -> Vec<u8> {
        let tag = self.plain();
        self.around(rule, &tag)
    }

    /// Keys that differ everywhere except between the bytes of `rule`.
    pub(super) fn group(&mut self, rule: TagRule, size: usize) -> Vec<Vec<u8>> {
        let tag = self.plain();
        (0..size).map(|_| self.around(rule, &tag)).collect()
    }

    /// Keys as applications number them.
    pub(super) fn sequence(&self, count: usize) -> Vec<Vec<u8>> {
        let key = |number| format!("{}user:{number}", self.prefix).into_bytes();
        (0..count).map(key).collect()
    }

    fn around(&mut self, rule: TagRule, tag: &[u8]) -> Vec<u8> {
        match rule {
            TagRule::WholeKey => self.plain(),
            TagRule::Between(open, close) => {
                let mut key = self.plain();
                key.push(open);
                key.extend_from_slice(tag);
                key.push(close);
                key.extend_from_slice(format!("{:08x}", self.draws.number() >> 32).as_bytes());
                key
            }
        }
    }
}

/// Whether all rules hash the whole of `key`, so that it cannot distinguish them.
pub(super) fn is_plain(key: &[u8], rules: &[TagRule]) -> bool {
    rules
        .iter()
        .all(|rule| hashed_part(*rule, key).len() == key.len())
}
