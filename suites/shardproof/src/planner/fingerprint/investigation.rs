//! The search: write a few keys, drop what they contradict, go on with what is less likely or with keys that tell more.

use placement::hash::TagRule;

use super::finding::{Finding, Found, Near, Outcome, Quality};
use super::keys::{Keys, is_plain};
use super::question::Question;
use super::sighting::{Sighting, Why};
use super::slot_runs::Slots;
use super::theory::{Candidate, Theory};
use super::tier::{Tier, Tried};
use super::{Failure, Witness, rivals};

/// Groups of keys with the same tag, for each rule, and keys in each.
const GROUPS: usize = 6;
const GROUP_KEYS: usize = 4;
/// Keys that are written again to see whether they scatter, and how often.
const REWRITTEN: usize = 16;
const REWRITES: usize = 5;
/// Keys that count up.
const COUNTED: usize = 100;
/// Drawn keys that a theory must explain before it is believed.
const DRAWN: usize = 256;
/// Keys on which two theories must differ and the one be right.
const CHOSEN: usize = 3;
/// Keys that are looked at, without writing them, for one that tells two theories apart.
const LOOKED_AT: usize = 100_000;
/// How many theories are told apart at a time.
const RIVALS_MAX: usize = 64;
/// Sightings that a candidate is judged by before the others.
const GLANCE: usize = 64;
/// How many of the candidates that come nearest are remembered, and told.
const RANKING: usize = 48;
const NEAREST: usize = 5;

/// A search under way.
pub(super) struct Investigation<'a, W> {
    question: &'a Question,
    witness: &'a mut W,
    say: &'a dyn Fn(&str),
    rules: Vec<TagRule>,
    keys: Keys,
    sightings: Vec<Sighting>,
    /// Candidates with the best first.
    ranking: Vec<Tried>,
    /// Explain all that was seen.
    standing: Vec<Standing>,
    tried: usize,
    needed: usize,
}

/// A theory that explains everything, and whether it is known to place all keys as the first one does.
struct Standing {
    theory: Theory,
    alike: bool,
}

type Done<W, T> = Result<T, Failure<<W as Witness>::Error>>;

impl<'a, W: Witness> Investigation<'a, W> {
    pub(super) fn new(question: &'a Question, witness: &'a mut W, say: &'a dyn Fn(&str)) -> Self {
        Self {
            question,
            witness,
            say,
            rules: question.rules(),
            keys: Keys::new(&question.prefix, question.seed),
            sightings: Vec::new(),
            ranking: Vec::new(),
            standing: Vec::new(),
            tried: 0,
            needed: 0,
        }
    }

    pub(super) fn run(mut self) -> Done<W, Finding> {
        self.draw(Tier::Usual.keys())?;
        if let Some(scatter) = self.scatter()? {
            return Ok(self.finding(scatter));
        }
        self.write_tagged()?;
        for tier in self.tiers().iter().copied() {
            self.draw(tier.keys())?;
            (self.say)(&format!(
                "{}, {} keys, {} candidates tried",
                tier.name(),
                self.sightings.len(),
                self.tried
            ));
            self.sift(tier);
            if tier == Tier::Fitted && self.standing.is_empty() {
                self.fit_slots()?;
            }
            if !self.standing.is_empty() {
                self.confirm()?;
            }
            if !self.standing.is_empty() {
                break;
            }
        }
        self.write_counted()?;
        let outcome = self.outcome();
        Ok(self.finding(outcome))
    }

    /// Where one node holds everything, only a usual setting is an explanation: others would be as good as any.
    fn tiers(&self) -> &'static [Tier] {
        let mut places = self.sightings.iter().map(|sighting| sighting.place);
        let first = places.next();
        if places.all(|place| Some(place) == first) {
            &Tier::ALL[..1]
        } else {
            &Tier::ALL
        }
    }

    /// Writes drawn keys until there are `count`, or no more may be written.
    fn draw(&mut self, count: usize) -> Done<W, ()> {
        let drawn = |sighting: &&Sighting| sighting.why == Why::Drawn;
        let have = self.sightings.iter().filter(drawn).count();
        let keys = (have..count).map(|_| (self.keys.plain(), Why::Drawn));
        let keys = keys.collect();
        self.write(keys)
    }

    fn write_tagged(&mut self) -> Done<W, ()> {
        let mut keys = Vec::new();
        for (rule, tags) in self.rules.clone().into_iter().skip(1).enumerate() {
            for group in 0..GROUPS {
                let number = rule * GROUPS + group;
                let group = self.keys.group(tags, GROUP_KEYS);
                keys.extend(group.into_iter().map(|key| (key, Why::Tagged(number))));
            }
        }
        self.write(keys)
    }

    fn write_counted(&mut self) -> Done<W, ()> {
        if self
            .sightings
            .iter()
            .any(|sighting| sighting.why == Why::Counted)
        {
            return Ok(());
        }
        let keys = self.keys.sequence(COUNTED).into_iter();
        self.write(keys.map(|key| (key, Why::Counted)).collect())
    }

    /// Writes keys, as many as may still be, and remembers where they are.
    fn write(&mut self, mut keys: Vec<(Vec<u8>, Why)>) -> Done<W, ()> {
        keys.truncate(self.question.keys_max.saturating_sub(self.sightings.len()));
        if keys.is_empty() {
            return Ok(());
        }
        let bare: Vec<Vec<u8>> = keys.iter().map(|(key, _)| key.clone()).collect();
        let places = self.witness.write(&bare, 1).map_err(Failure::Witness)?;
        let written = places.len();
        let missing = places.iter().filter(|on| on.is_empty()).count();
        if missing > 0 {
            return Err(Failure::Missing { missing, written });
        }
        let copied = places.iter().filter(|on| on.len() > 1).count();
        if copied > 0 {
            return Err(Failure::Copied { copied, written });
        }
        for ((key, why), on) in keys.into_iter().zip(places) {
            self.sightings.push(Sighting {
                key,
                number: self.sightings.len(),
                place: on[0],
                why,
            });
        }
        self.forget_contradicted();
        Ok(())
    }

    /// Drops the theories that do not explain every sighting. Where the first one goes, what was alike to it is open again.
    fn forget_contradicted(&mut self) {
        let mut first_goes = false;
        for index in (0..self.standing.len()).rev() {
            if let Some(miss) = self.standing[index].theory.first_miss(&self.sightings) {
                self.needed = self.needed.max(miss + 1);
                self.standing.remove(index);
                first_goes = index == 0;
            }
        }
        if first_goes {
            for standing in &mut self.standing {
                standing.alike = false;
            }
        }
    }

    /// Writes some keys again: where they then lie on several nodes, there is no placement.
    fn scatter(&mut self) -> Done<W, Option<Outcome>> {
        let some = self.sightings.iter().take(REWRITTEN);
        let keys: Vec<Vec<u8>> = some.map(|sighting| sighting.key.clone()).collect();
        let places = self
            .witness
            .write(&keys, REWRITES)
            .map_err(Failure::Witness)?;
        let scattered = places.iter().filter(|on| on.len() > 1).count();
        Ok((scattered > 0).then_some(Outcome::Scatter {
            rewritten: keys.len(),
            scattered,
        }))
    }

    /// The sightings that tell nothing of tags.
    fn plain(&self) -> Vec<Sighting> {
        let is_plain = |sighting: &&Sighting| is_plain(&sighting.key, &self.rules);
        self.sightings.iter().filter(is_plain).cloned().collect()
    }

    /// Tries the candidates of a tier.
    fn sift(&mut self, tier: Tier) {
        let plain = self.plain();
        self.rank(&plain);
        let question = self.question;
        for batch in tier.batches(question, &plain, &self.ranking) {
            for candidate in batch {
                self.try_candidate(candidate, &plain);
            }
            if !self.standing.is_empty() && tier != Tier::Usual {
                break;
            }
        }
        self.ranking.sort_by(|one, other| other.0.total_cmp(&one.0));
        self.ranking.truncate(RANKING);
    }

    /// Follows the runs of slots to their ends, where there are runs.
    fn fit_slots(&mut self) -> Done<W, ()> {
        loop {
            let seen = self
                .sightings
                .iter()
                .map(|sighting| (sighting.key.as_slice(), sighting.place));
            let Some(slots) = Slots::seen(seen) else {
                return Ok(());
            };
            let keys = slots.keys_between(&mut self.keys);
            let before = self.sightings.len();
            self.write(keys.into_iter().map(|key| (key, Why::Chosen)).collect())?;
            if self.sightings.len() == before {
                self.try_candidate(slots.candidate(self.question), &self.plain());
                return Ok(());
            }
        }
    }

    fn try_candidate(&mut self, candidate: Candidate, plain: &[Sighting]) {
        let Some(theory) = candidate.clone().theory(TagRule::WholeKey) else {
            return;
        };
        self.tried += 1;
        if let Some(miss) = theory.first_miss(plain) {
            self.needed = self.needed.max(plain[miss].number + 1);
            // A glance tells most that are wrong from those that come near.
            let glance = &plain[..plain.len().min(GLANCE)];
            let mut share = theory.explained(glance) as f64 / glance.len() as f64;
            let worst = self.ranking.get(RANKING - 1).map_or(0.0, |worst| worst.0);
            if share > worst && plain.len() > GLANCE {
                share = theory.explained(plain) as f64 / plain.len() as f64;
            }
            self.remember(share, candidate);
            return;
        }
        self.remember(1.0, candidate);
        for theory in under_rules(&theory, &self.rules) {
            self.stand(theory);
        }
    }

    /// Keeps the ranking sorted and short.
    fn remember(&mut self, share: f64, candidate: Candidate) {
        let place = self.ranking.partition_point(|other| other.0 >= share);
        if place < RANKING {
            self.ranking.insert(place, (share, candidate));
            self.ranking.truncate(RANKING);
        }
    }

    /// Judges the ranking again by all that was seen since.
    fn rank(&mut self, plain: &[Sighting]) {
        for (share, candidate) in &mut self.ranking {
            if let Some(theory) = candidate.clone().theory(TagRule::WholeKey) {
                *share = theory.explained(plain) as f64 / plain.len() as f64;
            }
        }
        self.ranking.sort_by(|one, other| other.0.total_cmp(&one.0));
    }

    /// Adds a theory when it explains everything and does not stand already.
    fn stand(&mut self, theory: Theory) {
        if let Some(miss) = theory.first_miss(&self.sightings) {
            self.needed = self.needed.max(miss + 1);
            return;
        }
        let known = self.standing.iter().any(|standing| {
            standing.theory.tags == theory.tags && standing.theory.candidate == theory.candidate
        });
        if !known {
            self.standing.push(Standing {
                theory,
                alike: false,
            });
        }
    }

    /// More keys for what stands, and keys that tell it from its rivals.
    fn confirm(&mut self) -> Done<W, ()> {
        self.draw(DRAWN)?;
        self.write_counted()?;
        while !self.standing.is_empty() {
            self.add_rivals();
            let keys = self.divisive_keys();
            let before = self.sightings.len();
            (self.say)(&format!(
                "telling {} descriptions apart by {} chosen keys",
                self.standing.len(),
                keys.len()
            ));
            self.write(keys)?;
            if self.sightings.len() == before {
                break;
            }
        }
        Ok(())
    }

    /// What is next to the first theory, where it explains everything too.
    fn add_rivals(&mut self) {
        let Some(first) = self.standing.first() else {
            return;
        };
        let first = first.theory.clone();
        for rival in rivals::next_to(self.question, &first) {
            if let Some(theory) = rival.theory(first.tags) {
                self.tried += 1;
                self.stand(theory);
            }
        }
    }

    /// Keys on which another theory differs from the first one; a theory without such a key is alike.
    fn divisive_keys(&mut self) -> Vec<(Vec<u8>, Why)> {
        let mut chosen: Vec<Vec<u8>> = Vec::new();
        let Some((first, others)) = self.standing.split_first_mut() else {
            return Vec::new();
        };
        let open = others.iter_mut().filter(|other| !other.alike);
        for other in open.take(RIVALS_MAX) {
            let (first, other_theory) = (&first.theory, &other.theory);
            let divides = |key: &&Vec<u8>| first.place(key) != other_theory.place(key);
            let have = chosen.iter().filter(divides).count();
            if have < CHOSEN {
                let keys = divisive(first, other_theory, &mut self.keys, CHOSEN - have);
                other.alike = have == 0 && keys.is_empty();
                chosen.extend(keys);
            }
        }
        chosen.into_iter().map(|key| (key, Why::Chosen)).collect()
    }

    fn outcome(&self) -> Outcome {
        let Some((first, others)) = self.standing.split_first() else {
            return Outcome::Unexplained;
        };
        let theories = |alike: bool| -> Vec<Theory> {
            let some = others.iter().filter(|other| other.alike == alike);
            some.map(|other| other.theory.clone()).collect()
        };
        Outcome::Found(Box::new(Found::new(
            &first.theory,
            &theories(true),
            &theories(false),
        )))
    }

    fn finding(mut self, outcome: Outcome) -> Finding {
        let plain = self.plain();
        self.rank(&plain);
        let weights = match self.standing.first() {
            Some(first) => first.theory.candidate.weights(),
            None => self.question.usual_weights(),
        };
        let quality = Quality::new(&self.sightings, &weights);
        Finding {
            chance: quality.chance(),
            keys: self.sightings.len(),
            needed: self.needed,
            tried: self.tried,
            nearest: nearest(&self.ranking),
            quality,
            outcome,
        }
    }
}

/// The best of each policy and naming.
fn nearest(ranking: &[Tried]) -> Vec<Near> {
    let mut nearest: Vec<Near> = Vec::new();
    for near in ranking.iter().map(Near::new) {
        let is_known = |other: &Near| other.policy == near.policy && other.naming == near.naming;
        if !nearest.iter().any(is_known) {
            nearest.push(near);
        }
    }
    nearest.truncate(NEAREST);
    nearest
}

/// A theory under every rule of tags that it can have: slots always have braces.
fn under_rules(theory: &Theory, rules: &[TagRule]) -> Vec<Theory> {
    match theory.candidate.cluster.policy.own_tags() {
        Some(own) => vec![theory.under(own)],
        None => rules.iter().map(|rule| theory.under(*rule)).collect(),
    }
}

/// At most `count` keys that two theories place differently, found by computing.
fn divisive(one: &Theory, other: &Theory, keys: &mut Keys, count: usize) -> Vec<Vec<u8>> {
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
