//! The command matrix: every command on every target, one class each.

use std::collections::BTreeSet;
use std::time::Instant;

use super::{Error, RunOptions};
use conformance::matrix::{Cell, Column, Judge, Judged, Matrix, Row, Skipped, Subject, by_risk};
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
    say: &dyn Fn(&str, usize, &Row),
) -> Result<Matrix, Error> {
    let started = Instant::now();
    let mut found = Found::default();
    let subjects = targets
        .iter()
        .map(|it| Subject::Target(Box::new(it.clone())));
    let subjects: Vec<Subject> = subjects.collect();
    found.judge(options, &subjects, rows, say).await?;
    Ok(found.matrix(options, started))
}

/// As [`matrix`], also of proxies that already run, until `stop` completes: the outcomes up to an error or a signal are kept, with the reason.
pub async fn matrix_until(
    options: &RunOptions,
    subjects: &[Subject],
    rows: &[Row],
    say: &dyn Fn(&str, usize, &Row),
    stop: impl Future<Output = ()>,
) -> Matrix {
    let started = Instant::now();
    let mut found = Found::default();
    let (stopped, outcome) = tokio::select! {
        judged = found.judge(options, subjects, rows, say) => {
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
    skipped: Vec<Skipped>,
}

impl Found {
    async fn judge(
        &mut self,
        options: &RunOptions,
        subjects: &[Subject],
        rows: &[Row],
        say: &dyn Fn(&str, usize, &Row),
    ) -> Result<(), Error> {
        // All programs, before the first command.
        for subject in subjects {
            let (column, version) = column(subject, options);
            self.columns.push(column);
            version?;
        }
        for (index, subject) in subjects.iter().enumerate() {
            let name = self.columns[index].target.clone();
            let mut judge = Judge::of(subject.clone(), options);
            self.server = judge.server().await?;
            self.warn_of_other_nodes(&mut judge).await?;
            let rows = match subject {
                Subject::Target(_) => rows.to_vec(),
                Subject::Running(_) => by_risk(rows),
            };
            for (index, row) in rows.iter().enumerate() {
                say(&name, index, row);
                let judged = judge.judge(row).await?;
                self.add(&name, row, judged);
            }
            judge.finish().await?;
        }
        Ok(())
    }

    async fn warn_of_other_nodes(&self, judge: &mut Judge) -> Result<(), Error> {
        let nodes = judge.foreign_server().await?;
        if let Some(nodes) = nodes.filter(|nodes| *nodes != self.server) {
            tracing::warn!(
                "the nodes are {nodes}, and are compared with {}: replies may differ by version. \
                 $SHARDPROOF_REDIS_SERVER selects the program to compare with",
                self.server
            );
        }
        Ok(())
    }

    fn add(&mut self, target: &str, row: &Row, judged: Judged) {
        let (command, target) = (row.command.clone(), target.to_owned());
        match judged {
            Judged::Unknown => {
                self.unknown.insert(command);
            }
            Judged::Skipped(reason) => self.skipped.push(Skipped {
                command,
                target,
                reason,
            }),
            Judged::Found(found) => self.cells.push(Cell {
                command,
                target,
                class: found.class,
                calls: found.calls,
                refused: found.refused,
                evidence: found.evidence,
                known: None,
                repeats: None,
            }),
        }
    }

    fn matrix(self, options: &RunOptions, started: Instant) -> Matrix {
        let took_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        let servers = (self.server, self.unknown.into_iter().collect());
        let mut skipped = self.skipped;
        skipped.sort_by(|one, other| one.command.cmp(&other.command));
        Matrix {
            skipped,
            ..Matrix::new(options.seed, servers, self.columns, self.cells, took_ms)
        }
    }
}

/// The column of a proxy, and its version or why its program cannot be used.
fn column(subject: &Subject, options: &RunOptions) -> (Column, Result<(), targets::Error>) {
    let (target, argument, version) = match subject {
        Subject::Target(target) => {
            let version = targets::version(target, &options.search);
            (target.name.clone(), Some(target.argument.clone()), version)
        }
        Subject::Running(running) => (running.proxy.to_string(), None, Ok("unknown".to_owned())),
    };
    let column = Column {
        target,
        argument,
        version: version.as_deref().unwrap_or("unknown").to_owned(),
    };
    (column, version.map(drop))
}
