//! The differential test: random requests of several clients through a proxy, and the same on one plain Redis.
//!
//! Where all keys lie on one node, both have to say the same. Where they lie on several, the proxy may refuse, and what it
//! answers with an error is not given to the plain Redis. Afterwards the same has to lie on the servers.

mod draw;
mod play;

use std::sync::Arc;
use std::sync::atomic::Ordering;

use proptest::strategy::{Strategy as _, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use super::beside::{Beside, Comparison};
use super::matrix::{Judge, Row};
use super::stage::Error;
use crate::cluster::Ground;
use crate::target::Target;
use crate::verdict::Class;
use crate::wire::Value;

pub use super::beside::Place;
pub use draw::Step;
use draw::{Chance, Open, Part, Pool};
use play::{Played, play};

/// Steps of one round; after each the servers are emptied.
const ROUND: usize = 300;
/// What a proxy gives a node to answer: nothing is slow here but the machine, and that is to show nowhere.
const OP_TIMEOUT_MS: u64 = 5000;
/// While shrinking, steps without a difference are played again: what depends on who is faster does not show each time.
const ATTEMPTS: usize = 10;

/// What is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted {
    /// Number of requests.
    pub requests: usize,
    /// Where keys lie: in each round together or apart, by chance, where nothing is given.
    pub place: Option<Place>,
}

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
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    /// What was expected and what came.
    pub what: String,
    /// Which clients speak RESP3.
    pub resp3: Vec<bool>,
    /// The steps that lead there.
    pub steps: Vec<Step>,
    /// What the plain Redis said to each, where it was asked.
    pub said: Vec<Option<Value>>,
}

impl Eq for Difference {}

/// A command that a target is known to answer rightly one call at a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    /// Its calls.
    pub row: Row,
    /// Whether it answers rightly or refuses as long as all keys lie on one node.
    pub together: bool,
    /// Whether it refuses nothing then that one plain Redis does.
    pub whole: bool,
    /// Whether it answers rightly or refuses wherever keys lie.
    pub apart: bool,
}

/// The commands of `rows` that the target answers rightly, judged one call at a time.
///
/// # Errors
/// What stood in the way; never a verdict.
pub async fn accepted(
    target: &Target,
    ground: &Ground,
    rows: &[Row],
) -> Result<Vec<Accepted>, Error> {
    let mut judge = Judge::new(target, ground);
    let mut accepted = Vec::new();
    for row in rows.iter().filter(|row| !row.dangerous) {
        let Some(found) = judge.judge(row).await? else {
            continue;
        };
        let command = Accepted {
            row: row.clone(),
            together: found.together == Class::Correct,
            whole: !found.refuses_together,
            apart: found.class == Class::Correct,
        };
        if command.together || command.apart {
            accepted.push(command);
        }
    }
    Ok(accepted)
}

/// Runs requests drawn from `commands` by the seed of the ground; stops at the first difference and shrinks it. `say` hears how
/// many requests have been compared.
///
/// `meddle` is done to the nodes behind the proxy's back near the end of each round; tests show by it that a difference is found.
///
/// # Errors
/// What stood in the way; never a verdict.
pub async fn run(
    target: &Target,
    ground: &Ground,
    commands: &[Accepted],
    wanted: Wanted,
    meddle: Option<&[&str]>,
    say: &dyn Fn(usize),
) -> Result<Report, Error> {
    let mut beside = Beside::start(target, ground, OP_TIMEOUT_MS).await?;
    let pool = |place: Place, at: fn(&Accepted) -> bool| {
        let chosen = commands.iter().filter(|command| at(command));
        Arc::new(Pool::of(&chosen.collect::<Vec<_>>(), place))
    };
    let together = pool(Place::Together, |one| one.together);
    let apart = pool(Place::Apart, |one| one.apart);
    let resp3 = target.capabilities.iter().any(|has| has == "resp3");
    let mut chance = Chance::seeded(ground.seed);
    let mut runner = runner(ground.seed);
    let mut report = Report::default();
    while report.requests < wanted.requests {
        say(report.requests);
        let drawn = [Place::Together, Place::Apart][chance.below(2)];
        let place = wanted.place.unwrap_or(drawn);
        let pool = match place {
            Place::Together => &together,
            Place::Apart => &apart,
        };
        if pool.is_empty() {
            let why = "it answers no command that could be drawn".to_owned();
            return Err(Error::Unsettled(why));
        }
        let count = ROUND.min(wanted.requests - report.requests);
        let sequence = pool.steps(count..=count, resp3);
        let tree = sequence
            .new_tree(&mut runner)
            .map_err(|why| Error::Unsettled(why.to_string()))?;
        let (open, steps, seen) = tree.current();
        let played = play(&mut beside, place, (open, &steps), meddle).await?;
        report.requests += played.sent;
        report.answered += played.answered;
        if played.what.is_some() {
            // It would keep the last that was sent, which another client may have sent.
            if let Some(seen) = seen {
                seen.store(usize::MAX, Ordering::Relaxed);
            }
            report.difference =
                Some(shrink(&mut beside, place, tree, (open, steps, played), meddle).await?);
            return Ok(report);
        }
    }
    Ok(report)
}

/// The same draws for the same seed.
fn runner(seed: u64) -> TestRunner {
    let mut bytes = [0; 32];
    bytes
        .chunks_exact_mut(8)
        .for_each(|chunk| chunk.copy_from_slice(&seed.to_le_bytes()));
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    TestRunner::new_with_rng(Config::default(), rng)
}

/// Leaves out what can be left out while there is still a difference.
async fn shrink<T>(
    beside: &mut Beside,
    place: Place,
    mut tree: impl ValueTree<Value = (Open, Vec<Step>, T)>,
    mut shortest: (Open, Vec<Step>, Played),
    meddle: Option<&[&str]>,
) -> Result<Difference, Error> {
    let mut goes_on = tree.simplify();
    while goes_on {
        let (open, steps, _) = tree.current();
        let mut played = play(beside, place, (open, &steps), meddle).await?;
        for _ in 1..ATTEMPTS {
            if played.what.is_none() {
                played = play(beside, place, (open, &steps), meddle).await?;
            }
        }
        goes_on = match played.what {
            Some(_) => {
                shortest = (open, steps, played);
                tree.simplify()
            }
            None => tree.complicate(),
        };
    }
    let (open, mut steps, played) = shortest;
    steps.iter_mut().for_each(|step| step.settle(place));
    Ok(Difference {
        what: played.what.unwrap_or_default(),
        resp3: open.resp3.to_vec(),
        steps,
        said: played.said,
    })
}

impl Difference {
    /// The steps as a case file, to be given a promise: what is wanted is what one plain Redis says. Requests that were under way
    /// at the same time are sent before the first reply is wanted.
    #[must_use]
    pub fn case(&self) -> String {
        let mut text = format!("case 1\n# {}\nlevel  must\n", self.what);
        for (client, _) in (1..).zip(&self.resp3).filter(|(_, resp3)| **resp3) {
            if self.steps.iter().any(|step| step.client + 1 == client) {
                text += &format!("send   @{client} HELLO 3\nwant   @{client} map\n");
            }
        }
        let numbered: Vec<(usize, &Step)> = self.steps.iter().enumerate().collect();
        for wave in numbered.chunk_by(|_, (_, next)| next.piped) {
            for (_, step) in wave {
                text += &format!("send   @{} {}\n", step.client + 1, step.shown());
            }
            for (place, step) in wave {
                let said = self.said.get(*place).and_then(Option::as_ref);
                let want = wanted(step, said);
                text += &format!("want   @{} {want}\n", step.client + 1);
            }
        }
        text
    }
}

/// What a case wants of a step, where the plain Redis has said so much.
fn wanted(step: &Step, said: Option<&Value>) -> String {
    match (said, step.comparison, step.part) {
        (Some(Value::Error(text)), _, _) => {
            let code = text.split(|byte| *byte == b' ').next().unwrap_or_default();
            format!("error {}", code.escape_ascii())
        }
        // What is queued may compare otherwise than the reply to it.
        (Some(Value::Array(elements)), _, Part::Exec) if !elements.is_empty() => {
            format!("*{}{}", elements.len(), " any".repeat(elements.len()))
        }
        (Some(said), Comparison::Exact, _) => said.to_string(),
        (Some(said @ Value::Array(_)), Comparison::AnyOrder, _) => format!("unordered {said}"),
        _ => "any".to_owned(),
    }
}
