//! A sequence of steps, played through the proxy and on one plain Redis, both empty at first.
//!
//! Every client has keys of its own, so that the order between clients does not matter, and a connection of its own to either.

use std::time::Duration;

use tokio::time::Instant;

use super::client_model::{Ask, ClientModel, ReplyComparison};
use super::draw::{CLIENTS, Open, Step};
use crate::cases::judge::Outcome;
use crate::cases::word::Scope;
use crate::harness::Error;
use crate::oracle::{Oracle, Place, outcome};
use testbed::client::{Client, NODE_DEADLINE};
use testbed::wire::{self, Value};

/// The result of a play.
#[derive(Debug, Default)]
pub(super) struct Played {
    /// Steps that were sent.
    pub(super) sent: usize,
    /// How many of them the proxy answered without an error.
    pub(super) answered: usize,
    /// The proxy refused a request by closing the connection, and nothing was compared afterwards.
    pub(super) cut_short: bool,
    /// Replies of the plain Redis to each step, if it was asked.
    pub(super) said: Vec<Option<Value>>,
    /// The first difference, in words.
    pub(super) what: Option<String>,
}

/// Plays steps on empty servers. `meddle` changes the nodes behind the proxy's back before the last of them.
pub(super) async fn play(
    oracle: &Oracle,
    place: Place,
    (open, steps): (Open, &[Step]),
    meddle: Option<&[&str]>,
) -> Result<Played, Error> {
    let scope = oracle.scope(place);
    let mut speakers = Vec::new();
    for resp3 in open.resp3 {
        let mut client_model =
            ClientModel::new(oracle.client().await?, oracle.plain().await?, place);
        if resp3 {
            client_model.speak_resp3().await?;
        }
        speakers.push(client_model);
    }
    let mut played = Played {
        said: vec![None; steps.len()],
        ..Played::default()
    };
    let waves = waves(steps);
    for (index, steps) in waves.iter().enumerate() {
        if let Some(order) = meddle.filter(|_| index + 1 == waves.len()) {
            meddle_with(oracle, &scope, order).await?;
        }
        played.sent += steps.len();
        let wave = Wave {
            steps,
            scope: &scope,
            patience: oracle.patience,
        };
        if wave.play(&mut speakers, &mut played).await? == Comparability::NoFurther {
            return Ok(played);
        }
        // Between waves no request is under way.
        oracle.expire(place).await;
    }
    let (on_nodes, on_plain) = (
        oracle.contents(place).await?,
        oracle.plain_contents(place).await?,
    );
    let stray = || on_nodes.stray(&oracle.owners(place));
    played.what = on_nodes.difference(&on_plain).or_else(stray);
    Ok(played)
}

/// Steps with their positions, grouped by requests that are pending at the same time.
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
enum Comparability {
    On,
    NoFurther,
}

/// Requests that are pending at the same time.
struct Wave<'a> {
    steps: &'a [(usize, &'a Step)],
    scope: &'a Scope,
    patience: Duration,
}

impl Wave<'_> {
    async fn play(
        &self,
        speakers: &mut [ClientModel],
        played: &mut Played,
    ) -> Result<Comparability, Error> {
        let of = |client: usize| -> Vec<(usize, &Step)> {
            let steps = self.steps.iter().copied();
            steps.filter(|(_, step)| step.client == client).collect()
        };
        let chunks: [Vec<(usize, &Step)>; CLIENTS] = std::array::from_fn(of);
        let [first, second, third] = speakers else {
            return Ok(Comparability::NoFurther);
        };
        let (one, two, three) = tokio::join!(
            self.pipeline(&mut first.proxy, &chunks[0]),
            self.pipeline(&mut second.proxy, &chunks[1]),
            self.pipeline(&mut third.proxy, &chunks[2]),
        );
        let mut goes = Comparability::On;
        for ((client_model, chunk), seen) in speakers.iter_mut().zip(&chunks).zip([one, two, three])
        {
            if self.compare(client_model, chunk, &seen, played).await? == Comparability::NoFurther {
                goes = Comparability::NoFurther;
            }
            if played.what.is_some() {
                break;
            }
        }
        Ok(goes)
    }

    /// Sends a client's chunk in pieces, and reads the replies up to the first failure.
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

    /// Sends the requests that the proxy has executed to the plain Redis, and compares the replies.
    async fn compare(
        &self,
        client_model: &mut ClientModel,
        chunk: &[(usize, &Step)],
        seen: &[Outcome],
        played: &mut Played,
    ) -> Result<Comparability, Error> {
        let mut goes = Comparability::On;
        let mut asked = Vec::new();
        let mut requests = Vec::new();
        for (index, ((place, step), seen)) in chunk.iter().zip(seen).enumerate() {
            // Whether the rest of the pipeline was executed is unknown: no more replies can be compared.
            if matches!(seen, Outcome::Closed(pending) if pending.is_empty())
                && chunk[index..]
                    .iter()
                    .any(|(_, step)| client_model.may_refuse(step))
            {
                played.cut_short = true;
                goes = Comparability::NoFurther;
                break;
            }
            let is_error = matches!(seen, Outcome::Reply(value) if value.is_error());
            played.answered += usize::from(!is_error);
            match client_model.ask(step, is_error) {
                Ask::The(how) => {
                    asked.push((*place, *step, seen, how));
                    requests.push(step.bytes(self.scope));
                }
                Ask::Nothing => {}
                Ask::ToDiscard if is_error => {
                    asked.push((*place, *step, seen, ReplyComparison::Not));
                    requests.push(vec![b"DISCARD".to_vec()]);
                }
                Ask::ToDiscard => {
                    let (wanted, got) = ("an error, for a request was refused", seen.shown());
                    played.what = Some(format!("EXEC: expected {wanted}, got {got}"));
                    return Ok(Comparability::NoFurther);
                }
            }
        }
        let replies = client_model.plain.pipeline(&requests, NODE_DEADLINE).await;
        let replies = replies.map_err(|why| Error::Oracle(format!("plain Redis: {why}")))?;
        for ((place, step, seen, how), said) in asked.into_iter().zip(replies) {
            let expected = Outcome::Reply(said.clone());
            if how != ReplyComparison::Not {
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
                return Ok(Comparability::NoFurther);
            }
        }
        Ok(goes)
    }
}

/// Changes the first key on its node, past the proxy.
async fn meddle_with(oracle: &Oracle, scope: &Scope, order: &[&str]) -> Result<(), Error> {
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
    oracle.meddle(&words).await
}
