//! The differential test of each target in turn.

use std::time::Instant;

use schemars::JsonSchema;
use serde::Serialize;

use super::{Error, RunOptions};
use conformance::differential::{self, Progress, Wanted};
use conformance::matrix::Row;
use testbed::targets::{self, Target};

/// What random requests have shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Differential {
    /// `shardproof.differential/1`
    pub format: &'static str,
    /// What the run can be repeated with.
    pub seed: String,
    /// One entry a target, in the order asked for.
    pub targets: Vec<Compared>,
}

/// A target beside one plain Redis.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Compared {
    /// Its name.
    pub target: String,
    /// Its version.
    pub version: String,
    /// Commands that requests were drawn from: those that it answers rightly one call at a time, and that have keys.
    pub commands: usize,
    /// Requests that it got.
    pub requests: usize,
    /// How many of them it answered without an error.
    pub answered: usize,
    /// Rounds that ended early, because it refused something by closing the connection.
    pub cut_short: usize,
    /// Where it and the plain Redis part, if they do.
    pub difference: Option<Parted>,
    /// How long it took, in milliseconds.
    pub took_ms: u64,
}

/// The shortest way to a difference that was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Parted {
    /// What was expected and what came.
    pub what: String,
    /// Number of requests that lead there.
    pub steps: usize,
    /// They as a case file, with what the plain Redis says.
    pub case: String,
    /// The command that finds it again.
    pub repeat: String,
}

impl Differential {
    /// Whether no target parts from the plain Redis.
    #[must_use]
    pub fn as_expected(&self) -> bool {
        let mut targets = self.targets.iter();
        targets.all(|compared| compared.difference.is_none())
    }
}

/// Compares `targets` on random calls of `rows`; `say` hears how far it is. `flags` are those of the command line that shape the
/// requests, for whoever repeats it.
///
/// # Errors
/// What stood in the way. What a proxy does is never an error.
pub async fn differential(
    options: &RunOptions,
    targets: &[Target],
    rows: &[Row],
    (wanted, flags): (Wanted, &str),
    say: &dyn Fn(&Target, Progress),
) -> Result<Differential, Error> {
    let mut compared = Vec::new();
    for target in targets {
        let started = Instant::now();
        let commands = differential::accepted(target, options, rows).await?;
        let say = |progress: Progress| say(target, progress);
        let found = differential::run(target, options, &commands, wanted, None, &say).await?;
        compared.push(Compared {
            target: target.name.clone(),
            version: targets::version(target, &options.search)?,
            commands: found.commands,
            requests: found.requests,
            answered: found.answered,
            cut_short: found.cut_short,
            difference: found.difference.map(|difference| Parted {
                case: difference.case(),
                steps: difference.steps.len(),
                repeat: format!(
                    "shardproof differential --target {} --seed {:x}{flags}",
                    target.name, options.seed
                ),
                what: difference.what,
            }),
            took_ms: u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
        });
    }
    Ok(Differential {
        format: "shardproof.differential/1",
        seed: format!("{:x}", options.seed),
        targets: compared,
    })
}
