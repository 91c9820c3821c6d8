//! Placements that hash names of nodes: rendezvous and rings, with the texts that programs make of a name.

use std::ops::RangeInclusive;

use super::super::naming::Naming;
use super::super::observation::Observation;
use super::super::query::Query;
use super::digest::{DIGESTS, Digest};

/// Texts between the name of a node and a key, or the number of a point.
const BETWEEN: [&str; 7] = ["-", ":", "", "#", "_", "/", "|"];
/// Most points of a node.
const POINTS_MAX: u32 = 1024;
/// Points of the ring that is tried first: a ring of 40 to 1000 points places a fifth of all keys like it, or more.
const POINTS_FIRST: u32 = 200;
/// A ring whose share is this many standard deviations above chance is looked at.
const DEVIATIONS: f64 = 5.0;

/// The names of all nodes that may be hashed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Names {
    /// Their description.
    pub(super) words: &'static str,
    texts: Vec<String>,
}

/// A text made of a name and something else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Join {
    between: &'static str,
    name_first: bool,
}

/// The node whose name gives the highest digest together with the key.
#[derive(Clone)]
pub(super) struct Rendezvous {
    pub(super) digest: &'static Digest,
    pub(super) names: Names,
    pub(super) join: Join,
}

/// A ring of points by the names of nodes and numbers.
#[derive(Clone)]
pub(super) struct Ring {
    pub(super) digest: &'static Digest,
    pub(super) names: Names,
    pub(super) join: Join,
    /// The number of a node's first point.
    pub(super) first: u32,
    /// Points per node. Every count of the range places the observed keys alike.
    pub(super) points: RangeInclusive<u32>,
}

impl Names {
    /// Each kind that the nodes have: names, and numbers from 0 and from 1.
    fn all(question: &Query) -> Vec<Self> {
        let named = Naming::possible(question).into_iter().map(|naming| {
            let texts = question.nodes.iter().filter_map(|node| naming.text(node));
            Self {
                words: naming.name(),
                texts: texts.collect(),
            }
        });
        let numbered = |words, first: usize| Self {
            words,
            texts: (first..first + question.nodes.len())
                .map(|number| number.to_string())
                .collect(),
        };
        let numbers = [
            numbered("numbers from 0, in the order given", 0),
            numbered("numbers from 1, in the order given", 1),
        ];
        named.chain(numbers).collect()
    }
}

impl Join {
    fn all() -> impl Iterator<Item = Self> {
        [true, false].into_iter().flat_map(|name_first| {
            BETWEEN.into_iter().map(move |between| Self {
                between,
                name_first,
            })
        })
    }

    /// Replaces `text`.
    fn write(self, name: &[u8], other: &[u8], text: &mut Vec<u8>) {
        let (first, second) = match self.name_first {
            true => (name, other),
            false => (other, name),
        };
        text.clear();
        text.extend_from_slice(first);
        text.extend_from_slice(self.between.as_bytes());
        text.extend_from_slice(second);
    }

    /// The text, with these words for its parts.
    pub(super) fn words(self, name: &str, other: &str) -> String {
        let (first, second) = match self.name_first {
            true => (name, other),
            false => (other, name),
        };
        format!("{first}{}{second}", self.between)
    }
}

impl Rendezvous {
    /// The node of a key, by its place in the question.
    pub(super) fn place(&self, key: &[u8]) -> usize {
        let mut text = Vec::new();
        let score = |name: &String| {
            self.join.write(name.as_bytes(), key, &mut text);
            self.digest.of(&text).top()
        };
        let scores: Vec<u64> = self.names.texts.iter().map(score).collect();
        // The first of equal ones.
        let places = (0..scores.len()).rev();
        places.max_by_key(|place| scores[*place]).unwrap_or(0)
    }
}

/// The first rendezvous that explains all observations.
pub(super) fn rendezvous(question: &Query, observations: &[Observation]) -> Option<Rendezvous> {
    let names = Names::all(question);
    let candidates = DIGESTS.iter().flat_map(|digest| {
        names.iter().flat_map(move |names| {
            Join::all().map(move |join| Rendezvous {
                digest,
                names: names.clone(),
                join,
            })
        })
    });
    let explains = |candidate: &Rendezvous| {
        let agrees = |it: &Observation| candidate.place(&it.key) == it.place;
        observations.iter().all(agrees)
    };
    candidates.into_iter().find(explains)
}

impl Ring {
    /// The points of a ring with this many per node, sorted: the digest and the place of the node.
    fn points(&self, per_node: u32) -> Vec<(u64, usize)> {
        let mut points: Vec<(u64, usize)> = (0..self.names.texts.len())
            .flat_map(|place| self.points_of(place, per_node).map(move |at| (at, place)))
            .collect();
        points.sort_unstable();
        points
    }

    fn points_of(&self, place: usize, count: u32) -> impl Iterator<Item = u64> {
        let mut text = Vec::new();
        (self.first..self.first + count).map(move |number| {
            let name = self.names.texts[place].as_bytes();
            self.join
                .write(name, number.to_string().as_bytes(), &mut text);
            self.digest.of(&text).top()
        })
    }

    /// The node of each of these keys: the first point at or after the key.
    pub(super) fn places<'a>(&self, keys: impl Iterator<Item = &'a [u8]>) -> Vec<usize> {
        let points = self.points(*self.points.start());
        keys.map(|key| owner(&points, self.digest.of(key).top()))
            .collect()
    }

    /// Whether a ring of about 200 points explains more than chance.
    fn is_promising(&self, digests: &[(u64, usize)], chance: f64) -> bool {
        let points = self.points(POINTS_FIRST);
        let agrees = |(digest, place): &&(u64, usize)| owner(&points, *digest) == *place;
        let explained = digests.iter().filter(agrees).count() as f64;
        let count = digests.len() as f64;
        let deviation = (chance * (1.0 - chance) / count).sqrt();
        explained / count > chance + DEVIATIONS * deviation
    }

    /// The numbers of points per node with which it explains all of these.
    fn exact(&self, digests: &[(u64, usize)]) -> Option<RangeInclusive<u32>> {
        let nodes = self.names.texts.len();
        let of = |place| self.points_of(place, POINTS_MAX).collect();
        let points: Vec<Vec<u64>> = (0..nodes).map(of).collect();
        // By the number of points, from 1.
        let mut alive = vec![true; POINTS_MAX as usize];
        for (digest, place) in digests {
            let (mut nearest, mut owner) = (u64::MAX, nodes);
            for (index, alive) in alive.iter_mut().enumerate() {
                for (node, points) in points.iter().enumerate() {
                    let distance = points[index].wrapping_sub(*digest);
                    if distance < nearest {
                        (nearest, owner) = (distance, node);
                    }
                }
                *alive &= owner == *place;
            }
            if !alive.contains(&true) {
                return None;
            }
        }
        let count = |index: usize| index as u32 + 1;
        let least = alive.iter().position(|alive| *alive).map(count)?;
        let most = alive.iter().rposition(|alive| *alive).map(count)?;
        Some(least..=most)
    }
}

/// The owner of the first point at or after `digest`; after the last one comes the first.
fn owner(points: &[(u64, usize)], digest: u64) -> usize {
    let next = points.partition_point(|(point, _)| *point < digest);
    points.get(next).or(points.first()).map_or(0, |it| it.1)
}

/// The first ring that explains all observations. `chance` is the share that an unrelated one would explain.
pub(super) fn ring(question: &Query, observations: &[Observation], chance: f64) -> Option<Ring> {
    let names = Names::all(question);
    DIGESTS.iter().find_map(|digest| {
        let digests: Vec<(u64, usize)> = observations
            .iter()
            .map(|observation| (digest.of(&observation.key).top(), observation.place))
            .collect();
        let mut rings = names.iter().flat_map(|names| {
            Join::all().map(move |join| Ring {
                digest,
                names: names.clone(),
                join,
                first: 0,
                points: 1..=POINTS_MAX,
            })
        });
        rings.find_map(|ring| {
            if !ring.is_promising(&digests, chance) {
                return None;
            }
            [0, 1].into_iter().find_map(|first| {
                let ring = Ring {
                    first,
                    ..ring.clone()
                };
                let points = ring.exact(&digests)?;
                Some(Ring { points, ..ring })
            })
        })
    })
}
