//! A sequence of steps, played through the proxy and on one plain Redis, both empty at first.
//!
//! Every client has keys of its own, so that the order between clients does not matter, and a connection of its own to either.

use std::time::Duration;

use tokio::time::Instant;

use super::draw::{CLIENTS, Open, Part, Step};
use crate::client::{Client, NODE_DEADLINE};
use crate::conformance::beside::{Beside, Comparison, Place, compare, errors_alike, outcome};
use crate::conformance::judge::Outcome;
use crate::conformance::stage::Error;
use crate::conformance::word::Scope;
use crate::verdict::Class;
use crate::wire::{self, Value};

/// What came of a play.
#[derive(Debug, Default)]
pub(super) struct Played {
    /// Steps that were sent.
    pub(super) sent: usize,
    /// How many of them the proxy answered without an error.
    pub(super) answered: usize,
    /// What the plain Redis said to each step, where it was asked.
    pub(super) said: Vec<Option<Value>>,
    /// The first difference, in words.
    pub(super) what: Option<String>,
}

/// One client's two connections, and where it is.
struct Speaker {
    proxy: Client,
    plain: Client,
    block: Option<Block>,
}

/// An open transaction.
#[derive(Default)]
struct Block {
    /// How the answers of what is queued are compared.
    queued: Vec<Comparison>,
    /// The proxy has refused a request in it that the plain Redis would have queued.
    refused: bool,
}

/// Whether the proxy may refuse what the plain Redis does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Refusals {
    /// Keys lie on several nodes: the plain Redis is not asked what the proxy refuses.
    Allowed,
    /// All keys lie on one node, and all requests are known to be answered then.
    None,
}

/// Plays steps on empty servers. `meddle` is done to the nodes behind the proxy's back before the last of them.
pub(super) async fn play(
    beside: &mut Beside,
    place: Place,
    (open, steps): (Open, &[Step]),
    meddle: Option<&[&str]>,
) -> Result<Played, Error> {
    if !beside.clean().await {
        let why = "the proxy does not serve every node".to_owned();
        return Err(Error::Unsettled(why));
    }
    let scope = beside.scope(place);
    let mut clients = Vec::new();
    for resp3 in open.resp3 {
        let mut speaker = Speaker {
            proxy: beside.client().await?,
            plain: beside.plain().await?,
            block: None,
        };
        if resp3 {
            speaker.speak_resp3().await?;
        }
        clients.push(speaker);
    }
    let refusals = match place {
        Place::Together => Refusals::None,
        Place::Apart => Refusals::Allowed,
    };
    let mut played = Played {
        said: vec![None; steps.len()],
        ..Played::default()
    };
    let waves = waves(steps);
    for (index, wave) in waves.iter().enumerate() {
        if let Some(order) = meddle.filter(|_| index + 1 == waves.len()) {
            meddle_with(beside, &scope, order).await?;
        }
        played.sent += wave.len();
        let mut wave = Wave {
            steps: wave,
            scope: &scope,
            refusals,
            patience: beside.patience,
        };
        if wave.play(&mut clients, &mut played).await? == Goes::NoFurther {
            return Ok(played);
        }
    }
    let (on_nodes, on_plain) = (beside.contents().await?, beside.plain_contents().await?);
    let stray = || on_nodes.stray(&beside.owners(place));
    played.what = on_nodes.difference(&on_plain).or_else(stray);
    Ok(played)
}

/// Steps with their places, by what is under way at the same time.
fn waves(steps: &[Step]) -> Vec<Vec<(usize, &Step)>> {
    let mut waves: Vec<Vec<(usize, &Step)>> = Vec::new();
    for (place, step) in steps.iter().enumerate() {
        match waves.last_mut() {
            Some(wave) if step.piped => wave.push((place, step)),
            _ => waves.push(vec![(place, step)]),
        }
    }
    waves
}

/// Whether more can be compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Goes {
    On,
    NoFurther,
}

/// What is under way at the same time.
struct Wave<'a> {
    steps: &'a [(usize, &'a Step)],
    scope: &'a Scope,
    refusals: Refusals,
    patience: Duration,
}

impl Wave<'_> {
    async fn play(&mut self, clients: &mut [Speaker], played: &mut Played) -> Result<Goes, Error> {
        let of = |client: usize| -> Vec<(usize, &Step)> {
            let steps = self.steps.iter().copied();
            steps.filter(|(_, step)| step.client == client).collect()
        };
        let chunks: [Vec<(usize, &Step)>; CLIENTS] = std::array::from_fn(of);
        let [first, second, third] = clients else {
            return Ok(Goes::NoFurther);
        };
        let (one, two, three) = tokio::join!(
            self.pipeline(&mut first.proxy, &chunks[0]),
            self.pipeline(&mut second.proxy, &chunks[1]),
            self.pipeline(&mut third.proxy, &chunks[2]),
        );
        for ((client, chunk), seen) in clients.iter_mut().zip(&chunks).zip([one, two, three]) {
            if self.compare(client, chunk, &seen, played).await? == Goes::NoFurther {
                return Ok(Goes::NoFurther);
            }
        }
        Ok(Goes::On)
    }

    /// Sends a client's chunk in pieces, and takes the replies up to the first that is none.
    async fn pipeline(&self, client: &mut Client, chunk: &[(usize, &Step)]) -> Vec<Outcome> {
        let mut piece = Vec::new();
        for (_, step) in chunk {
            let bytes = wire::encode_request(&step.bytes(self.scope));
            let cut = step.cut.map(|cut| usize::from(cut) * bytes.len() / 4096);
            let (before, behind) = bytes.split_at(cut.unwrap_or(0));
            piece.extend_from_slice(before);
            if cut.is_some() {
                // A proxy that has gone away shows at the reply.
                let _ = client.write(&piece, self.patience).await;
                piece.clear();
                tokio::task::yield_now().await;
            }
            piece.extend_from_slice(behind);
        }
        let _ = client.write(&piece, self.patience).await;
        let begun = Instant::now();
        let mut seen = Vec::with_capacity(chunk.len());
        for _ in chunk {
            let left = (self.patience * 4).saturating_sub(begun.elapsed());
            let reply = outcome(client.reply(left).await);
            let ended = !matches!(reply, Outcome::Reply(_));
            seen.push(reply);
            if ended {
                break;
            }
        }
        seen
    }

    /// Gives the plain Redis what the proxy has carried out, and compares what both said.
    async fn compare(
        &self,
        client: &mut Speaker,
        chunk: &[(usize, &Step)],
        seen: &[Outcome],
        played: &mut Played,
    ) -> Result<Goes, Error> {
        let mut goes = Goes::On;
        let mut asked = Vec::new();
        let mut requests = Vec::new();
        for ((place, step), seen) in chunk.iter().zip(seen) {
            // Whether the rest of the pipeline was carried out is not known: nothing more can be compared.
            if matches!(seen, Outcome::Closed(pending) if pending.is_empty()) {
                goes = Goes::NoFurther;
                break;
            }
            let is_error = matches!(seen, Outcome::Reply(Value::Error(_)));
            played.answered += usize::from(!is_error);
            match client.ask(step, is_error, self.refusals) {
                Ask::The(how) => {
                    asked.push((*place, *step, seen, how));
                    requests.push(step.bytes(self.scope));
                }
                Ask::Nothing => {}
                Ask::ToDiscard if is_error => {
                    asked.push((*place, *step, seen, How::Not));
                    requests.push(vec![b"DISCARD".to_vec()]);
                }
                Ask::ToDiscard => {
                    let shown = seen.shown();
                    let what =
                        format!("EXEC: expected an error, for a request was refused, got {shown}");
                    played.what = Some(what);
                    return Ok(Goes::NoFurther);
                }
            }
        }
        let replies = client.plain.pipeline(&requests, NODE_DEADLINE).await;
        let replies = replies.map_err(|why| Error::Unsettled(format!("the plain Redis: {why}")))?;
        for ((place, step, seen, how), said) in asked.into_iter().zip(replies) {
            let expected = Outcome::Reply(said.clone());
            if how != How::Not {
                played.said[place] = Some(said);
            }
            if !how.fits(&expected, seen) {
                played.what = Some(format!(
                    "{}: expected {}, as {}, got {}",
                    step.shown(),
                    expected.shown(),
                    step.comparison.name(),
                    seen.shown()
                ));
                return Ok(Goes::NoFurther);
            }
        }
        Ok(goes)
    }
}

/// What the plain Redis is asked for a step.
enum Ask {
    /// The same.
    The(How),
    /// Nothing: the proxy has refused it.
    Nothing,
    /// To forget the transaction, from which the proxy has refused something; so the proxy has to say an error.
    ToDiscard,
}

/// How the two replies to a step compare.
#[derive(Debug, Clone, PartialEq, Eq)]
enum How {
    As(Comparison),
    /// Element by element, as the queued requests compare.
    Each(Vec<Comparison>),
    Not,
}

impl How {
    fn fits(&self, expected: &Outcome, seen: &Outcome) -> bool {
        match (self, expected, seen) {
            (Self::Not, _, _) => true,
            _ if errors_alike(expected, seen) => true,
            (
                Self::Each(all),
                Outcome::Reply(Value::Array(said)),
                Outcome::Reply(Value::Array(seen)),
            ) => {
                let fits = |((how, said), seen): ((&Comparison, &Value), &Value)| {
                    let (said, seen) = (Outcome::Reply(said.clone()), Outcome::Reply(seen.clone()));
                    compare(*how, &said, &seen) == Class::Correct
                };
                said.len() == seen.len()
                    && all.len() == said.len()
                    && all.iter().zip(said).zip(seen).all(fits)
            }
            (Self::Each(_), _, _) => compare(Comparison::Exact, expected, seen) == Class::Correct,
            (Self::As(how), _, _) => compare(*how, expected, seen) == Class::Correct,
        }
    }
}

impl Speaker {
    /// Has both sides answer in RESP3.
    async fn speak_resp3(&mut self) -> Result<(), Error> {
        for side in [&mut self.proxy, &mut self.plain] {
            match side.call(&["HELLO", "3"], NODE_DEADLINE).await {
                Ok(Value::Map(_)) => {}
                Ok(other) => return Err(Error::Unsettled(format!("HELLO 3: {other}"))),
                Err(why) => return Err(Error::Unsettled(format!("HELLO 3: {why}"))),
            }
        }
        Ok(())
    }

    /// What to ask the plain Redis, now that the proxy has answered a step.
    fn ask(&mut self, step: &Step, is_error: bool, refusals: Refusals) -> Ask {
        let exact = Ask::The(How::As(Comparison::Exact));
        let Some(block) = &mut self.block else {
            if is_error && refusals == Refusals::Allowed {
                return Ask::Nothing;
            }
            if step.part == Part::Multi && !is_error {
                self.block = Some(Block::default());
            }
            return Ask::The(How::As(step.comparison));
        };
        match step.part {
            // Neither is queued, nor does it spoil the rest.
            Part::Multi | Part::Watch => exact,
            Part::Exec => {
                let block = self.block.take().unwrap_or_default();
                let not_done = is_error && refusals == Refusals::Allowed;
                match block.refused || not_done {
                    true => Ask::ToDiscard,
                    false => Ask::The(How::Each(block.queued)),
                }
            }
            Part::Discard => {
                self.block = None;
                exact
            }
            Part::Call | Part::Unwatch if is_error && refusals == Refusals::Allowed => {
                block.refused = true;
                Ask::Nothing
            }
            Part::Call | Part::Unwatch => {
                if !is_error {
                    block.queued.push(step.comparison);
                }
                exact
            }
        }
    }
}

/// Does something to the first key on its node behind the proxy's back.
async fn meddle_with(beside: &Beside, scope: &Scope, order: &[&str]) -> Result<(), Error> {
    let Some(key) = scope.keys.values().next() else {
        return Ok(());
    };
    let words: Vec<Vec<u8>> = order
        .iter()
        .map(|word| {
            word.replace("$key", &String::from_utf8_lossy(key))
                .into_bytes()
        })
        .collect();
    beside.meddle(&words).await
}
