//! The search: writes a few keys, drops the hypotheses that they contradict, and continues with less likely ones or
//! with more distinctive keys.

use placement::hash::TagRule;

use super::finding::{Finding, Outcome, Quality};
use super::hypothesis::{Candidate, Hypothesis};
use super::keys::{Keys, is_plain};
use super::observation::{Observation, Why};
use super::query::Query;
use super::ranking::Ranking;
use super::search_stage::SearchStage;
use super::slot_runs::Slots;
use super::survivors::Survivors;
use super::{Failure, Observer, home_made, near_equal};

/// Groups of keys with the same tag, for each rule, and keys in each.
const GROUPS: usize = 6;
const GROUP_KEYS: usize = 4;
/// Keys that are written again to see whether they scatter, and how often.
const REWRITTEN: usize = 16;
const REWRITES: usize = 5;
/// Keys that count up.
const COUNTED: usize = 100;
/// Random keys that a hypothesis must explain before it is accepted.
const DRAWN: usize = 256;
/// Sightings by which a candidate is judged before the others.
const GLANCE: usize = 64;
/// Random keys by which a home-made placement is found, and those that it must explain before it is accepted.
const HOME_MADE: usize = 1024;
const HOME_MADE_ACCEPTED: usize = 2048;

/// A running search.
pub(super) struct Investigation<'a, W> {
    question: &'a Query,
    witness: &'a mut W,
    say: &'a dyn Fn(&str),
    rules: Vec<TagRule>,
    keys: Keys,
    observations: Vec<Observation>,
    ranking: Ranking,
    survivors: Survivors,
    tried: usize,
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
            ranking: Ranking::default(),
            survivors: Survivors::default(),
            tried: 0,
        }
    }

    pub(super) fn run(mut self) -> Done<W, Finding> {
        self.draw(SearchStage::Usual.keys())?;
        if let Some(scatter) = self.scatter()? {
            return Ok(self.finding(scatter));
        }
        self.write_tagged()?;
        for stage in self.tiers().iter().copied() {
            if stage == SearchStage::Large
                && let Some(home_made) = self.home_made()?
            {
                self.write_counted()?;
                return Ok(self.finding(home_made));
            }
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
        let outcome = self.survivors.outcome();
        Ok(self.finding(outcome))
    }

    /// Tries placements that no cluster file describes.
    fn home_made(&mut self) -> Done<W, Option<Outcome>> {
        self.draw(HOME_MADE)?;
        (self.say)(&format!(
            "home-made placements, {} keys",
            self.observations.len()
        ));
        if self.search_home_made().is_none() {
            return Ok(None);
        }
        // Keys that it was not fitted to.
        self.draw(HOME_MADE_ACCEPTED)?;
        self.write_counted()?;
        Ok(self.search_home_made().and_then(|rule| {
            let found = rule.explains(self.question, &self.observations, &self.rules);
            found.map(Outcome::HomeMade)
        }))
    }

    fn search_home_made(&self) -> Option<home_made::Rule> {
        let plain = self.plain();
        let mut counts = vec![0; self.question.nodes.len()];
        for observation in &plain {
            counts[observation.place] += 1;
        }
        let fullest = counts.into_iter().max().unwrap_or(0);
        let chance = f64::from(fullest) / plain.len().max(1) as f64;
        home_made::search(self.question, &plain, chance)
    }

    /// If one node holds everything, only a usual setting is an explanation: any other would do as well.
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

    /// Writes random keys until there are `count`, or no more may be written.
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
        self.survivors.forget_contradicted(&self.observations);
        Ok(())
    }

    /// Writes some keys again: if they are then on several nodes, there is no placement.
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

    /// The observations that are independent of tags.
    fn plain(&self) -> Vec<Observation> {
        let is_plain = |observation: &&Observation| is_plain(&observation.key, &self.rules);
        self.observations.iter().filter(is_plain).cloned().collect()
    }

    /// Tries the candidates of a stage.
    fn sift(&mut self, stage: SearchStage) {
        let plain = self.plain();
        self.ranking.rank(&plain);
        let question = self.question;
        for batch in stage.batches(question, &plain, self.ranking.best()) {
            for candidate in batch {
                self.try_candidate(candidate, &plain);
            }
            if !self.survivors.is_empty() && stage != SearchStage::Usual {
                break;
            }
        }
    }

    /// Follows the runs of slots to their ends, if there are any.
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
            self.survivors.rule_out(plain[miss].number);
            // A first sample separates most wrong candidates from those that come close.
            let glance = &plain[..plain.len().min(GLANCE)];
            let mut share = hypothesis.explained(glance) as f64 / glance.len() as f64;
            if share > self.ranking.worst() && plain.len() > GLANCE {
                share = hypothesis.explained(plain) as f64 / plain.len() as f64;
            }
            self.ranking.remember(share, candidate);
            return;
        }
        self.ranking.remember(1.0, candidate);
        for hypothesis in under_rules(&hypothesis, &self.rules) {
            self.survivors.add(hypothesis, &self.observations);
        }
    }

    /// Writes more keys for the survivors, and keys that distinguish the first from its rivals.
    fn confirm(&mut self) -> Done<W, ()> {
        self.draw(DRAWN)?;
        self.write_counted()?;
        while !self.survivors.is_empty() {
            self.add_rivals();
            let keys = self.survivors.divisive_keys(&mut self.keys);
            let before = self.observations.len();
            (self.say)(&format!(
                "distinguishing {} descriptions by {} chosen keys",
                self.survivors.len(),
                keys.len()
            ));
            self.write(keys.into_iter().map(|key| (key, Why::Chosen)).collect())?;
            if self.observations.len() == before {
                break;
            }
        }
        Ok(())
    }

    /// Adds hypotheses close to the first one, if they explain everything too.
    fn add_rivals(&mut self) {
        let Some(first) = self.survivors.first() else {
            return;
        };
        let first = first.clone();
        for rival in near_equal::next_to(self.question, &first) {
            if let Some(hypothesis) = rival.hypothesis(first.tags) {
                self.tried += 1;
                self.survivors.add(hypothesis, &self.observations);
            }
        }
    }

    fn finding(mut self, outcome: Outcome) -> Finding {
        let plain = self.plain();
        self.ranking.rank(&plain);
        let weights = match self.survivors.first() {
            Some(first) => first.candidate.weights(),
            None => self.question.usual_weights(),
        };
        let quality = Quality::new(&self.observations, &weights);
        Finding {
            chance: quality.chance(),
            keys: self.observations.len(),
            needed: self.survivors.needed(),
            tried: self.tried,
            nearest: self.ranking.nearest(),
            quality,
            outcome,
        }
    }
}

/// A hypothesis under every rule of tags that it can have: slots always have braces.
fn under_rules(hypothesis: &Hypothesis, rules: &[TagRule]) -> Vec<Hypothesis> {
    match hypothesis.candidate.cluster.policy.own_tags() {
        Some(own) => vec![hypothesis.under(own)],
        None => rules.iter().map(|rule| hypothesis.under(*rule)).collect(),
    }
}
