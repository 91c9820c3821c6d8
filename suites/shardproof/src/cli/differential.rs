//! `shardproof differential`: random requests through a proxy, and on one plain Redis.

use clap::Args;
use conformance::differential::{Place, Progress, Wanted};
use conformance::matrix::Row;
use shardproof::run;
use testbed::program::Search;
use testbed::targets::Target;

use super::matrix::chosen;
use super::{Basics, Console, Exit, output, repeat};

/// Requests of each target.
const REQUESTS: usize = 200_000;
/// With --long.
const REQUESTS_LONG: usize = 5_000_000;

/// Send random requests of several clients, pipelined and in transactions, through a proxy and to one plain Redis.
///
/// Requests are drawn from the commands that have keys and that the proxy answers rightly one call at a time. Both have to say
/// and leave the same; where the keys of a request or of a transaction lie on several nodes, the proxy may refuse. A difference
/// is made as short as it goes and printed as a case. Exit code 1 when there is one
#[derive(Debug, Args)]
pub(super) struct Flags {
    /// A proxy that the suite starts; repeat for several
    #[arg(long = "target", value_name = "NAME", required = true)]
    targets: Vec<String>,
    /// Only these commands: a name, or with * for any part; repeat for several
    #[arg(long = "filter", value_name = "NAME")]
    filters: Vec<String>,
    /// Not these commands; without EXEC there are no transactions, and without WATCH none that watch
    #[arg(long = "skip", value_name = "NAME")]
    skips: Vec<String>,
    /// Number of requests of each target
    #[arg(long, value_name = "N", default_value_t = REQUESTS, value_parser = count)]
    requests: usize,
    /// Five million requests
    #[arg(long, conflicts_with = "requests")]
    long: bool,
    /// Where keys lie. Default: now one, now the other
    #[arg(long, value_name = "WHERE", value_enum)]
    keys: Option<Keys>,
    #[command(flatten)]
    output: output::Json,
    #[command(flatten)]
    basics: Basics,
}

/// Where the keys of one client lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Keys {
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
    let targets = flags.basics.targets(&flags.targets)?;
    let ground = flags.basics.ground(search);
    let wanted = Wanted {
        requests: if flags.long {
            REQUESTS_LONG
        } else {
            flags.requests
        },
        place: flags.keys.map(|keys| match keys {
            Keys::Together => Place::Together,
            Keys::Apart => Place::Apart,
        }),
    };
    (console.err)(&format!("seed {:x}", ground.seed));
    let progress = console.progress("differential");
    let count = wanted.requests;
    let say = |target: &Target, at: Progress| {
        let name = &target.name;
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
    let report = run::differential(&ground, &targets, &rows, wanted, &say).await?;
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
    match flags.keys {
        Some(Keys::Together) => repeat.value("--keys", "together"),
        Some(Keys::Apart) => repeat.value("--keys", "apart"),
        None => {}
    }
    repeat.switch("--long", flags.long);
    if !flags.long && flags.requests != REQUESTS {
        repeat.value("--requests", flags.requests);
    }
    repeat.text()
}
