//! The differential test of each target in turn.

use std::time::Instant;

use super::{Error, RunOptions};
use conformance::differential::{self, Compared, Differential, Parted, Progress, Wanted};
use conformance::matrix::Row;
use testbed::targets::{self, Target};
use testbed::text::shell_quoted;

/// Compares `targets` on random calls of `rows`; `say` reports progress. `flags` are the flags of the command line that
/// shape the requests, for the `repeat:` line.
///
/// # Errors
/// Why the suite could not judge. Behaviour of a proxy is never an error.
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
                    shell_quoted(&target.argument),
                    options.seed
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
