//! `shardproof matrix`: each command through a proxy, compared with one plain Redis.

use clap::Args;
use conformance::matrix::{Row, load};
use shardproof::run;
use testbed::program::Search;
use testbed::targets::Target;

use super::{Basics, Console, Exit, Usage, output, repeat};

/// Call every Redis command through a proxy and on one plain Redis, and compare.
///
/// A command is correct if both give the same answer and leave the same data; otherwise it is refused, closed, hung, partial
/// or wrong. Exit code 1 if any command is wrong or hung
#[derive(Debug, Args)]
pub(super) struct Flags {
    /// Proxy to start, by target name; repeat for several
    #[arg(long = "target", value_name = "NAME", required = true)]
    targets: Vec<String>,
    /// Only these commands, by name or pattern with *; repeat for several
    #[arg(long = "filter", value_name = "NAME")]
    filters: Vec<String>,
    #[command(flatten)]
    output: output::Page,
    #[command(flatten)]
    basics: Basics,
}

pub(super) async fn run(flags: Flags, search: Search, console: &Console) -> anyhow::Result<Exit> {
    let rows = chosen(&flags.basics, "--filter", &flags.filters)?;
    let targets = flags.basics.targets(&flags.targets)?;
    let options = flags.basics.run_options(search);
    (console.err)(&format!("seed {:x}", options.seed));
    let progress = console.progress("matrix");
    let say = |target: &Target, index: usize, row: &Row| {
        if console.terminal || index == 0 {
            let (count, name) = (rows.len(), &target.name);
            progress.say(&format!(
                "{name}: {} of {count}: {}",
                index + 1,
                row.command
            ));
        }
    };
    let mut matrix = run::matrix(&options, &targets, &rows, &say).await?;
    drop(progress);
    let mut flags_again = repeat::Flags::default();
    flags_again.basics(&flags.basics);
    matrix.flags = flags_again.text();
    flags.output.output().write(&matrix, console)
}

/// The rows of the sheets that match one of the values of `flag`; all rows if there is no value.
pub(super) fn chosen(basics: &Basics, flag: &str, filters: &[String]) -> anyhow::Result<Vec<Row>> {
    let sources = conformance::files::sheets(&basics.fixtures())?;
    let mut rows = load(&sources).map_err(|errors| {
        let lines: Vec<String> = errors.iter().map(ToString::to_string).collect();
        anyhow::anyhow!("{}", lines.join("\n"))
    })?;
    let named =
        |filter: &str, row: &Row| testbed::text::matches(&filter.to_uppercase(), &row.command);
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
