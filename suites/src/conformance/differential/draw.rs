//! Random steps: the calls of the command sheet, on keys of random types, by random clients in random pipelines.
//!
//! Never opens anything: the same seed draws the same steps.

use crate::conformance::beside::{Comparison, Place};
use crate::conformance::case::NODES;
use crate::conformance::matrix::{Request, Row};
use crate::conformance::word::{Piece, Scope, Variable};

/// Clients that speak at the same time.
pub(super) const CLIENTS: usize = 3;
/// Keys of each client.
const KEYS: u32 = 3;
/// Most requests of a client in one wave.
const PIPELINE_MAX: usize = 20;

/// One request of one client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// What is sent at the same time has the same number.
    pub wave: usize,
    /// Who sends it, from 0.
    pub client: usize,
    /// Where the pipeline that it begins is cut in two.
    pub cut: usize,
    /// What has to be equal.
    pub comparison: Comparison,
    request: Request,
}

impl Step {
    pub(super) fn bytes(&self, scope: &Scope) -> Vec<Vec<u8>> {
        self.request.bytes(scope)
    }

    /// The request in the notation of cases.
    #[must_use]
    pub fn shown(&self) -> String {
        let words = self.request.words.iter().map(|word| {
            let pieces = word.pieces.iter().map(|piece| match piece {
                Piece::Bytes(bytes) if bytes.iter().all(u8::is_ascii_graphic) => {
                    String::from_utf8_lossy(bytes).into_owned()
                }
                Piece::Bytes(bytes) => format!("\"{}\"", bytes.escape_ascii()),
                Piece::Key(variable) => variable.to_string(),
                other => format!("{other:?}"),
            });
            pieces.collect::<String>()
        });
        words.collect::<Vec<_>>().join(" ")
    }

    /// Names the keys by the nodes that they lie on, as cases do.
    pub(super) fn settle(&mut self, place: Place) {
        for piece in self
            .request
            .words
            .iter_mut()
            .flat_map(|word| &mut word.pieces)
        {
            if let Piece::Key(variable) = piece {
                let number = variable.number as usize;
                variable.node = Some(match place {
                    Place::Together => 0,
                    Place::Apart => (number.max(1) - 1) % NODES,
                });
            }
        }
    }
}

/// Draws `count` steps from all single requests of the rows that have keys.
pub(super) fn draw(rows: &[Row], count: usize, chance: &mut Chance) -> Vec<Step> {
    let pool: Vec<(Comparison, &Request)> = rows
        .iter()
        .filter(|row| is_steady(row))
        .flat_map(|row| {
            let calls = row.trials.iter().filter(|trial| trial.requests.len() == 1);
            let calls = calls.flat_map(|trial| &trial.requests);
            calls.map(|request| (row.comparison, request))
        })
        .filter(|(_, request)| request.keys().next().is_some() && !blocks(request))
        .collect();
    let mut steps = Vec::with_capacity(count);
    let mut wave = 0;
    while steps.len() < count && !pool.is_empty() {
        for client in 0..CLIENTS {
            for _ in 0..=chance.below(PIPELINE_MAX) {
                let (comparison, request) = pool[chance.below(pool.len())];
                let request = moved(request, client, chance);
                let cut = chance.below(4096);
                steps.push(Step {
                    wave,
                    client,
                    cut,
                    comparison,
                    request,
                });
            }
        }
        wave += 1;
    }
    steps.truncate(count);
    steps
}

/// Whether two servers with the same data say and keep the same, and say it at once.
fn is_steady(row: &Row) -> bool {
    !(row.fickle || row.dangerous || row.ends)
        && row.replies == 1
        && matches!(
            row.comparison,
            Comparison::Exact | Comparison::AnyOrder | Comparison::Shape | Comparison::Kind
        )
}

fn blocks(request: &Request) -> bool {
    let first = request
        .words
        .first()
        .map(|word| word.bytes(&Scope::default()));
    let first = first.unwrap_or_default();
    let name = [
        "BLPOP",
        "BRPOP",
        "BLMOVE",
        "BLMPOP",
        "BRPOPLPUSH",
        "BZPOPMIN",
        "BZPOPMAX",
        "BZMPOP",
    ];
    let waits = |word: &Vec<u8>| word == b"BLOCK";
    name.iter().any(|name| first == name.as_bytes())
        || request
            .words
            .iter()
            .any(|word| waits(&word.bytes(&Scope::default())))
}

/// The request with its keys replaced by random ones of the client.
fn moved(request: &Request, client: usize, chance: &mut Chance) -> Request {
    let mut request = request.clone();
    let first = u32::try_from(client).unwrap_or(0) * KEYS + 1;
    for piece in request.words.iter_mut().flat_map(|word| &mut word.pieces) {
        if let Piece::Key(variable) = piece {
            let which = u32::try_from(chance.below(KEYS as usize)).unwrap_or(0);
            *variable = Variable {
                node: None,
                number: first + which,
            };
        }
    }
    request
}

/// Seeded chance (splitmix64), so that a run can be repeated.
pub(super) struct Chance(u64);

impl Chance {
    pub(super) fn seeded(seed: u64) -> Self {
        Self(seed)
    }

    /// A number below `end`, which is not 0.
    pub(super) fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        usize::try_from((mixed ^ (mixed >> 31)) % end as u64).unwrap_or(0)
    }
}
