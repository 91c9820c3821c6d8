//! Shrinking a failing chaos run: runs smaller scenarios until none fails or the time is over.

use std::time::{Duration, Instant};

use chaos::report::Ended;
use chaos::run::Run;
use chaos::scenario::Scenario;
use chaos::shrink::{Attempt, Outcome, Shrink};

use super::Judged;

/// A search that has ended.
pub struct Search {
    /// The search, with the smallest scenario.
    pub shrink: Shrink,
    /// The run of the smallest scenario that failed. None if no smaller one did.
    pub failed: Option<Run>,
    /// Runs of smaller scenarios.
    pub runs: u64,
    /// How long they took.
    pub took: Duration,
    /// Why it ended.
    pub ended: Ended,
    /// The error that ended the search, if one did.
    pub why: Option<String>,
}

/// How far a search goes.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// For all runs. A run that is as long as the longest one before it and would not end in time is not begun, and no
    /// run is broken off: the nodes and keys of others are left as they were.
    pub within: Duration,
    /// Whether optional laws count.
    pub strict: bool,
}

/// Callbacks of a search.
pub struct Observer<'a, E> {
    /// Before each run, with its number from 1.
    pub before_run: &'a dyn Fn(u64, &Attempt<'_>),
    /// A smaller scenario failed with this seed. An error ends the search.
    pub on_smaller: &'a dyn Fn(&Scenario, u64) -> Result<(), E>,
}

/// Searches from a run of `scenario` with `seed`, whose outcome was `first`, by running candidates with `judge`. None if
/// the run did not fail.
///
/// # Errors
/// The error of `observer`. An error of a run ends the search, and the smallest scenario so far is kept.
pub async fn shrink<E, F: std::fmt::Display>(
    scenario: &Scenario,
    (seed, first): (u64, &Judged),
    limits: Limits,
    judge: impl AsyncFn(&Scenario, u64) -> Result<Judged, F>,
    observer: Observer<'_, E>,
) -> Result<Option<Search>, E> {
    let Some(shrink) = Shrink::new(scenario, seed, &outcome(scenario, first, limits.strict)) else {
        return Ok(None);
    };
    let began = Instant::now();
    let mut longest = Duration::from_millis(first.report.took_ms);
    let mut search = Search {
        shrink,
        failed: None,
        runs: 0,
        took: Duration::ZERO,
        ended: Ended::Complete,
        why: None,
    };
    while let Some(attempt) = search.shrink.attempt() {
        let run_began = Instant::now();
        if began.elapsed() + longest > limits.within {
            search.ended = Ended::OutOfTime;
            break;
        }
        search.runs += 1;
        (observer.before_run)(search.runs, &attempt);
        let (outcome, run) = match judge(attempt.scenario, attempt.seed).await {
            Ok(judged) => (
                outcome(attempt.scenario, &judged, limits.strict),
                judged.run,
            ),
            Err(why) => {
                (search.ended, search.why) = (Ended::Stopped, Some(why.to_string()));
                break;
            }
        };
        longest = longest.max(run_began.elapsed());
        let is_smaller = search.shrink.report(&outcome);
        if let (true, Some((smallest, seed))) = (is_smaller, search.shrink.smallest()) {
            (observer.on_smaller)(smallest, seed)?;
            search.failed = run;
        }
    }
    search.took = began.elapsed();
    Ok(Some(search))
}

fn outcome(scenario: &Scenario, judged: &Judged, strict: bool) -> Outcome {
    let covers = scenario.covers.iter();
    Outcome {
        broken: judged.report.failing_laws(strict),
        covered: match &judged.run {
            Some(run) => covers
                .map(|cover| cover.condition.count(&run.observed))
                .collect(),
            None => Vec::new(),
        },
    }
}
