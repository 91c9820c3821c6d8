//! `shardproof matrix`: each command through a proxy, compared with one plain Redis.

use anyhow::Context;
use clap::{ArgGroup, Args};
use conformance::matrix::{Matrix, Row, load};
use shardproof::baseline::{Command, Outcome, Versions};
use shardproof::run::{self, RunOptions};
use testbed::program::Search;

use super::{Basics, Console, Exit, Usage, baseline, output, repeat, running};

/// Call every Redis command through a proxy and on one plain Redis, and compare.
///
/// A command is correct if both give the same answer and leave the same data; otherwise it is refused, closed, hung, partial
/// or wrong. Exit code 1 if any command is wrong or hung
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("subject").required(true).multiple(true).args(["targets", "proxy"]))]
pub(super) struct Flags {
    /// Proxy to start, by the name or file of its target; repeat for several
    #[arg(
        long = "target",
        value_name = "NAME|FILE.toml",
        conflicts_with = "proxy"
    )]
    targets: Vec<String>,
    /// Only these commands, by name or pattern with *; repeat for several
    #[arg(long = "filter", value_name = "NAME")]
    filters: Vec<String>,
    /// Not these commands, by name or pattern with *; repeat for several
    #[arg(long = "exclude", value_name = "NAME")]
    excludes: Vec<String>,
    /// Exit code 2 if fewer than N commands are judged per proxy
    #[arg(long, value_name = "N", default_value_t = 0)]
    min_judged: usize,
    /// Call all commands N times, each time with the next seed. The worst outcome of a command counts
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..))]
    repeat: u64,
    #[command(flatten)]
    baseline: baseline::Flags,
    #[command(flatten)]
    output: output::Junit,
    #[command(flatten)]
    pub(super) basics: Basics,
    #[command(flatten)]
    permissions: running::Permissions,
    #[command(flatten)]
    running: running::Flags,
}

pub(super) async fn run(flags: Flags, search: Search, console: &Console) -> anyhow::Result<Exit> {
    let all = all(&flags.basics)?;
    let exists = |command: &str| all.iter().any(|row| row.command == command);
    let likened_to = flags.running.likened_to(&flags.basics.folder)?;
    let mut names = baseline::names(&flags.basics, &flags.targets)?;
    // The known failures of a target are also those of a proxy like it.
    names.extend(likened_to.iter().map(|target| target.name.clone()));
    let subject = baseline::Subject {
        command: Command::Matrix,
        targets: &names,
        exists: Some(&exists),
    };
    let output = flags.output.output();
    output.check(console)?;
    let known = flags.baseline.read(subject, console)?;
    let rows = matching(all.clone(), "--filter", &flags.filters)?;
    let rows = without(rows, &flags.excludes)?;
    let (judged, allowed) = (
        (&flags.basics, &*flags.targets),
        flags.permissions.allowed(),
    );
    let subjects = flags.running.subjects(judged, allowed, console).await?;
    let options = flags.basics.run_options(search);
    (console.err)(&format!("seed {:x}", options.seed));
    let progress = console.progress("matrix");
    let say = |name: &str, index: usize, row: &Row| {
        if console.terminal || index == 0 {
            let count = rows.len();
            progress.say(&format!(
                "{name}: {} of {count}: {}",
                index + 1,
                row.command
            ));
        }
    };
    let mut runs = Vec::new();
    for round in 0..flags.repeat {
        let options = RunOptions {
            seed: options.seed.wrapping_add(round),
            ..options.clone()
        };
        let stop = console.stop.requested();
        let matrix = run::matrix_until(&options, &subjects, &rows, &say, stop).await;
        let stopped = matrix.stopped.is_some();
        runs.push(matrix);
        if stopped {
            break;
        }
    }
    drop(progress);
    let mut matrix = match (flags.repeat, runs.pop()) {
        (1, Some(matrix)) => matrix,
        (_, last) => Matrix::merged(runs.into_iter().chain(last).collect()).context("no run")?,
    };
    let mut flags_again = repeat::Flags::default();
    flags.baseline.repeated(&mut flags_again);
    flags_again.basics(&flags.basics);
    flags.running.repeated(&mut flags_again);
    flags.permissions.repeated(&mut flags_again);
    matrix.flags = flags_again.text();
    matrix.min_judged = flags.min_judged;
    if let [column] = &matrix.targets[..] {
        let versions = Versions::new(&column.version, &matrix.server);
        let outcomes = Outcome::of_commands(&matrix);
        let stopped = matrix.stopped.is_some();
        let settled = known.settle(subject, (&outcomes, stopped), versions, console)?;
        if let Some(baseline) = settled {
            baseline.mark_matrix(&mut matrix);
        }
    }
    output.write(&matrix, console)
}

/// All rows of the sheets.
fn all(basics: &Basics) -> anyhow::Result<Vec<Row>> {
    let sources = conformance::files::sheets(&basics.fixtures())?;
    load(&sources).map_err(|errors| {
        let lines: Vec<String> = errors.iter().map(ToString::to_string).collect();
        anyhow::anyhow!("{}", lines.join("\n"))
    })
}

/// The rows of the sheets that match one of the values of `flag`; all rows if there is no value.
pub(super) fn chosen(basics: &Basics, flag: &str, filters: &[String]) -> anyhow::Result<Vec<Row>> {
    matching(all(basics)?, flag, filters)
}

fn matching(mut rows: Vec<Row>, flag: &str, filters: &[String]) -> anyhow::Result<Vec<Row>> {
    for filter in filters {
        if !rows.iter().any(|row| named(filter, row)) {
            let count = rows.len();
            let usage = format!("{flag} {filter}: matches none of {count} commands");
            return Err(Usage(usage).into());
        }
    }
    if !filters.is_empty() {
        rows.retain(|row| filters.iter().any(|filter| named(filter, row)));
    }
    Ok(rows)
}

fn named(filter: &str, row: &Row) -> bool {
    testbed::text::matches(&filter.to_uppercase(), &row.command)
}

/// The rows that no value of --exclude matches.
fn without(mut rows: Vec<Row>, excludes: &[String]) -> anyhow::Result<Vec<Row>> {
    for exclude in excludes {
        if !rows.iter().any(|row| named(exclude, row)) {
            let count = rows.len();
            let usage = format!("--exclude {exclude}: matches none of {count} commands");
            return Err(Usage(usage).into());
        }
    }
    rows.retain(|row| !excludes.iter().any(|exclude| named(exclude, row)));
    match rows.is_empty() {
        true => Err(Usage("no command is left by --filter and --exclude".to_owned()).into()),
        false => Ok(rows),
    }
}
