//! Randomness from one seed, so that a run repeats. Pure.

/// The step between two states of the generator: 2^64 divided by the golden ratio.
const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

/// Draws one after the other: the order of the draws decides.
#[derive(Debug, Clone)]
pub struct Draws(u64);

impl Draws {
    /// All draws of a run.
    #[must_use]
    pub fn seeded(seed: u64) -> Self {
        Self(seed)
    }

    /// Any number.
    pub fn number(&mut self) -> u64 {
        let drawn = mixed(self.0);
        self.0 = self.0.wrapping_add(STEP);
        drawn
    }

    /// A number below `end`, which is not 0.
    pub fn below(&mut self, end: usize) -> usize {
        // Below `end`, so it fits.
        (self.number() % end as u64) as usize
    }
}

/// Draws by name and number. It has no state, so the order in which connections draw does not matter.
///
/// It is a place in the tree of draws below one seed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Chance(u64);

impl Chance {
    /// The root of a run.
    #[must_use]
    pub fn seeded(seed: u64) -> Self {
        Self(mixed(seed))
    }

    /// The branch with this number.
    #[must_use]
    pub fn of(self, number: u64) -> Self {
        Self(mixed(self.0 ^ mixed(number)))
    }

    /// The branch with this name.
    #[must_use]
    pub fn named(self, name: &str) -> Self {
        name.bytes()
            .fold(self, |chance, byte| chance.of(byte.into()))
    }

    /// Any number.
    #[must_use]
    pub fn number(self) -> u64 {
        self.0
    }

    /// At least 0 and less than 1.
    #[must_use]
    pub fn fraction(self) -> f64 {
        // The 53 bits that a double holds.
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// A number that has nothing visible in common with `number`: one step and the finalizer of SplitMix64 (Steele, Lea, Flood:
/// Fast Splittable Pseudorandom Number Generators, 2014). One to one.
#[must_use]
pub fn mixed(number: u64) -> u64 {
    let number = number.wrapping_add(STEP);
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_repeats_and_branches_differ() {
        let root = Chance::seeded(7);
        assert_eq!(root.of(1), Chance::seeded(7).of(1));
        assert_ne!(root.of(1), root.of(2));
        assert_ne!(root.of(1), Chance::seeded(8).of(1));
        assert_ne!(root.named("a"), root.named("b"));
        // The first output of the generator for seed 0 in its authors' code.
        assert_eq!(Chance::seeded(0).number(), 0xe220_a839_7b1d_cdaf);
    }

    #[test]
    fn draws_are_those_of_the_authors_code() {
        let mut draws = Draws::seeded(0);
        let drawn = [draws.number(), draws.number(), draws.number()];
        let expected = [
            0xe220_a839_7b1d_cdaf,
            0x6e78_9e6a_a1b9_65f4,
            0x06c4_5d18_8009_454f,
        ];
        assert_eq!(drawn, expected);
        assert!((0..1000).all(|_| draws.below(3) < 3));
    }

    #[test]
    fn fractions_are_spread_evenly() {
        let drawn = |number| Chance::seeded(1).of(number).fraction();
        let below = |limit: f64| (0..10_000).filter(|number| drawn(*number) < limit).count();
        assert_eq!((below(0.0), below(1.0)), (0, 10_000));
        assert!((2_300..2_700).contains(&below(0.25)), "{}", below(0.25));
    }
}
