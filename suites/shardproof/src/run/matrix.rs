//! The command matrix: every command on every target, one class each.

use std::collections::BTreeSet;
use std::time::Instant;

use super::{Error, RunOptions};
use conformance::matrix::{Cell, Column, Judge, Matrix, Row};
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
    let (mut columns, mut cells) = (Vec::new(), Vec::new());
    let (mut server, mut unknown) = (String::new(), BTreeSet::new());
    for target in targets {
        columns.push(Column {
            target: target.name.clone(),
            argument: target.argument.clone(),
            version: targets::version(target, &options.search)?,
        });
        let mut judge = Judge::new(target, options);
        server = judge.server().await?;
        for (index, row) in rows.iter().enumerate() {
            say(target, index, row);
            let Some(found) = judge.judge(row).await? else {
                unknown.insert(row.command.clone());
                continue;
            };
            cells.push(Cell {
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
    let took_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    let servers = (server, unknown.into_iter().collect());
    Ok(Matrix::new(options.seed, servers, columns, cells, took_ms))
}
