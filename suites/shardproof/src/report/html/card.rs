//! A number of keys as a card of a page: its share of all keys, large, and its meaning.

/// One card.
pub(super) struct Card {
    pub(super) keys: usize,
    pub(super) share: String,
    pub(super) meaning: &'static str,
}

impl Card {
    /// `keys` of `all` keys.
    pub(super) fn new(keys: usize, all: usize, meaning: &'static str) -> Self {
        Self {
            keys,
            share: format!("{:.1} %", 100.0 * keys as f64 / all.max(1) as f64),
            meaning,
        }
    }
}
