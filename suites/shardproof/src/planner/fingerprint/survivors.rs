//! The hypotheses that explain all observations, and the keys that distinguish them.

use placement::hash::TagRule;

use super::finding::{Found, Outcome};
use super::hypothesis::Hypothesis;
use super::keys::Keys;
use super::observation::Observation;

/// Keys on which two hypotheses must differ and the one be right.
const CHOSEN: usize = 3;
/// Keys that are tried, without writing them, to find one that distinguishes two hypotheses.
const LOOKED_AT: usize = 100_000;
/// How many hypotheses are distinguished at a time.
const RIVALS_MAX: usize = 64;

/// The hypotheses that are left, the first that stood first.
#[derive(Default)]
pub(super) struct Survivors {
    all: Vec<Survivor>,
    /// Keys that had to be seen to rule out the others.
    needed: usize,
}

/// A hypothesis that explains everything, and whether it is known to place all keys like the first one.
struct Survivor {
    hypothesis: Hypothesis,
    alike: bool,
}

impl Survivors {
    pub(super) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.all.len()
    }

    pub(super) fn first(&self) -> Option<&Hypothesis> {
        self.all.first().map(|first| &first.hypothesis)
    }

    /// Keys that had to be seen to rule out every other candidate.
    pub(super) fn needed(&self) -> usize {
        self.needed
    }

    /// Remembers that the observation of this number, from 0, ruled out a candidate.
    pub(super) fn rule_out(&mut self, number: usize) {
        self.needed = self.needed.max(number + 1);
    }

    /// Adds a hypothesis if it explains everything and is not a survivor already.
    pub(super) fn add(&mut self, hypothesis: Hypothesis, observations: &[Observation]) {
        if let Some(miss) = hypothesis.first_miss(observations) {
            self.rule_out(miss);
            return;
        }
        let known = self.all.iter().any(|survivor| {
            survivor.hypothesis.tags == hypothesis.tags
                && survivor.hypothesis.candidate == hypothesis.candidate
        });
        if !known {
            self.all.push(Survivor {
                hypothesis,
                alike: false,
            });
        }
    }

    /// Drops the hypotheses that do not explain every observation. If the first one is dropped, the others are compared
    /// again.
    pub(super) fn forget_contradicted(&mut self, observations: &[Observation]) {
        let mut first_goes = false;
        for index in (0..self.all.len()).rev() {
            if let Some(miss) = self.all[index].hypothesis.first_miss(observations) {
                self.rule_out(miss);
                self.all.remove(index);
                first_goes = index == 0;
            }
        }
        if first_goes {
            for survivor in &mut self.all {
                survivor.alike = false;
            }
        }
    }

    /// Keys that the first and another hypothesis place differently; a hypothesis without such a key is equivalent.
    pub(super) fn divisive_keys(&mut self, keys: &mut Keys) -> Vec<Vec<u8>> {
        let mut chosen: Vec<Vec<u8>> = Vec::new();
        let Some((first, others)) = self.all.split_first_mut() else {
            return chosen;
        };
        let open = others.iter_mut().filter(|other| !other.alike);
        for other in open.take(RIVALS_MAX) {
            let (first, other_theory) = (&first.hypothesis, &other.hypothesis);
            let divides = |key: &&Vec<u8>| first.place(key) != other_theory.place(key);
            let have = chosen.iter().filter(divides).count();
            if have < CHOSEN {
                let found = divisive(first, other_theory, keys, CHOSEN - have);
                other.alike = have == 0 && found.is_empty();
                chosen.extend(found);
            }
        }
        chosen
    }

    /// The result of the search.
    pub(super) fn outcome(&self) -> Outcome {
        let Some((first, others)) = self.all.split_first() else {
            return Outcome::Unexplained;
        };
        let hypotheses = |alike: bool| -> Vec<Hypothesis> {
            let some = others.iter().filter(|other| other.alike == alike);
            some.map(|other| other.hypothesis.clone()).collect()
        };
        Outcome::Found(Box::new(Found::new(
            &first.hypothesis,
            &hypotheses(true),
            &hypotheses(false),
        )))
    }
}

/// At most `count` keys that two hypotheses place differently, found by computing.
fn divisive(one: &Hypothesis, other: &Hypothesis, keys: &mut Keys, count: usize) -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    if one.tags == other.tags && one.same_table(other) {
        return found;
    }
    let kinds: &[TagRule] = if one.tags == other.tags {
        &[TagRule::WholeKey]
    } else {
        &[one.tags, other.tags]
    };
    for number in 0..LOOKED_AT {
        let key = keys.tagged(kinds[number % kinds.len()]);
        if one.place(&key) != other.place(&key) {
            found.push(key);
            if found.len() == count {
                break;
            }
        }
    }
    found
}
