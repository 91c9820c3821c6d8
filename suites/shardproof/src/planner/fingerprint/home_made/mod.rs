//! Placements of home-made proxies: a digest of a standard library, and a remainder, slots, jump, rendezvous or a ring.
//!
//! No file describes such a cluster, so `plan` cannot compute with it: the result is a description for people.

mod digest;
mod murmur3;
mod named;
mod number;
mod numbered;
mod strings;

use placement::hash::{TagRule, hashed_part};

use self::named::{Rendezvous, Ring};
use self::numbered::Numbered;
use super::observation::Observation;
use super::query::Query;
use super::words;

/// A placement that no cluster file describes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HomeMade {
    /// The digest.
    pub digest: &'static str,
    /// From the digest to a node.
    pub rule: String,
    /// The part of nodes that is hashed, if any.
    pub names: Option<String>,
    /// The numbers of each given node, if the rule numbers them.
    pub numbers: Option<Vec<Vec<usize>>>,
    /// The part of keys that is hashed, as text.
    pub tags: String,
}

/// A rule that explains all keys that are hashed whole.
pub(super) struct Rule(Kind);

enum Kind {
    Numbered(Numbered),
    Rendezvous(Rendezvous),
    Ring(Ring),
}

/// The first rule that explains `observations`, which are independent of tags. `chance` is the share that an unrelated one
/// would explain.
pub(super) fn search(question: &Query, observations: &[Observation], chance: f64) -> Option<Rule> {
    let numbered = || numbered::fit(question.nodes.len(), observations).map(Kind::Numbered);
    let rendezvous = || named::rendezvous(question, observations).map(Kind::Rendezvous);
    let ring = || named::ring(question, observations, chance).map(Kind::Ring);
    numbered().or_else(rendezvous).or_else(ring).map(Rule)
}

impl Rule {
    /// Its description, if it explains `observations` under one of `tags`.
    pub(super) fn explains(
        &self,
        question: &Query,
        observations: &[Observation],
        tags: &[TagRule],
    ) -> Option<HomeMade> {
        let explained = |rule: TagRule| {
            let keys = observations.iter().map(|it| hashed_part(rule, &it.key));
            let places = self.places(question, keys);
            let mut pairs = places.iter().zip(observations);
            pairs.all(|(place, observation)| *place == observation.place)
        };
        let rule = tags.iter().find(|rule| explained(**rule))?;
        Some(self.described(question, *rule))
    }

    /// The node of each key, by its place in the question.
    fn places<'a>(&self, question: &Query, keys: impl Iterator<Item = &'a [u8]>) -> Vec<usize> {
        match &self.0 {
            Kind::Numbered(rule) => keys
                .map(|key| rule.place(key, question.nodes.len()))
                .collect(),
            Kind::Rendezvous(rule) => keys.map(|key| rule.place(key)).collect(),
            Kind::Ring(ring) => ring.places(keys),
        }
    }

    fn described(&self, question: &Query, tags: TagRule) -> HomeMade {
        let tags = words::tags(tags);
        match &self.0 {
            Kind::Numbered(rule) => HomeMade {
                digest: rule.digest.name,
                rule: rule.reduction.words(),
                names: None,
                numbers: Some(
                    (0..question.nodes.len())
                        .map(|place| {
                            let numbers = (0..).zip(&rule.owners);
                            let owned = numbers.filter(|(_, owner)| **owner == place);
                            owned.map(|(number, _)| number).collect()
                        })
                        .collect(),
                ),
                tags,
            },
            Kind::Rendezvous(rule) => HomeMade {
                digest: rule.digest.name,
                rule: format!(
                    "rendezvous: the highest digest of {}",
                    rule.join.words("NODE", "KEY")
                ),
                names: Some(rule.names.words.to_owned()),
                numbers: None,
                tags,
            },
            Kind::Ring(ring) => HomeMade {
                digest: ring.digest.name,
                rule: format!(
                    "ring of {} points per node, at the digests of {}, I from {}",
                    range(&ring.points),
                    ring.join.words("NODE", "I"),
                    ring.first
                ),
                names: Some(ring.names.words.to_owned()),
                numbers: None,
                tags,
            },
        }
    }
}

fn range(points: &std::ops::RangeInclusive<u32>) -> String {
    match points.start() == points.end() {
        true => points.start().to_string(),
        false => format!("{} to {}", points.start(), points.end()),
    }
}

#[cfg(test)]
mod tests;
