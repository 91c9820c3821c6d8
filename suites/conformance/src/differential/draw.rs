//! Random steps, as a strategy of proptest: the calls of the command sheet on keys of random types, alone and in transactions,
//! by random clients in random pipelines.
//!
//! Never opens anything: the same seed draws the same steps.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use proptest::prelude::*;
use proptest_state_machine::Sequential;
use testbed::chance::Draws;

use super::Accepted;
use crate::cases::case::NODES;
use crate::cases::word::{Piece, Scope, Variable, Word};
use crate::matrix::{Request, Row};
use crate::oracle::{self, Comparison, Place};

/// Most clients that speak at the same time.
pub(super) const CLIENTS: usize = 3;
/// Keys of each client. Commands of one type prefer two of them, so that they often find a value of their type.
const KEYS: usize = 6;
const _: () = assert!(CLIENTS * KEYS <= oracle::KEYS, "each key is another one");
/// How often a step is sent without waiting for the reply to the one before it.
const PIPED: f64 = 0.95;
/// How often the bytes of a request are written in two pieces.
const CUT: f64 = 0.15;

/// The role of a step in the transaction of its client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Call,
    Multi,
    Exec,
    Discard,
    Watch,
    Unwatch,
}

/// One request of one client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The client that sends it, from 0.
    pub client: usize,
    /// Whether it is sent before all pending requests are answered.
    pub piped: bool,
    /// The place at which its bytes are written in two pieces, in 4096ths of them.
    pub cut: Option<u16>,
    /// The parts that must be equal.
    pub comparison: Comparison,
    /// Whether the target is known to accept the command if all keys are on one node.
    pub(super) whole: bool,
    pub(super) part: Part,
    pub(super) request: Request,
}

impl Step {
    /// Sent alone and in one piece; both replies must be equal.
    fn of(client: usize, part: Part, request: Request) -> Self {
        Self {
            client,
            piped: false,
            cut: None,
            comparison: Comparison::Exact,
            whole: true,
            part,
            request,
        }
    }

    pub(super) fn bytes(&self, scope: &Scope) -> Vec<Vec<u8>> {
        self.request.bytes(scope)
    }

    /// The nodes of its keys.
    pub(super) fn nodes(&self, place: Place) -> BTreeSet<usize> {
        let keys = self.request.keys();
        keys.map(|variable| node(variable, place)).collect()
    }

    /// Names the keys by their nodes, as cases do.
    pub(super) fn settle(&mut self, place: Place) {
        for variable in keys(&mut self.request) {
            variable.node = Some(node(*variable, place));
        }
    }
}

fn node(variable: Variable, place: Place) -> usize {
    match place {
        Place::Together => 0,
        Place::Apart => (variable.number.max(1) as usize - 1) % NODES,
    }
}

fn keys(request: &mut Request) -> impl Iterator<Item = &mut Variable> {
    let pieces = request.words.iter_mut().flat_map(|word| &mut word.pieces);
    pieces.filter_map(|piece| match piece {
        Piece::Key(variable) => Some(variable),
        _ => None,
    })
}

/// The source of drawn steps.
#[derive(Debug)]
pub(super) struct Pool {
    calls: Vec<Call>,
    /// The commands that they are of.
    pub(super) commands: BTreeSet<String>,
    /// Whether transactions are drawn, with watched keys and with requests that are errors in their place.
    blocks: bool,
    watches: bool,
    strays: bool,
}

#[derive(Debug)]
struct Call {
    comparison: Comparison,
    request: Request,
    whole: bool,
    /// The type of value that it works on.
    kind: usize,
}

impl Pool {
    /// All single requests of the commands that have keys, with the data that their rows begin with. Where keys lie together,
    /// only of those that are never refused.
    pub(super) fn of(commands: &[&Accepted], place: Place) -> Self {
        let command = |name: &str| commands.iter().find(|command| command.row.command == name);
        let has = |name: &str| command(name).is_some();
        let drawn = |command: &&&Accepted| command.whole || place == Place::Apart;
        let drawn: Vec<&Accepted> = commands.iter().filter(drawn).copied().collect();
        let blocks = has("EXEC") && has("DISCARD");
        let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
        let mut calls = Vec::new();
        let mut names = BTreeSet::new();
        for command in drawn.iter().filter(|command| is_steady(&command.row)) {
            let row = &command.row;
            let sheet = row.at.split(':').next().unwrap_or_default();
            let next = kinds.len();
            let kind = *kinds.entry(sheet).or_insert(next);
            let single = row.trials.iter().filter(|trial| trial.requests.len() == 1);
            let single = single.flat_map(|trial| &trial.requests);
            let single = single.map(|request| (row.comparison, command.whole, request));
            let given = row.given.iter().filter_map(|given| {
                let of = drawn.iter().find(|other| is_of(given, &other.row))?;
                Some((Comparison::Exact, of.whole, given))
            });
            for (comparison, whole, request) in single.chain(given) {
                if request.keys().next().is_some() && !blocks_client(request) {
                    names.insert(row.command.clone());
                    calls.push(Call {
                        comparison,
                        request: request.clone(),
                        whole,
                        kind,
                    });
                }
            }
        }
        Self {
            watches: blocks && has("WATCH") && has("UNWATCH"),
            strays: command("EXEC").is_some_and(|command| command.whole),
            blocks,
            commands: names,
            calls,
        }
    }

    /// Whether there is nothing to draw.
    pub(super) fn is_empty(&self) -> bool {
        self.calls.is_empty()
    }

    /// Sequences of `count` steps, with the number of steps that a play has reached, from which shrinking starts. If
    /// the target speaks RESP3, so do some of the clients.
    pub(super) fn steps(
        self: &Arc<Self>,
        count: RangeInclusive<usize>,
        resp3: bool,
    ) -> impl Strategy<Value = (Open, Vec<Step>, Option<Arc<AtomicUsize>>)> + use<> {
        let (pool, strays) = (Arc::clone(self), self.strays);
        Sequential::new(
            count.into(),
            move || {
                let speak =
                    prop::array::uniform3(prop::bool::weighted(if resp3 { 0.5 } else { 0.0 }));
                let drawn = ((1..=CLIENTS).no_shrink(), speak);
                drawn
                    .prop_map(|(clients, resp3)| Open::of(clients, resp3))
                    .boxed()
            },
            move |open: &Open, step: &Step| strays || open.takes(step),
            move |open| pool.step(open),
            |open, step: &Step| open.after(step),
        )
    }

    /// One step. Shrunk, it waits for the steps before it and is written in one piece.
    fn step(self: &Arc<Self>, open: &Open) -> BoxedStrategy<Step> {
        let (pool, open) = (Arc::clone(self), *open);
        (
            any::<u64>().no_shrink(),
            prop::bool::weighted(PIPED),
            prop::option::weighted(CUT, 0_u16..4096),
        )
            .prop_map(move |(lot, piped, cut)| {
                let mut chance = Draws::seeded(lot);
                let client = chance.below(open.clients);
                Step {
                    piped,
                    cut,
                    ..pool.draw(open.blocks[client], client, &mut chance)
                }
            })
            .boxed()
    }

    fn draw(&self, in_block: bool, client: usize, chance: &mut Draws) -> Step {
        let part = match (chance.below(100), in_block) {
            (0..3, false) if self.blocks => Part::Multi,
            (3, false) if self.strays => Part::Exec,
            (4..7, false) if self.watches => Part::Watch,
            (7, false) if self.watches => Part::Unwatch,
            (0..14, true) => Part::Exec,
            (14..17, true) => Part::Discard,
            (17, true) if self.strays => Part::Multi,
            (18, true) if self.strays && self.watches => Part::Watch,
            _ => Part::Call,
        };
        let alone = |word: &str| request(vec![Word::plain(word)]);
        let mut request = match part {
            Part::Call => {
                let call = &self.calls[chance.below(self.calls.len())];
                let request = moved(call, client, chance);
                let step = Step::of(client, part, request);
                return Step {
                    comparison: call.comparison,
                    whole: call.whole,
                    ..step
                };
            }
            Part::Multi => alone("MULTI"),
            Part::Exec => alone("EXEC"),
            Part::Discard => alone("DISCARD"),
            Part::Unwatch => alone("UNWATCH"),
            Part::Watch => {
                let any = Variable {
                    node: None,
                    moved: None,
                    number: 0,
                };
                let pieces = vec![Piece::Key(any)];
                request(vec![Word::plain("WATCH"), Word { pieces, times: 1 }])
            }
        };
        for variable in keys(&mut request) {
            *variable = key(client, chance.below(KEYS));
        }
        Step::of(client, part, request)
    }
}

/// Whether a request is of this command.
fn is_of(request: &Request, row: &Row) -> bool {
    let words = request.bytes(&Scope::default());
    let names = row.command.split('|').map(str::as_bytes);
    let count = names.clone().count();
    names.eq(words.iter().map(Vec::as_slice).take(count))
}

fn request(words: Vec<Word>) -> Request {
    Request {
        words,
        silent: false,
    }
}

/// The request with its keys replaced by random ones of the client: four of five times those that its type prefers.
fn moved(call: &Call, client: usize, chance: &mut Draws) -> Request {
    let mut request = call.request.clone();
    for variable in keys(&mut request) {
        let which = match chance.below(5) {
            0 => chance.below(KEYS),
            _ => (2 * call.kind + chance.below(2)) % KEYS,
        };
        *variable = key(client, which);
    }
    request
}

fn key(client: usize, which: usize) -> Variable {
    Variable {
        node: None,
        moved: None,
        number: u32::try_from(client * KEYS + which + 1).unwrap_or(0),
    }
}

/// Whether two servers with the same data give the same reply and keep the same data, and answer at once.
fn is_steady(row: &Row) -> bool {
    !(row.fickle || row.dangerous || row.ends)
        && row.replies == 1
        && matches!(
            row.comparison,
            Comparison::Exact | Comparison::AnyOrder | Comparison::Shape | Comparison::Kind
        )
}

/// Commands that wait for data: a proxy without support refuses them, and they would only wait here.
const WAIT: [&str; 8] = [
    "BLMOVE",
    "BLMPOP",
    "BLPOP",
    "BRPOP",
    "BRPOPLPUSH",
    "BZMPOP",
    "BZPOPMAX",
    "BZPOPMIN",
];

fn blocks_client(request: &Request) -> bool {
    let words = request.bytes(&Scope::default());
    let first = words.first().map(Vec::as_slice).unwrap_or_default();
    WAIT.iter().any(|name| first == name.as_bytes()) || words.iter().any(|word| word == b"BLOCK")
}

/// The clients that are in a transaction, as far as the steps show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Open {
    clients: usize,
    /// Which of them speak RESP3.
    pub(super) resp3: [bool; CLIENTS],
    blocks: [bool; CLIENTS],
}

impl Open {
    fn of(clients: usize, resp3: [bool; CLIENTS]) -> Self {
        Self {
            clients,
            resp3,
            blocks: [false; CLIENTS],
        }
    }

    /// Whether a step is valid in this place: leaving out a step while shrinking must not make another one an error.
    fn takes(self, step: &Step) -> bool {
        let in_block = self.blocks[step.client];
        match step.part {
            Part::Multi | Part::Watch => !in_block,
            Part::Exec | Part::Discard => in_block,
            Part::Call | Part::Unwatch => true,
        }
    }

    fn after(mut self, step: &Step) -> Self {
        match step.part {
            Part::Multi => self.blocks[step.client] = true,
            Part::Exec | Part::Discard => self.blocks[step.client] = false,
            Part::Call | Part::Watch | Part::Unwatch => {}
        }
        self
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::{Part, Piece, Request, Step, Variable, Word, request};

    /// A key, by its number.
    pub(in super::super) fn key(number: u32) -> Variable {
        Variable {
            node: None,
            moved: None,
            number,
        }
    }

    /// A request of the first client with keys after its words, sent alone.
    pub(in super::super) fn call(words: &[&str], keys: &[Variable]) -> Step {
        part(Part::Call, words, keys)
    }

    /// The same as a part of a transaction.
    pub(in super::super) fn part(part: Part, words: &[&str], keys: &[Variable]) -> Step {
        let plain = words.iter().map(|word| Word::plain(word));
        let keys = keys.iter().map(|variable| Word {
            pieces: vec![Piece::Key(*variable)],
            times: 1,
        });
        let request: Request = request(plain.chain(keys).collect());
        Step::of(0, part, request)
    }
}
