//! `shardproof differential`: random requests through a proxy, and on one plain Redis.

use clap::{ArgGroup, Args};
use conformance::Allowed;
use conformance::differential::{Place, Progress, Wanted};
use conformance::matrix::Row;
use shardproof::run;
use testbed::program::Search;

use super::matrix::chosen;
use super::{Basics, Console, Exit, output, repeat, running};

/// Requests of each target.
const REQUESTS: usize = 200_000;
/// Requests of a proxy that others may use.
const REQUESTS_RUNNING: usize = 20_000;
/// With --long.
const REQUESTS_LONG: usize = 5_000_000;

/// Compare a proxy with one plain Redis on random requests of several clients, pipelined and in transactions.
///
/// Requests are drawn from the commands with keys that the proxy answers correctly in single calls. Both must give the same
/// answers and leave the same data. The proxy may refuse a request or a transaction whose keys live on several nodes. A
/// difference is shrunk and printed as a case. Exit code 1 if there is one
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
    /// Leave out these commands. Without EXEC there are no transactions, without WATCH none that watch keys
    #[arg(long = "skip", value_name = "NAME")]
    skips: Vec<String>,
    /// Number of requests per target. Default: 200000, with --proxy 20000
    #[arg(long, value_name = "N", value_parser = count)]
    count: Option<usize>,
    /// Five million requests
    #[arg(long, conflicts_with = "count")]
    long: bool,
    /// Where the keys of a request live. Default: both in turn
    #[arg(long, value_name = "WHERE", value_enum)]
    place: Option<KeyPlace>,
    #[command(flatten)]
    output: output::Json,
    #[command(flatten)]
    pub(super) basics: Basics,
    #[command(flatten)]
    running: running::Flags,
}

/// Where the keys of one client lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum KeyPlace {
    /// All on one node
    Together,
    /// On several nodes
    Apart,
}

fn count(text: &str) -> Result<usize, String> {
    let count: usize = text.parse().map_err(|_| "expected a number".to_owned())?;
    (count > 0)
        .then_some(count)
        .ok_or_else(|| "expected at least 1".to_owned())
}

pub(super) async fn run(flags: Flags, search: Search, console: &Console) -> anyhow::Result<Exit> {
    let rows = rows(&flags)?;
    let judged = (&flags.basics, &*flags.targets);
    let nothing = Allowed::default();
    let subjects = flags.running.subjects(judged, nothing, console).await?;
    let options = flags.basics.run_options(search);
    let wanted = Wanted {
        requests: match flags.count {
            _ if flags.long => REQUESTS_LONG,
            Some(count) => count,
            None if flags.targets.is_empty() => REQUESTS_RUNNING,
            None => REQUESTS,
        },
        place: flags.place.map(|place| match place {
            KeyPlace::Together => Place::Together,
            KeyPlace::Apart => Place::Apart,
        }),
    };
    (console.err)(&format!("seed {:x}", options.seed));
    let progress = console.progress("differential");
    let count = wanted.requests;
    let say = |name: &str, at: Progress| {
        match at {
            // In a log, every hundredth round is enough.
            Progress::Compared(requests) if console.terminal || requests.is_multiple_of(30_000) => {
                progress.say(&format!("{name}: {requests} of {count} requests"));
            }
            Progress::Shrunk(steps) if console.terminal => {
                progress.say(&format!("{name}: a difference in {steps} requests"));
            }
            Progress::Compared(_) | Progress::Shrunk(_) => {}
        }
    };
    let wanted = (wanted, &*repeated(&flags));
    let report = run::differential(&options, &subjects, &rows, wanted, &say).await?;
    drop(progress);
    flags.output.output().write(&report, console)
}

fn rows(flags: &Flags) -> anyhow::Result<Vec<Row>> {
    let skipped = match flags.skips.is_empty() {
        true => Vec::new(),
        false => chosen(&flags.basics, "--skip", &flags.skips)?,
    };
    let mut rows = chosen(&flags.basics, "--filter", &flags.filters)?;
    rows.retain(|row| !skipped.contains(row));
    Ok(rows)
}

/// The flags that shape the requests, as they would be given again.
fn repeated(flags: &Flags) -> String {
    let mut repeat = repeat::Flags::default();
    repeat.basics(&flags.basics);
    for name in &flags.filters {
        repeat.value("--filter", name);
    }
    for name in &flags.skips {
        repeat.value("--skip", name);
    }
    match flags.place {
        Some(KeyPlace::Together) => repeat.value("--place", "together"),
        Some(KeyPlace::Apart) => repeat.value("--place", "apart"),
        None => {}
    }
    repeat.switch("--long", flags.long);
    if let Some(count) = flags.count {
        repeat.value("--count", count);
    }
    flags.running.repeated(&mut repeat);
    repeat.text()
}
