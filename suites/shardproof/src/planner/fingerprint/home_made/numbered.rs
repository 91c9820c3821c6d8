//! Placements that reduce the digest of a key to a number, and have a node for each number. The node of each number is
//! read from the observations.

use placement::jump_bucket;

use super::super::observation::Observation;
use super::digest::{DIGESTS, Digest};
use super::number::{Number, Sign};

/// The largest divisor of a table of remainders, which programs with weights have.
const DIVISOR_MAX: u64 = 64;
/// Observations for each remainder, at least.
const SEEN_PER_REMAINDER: usize = 8;
/// Usual numbers of slots.
const SLOTS: [u64; 6] = [1024, 16_384, 256, 512, 4096, 65_536];

/// A digest reduced to numbers from 0, and the node of each.
#[derive(Clone)]
pub(super) struct Numbered {
    pub(super) digest: &'static Digest,
    pub(super) reduction: Reduction,
    /// The node of each number, by its place in the question.
    pub(super) owners: Vec<usize>,
}

/// From a digest to a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reduction {
    /// The remainder of a division.
    Remainder { sign: Sign, divisor: u64 },
    /// A slot, and its remainder of the number of nodes.
    SlotRemainder { slots: u64 },
    /// A slot, dealt to nodes in ranges.
    SlotRange { slots: u64, deal: Deal },
    /// The number of the equal part of all digests.
    Part,
    /// Jump consistent hash.
    Jump,
}

/// How slots are dealt to nodes in ranges, where the number of nodes does not divide theirs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Deal {
    /// `slot * nodes / slots`.
    Scaled,
    /// `slot / (slots / nodes)`; the last node has the rest.
    LastHasMore,
    /// `slot / ceil(slots / nodes)`; the last node has less.
    LastHasLess,
    /// As `redis-cli --cluster create` rounds.
    Rounded,
}

impl Deal {
    const ALL: [Self; 4] = [
        Self::Scaled,
        Self::LastHasMore,
        Self::LastHasLess,
        Self::Rounded,
    ];

    fn node(self, slot: u64, slots: u64, nodes: u64) -> u64 {
        let node = match self {
            Self::Scaled => slot * nodes / slots,
            Self::LastHasMore => slot / (slots / nodes).max(1),
            Self::LastHasLess => slot / slots.div_ceil(nodes),
            Self::Rounded => {
                let per_node = slots as f64 / nodes as f64;
                let ends = |node: u64| ((node + 1) as f64 * per_node).round() as u64;
                (0..nodes)
                    .find(|node| slot < ends(*node))
                    .unwrap_or(nodes - 1)
            }
        };
        node.min(nodes - 1)
    }

    fn words(self) -> &'static str {
        match self {
            Self::Scaled => "slot * nodes / slots",
            Self::LastHasMore => "equal ranges, the last node has the rest",
            Self::LastHasLess => "equal ranges, the last node has less",
            Self::Rounded => "ranges as `redis-cli --cluster create` deals them",
        }
    }
}

impl Reduction {
    /// Every reduction for this many nodes, the commonest first.
    fn all(nodes: u64) -> Vec<Self> {
        let mut all = Vec::new();
        for divisor in nodes..=DIVISOR_MAX.max(nodes) {
            all.extend(Sign::ALL.map(|sign| Self::Remainder { sign, divisor }));
        }
        for slots in SLOTS.into_iter().filter(|slots| *slots >= nodes) {
            all.push(Self::SlotRemainder { slots });
            all.extend(Deal::ALL.map(|deal| Self::SlotRange { slots, deal }));
        }
        all.extend([Self::Part, Self::Jump]);
        all
    }

    /// How many numbers it has.
    fn count(self, nodes: usize) -> usize {
        match self {
            Self::Remainder { divisor, .. } => divisor as usize,
            _ => nodes,
        }
    }

    /// The number, below [`Reduction::count`].
    fn number(self, digest: &Number, nodes: u64) -> usize {
        let slot = |slots| digest.remainder(Sign::Unsigned, slots);
        let number = match self {
            Self::Remainder { sign, divisor } => digest.remainder(sign, divisor),
            Self::SlotRemainder { slots } => slot(slots) % nodes,
            Self::SlotRange { slots, deal } => deal.node(slot(slots), slots, nodes),
            // At most the number of nodes.
            Self::Part => ((u128::from(digest.top()) * u128::from(nodes)) >> 64) as u64,
            Self::Jump => u64::from(jump_bucket(digest.low(), nodes as u32)),
        };
        number as usize
    }

    /// Whether it differs from the others for digests like this one.
    fn applies(self, digest: &Number) -> bool {
        match self {
            Self::Remainder { sign, .. } => sign == Sign::Unsigned || digest.may_be_signed(),
            _ => true,
        }
    }

    /// Its description.
    pub(super) fn words(self) -> String {
        match self {
            Self::Remainder { sign, divisor } => {
                format!("remainder of a division by {divisor}{}", sign.words())
            }
            Self::SlotRemainder { slots } => {
                format!("remainder of {slots} slots by the number of nodes")
            }
            Self::SlotRange { slots, deal } => format!("{slots} slots, {}", deal.words()),
            Self::Part => "equal parts of all digests".to_owned(),
            Self::Jump => "jump consistent hash".to_owned(),
        }
    }
}

impl Numbered {
    /// The node of a key, by its place in the question; `nodes` is the number of all.
    pub(super) fn place(&self, key: &[u8], nodes: usize) -> usize {
        let number = self.reduction.number(&self.digest.of(key), nodes as u64);
        self.owners[number]
    }
}

/// The first that explains all observations.
pub(super) fn fit(nodes: usize, observations: &[Observation]) -> Option<Numbered> {
    let reductions = Reduction::all(nodes as u64);
    DIGESTS.iter().find_map(|digest| {
        let seen: Vec<(Number, usize)> = observations
            .iter()
            .map(|observation| (digest.of(&observation.key), observation.place))
            .collect();
        let example = seen.first()?.0;
        let mut applying = reductions.iter().filter(|it| it.applies(&example));
        applying.find_map(|reduction| {
            let owners = owners(*reduction, nodes, &seen)?;
            Some(Numbered {
                digest,
                reduction: *reduction,
                owners,
            })
        })
    })
}

/// The node of each number; `None` if a number has two nodes, or is not seen often enough.
fn owners(reduction: Reduction, nodes: usize, seen: &[(Number, usize)]) -> Option<Vec<usize>> {
    let count = reduction.count(nodes);
    if count * SEEN_PER_REMAINDER > seen.len() {
        return None;
    }
    let mut owners: Vec<Option<usize>> = vec![None; count];
    for (digest, place) in seen {
        let number = reduction.number(digest, nodes as u64);
        if *owners.get_mut(number)?.get_or_insert(*place) != *place {
            return None;
        }
    }
    let owners: Vec<usize> = owners.into_iter().collect::<Option<_>>()?;
    let every = (0..nodes).all(|place| owners.contains(&place));
    every.then_some(owners)
}
