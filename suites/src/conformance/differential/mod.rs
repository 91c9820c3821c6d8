//! The differential test: random requests of several clients through a proxy, and the same on one plain Redis.
//!
//! Every client has keys of its own, so that the order between clients does not matter. What the proxy answers with an error
//! is not given to the plain Redis: a refusal is no difference.

mod draw;

use tokio::time::Instant;

use super::beside::{Beside, Comparison, Place, compare, outcome};
use super::judge::Outcome;
use super::matrix::Row;
use super::stage::Error;
use super::word::Scope;
use crate::client::{Client, NODE_DEADLINE};
use crate::cluster::Ground;
use crate::target::Target;
use crate::verdict::Class;
use crate::wire::{self, Value};

pub use draw::Step;
use draw::{CLIENTS, Chance, draw};

/// Steps of one round; after each the servers are emptied.
const ROUND: usize = 300;

/// What came of a run.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Report {
    /// Requests that the proxy got.
    pub requests: usize,
    /// How many of them it answered without an error.
    pub answered: usize,
    /// The first difference, as short as it could be made.
    pub difference: Option<Difference>,
}

/// Where the proxy and the plain Redis part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// What was expected and what came.
    pub what: String,
    /// The steps that lead there.
    pub steps: Vec<Step>,
    /// What the plain Redis said to each, where it was asked.
    pub said: Vec<Option<String>>,
}

/// Runs `requests` requests drawn from `rows` by the seed of the ground; stops at the first difference and shrinks it.
///
/// `meddle` is done to the nodes behind the proxy's back after each round's first half; tests show by it that a difference
/// is found. It gets the addresses of the nodes.
///
/// # Errors
/// What stood in the way; never a verdict.
pub async fn run(
    target: &Target,
    ground: &Ground,
    rows: &[Row],
    requests: usize,
    meddle: Option<&[&str]>,
) -> Result<Report, Error> {
    let mut beside = Beside::start(target, ground).await?;
    let mut chance = Chance::seeded(ground.seed);
    let mut report = Report::default();
    while report.requests < requests {
        let place = if chance.below(2) == 0 {
            Place::Together
        } else {
            Place::Apart
        };
        let steps = draw(rows, ROUND, &mut chance);
        let played = play(&mut beside, place, &steps, meddle).await?;
        report.requests += steps.len();
        report.answered += played.answered;
        if let Some(what) = played.what {
            report.difference = Some(shrink(&mut beside, place, steps, what, meddle).await?);
            return Ok(report);
        }
    }
    Ok(report)
}

/// What came of one round.
struct Played {
    answered: usize,
    said: Vec<Option<String>>,
    what: Option<String>,
}

/// Plays steps on empty servers.
async fn play(
    beside: &mut Beside,
    place: Place,
    steps: &[Step],
    meddle: Option<&[&str]>,
) -> Result<Played, Error> {
    if !beside.clean().await {
        let why = "the proxy does not serve every node".to_owned();
        return Err(Error::Unsettled(why));
    }
    let scope = beside.scope(place);
    let mut plain = beside.plain().await?;
    let mut clients = [
        beside.client().await?,
        beside.client().await?,
        beside.client().await?,
    ];
    let mut answered = 0;
    let mut said = Vec::new();
    let waves: Vec<&[Step]> = steps
        .chunk_by(|one, other| one.wave == other.wave)
        .collect();
    for (index, wave) in waves.iter().enumerate() {
        if let Some(order) = meddle.filter(|_| index == waves.len() / 2) {
            meddle_with(beside, &scope, order).await?;
        }
        let of = |client: usize| -> Vec<&Step> {
            wave.iter().filter(|step| step.client == client).collect()
        };
        let chunks: [Vec<&Step>; CLIENTS] = std::array::from_fn(of);
        let [first, second, third] = &mut clients;
        let patience = beside.patience;
        let (one, two, three) = tokio::join!(
            pipeline(first, &chunks[0], &scope, patience),
            pipeline(second, &chunks[1], &scope, patience),
            pipeline(third, &chunks[2], &scope, patience),
        );
        for (chunk, seen) in chunks.iter().zip([one, two, three]) {
            for (step, seen) in chunk.iter().zip(seen) {
                match &seen {
                    Outcome::Reply(Value::Error(_)) => {
                        said.push(None);
                        continue;
                    }
                    // Whether the rest of the pipeline was carried out is not known: nothing more can be compared.
                    Outcome::Closed(pending) if pending.is_empty() => {
                        return Ok(Played {
                            answered,
                            said,
                            what: None,
                        });
                    }
                    _ => answered += 1,
                }
                let words = step.bytes(&scope);
                let expected = outcome(plain.call(&words, NODE_DEADLINE).await);
                said.push(Some(expected.shown()));
                if compare(step.comparison, &expected, &seen) != Class::Correct {
                    let what = format!(
                        "{}: expected {}, as {}, got {}",
                        step.shown(),
                        expected.shown(),
                        step.comparison.name(),
                        seen.shown()
                    );
                    return Ok(Played {
                        answered,
                        said,
                        what: Some(what),
                    });
                }
            }
        }
    }
    let (on_nodes, on_plain) = (beside.contents().await?, beside.plain_contents().await?);
    let stray = || on_nodes.stray(&beside.owners(place));
    let what = on_nodes.difference(&on_plain).or_else(stray);
    Ok(Played {
        answered,
        said,
        what,
    })
}

/// Sends a client's chunk in one go or in pieces, and takes the replies; what is missing after the first that is none is
/// missing.
async fn pipeline(
    client: &mut Client,
    chunk: &[&Step],
    scope: &Scope,
    patience: std::time::Duration,
) -> Vec<Outcome> {
    let requests = chunk
        .iter()
        .map(|step| wire::encode_request(&step.bytes(scope)));
    let bytes: Vec<u8> = requests.flatten().collect();
    let cut = chunk
        .first()
        .map_or(0, |step| step.cut % bytes.len().max(1));
    for piece in [&bytes[..cut], &bytes[cut..]] {
        // A proxy that has gone away shows at the reply.
        let _ = client.write(piece, patience).await;
    }
    let begun = Instant::now();
    let mut seen = Vec::with_capacity(chunk.len());
    for _ in chunk {
        let left = (patience * 4).saturating_sub(begun.elapsed());
        let reply = outcome(client.reply(left).await);
        let ended = !matches!(reply, Outcome::Reply(_));
        seen.push(reply);
        if ended {
            break;
        }
    }
    seen
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

/// Leaves out as many steps as possible while there is still a difference.
async fn shrink(
    beside: &mut Beside,
    place: Place,
    mut steps: Vec<Step>,
    mut what: String,
    meddle: Option<&[&str]>,
) -> Result<Difference, Error> {
    let mut said = Vec::new();
    let mut size = steps.len().div_ceil(2);
    while size > 0 {
        let mut from = 0;
        while from < steps.len() {
            let to = (from + size).min(steps.len());
            let fewer = [&steps[..from], &steps[to..]].concat();
            let played = play(beside, place, &fewer, meddle).await?;
            match played.what {
                Some(still) => (steps, what, said) = (fewer, still, played.said),
                None => from = to,
            }
        }
        size /= 2;
    }
    steps.iter_mut().for_each(|step| step.settle(place));
    Ok(Difference { what, steps, said })
}

impl Difference {
    /// The steps as a case file, to be given a promise: what is wanted is what one plain Redis says.
    #[must_use]
    pub fn case(&self) -> String {
        let mut text = format!("case 1\n# {}\nlevel  must\n", self.what);
        for (index, step) in self.steps.iter().enumerate() {
            let (client, shown) = (step.client + 1, step.shown());
            let want = match (self.said.get(index), step.comparison) {
                (Some(Some(said)), Comparison::Exact) => said.clone(),
                (Some(Some(said)), Comparison::AnyOrder) => format!("unordered {said}"),
                _ => "any".to_owned(),
            };
            text += &format!("send   @{client} {shown}\nwant   @{client} {want}\n");
        }
        text
    }
}
