//! The command matrix: every command on every target, one class each.

use std::collections::BTreeSet;
use std::time::Instant;

use super::{Error, RunOptions};
use conformance::matrix::{Cell, Column, Judge, Matrix, Row};
use testbed::class::{ABORTED, Ending};
use testbed::targets::{self, Target};

/// Judges `targets` by `rows`; `say` is called with each row before it runs.
///
/// # Errors
/// Why the suite could not judge. Behaviour of a proxy is never an error.
pub async fn matrix(
    options: &RunOptions,
    targets: &[Target],
    rows: &[Row],
    say: &dyn Fn(&Target, usize, &Row),
) -> Result<Matrix, Error> {
    let started = Instant::now();
    let mut found = Found::default();
    found.judge(options, targets, rows, say).await?;
    Ok(found.matrix(options, started))
}

/// As [`matrix`], until `stop` completes: the outcomes up to an error or a signal are kept, with the reason.
pub async fn matrix_until(
    options: &RunOptions,
    targets: &[Target],
    rows: &[Row],
    say: &dyn Fn(&Target, usize, &Row),
    stop: impl Future<Output = ()>,
) -> Matrix {
    let started = Instant::now();
    let mut found = Found::default();
    let (stopped, outcome) = tokio::select! {
        judged = found.judge(options, targets, rows, say) => {
            (judged.err().map(|why| why.to_string()), Ending::Complete)
        }
        () = stop => (Some(ABORTED.to_owned()), Ending::Aborted),
    };
    Matrix {
        stopped,
        outcome,
        ..found.matrix(options, started)
    }
}

/// The outcomes up to now.
#[derive(Default)]
struct Found {
    columns: Vec<Column>,
    cells: Vec<Cell>,
    server: String,
    unknown: BTreeSet<String>,
}

impl Found {
    async fn judge(
        &mut self,
        options: &RunOptions,
        targets: &[Target],
        rows: &[Row],
        say: &dyn Fn(&Target, usize, &Row),
    ) -> Result<(), Error> {
        // All programs, before the first command.
        for target in targets {
            let version = targets::version(target, &options.search);
            self.columns.push(Column {
                target: target.name.clone(),
                argument: target.argument.clone(),
                version: version.as_deref().unwrap_or("unknown").to_owned(),
            });
            version?;
        }
        for target in targets {
            let mut judge = Judge::new(target, options);
            self.server = judge.server().await?;
            for (index, row) in rows.iter().enumerate() {
                say(target, index, row);
                let Some(found) = judge.judge(row).await? else {
                    self.unknown.insert(row.command.clone());
                    continue;
                };
                self.cells.push(Cell {
                    command: row.command.clone(),
                    target: target.name.clone(),
                    class: found.class,
                    calls: found.calls,
                    refused: found.refused,
                    evidence: found.evidence,
                    known: None,
                    repeats: None,
                });
            }
        }
        Ok(())
    }

    fn matrix(self, options: &RunOptions, started: Instant) -> Matrix {
        let took_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        let servers = (self.server, self.unknown.into_iter().collect());
        Matrix::new(options.seed, servers, self.columns, self.cells, took_ms)
    }
}
