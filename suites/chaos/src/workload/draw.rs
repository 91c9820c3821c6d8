//! The draws of one client: numbers and unique values from its branch of the seed.

use testbed::chance::Chance;

/// A position in the draws of one client.
#[derive(Debug, Clone)]
pub(super) struct Draw {
    chance: Chance,
    drawn: u64,
    mark: String,
    values: u64,
}

impl Draw {
    pub(super) fn new(chance: Chance, mark: &str, client: u16) -> Self {
        Self {
            chance,
            drawn: 0,
            mark: format!("{mark}{client:x}-"),
            values: 0,
        }
    }

    /// A number below `limit`, which is not 0.
    pub(super) fn below(&mut self, limit: u64) -> u64 {
        self.drawn += 1;
        self.chance.of(self.drawn).number() % limit
    }

    /// Whether something that happens in `percent` of all draws happens now.
    pub(super) fn happens(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    /// One of `all`, which is not empty.
    pub(super) fn one<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        let at = self.below(all.len() as u64);
        &all[usize::try_from(at).unwrap_or(0)]
    }

    /// Different ones of `all`, at most `count`.
    pub(super) fn several<'a, T>(&mut self, all: &'a [T], count: usize) -> Vec<&'a T> {
        let from = usize::try_from(self.below(all.len() as u64)).unwrap_or(0);
        let turned = all[from..].iter().chain(&all[..from]);
        turned.take(count).collect()
    }

    /// A value that occurs only once in the run, so that it identifies its request everywhere.
    pub(super) fn value(&mut self) -> Vec<u8> {
        self.values += 1;
        format!("{}{:x}", self.mark, self.values).into_bytes()
    }
}
