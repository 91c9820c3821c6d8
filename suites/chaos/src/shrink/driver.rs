//! The order of runs: which candidate is next, with which seed, and what the runs decide.
//!
//! The search is greedy. The first candidate that fails becomes the smallest scenario, and its own candidates come next.
//! It ends when no candidate of the smallest scenario fails.
//!
//! A candidate fails if one of its runs breaks the law that is followed: of the laws that the first run broke, the first
//! in the order of [`LAWS`], where wrong answers come before late ones. A law that the first run did not break is not
//! judged, so no candidate is taken because of another problem. A run that is unknown breaks no law, so it takes no
//! candidate. A violation is evidence also where a run lacks coverage, as in every report; so that the file can be
//! kept, its coverage conditions expect no more than its own failing run had.

use super::candidate::{Candidate, Cut, smaller};
use crate::law::{LAWS, Law};
use crate::scenario::{Cover, Scenario};

/// Runs of a candidate before it is given up: many violations depend on timing.
pub const RUNS: u64 = 3;

/// The search for the smallest scenario that fails.
pub struct Shrink {
    followed: &'static dyn Law,
    smallest: Scenario,
    seed: u64,
    candidates: Vec<Candidate>,
    /// The place of the current candidate.
    place: usize,
    /// Candidates of the smallest scenario that did not fail.
    given_up: usize,
    /// The run of the current candidate, from 0.
    run: u64,
    taken: usize,
}

/// The next run.
#[derive(Clone, Copy)]
pub struct Attempt<'a> {
    /// What to run.
    pub scenario: &'a Scenario,
    /// Its seed.
    pub seed: u64,
    /// What makes it smaller.
    pub cut: Cut,
    /// Which run of this candidate it is, from 1 to [`RUNS`].
    pub run: u64,
}

/// What a run came to. The default is a run that says nothing: it was unknown, or broke no law.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Outcome {
    /// The laws that it broke and that count, by id. A known violation does not count.
    pub broken: Vec<String>,
    /// What each coverage condition of the scenario counted, in its order.
    pub covered: Vec<usize>,
}

impl Outcome {
    fn breaks(&self, law: &dyn Law) -> bool {
        self.broken.iter().any(|broken| broken == law.id())
    }
}

impl Shrink {
    /// The search from a scenario whose run with `seed` came to `outcome`. None if that broke no law of the scenario.
    #[must_use]
    pub fn new(scenario: &Scenario, seed: u64, outcome: &Outcome) -> Option<Self> {
        let mut smallest = scenario.clone();
        smallest.laws.retain(|law| outcome.breaks(*law));
        let is_broken = |law: &&&dyn Law| smallest.laws.iter().any(|it| it.id() == law.id());
        let followed = *LAWS.iter().find(is_broken)?;
        Some(Self {
            followed,
            candidates: smaller(&smallest),
            smallest,
            seed,
            place: 0,
            given_up: 0,
            run: 0,
            taken: 0,
        })
    }

    /// The next run. None if no candidate is left. Report the outcome of each run before the next call.
    #[must_use]
    pub fn attempt(&self) -> Option<Attempt<'_>> {
        if self.given_up == self.candidates.len() {
            return None;
        }
        let candidate = &self.candidates[self.place];
        Some(Attempt {
            scenario: &candidate.scenario,
            // The seed that failed last is the likeliest to fail again.
            seed: self.seed.wrapping_add(self.run),
            cut: candidate.cut,
            run: self.run + 1,
        })
    }

    /// Takes the outcome of the run of [`Self::attempt`]. True if its scenario is the smallest now.
    pub fn report(&mut self, outcome: &Outcome) -> bool {
        let Some(attempt) = self.attempt() else {
            return false;
        };
        if outcome.breaks(self.followed) {
            let (mut smallest, seed, cut) = (attempt.scenario.clone(), attempt.seed, attempt.cut);
            smallest.laws.retain(|law| outcome.breaks(*law));
            smallest.covers = lowered(&smallest.covers, &outcome.covered);
            self.take(smallest, seed, cut);
            return true;
        }
        self.run += 1;
        if self.run == RUNS {
            self.run = 0;
            self.given_up += 1;
            self.place = (self.place + 1) % self.candidates.len();
        }
        false
    }

    /// Goes on with the same cut, which has just paid, and comes back to those before it at the end.
    fn take(&mut self, smallest: Scenario, seed: u64, cut: Cut) {
        self.candidates = smaller(&smallest);
        let next = self.candidates.iter().position(|it| it.cut >= cut);
        self.place = next.unwrap_or(0);
        (self.smallest, self.seed) = (smallest, seed);
        (self.run, self.given_up) = (0, 0);
        self.taken += 1;
    }

    /// The law that every taken candidate broke.
    #[must_use]
    pub fn followed(&self) -> &'static dyn Law {
        self.followed
    }

    /// The smallest scenario that failed, and the seed with which it did. None if no candidate failed.
    #[must_use]
    pub fn smallest(&self) -> Option<(&Scenario, u64)> {
        (self.taken > 0).then_some((&self.smallest, self.seed))
    }
}

/// Conditions that a run with these counts meets twice over, so that the next run meets them too. What the run had
/// nothing of is not expected.
fn lowered(covers: &[Cover], counted: &[usize]) -> Vec<Cover> {
    let covers = covers.iter().zip(counted);
    let lowered = covers.map(|(cover, counted)| Cover {
        at_least: cover.at_least.min(counted.div_ceil(2)),
        ..*cover
    });
    lowered.filter(|cover| cover.at_least > 0).collect()
}
