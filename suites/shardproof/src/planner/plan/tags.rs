//! Hot tags: which hash tags hold the most keys, because all keys of a tag are on one node.
//!
//! In fixed memory for any number of tags: the Misra-Gries sketch, in batches (Agarwal et al., "Mergeable summaries",
//! 2012). Counts are exact until there are more tags than are kept.

use std::collections::HashMap;

use memchr::memchr;
use placement::hash::hashed_part;
use schemars::JsonSchema;
use serde::Serialize;

use crate::planner::TagRule;

use super::share;

/// Tags that are kept; twice as many for a while.
const TAGS_MAX: usize = 1 << 14;
/// Bytes of tags that are kept.
const BYTES_MAX: usize = 8 << 20;
/// Tags that a report names.
const TOP: usize = 10;

/// Tags with how many keys each has.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Tags {
    rule: TagRule,
    /// Keys with a tag.
    keys: u64,
    counts: HashMap<Box<[u8]>, u64>,
    bytes: usize,
    /// Upper bound of the keys of a tag that were not counted.
    lost: u64,
    tags_max: usize,
}

/// The tags with the most keys.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct HotTags {
    /// Whether tags are hashed before or after the change. If not, the figures are for the case that they were.
    pub on: bool,
    /// Keys with a tag.
    pub keys: u64,
    /// Upper bound of the keys of a tag that were not counted; 0 if the counts are exact.
    pub uncounted_max: u64,
    /// The ten largest, sorted by number of keys.
    pub top: Vec<HotTag>,
}

/// A tag.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct HotTag {
    /// The bytes between the braces, escaped.
    pub tag: String,
    /// Keys with this tag.
    pub keys: u64,
    /// Share of all keys.
    pub share: f64,
}

impl Tags {
    pub(super) fn new(rule: TagRule) -> Self {
        Self {
            rule,
            keys: 0,
            counts: HashMap::new(),
            bytes: 0,
            lost: 0,
            tags_max: TAGS_MAX,
        }
    }

    pub(super) fn offer(&mut self, key: &[u8]) {
        let TagRule::Between(open, _) = self.rule else {
            return;
        };
        // Most keys have no tag, and this is the fastest way to see it.
        if memchr(open, key).is_none() {
            return;
        }
        let tag = hashed_part(self.rule, key);
        if tag.len() == key.len() {
            return;
        }
        self.keys += 1;
        if let Some(count) = self.counts.get_mut(tag) {
            *count += 1;
            return;
        }
        self.bytes += tag.len();
        self.counts.insert(tag.into(), 1);
        if self.counts.len() >= 2 * self.tags_max || self.bytes >= 2 * BYTES_MAX {
            self.prune();
        }
    }

    pub(super) fn add(&mut self, other: Self) {
        self.keys += other.keys;
        self.lost += other.lost;
        for (tag, count) in other.counts {
            *self.counts.entry(tag).or_default() += count;
        }
        self.bytes = self.counts.keys().map(|tag| tag.len()).sum();
        if self.counts.len() > self.tags_max || self.bytes > BYTES_MAX {
            self.prune();
        }
    }

    /// Subtracts the count of the first tag beyond the limit from every tag, so that the largest tags are left.
    fn prune(&mut self) {
        let mut sizes: Vec<(u64, usize)> = self
            .counts
            .iter()
            .map(|(tag, count)| (*count, tag.len()))
            .collect();
        sizes.sort_unstable_by(|one, other| other.cmp(one));
        let mut bytes = 0;
        let fits = sizes.iter().take(self.tags_max).take_while(|(_, length)| {
            bytes += length;
            bytes <= BYTES_MAX
        });
        let Some((cut, _)) = sizes.get(fits.count()).copied() else {
            return;
        };
        self.lost += cut;
        self.counts.retain(|_, count| {
            *count = count.saturating_sub(cut);
            *count > 0
        });
        self.bytes = self.counts.keys().map(|tag| tag.len()).sum();
    }

    /// The tags with the most of `keys` keys; `on` if tags are hashed. `None` if no key has a tag.
    pub(super) fn top(&self, keys: u64, on: bool) -> Option<HotTags> {
        let mut tags: Vec<(&[u8], u64)> = self
            .counts
            .iter()
            .map(|(tag, count)| (&**tag, *count))
            .collect();
        tags.sort_unstable_by(|one, other| other.1.cmp(&one.1).then_with(|| one.0.cmp(other.0)));
        let top = tags.into_iter().take(TOP).map(|(tag, count)| HotTag {
            tag: tag.escape_ascii().to_string(),
            keys: count,
            share: share(count, keys),
        });
        (self.keys > 0).then(|| HotTags {
            on,
            keys: self.keys,
            uncounted_max: self.lost,
            top: top.collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{HotTags, Tags};
    use crate::planner::TagRule;

    fn tags(tags_max: usize, keys: impl IntoIterator<Item = String>) -> Tags {
        let mut tags = Tags::new(TagRule::BRACES);
        tags.tags_max = tags_max;
        for key in keys {
            tags.offer(key.as_bytes());
        }
        tags
    }

    fn named(top: &HotTags) -> Vec<(&str, u64)> {
        top.top
            .iter()
            .map(|tag| (tag.tag.as_str(), tag.keys))
            .collect()
    }

    #[test]
    fn few_tags_are_counted_exactly() {
        let keys = ["{b}1", "a{b}2", "{a}", "{}x", "plain", "{", "{c\x01}"];
        let tags = tags(10, keys.map(str::to_owned));
        let top = tags.top(7, true).unwrap();
        assert_eq!(named(&top), [("b", 2), ("a", 1), ("c\\x01", 1)]);
        assert_eq!((top.keys, top.uncounted_max, top.on), (4, 0, true));
        assert!((top.top[0].share - 2.0 / 7.0).abs() < 1e-12);
    }

    #[test]
    fn without_tags_nothing_is_hot() {
        assert_eq!(tags(10, ["a".to_owned()]).top(1, false), None);
    }

    /// A tag on every tenth of 100,000 keys, and a new tag on each other one.
    #[test]
    fn a_hot_tag_is_found_among_more_tags_than_are_kept() {
        let keys = |from: u32| {
            (from..100_000).step_by(2).map(|number| match number % 10 {
                0 | 1 => "{hot}".to_owned() + &number.to_string(),
                _ => format!("{{{number}}}"),
            })
        };
        let mut sketch = tags(100, keys(0));
        sketch.add(tags(100, keys(1)));
        let top = sketch.top(100_000, true).unwrap();
        let (name, count) = named(&top)[0];
        assert_eq!(name, "hot");
        assert!(
            count <= 20_000 && count + top.uncounted_max >= 20_000,
            "{top:?}"
        );
        assert!(top.uncounted_max <= 1000, "{top:?}");
        assert!(sketch.counts.len() <= 200);
    }
}
