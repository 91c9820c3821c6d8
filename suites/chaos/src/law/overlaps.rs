//! Which requests were pending while another one named the same key.

use std::collections::{HashMap, HashSet};

use super::command::Command;
use crate::history::History;

/// Requests that share a key and a time with another one.
pub(super) struct Overlaps<'a> {
    shared: HashSet<(&'a [u8], usize)>,
}

impl<'a> Overlaps<'a> {
    pub(super) fn new(history: &'a History) -> Self {
        let mut by_key: HashMap<&[u8], Vec<(u64, u64, usize)>> = HashMap::new();
        for (place, record) in history.records.iter().enumerate() {
            let until = record.received.unwrap_or(u64::MAX);
            for key in Command::of(&record.request).keys() {
                by_key
                    .entry(key)
                    .or_default()
                    .push((record.sent, until, place));
            }
        }
        let mut shared = HashSet::new();
        for (key, mut uses) in by_key {
            uses.sort_unstable();
            for pair in overlapping(&uses) {
                shared.extend(pair.map(|place| (key, place)));
            }
        }
        Self { shared }
    }

    /// Whether another request with this key overlapped it.
    pub(super) fn any(&self, key: &'a [u8], place: usize) -> bool {
        self.shared.contains(&(key, place))
    }
}

/// Each use that begins while the longest of those before it lasts, with that one.
fn overlapping(uses: &[(u64, u64, usize)]) -> Vec<[usize; 2]> {
    let mut longest: Option<(u64, usize)> = None;
    let mut pairs = Vec::new();
    for &(sent, until, place) in uses {
        if let Some((_, other)) = longest.filter(|(until, _)| sent <= *until) {
            pairs.push([other, place]);
        }
        longest = longest.max(Some((until, place)));
    }
    pairs
}
