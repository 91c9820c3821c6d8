//! The search: write a few keys, drop what they contradict, go on with what is less likely or with keys that tell more.

use placement::hash::TagRule;

use super::finding::{Finding, Found, NearMiss, Outcome, Quality};
use super::hypothesis::{Candidate, Hypothesis};
use super::keys::{Keys, is_plain};
use super::observation::{Observation, Why};
use super::query::Query;
use super::search_stage::{SearchStage, Tried};
use super::slot_runs::Slots;
use super::{Failure, Observer, near_equal};

/// Groups of keys with the same tag, for each rule, and keys in each.
const GROUPS: usize = 6;
const GROUP_KEYS: usize = 4;
/// Keys that are written again to see whether they scatter, and how often.
const REWRITTEN: usize = 16;
const REWRITES: usize = 5;
/// Keys that count up.
const COUNTED: usize = 100;
/// Drawn keys that a hypothesis must explain before it is believed.
const DRAWN: usize = 256;
/// Keys on which two hypotheses must differ and the one be right.
const CHOSEN: usize = 3;
/// Keys that are looked at, without writing them, for one that tells two hypotheses apart.
const LOOKED_AT: usize = 100_000;
/// How many hypotheses are told apart at a time.
const RIVALS_MAX: usize = 64;
/// Sightings that a candidate is judged by before the others.
const GLANCE: usize = 64;
/// How many of the candidates that come nearest are remembered, and told.
const RANKING: usize = 48;
const NEAREST: usize = 5;

/// A search under way.
pub(super) struct Investigation<'a, W> {
    question: &'a Query,
    witness: &'a mut W,
    say: &'a dyn Fn(&str),
    rules: Vec<TagRule>,
    keys: Keys,
    observations: Vec<Observation>,
    /// Candidates with the best first.
    ranking: Vec<Tried>,
    /// Explain all that was seen.
    survivors: Vec<Survivor>,
    tried: usize,
    needed: usize,
}

/// A hypothesis that explains everything, and whether it is known to place all keys as the first one does.
struct Survivor {
    hypothesis: Hypothesis,
    alike: bool,
}

type Done<W, T> = Result<T, Failure<<W as Observer>::Error>>;

impl<'a, W: Observer> Investigation<'a, W> {
    pub(super) fn new(question: &'a Query, witness: &'a mut W, say: &'a dyn Fn(&str)) -> Self {
        Self {
            question,
            witness,
            say,
            rules: question.rules(),
            keys: Keys::new(&question.prefix, question.seed),
            observations: Vec::new(),
            ranking: Vec::new(),
            survivors: Vec::new(),
            tried: 0,
            needed: 0,
        }
    }

    pub(super) fn run(mut self) -> Done<W, Finding> {
        self.draw(SearchStage::Usual.keys())?;
        if let Some(scatter) = self.scatter()? {
            return Ok(self.finding(scatter));
        }
        self.write_tagged()?;
        for stage in self.tiers().iter().copied() {
            self.draw(stage.keys())?;
            (self.say)(&format!(
                "{}, {} keys, {} candidates tried",
                stage.name(),
                self.observations.len(),
                self.tried
            ));
            self.sift(stage);
            if stage == SearchStage::Fitted && self.survivors.is_empty() {
                self.fit_slots()?;
            }
            if !self.survivors.is_empty() {
                self.confirm()?;
            }
            if !self.survivors.is_empty() {
                break;
            }
        }
        self.write_counted()?;
        let outcome = self.outcome();
        Ok(self.finding(outcome))
    }

    /// Where one node holds everything, only a usual setting is an explanation: others would be as good as any.
    fn tiers(&self) -> &'static [SearchStage] {
        let mut places = self
            .observations
            .iter()
            .map(|observation| observation.place);
        let first = places.next();
        if places.all(|place| Some(place) == first) {
            &SearchStage::ALL[..1]
        } else {
            &SearchStage::ALL
        }
    }

    /// Writes drawn keys until there are `count`, or no more may be written.
    fn draw(&mut self, count: usize) -> Done<W, ()> {
        let drawn = |observation: &&Observation| observation.why == Why::Drawn;
        let have = self.observations.iter().filter(drawn).count();
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
            .observations
            .iter()
            .any(|observation| observation.why == Why::Counted)
        {
            return Ok(());
        }
        let keys = self.keys.sequence(COUNTED).into_iter();
        self.write(keys.map(|key| (key, Why::Counted)).collect())
    }

    /// Writes keys, as many as may still be, and remembers where they are.
    fn write(&mut self, mut keys: Vec<(Vec<u8>, Why)>) -> Done<W, ()> {
        keys.truncate(
            self.question
                .keys_max
                .saturating_sub(self.observations.len()),
        );
        if keys.is_empty() {
            return Ok(());
        }
        let bare: Vec<Vec<u8>> = keys.iter().map(|(key, _)| key.clone()).collect();
        let places = self.witness.write(&bare, 1).map_err(Failure::Observer)?;
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
            self.observations.push(Observation {
                key,
                number: self.observations.len(),
                place: on[0],
                why,
            });
        }
        self.forget_contradicted();
        Ok(())
    }

    /// Drops the hypotheses that do not explain every observation. Where the first one goes, what was alike to it is open again.
    fn forget_contradicted(&mut self) {
        let mut first_goes = false;
        for index in (0..self.survivors.len()).rev() {
            if let Some(miss) = self.survivors[index]
                .hypothesis
                .first_miss(&self.observations)
            {
                self.needed = self.needed.max(miss + 1);
                self.survivors.remove(index);
                first_goes = index == 0;
            }
        }
        if first_goes {
            for survivor in &mut self.survivors {
                survivor.alike = false;
            }
        }
    }

    /// Writes some keys again: where they then lie on several nodes, there is no placement.
    fn scatter(&mut self) -> Done<W, Option<Outcome>> {
        let some = self.observations.iter().take(REWRITTEN);
        let keys: Vec<Vec<u8>> = some.map(|observation| observation.key.clone()).collect();
        let places = self
            .witness
            .write(&keys, REWRITES)
            .map_err(Failure::Observer)?;
        let scattered = places.iter().filter(|on| on.len() > 1).count();
        Ok((scattered > 0).then_some(Outcome::Scatter {
            rewritten: keys.len(),
            scattered,
        }))
    }

    /// The observations that tell nothing of tags.
    fn plain(&self) -> Vec<Observation> {
        let is_plain = |observation: &&Observation| is_plain(&observation.key, &self.rules);
        self.observations.iter().filter(is_plain).cloned().collect()
    }

    /// Tries the candidates of a stage.
    fn sift(&mut self, stage: SearchStage) {
        let plain = self.plain();
        self.rank(&plain);
        let question = self.question;
        for batch in stage.batches(question, &plain, &self.ranking) {
            for candidate in batch {
                self.try_candidate(candidate, &plain);
            }
            if !self.survivors.is_empty() && stage != SearchStage::Usual {
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
                .observations
                .iter()
                .map(|observation| (observation.key.as_slice(), observation.place));
            let Some(slots) = Slots::seen(seen) else {
                return Ok(());
            };
            let keys = slots.keys_between(&mut self.keys);
            let before = self.observations.len();
            self.write(keys.into_iter().map(|key| (key, Why::Chosen)).collect())?;
            if self.observations.len() == before {
                self.try_candidate(slots.candidate(self.question), &self.plain());
                return Ok(());
            }
        }
    }

    fn try_candidate(&mut self, candidate: Candidate, plain: &[Observation]) {
        let Some(hypothesis) = candidate.clone().hypothesis(TagRule::WholeKey) else {
            return;
        };
        self.tried += 1;
        if let Some(miss) = hypothesis.first_miss(plain) {
            self.needed = self.needed.max(plain[miss].number + 1);
            // A glance tells most that are wrong from those that come near.
            let glance = &plain[..plain.len().min(GLANCE)];
            let mut share = hypothesis.explained(glance) as f64 / glance.len() as f64;
            let worst = self.ranking.get(RANKING - 1).map_or(0.0, |worst| worst.0);
            if share > worst && plain.len() > GLANCE {
                share = hypothesis.explained(plain) as f64 / plain.len() as f64;
            }
            self.remember(share, candidate);
            return;
        }
        self.remember(1.0, candidate);
        for hypothesis in under_rules(&hypothesis, &self.rules) {
            self.stand(hypothesis);
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
    fn rank(&mut self, plain: &[Observation]) {
        for (share, candidate) in &mut self.ranking {
            if let Some(hypothesis) = candidate.clone().hypothesis(TagRule::WholeKey) {
                *share = hypothesis.explained(plain) as f64 / plain.len() as f64;
            }
        }
        self.ranking.sort_by(|one, other| other.0.total_cmp(&one.0));
    }

    /// Adds a hypothesis when it explains everything and does not stand already.
    fn stand(&mut self, hypothesis: Hypothesis) {
        if let Some(miss) = hypothesis.first_miss(&self.observations) {
            self.needed = self.needed.max(miss + 1);
            return;
        }
        let known = self.survivors.iter().any(|survivor| {
            survivor.hypothesis.tags == hypothesis.tags
                && survivor.hypothesis.candidate == hypothesis.candidate
        });
        if !known {
            self.survivors.push(Survivor {
                hypothesis,
                alike: false,
            });
        }
    }

    /// More keys for what stands, and keys that tell it from its rivals.
    fn confirm(&mut self) -> Done<W, ()> {
        self.draw(DRAWN)?;
        self.write_counted()?;
        while !self.survivors.is_empty() {
            self.add_rivals();
            let keys = self.divisive_keys();
            let before = self.observations.len();
            (self.say)(&format!(
                "telling {} descriptions apart by {} chosen keys",
                self.survivors.len(),
                keys.len()
            ));
            self.write(keys)?;
            if self.observations.len() == before {
                break;
            }
        }
        Ok(())
    }

    /// What is next to the first hypothesis, where it explains everything too.
    fn add_rivals(&mut self) {
        let Some(first) = self.survivors.first() else {
            return;
        };
        let first = first.hypothesis.clone();
        for rival in near_equal::next_to(self.question, &first) {
            if let Some(hypothesis) = rival.hypothesis(first.tags) {
                self.tried += 1;
                self.stand(hypothesis);
            }
        }
    }

    /// Keys on which another hypothesis differs from the first one; a hypothesis without such a key is alike.
    fn divisive_keys(&mut self) -> Vec<(Vec<u8>, Why)> {
        let mut chosen: Vec<Vec<u8>> = Vec::new();
        let Some((first, others)) = self.survivors.split_first_mut() else {
            return Vec::new();
        };
        let open = others.iter_mut().filter(|other| !other.alike);
        for other in open.take(RIVALS_MAX) {
            let (first, other_theory) = (&first.hypothesis, &other.hypothesis);
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
        let Some((first, others)) = self.survivors.split_first() else {
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

    fn finding(mut self, outcome: Outcome) -> Finding {
        let plain = self.plain();
        self.rank(&plain);
        let weights = match self.survivors.first() {
            Some(first) => first.hypothesis.candidate.weights(),
            None => self.question.usual_weights(),
        };
        let quality = Quality::new(&self.observations, &weights);
        Finding {
            chance: quality.chance(),
            keys: self.observations.len(),
            needed: self.needed,
            tried: self.tried,
            nearest: nearest(&self.ranking),
            quality,
            outcome,
        }
    }
}

/// The best of each policy and naming.
fn nearest(ranking: &[Tried]) -> Vec<NearMiss> {
    let mut nearest: Vec<NearMiss> = Vec::new();
    for near in ranking.iter().map(NearMiss::new) {
        let is_known =
            |other: &NearMiss| other.policy == near.policy && other.naming == near.naming;
        if !nearest.iter().any(is_known) {
            nearest.push(near);
        }
    }
    nearest.truncate(NEAREST);
    nearest
}

/// A hypothesis under every rule of tags that it can have: slots always have braces.
fn under_rules(hypothesis: &Hypothesis, rules: &[TagRule]) -> Vec<Hypothesis> {
    match hypothesis.candidate.cluster.policy.own_tags() {
        Some(own) => vec![hypothesis.under(own)],
        None => rules.iter().map(|rule| hypothesis.under(*rule)).collect(),
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
