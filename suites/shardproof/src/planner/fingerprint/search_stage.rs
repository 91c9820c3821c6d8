//! The candidates, the likeliest and cheapest first.

use placement::{Policy, TABLE_SIZE_DEFAULT, TABLE_SIZE_MAX};

use super::hypothesis::{Batch, Candidate, Tried};
use super::naming::Naming;
use super::observation::Observation;
use super::policies::{self, RING_SIZE, Ring};
use super::query::Query;
use super::{numbered, order, residues, ring_points, ring_sizes, weighing, weights};

/// Primes below this are all tried as sizes of maglev tables.
const SMALL_TABLE: u32 = 1000;
/// Sizes of maglev tables in examples and in other programs, and the primes next to powers of two.
const TABLE_SIZES: [u32; 21] = [
    1009, 1021, 1031, 2039, 2053, 4093, 4099, 8191, 8209, 10_007, 16_381, 16_411, 32_749, 32_771,
    65_521, 65_539, 100_003, 131_071, 131_101, 262_139, 262_147,
];
const LARGE_TABLE_SIZES: [u32; 6] = [524_287, 524_309, 655_373, 1_000_003, 1_048_573, 5_000_011];
/// Sizes of rings in examples and other programs.
const RING_SIZES: [u32; 24] = [
    1, 2, 4, 8, 16, 32, 64, 100, 128, 160, 256, 500, 512, 1000, 1023, 1025, 2000, 2048, 4000, 4096,
    5000, 8192, 10_000, 16_384,
];
/// Larger ones take seconds to build, and are tried when the user names them.
const LARGE_RING_SIZES: [u32; 4] = [32_768, 65_536, 100_000, 131_072];
/// How many of the nearest families are tried with other weights.
const FAMILIES: usize = 6;
/// Vectors of weights tried with each of them, when climbing leads nowhere.
const VECTORS_MAX: usize = 300;
/// Below this share a ring is not a ring in another order.
const NEAR: f64 = 0.9;

/// A stage of the search. Later ones are tried only if none explains the observations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SearchStage {
    /// Every policy with default settings, and every digest.
    Usual,
    /// Other sizes of tables and rings.
    Sizes,
    /// Parameters that follow from the observations: sizes of rings, weights of modula.
    Fitted,
    /// Other orders of rings, which decide about single points.
    Orders,
    /// Weights from 1 to 10.
    Weights,
    /// Other orders of rings with weights.
    WeightsAndOrders,
    /// Sizes that take long to build.
    Large,
}

impl SearchStage {
    pub(super) const ALL: [Self; 7] = [
        Self::Usual,
        Self::Sizes,
        Self::Fitted,
        Self::Orders,
        Self::Weights,
        Self::WeightsAndOrders,
        Self::Large,
    ];

    /// Drawn keys that are needed to judge it.
    pub(super) fn keys(self) -> usize {
        match self {
            Self::Usual => 64,
            Self::Sizes => 128,
            Self::Fitted | Self::Orders => 512,
            Self::Weights | Self::WeightsAndOrders | Self::Large => 1024,
        }
    }

    /// Its description for people.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Usual => "usual settings",
            Self::Sizes => "sizes of tables and rings",
            Self::Fitted => "what the keys tell of sizes and weights",
            Self::Weights => "weights",
            Self::Orders => "orders of nodes",
            Self::WeightsAndOrders => "orders of nodes with weights",
            Self::Large => "large tables and rings",
        }
    }

    /// Its candidates, batch by batch. `observations` are of plain keys; `ranking` has the closest candidates until
    /// now.
    pub(super) fn batches<'a>(
        self,
        question: &'a Query,
        observations: &'a [Observation],
        ranking: &[Tried],
    ) -> Vec<Batch<'a>> {
        let families = |policies: Vec<Policy>| -> Vec<Batch<'a>> {
            vec![Box::new(with_usual_weights(question, policies))]
        };
        match self {
            Self::Usual => {
                let mut batches = families(policies::usual());
                batches.push(Box::new(policies::numbered().into_iter().filter_map(
                    |policy| numbered::ordered(question, &policy, observations),
                )));
                batches
            }
            Self::Sizes => families(sizes(question)),
            Self::Fitted => fitted(question, observations),
            Self::Weights => weighted(question, observations, ranking),
            Self::Orders | Self::WeightsAndOrders => order::batches(question, ranking, NEAR),
            Self::Large => families(large()),
        }
    }
}

fn sizes(question: &Query) -> Vec<Policy> {
    let small = (2..SMALL_TABLE).filter(|size| is_prime(*size));
    let tables = question
        .table_sizes
        .iter()
        .copied()
        .chain(small)
        .chain(TABLE_SIZES)
        .filter(|size| *size != TABLE_SIZE_DEFAULT)
        .map(policies::maglev);
    let hints = question.ring_sizes.iter().copied();
    tables
        .chain(rings(hints.chain(RING_SIZES).collect()))
        .chain(cut_rings(RING_SIZE))
        .collect()
}

fn large() -> Vec<Policy> {
    let rings = LARGE_RING_SIZES
        .into_iter()
        .flat_map(|size| Ring::FUNCTIONS.map(|function| Ring::uncut(size, function).policy()));
    let tables = LARGE_TABLE_SIZES.map(policies::maglev).into_iter();
    tables.chain(rings).collect()
}

/// Whether a maglev table may have this size.
#[must_use]
pub fn is_table_size(size: u32) -> bool {
    (2..=TABLE_SIZE_MAX).contains(&size) && is_prime(size)
}

fn is_prime(number: u32) -> bool {
    (2..number).all(|divisor| divisor * divisor > number || !number.is_multiple_of(divisor))
}

/// Rings of at least these sizes, and of exactly these.
fn rings(sizes: Vec<u32>) -> impl Iterator<Item = Policy> {
    sizes.into_iter().flat_map(|size| {
        Ring::FUNCTIONS
            .map(|function| Ring::uncut(size, function).policy())
            .into_iter()
            .chain(cut_rings(size))
    })
}

fn cut_rings(size: u32) -> [Policy; 2] {
    Ring::FUNCTIONS.map(|function| Ring::cut(size, function).policy())
}

/// Each policy under each naming; addresses with every policy come before names with any.
fn with_usual_weights(
    question: &Query,
    policies: Vec<Policy>,
) -> impl Iterator<Item = Candidate> + '_ {
    let order: Vec<usize> = (0..question.nodes.len()).collect();
    let weights = question.usual_weights();
    Naming::possible(question)
        .into_iter()
        .flat_map(move |naming| {
            let policies = policies.clone().into_iter();
            let (order, weights) = (order.clone(), weights.clone());
            policies.map(move |policy| Candidate::new(question, policy, naming, &order, &weights))
        })
}

fn fitted<'a>(question: &'a Query, observations: &'a [Observation]) -> Vec<Batch<'a>> {
    let namings = Naming::possible(question);
    let modula = residues::weighted(question, &namings, observations);
    let mut batches: Vec<Batch<'a>> = vec![Box::new(modula.into_iter())];
    for naming in namings {
        for function in Ring::FUNCTIONS {
            // Climbed only when its turn comes.
            batches.push(Box::new(
                std::iter::once_with(move || {
                    ring_sizes::around_best(question, function, naming, observations)
                })
                .flatten(),
            ));
        }
    }
    batches
}

/// The nearest families with other weights, unless weights are known.
fn weighted<'a>(
    question: &'a Query,
    observations: &'a [Observation],
    ranking: &[Tried],
) -> Vec<Batch<'a>> {
    if question.weights.is_some() {
        return Vec::new();
    }
    let mut counts = vec![0; question.nodes.len()];
    for observation in observations {
        counts[observation.place] += 1;
    }
    let families = families(ranking, counts.len());
    let climbed = families.clone().into_iter().map(|family| {
        // Climbed only when its turn comes.
        let climb = move || match Ring::of(&family.policy) {
            Some(ring) => ring_points::fitted(question, ring.function, family.naming, observations),
            None => weighing::weighed(question, &family.policy, family.naming, observations),
        };
        Box::new(std::iter::once_with(climb).flatten()) as Batch<'a>
    });
    let order: Vec<usize> = (0..counts.len()).collect();
    let listed = families.into_iter().map(|family| {
        let (counts, order) = (counts.clone(), order.clone());
        let list = move || {
            let vectors = weights::vectors(&counts, family.points, VECTORS_MAX).into_iter();
            vectors.map(move |weights| {
                let policy = family.policy.clone();
                Candidate::new(question, policy, family.naming, &order, &weights)
            })
        };
        Box::new(std::iter::once_with(list).flatten()) as Batch<'a>
    });
    climbed.chain(listed).collect()
}

/// A policy under a naming, to be tried with weights.
#[derive(Clone)]
struct Family {
    policy: Policy,
    naming: Naming,
    /// How many points its ring has, with random gaps.
    points: f64,
}

/// Policies under a naming that can have weights, those of the nearest candidates first. Modula's weights are read off.
fn families(ranking: &[Tried], nodes: usize) -> Vec<Family> {
    let mut families: Vec<Family> = Vec::new();
    for (
        _,
        Candidate {
            cluster, naming, ..
        },
    ) in ranking
    {
        let Some((policy, points)) = policies::weighed(&cluster.policy, nodes) else {
            continue;
        };
        let is_known = |known: &Family| known.policy == policy && known.naming == *naming;
        if !families.iter().any(is_known) {
            families.push(Family {
                policy,
                naming: *naming,
                points,
            });
        }
    }
    families.truncate(FAMILIES);
    families
}
