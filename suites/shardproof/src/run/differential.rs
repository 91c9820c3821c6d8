//! The differential test of each target in turn.

use std::time::Instant;

use super::{Error, RunOptions};
use conformance::differential::{self, Compared, Differential, Parted, Progress, Wanted};
use conformance::matrix::{Row, Skipped, Subject};
use testbed::targets;
use testbed::text::shell_quoted;

/// Compares `subjects` on random calls of `rows`; `say` reports progress. `flags` are the flags of the command line that
/// shape the requests, for the `repeat:` line.
///
/// # Errors
/// Why the suite could not judge. Behaviour of a proxy is never an error.
pub async fn differential(
    options: &RunOptions,
    subjects: &[Subject],
    rows: &[Row],
    (wanted, flags): (Wanted, &str),
    say: &dyn Fn(&str, Progress),
) -> Result<Differential, Error> {
    let mut compared = Vec::new();
    for subject in subjects {
        let started = Instant::now();
        let (target, version, flag) = names(subject, options)?;
        let (commands, left_out) = differential::accepted(subject, options, rows).await?;
        let say = |progress: Progress| say(&target, progress);
        let found = differential::run(subject, options, &commands, wanted, None, &say).await?;
        let skipped = |(command, reason)| Skipped {
            command,
            target: target.clone(),
            reason,
        };
        compared.push(Compared {
            left_out: left_out.into_iter().map(skipped).collect(),
            version,
            commands: found.commands,
            requests: found.requests,
            answered: found.answered,
            cut_short: found.cut_short,
            difference: found.difference.map(|difference| Parted {
                case: difference.case(),
                steps: difference.steps.len(),
                repeat: format!(
                    "shardproof differential {flag} --seed {:x}{flags}",
                    options.seed
                ),
                what: difference.what,
            }),
            took_ms: u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
            target,
        });
    }
    Ok(Differential {
        format: "shardproof.differential/1",
        seed: format!("{:x}", options.seed),
        targets: compared,
    })
}

/// Name and version of a proxy, and the flag that names it.
fn names(
    subject: &Subject,
    options: &RunOptions,
) -> Result<(String, String, String), targets::Error> {
    Ok(match subject {
        Subject::Target(target) => {
            let flag = format!("--target {}", shell_quoted(&target.argument));
            let version = targets::version(target, &options.search)?;
            (target.name.clone(), version, flag)
        }
        Subject::Running(running) => {
            let name = running.proxy.to_string();
            let flag = format!("--proxy {}", shell_quoted(&name));
            (name, "unknown".to_owned(), flag)
        }
    })
}
