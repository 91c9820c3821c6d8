//! The differential test: random requests of several clients through a proxy, and the same on one plain Redis.
//!
//! If the keys of a request or transaction are on one node, both must give the same reply. If they are on several
//! nodes, the proxy may refuse, and a refused request is not sent to the plain Redis. Afterwards both must have the
//! same data.

mod case;
mod client_model;
mod draw;
mod play;
mod report;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use proptest::strategy::{Strategy as _, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use super::harness::Error;
use super::matrix::{Judge, Judged, Row, Subject};
use crate::oracle::Oracle;
use crate::verdict::Class;
use testbed::chance::Draws;
use testbed::cluster::RunOptions;
use testbed::wire::Value;

pub use crate::oracle::Place;
pub use draw::Step;
use draw::{Open, Pool};
use play::{Played, play};
pub use report::{Compared, Differential, Parted};

/// What ran before a look at a proxy that others use.
const REQUESTS: &str = "random requests";
/// Steps of one round; after each the servers are emptied.
const ROUND: usize = 300;
/// The proxy's time limit for a node: only the machine is slow here, and that must not show in replies.
const OP_TIMEOUT_MS: u64 = 5000;
/// While shrinking, steps without a difference are played again, because a race does not occur each time.
const ATTEMPTS: usize = 10;
/// And no more sequences than that are played to shrink one.
const PLAYS_MAX: usize = 3000;
/// The same on a proxy that others use.
const PLAYS_MAX_RUNNING: usize = 300;

/// Size and kind of the drawn requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted {
    /// Number of requests.
    pub requests: usize,
    /// Where keys are: in each round together or apart, by chance if not given.
    pub place: Option<Place>,
}

/// How far a run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// The number of requests compared so far.
    Compared(usize),
    /// A difference was found in this number of requests, and is being shortened.
    Shrunk(usize),
}

/// Result of a run.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Report {
    /// Requests that the proxy got.
    pub requests: usize,
    /// Number of requests that it answered without an error.
    pub answered: usize,
    /// Commands that were drawn from.
    pub commands: usize,
    /// Rounds that ended early, because the proxy refused something by closing the connection.
    pub cut_short: usize,
    /// The first difference, as short as it could be made.
    pub difference: Option<Difference>,
}

/// The difference between the proxy and the plain Redis.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    /// Expected and actual reply.
    pub what: String,
    /// Which clients speak RESP3.
    pub resp3: Vec<bool>,
    /// The steps that lead there.
    pub steps: Vec<Step>,
    /// Replies of the plain Redis, if it was asked.
    pub said: Vec<Option<Value>>,
}

impl Eq for Difference {}

/// A command that a target is known to answer rightly one call at a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    /// Its calls.
    pub row: Row,
    /// Whether it answers correctly or refuses if all keys are on one node.
    pub together: bool,
    /// Whether it then accepts everything that one plain Redis accepts.
    pub whole: bool,
    /// Whether it answers correctly or refuses wherever keys are.
    pub apart: bool,
}

/// Commands that requests may be drawn from, and commands that are not sent to a proxy that the suite did not start,
/// each with the reason.
pub type Chosen = (Vec<Accepted>, Vec<(String, String)>);

/// The commands of `rows` that the proxy answers rightly, judged one call at a time.
///
/// # Errors
/// Why the suite could not judge; never a verdict.
pub async fn accepted(
    subject: &Subject,
    options: &RunOptions,
    rows: &[Row],
) -> Result<Chosen, Error> {
    let mut judge = Judge::of(subject.clone(), options);
    let (mut accepted, mut left_out) = (Vec::new(), Vec::new());
    for row in rows {
        let judged = match subject.obstacle(row) {
            Some(obstacle) => Judged::Skipped(obstacle.why),
            None if row.dangerous => Judged::Unknown,
            None => judge.judge(row).await?,
        };
        let found = match judged {
            Judged::Found(found) => found,
            Judged::Unknown => continue,
            Judged::Skipped(reason) => {
                left_out.push((row.command.clone(), reason));
                continue;
            }
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
    judge.finish().await?;
    Ok((accepted, left_out))
}

/// Runs requests drawn from `commands` by the seed of the options; stops at the first difference and shrinks it. `say`
/// is called with the progress.
///
/// `meddle` changes the nodes behind the proxy's back near the end of each round; tests use it to show that a
/// difference is found.
///
/// # Errors
/// Why the suite could not judge. Never a verdict.
pub async fn run(
    subject: &Subject,
    options: &RunOptions,
    commands: &[Accepted],
    wanted: Wanted,
    meddle: Option<&[&str]>,
    say: &dyn Fn(Progress),
) -> Result<Report, Error> {
    let pool = |place: Place, at: fn(&Accepted) -> bool| {
        let chosen = commands.iter().filter(|command| at(command));
        Arc::new(Pool::of(&chosen.collect::<Vec<_>>(), place))
    };
    let together = pool(Place::Together, |one| one.together);
    let apart = pool(Place::Apart, |one| one.apart);
    let resp3 = speaks_resp3(subject);
    let mut chance = Draws::seeded(options.seed);
    let mut runner = runner(options.seed);
    let mut bench = Bench {
        oracle: match subject {
            Subject::Target(target) => Oracle::start(target, options, OP_TIMEOUT_MS).await?,
            Subject::Running(running) => Oracle::attach(running, options).await?,
        },
        plays_max: match subject {
            Subject::Target(_) => PLAYS_MAX,
            Subject::Running(_) => PLAYS_MAX_RUNNING,
        },
        meddle,
        say,
    };
    let mut report = Report {
        commands: together
            .commands
            .union(&apart.commands)
            .collect::<BTreeSet<_>>()
            .len(),
        ..Report::default()
    };
    let mut last = None;
    while report.requests < wanted.requests {
        say(Progress::Compared(report.requests));
        let drawn = [Place::Together, Place::Apart][chance.below(2)];
        let place = match subject.has_several_nodes() {
            true => wanted.place.unwrap_or(drawn),
            false => Place::Together,
        };
        let pool = match place {
            Place::Together => &together,
            Place::Apart => &apart,
        };
        if pool.is_empty() {
            let why = "the proxy answers none of the commands with keys".to_owned();
            return Err(Error::Oracle(why));
        }
        let count = ROUND.min(wanted.requests - report.requests);
        let tree = pool
            .steps(count..=count, resp3)
            .new_tree(&mut runner)
            .map_err(|why| Error::Oracle(why.to_string()))?;
        let (open, steps, seen) = tree.current();
        if !bench.clean().await? {
            report.difference = Some(last.ok_or_else(gone)?);
            return Ok(report);
        }
        let played = play(&bench.oracle, place, (open, &steps), meddle).await?;
        report.requests += played.sent;
        report.answered += played.answered;
        report.cut_short += usize::from(played.cut_short);
        if played.what.is_some() {
            // It would keep the last that was sent, which another client may have sent.
            if let Some(seen) = seen {
                seen.store(usize::MAX, Ordering::Relaxed);
            }
            let found = Found {
                open,
                steps,
                played,
            };
            report.difference = Some(bench.shrink(place, tree, found).await);
            bench.finish().await?;
            return Ok(report);
        }
        let what = "the proxy no longer serves every node after this".to_owned();
        let played = Played {
            what: Some(what),
            ..played
        };
        last = Some(
            Found {
                open,
                steps,
                played,
            }
            .difference(place),
        );
    }
    bench.finish().await?;
    Ok(report)
}

/// Connections of a proxy that others use keep their protocol.
fn speaks_resp3(subject: &Subject) -> bool {
    match subject {
        Subject::Target(target) => target.capabilities.iter().any(|has| has == "resp3"),
        Subject::Running(_) => false,
    }
}

fn gone() -> Error {
    Error::Oracle("the proxy does not serve every node".to_owned())
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

/// Steps that lead to a difference.
struct Found {
    open: Open,
    steps: Vec<Step>,
    played: Played,
}

impl Found {
    fn difference(mut self, place: Place) -> Difference {
        self.steps.iter_mut().for_each(|step| step.settle(place));
        Difference {
            what: self.played.what.unwrap_or_default(),
            resp3: self.open.resp3.to_vec(),
            steps: self.steps,
            said: self.played.said,
        }
    }
}

/// Where sequences are played.
struct Bench<'a> {
    oracle: Oracle,
    /// The most sequences that are played to shrink one.
    plays_max: usize,
    meddle: Option<&'a [&'a str]>,
    say: &'a dyn Fn(Progress),
}

impl Bench<'_> {
    /// Removes all keys; whether each server still does its work. On a proxy that others use, they must read what they
    /// wrote.
    async fn clean(&mut self) -> Result<bool, Error> {
        match self.oracle.is_running() {
            false => Ok(self.oracle.clean().await),
            true => self.oracle.restore(REQUESTS, false).await.map(|()| true),
        }
    }

    async fn finish(mut self) -> Result<(), Error> {
        self.oracle.restore(REQUESTS, false).await?;
        self.oracle.finish().await
    }

    /// Leaves out steps as long as there is still a difference. An error while shrinking does not discard it.
    async fn shrink<T>(
        &mut self,
        place: Place,
        mut tree: impl ValueTree<Value = (Open, Vec<Step>, T)>,
        mut shortest: Found,
    ) -> Difference {
        let mut goes_on = tree.simplify();
        for _ in 0..self.plays_max {
            if !goes_on {
                break;
            }
            (self.say)(Progress::Shrunk(shortest.steps.len()));
            let (open, steps, _) = tree.current();
            goes_on = match self.differ(place, open, &steps).await {
                Ok(Some(played)) => {
                    shortest = Found {
                        open,
                        steps,
                        played,
                    };
                    tree.simplify()
                }
                Ok(None) => tree.complicate(),
                Err(why) => {
                    tracing::debug!(%why, "shrinking");
                    break;
                }
            };
        }
        shortest.difference(place)
    }

    /// The result of steps if one of a few plays shows a difference.
    async fn differ(
        &mut self,
        place: Place,
        open: Open,
        steps: &[Step],
    ) -> Result<Option<Played>, Error> {
        for _ in 0..ATTEMPTS {
            if !self.clean().await? {
                return Err(gone());
            }
            let played = play(&self.oracle, place, (open, steps), self.meddle).await?;
            if played.what.is_some() {
                return Ok(Some(played));
            }
        }
        Ok(None)
    }
}
