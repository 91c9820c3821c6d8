//! A fixed number of the keys, for questions that are too expensive to ask for each.
//!
//! The keys with the lowest ranks are kept. The rank is a digest of the whole key: the sample does not depend on how
//! the keys are divided, nor on a placement. A key that occurs again adds to its count.

use testbed::chance;

/// Distinct keys that are kept.
const KEYS_MAX: usize = 1 << 17;
/// Bytes of keys that are kept.
const BYTES_MAX: usize = 32 << 20;

/// Some of the keys, each with how often it came.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Sample {
    kept: Vec<Kept>,
    bytes: usize,
    /// Keys of this rank and above are not kept; `None` until there were too many.
    below: Option<u64>,
    keys_max: usize,
    bytes_max: usize,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Kept {
    rank: u64,
    key: Box<[u8]>,
    times: u64,
}

impl Default for Sample {
    fn default() -> Self {
        Self::limited(KEYS_MAX, BYTES_MAX)
    }
}

impl Sample {
    /// Keeps `keys_max` distinct keys of `bytes_max` bytes in all; twice as many for a while.
    fn limited(keys_max: usize, bytes_max: usize) -> Self {
        Self {
            kept: Vec::new(),
            bytes: 0,
            below: None,
            keys_max,
            bytes_max,
        }
    }

    /// Takes `key` if its rank is low enough; `digest` is its [`murmur2_64`](placement::hash::murmur2_64).
    pub(super) fn offer(&mut self, key: &[u8], digest: u64) {
        // Mixed, so that the rank is independent of the placement that the digest decides.
        let rank = chance::mixed(digest);
        if self.below.is_some_and(|below| rank >= below) {
            return;
        }
        self.bytes += key.len();
        self.kept.push(Kept {
            rank,
            key: key.into(),
            times: 1,
        });
        if self.kept.len() >= 2 * self.keys_max || self.bytes >= 2 * self.bytes_max {
            self.prune();
        }
    }

    pub(super) fn add(&mut self, other: Self) {
        self.below = match (self.below, other.below) {
            (Some(one), Some(two)) => Some(one.min(two)),
            (one, two) => one.or(two),
        };
        self.kept.extend(other.kept);
        self.prune();
    }

    /// The keys with how often each came, in the order of their ranks: the first ones are a smaller sample.
    pub(super) fn keys(&mut self) -> impl Iterator<Item = (&[u8], u64)> {
        self.prune();
        self.kept.iter().map(|kept| (&*kept.key, kept.times))
    }

    /// Whether it holds all keys.
    pub(super) fn is_whole(&self) -> bool {
        self.below.is_none()
    }

    /// Counts repeated keys, and drops the highest ranks if there are too many.
    fn prune(&mut self) {
        let below = self.below;
        self.kept
            .retain(|kept| below.is_none_or(|below| kept.rank < below));
        self.kept.sort_unstable();
        self.kept.dedup_by(|again, first| {
            let same = again.rank == first.rank && again.key == first.key;
            if same {
                first.times += again.times;
            }
            same
        });
        let mut bytes = 0;
        let fits = self.kept.iter().take(self.keys_max).take_while(|kept| {
            let first = bytes == 0;
            bytes += kept.key.len();
            first || bytes <= self.bytes_max
        });
        let fits = fits.count();
        if let Some(first_out) = self.kept.get(fits) {
            self.below = Some(first_out.rank);
            self.kept.truncate(fits);
        }
        self.bytes = self.kept.iter().map(|kept| kept.key.len()).sum();
    }
}

#[cfg(test)]
mod tests {
    use placement::hash::murmur2_64;

    use super::Sample;

    fn offer(sample: &mut Sample, key: &[u8]) {
        sample.offer(key, murmur2_64(key));
    }

    fn sample(keys_max: usize, keys: impl IntoIterator<Item = u32>) -> Sample {
        let mut sample = Sample::limited(keys_max, 1 << 20);
        for key in keys {
            offer(&mut sample, key.to_string().as_bytes());
        }
        sample
    }

    fn keys(sample: &mut Sample) -> Vec<(Vec<u8>, u64)> {
        sample
            .keys()
            .map(|(key, times)| (key.to_vec(), times))
            .collect()
    }

    #[test]
    fn few_keys_are_all_kept_and_counted() {
        let mut sample = sample(10, [3, 1, 3, 2, 3]);
        let mut found = keys(&mut sample);
        found.sort();
        let expected = [("1", 1), ("2", 1), ("3", 3)];
        assert_eq!(
            found,
            expected.map(|(key, times)| (key.as_bytes().to_vec(), times))
        );
        assert!(sample.is_whole());
    }

    #[test]
    fn one_key_again_and_again_is_one() {
        let mut sample = sample(2, [7; 1000]);
        assert_eq!(keys(&mut sample), [(b"7".to_vec(), 1000)]);
        assert!(sample.is_whole());
    }

    /// However they are divided, and in any order.
    #[test]
    fn the_same_keys_make_the_same_sample() {
        let numbers = || (0..1000).chain(0..500);
        let mut whole = sample(50, numbers());
        let mut reversed = sample(50, numbers().rev());
        let mut parts = sample(50, numbers().filter(|number| number % 3 == 0));
        parts.add(sample(50, numbers().filter(|number| number % 3 == 1)));
        parts.add(sample(50, numbers().filter(|number| number % 3 == 2)));
        let expected = keys(&mut whole);
        assert_eq!(expected.len(), 50);
        assert!(!whole.is_whole() && !parts.is_whole());
        assert_eq!(keys(&mut reversed), expected);
        assert_eq!(keys(&mut parts), expected);
        // Those below 500 came twice.
        for (key, times) in expected {
            let number: u32 = String::from_utf8(key).unwrap().parse().unwrap();
            assert_eq!(times, if number < 500 { 2 } else { 1 });
        }
    }

    #[test]
    fn bytes_are_limited_too_but_one_key_is_always_kept() {
        let mut sample = Sample::limited(100, 10);
        for number in 0..100 {
            offer(&mut sample, format!("{number:04}").as_bytes());
        }
        assert_eq!(keys(&mut sample).len(), 2);
        let mut long = Sample::limited(100, 10);
        offer(&mut long, &[b'x'; 50]);
        assert_eq!(keys(&mut long).len(), 1);
    }
}
