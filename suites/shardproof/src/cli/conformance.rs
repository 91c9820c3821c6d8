//! `shardproof run`: the conformance cases on one or more proxies.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::num::NonZero;
use std::time::{Duration, Instant, SystemTime};

use anyhow::Context;
use chrono::{DateTime, SecondsFormat, Utc};
use clap::{ArgGroup, Args};
use conformance::Allowed;
use conformance::probe::Offered;
use conformance::report::{Conformance, Judged};
use shardproof::baseline::{Command, Outcome, Versions};
use shardproof::report;
use shardproof::report::terminal::Shown;
use shardproof::run::{self, Event, Order, RunOptions, Subject};
use testbed::address::Address;
use testbed::class::{ABORTED, Ending};
use testbed::program::Search;
use testbed::targets::{self, Target};

use super::selection::Selection;
use super::{ADDRESS, Common, Connector, Console, Exit, Usage, baseline, output, repeat};

/// The usual time limit of a proxy that already runs.
pub(super) const OP_TIMEOUT_MS: u64 = 1000;
/// If stderr is not a terminal, one line is written after this many cases.
const LINE_EVERY: usize = 50;

/// Run the conformance cases against one or more proxies
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
    /// Running proxy to test. Without --node, cases that inspect nodes are skipped
    #[arg(long, value_name = ADDRESS, value_parser = super::connect::address,
        conflicts_with_all = ["toxiproxy", "source", "redis_image", "link_port_base"])]
    proxy: Option<Address>,
    /// Target whose claims and deviations are also those of --proxy, by name or file. With a version, its deviations are
    /// those of this version. Without --as, the proxy is probed: cases that need what it does not offer are skipped
    #[arg(long = "as", value_name = "TARGET[@VERSION]", requires = "proxy")]
    likened_to: Option<String>,
    /// Time limit of --proxy for one request
    #[arg(long, value_name = "MS", default_value_t = OP_TIMEOUT_MS, requires = "proxy")]
    op_timeout_ms: u64,
    /// Also run cases that destroy data on the nodes of --proxy, such as FLUSHALL
    #[arg(long, requires = "proxy")]
    allow_destructive: bool,
    /// Also run cases that can disturb other clients of --proxy or --node, such as SELECT on connections that the proxy
    /// shares. Do not use it on a proxy in production
    #[arg(long)]
    allow_disturbing: bool,
    /// End the run after N failures and report the remaining cases as not judged
    #[arg(long, value_name = "N", conflicts_with = "write_baseline")]
    max_failures: Option<NonZero<usize>>,
    /// Exit code 2 if fewer than N cases of a proxy are judged
    #[arg(long, value_name = "N", default_value_t = 0)]
    min_judged: usize,
    /// Run the cases N times, each time with the next seed. The worst verdict of a case counts
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..))]
    repeat: u64,
    #[command(flatten)]
    selection: Selection,
    #[command(flatten)]
    baseline: baseline::Flags,
    /// Failures of level `should` fail the run too
    #[arg(long)]
    strict: bool,
    /// Show every case, including passed and skipped ones
    #[arg(short, long)]
    verbose: bool,
    #[command(flatten)]
    output: output::Junit,
    #[command(flatten)]
    pub(super) common: Common,
}

pub(super) async fn run(flags: Flags, search: Search, console: &Console) -> anyhow::Result<Exit> {
    check(&flags)?;
    let all = flags.selection.all(&flags.common.folder)?;
    let ids: BTreeSet<String> = all.iter().map(|case| case.id.clone()).collect();
    let cases = flags.selection.of(all)?;
    let exists = |case: &str| ids.contains(case);
    let names = baseline::names(&flags.common, &flags.targets)?;
    let subject = baseline::Subject {
        command: Command::Run,
        targets: &names,
        exists: flags.selection.files().is_empty().then_some(&exists),
    };
    let output = flags.output.output();
    output.check(console)?;
    let known = flags.baseline.read(subject, console)?;
    let connector = flags.common.connect.connector(console)?;
    let subjects = subjects(&flags, &connector).await?;
    let options = flags
        .common
        .run_options_with_links(search, &connector)
        .await?;
    let seed = options.seed;
    (console.err)(&format!("seed {seed:x}"));
    let order = Order {
        cases: &cases,
        strict: flags.strict,
        max_failures: flags.max_failures,
        baseline: known.expected.as_ref(),
    };
    let started = DateTime::<Utc>::from(SystemTime::now());
    let mut targets = Vec::new();
    // All programs, before the first case.
    let missing = subjects
        .iter()
        .find_map(|(_, subject)| version(subject, &options).err());
    for (title, subject) in &subjects {
        let mut judged = match &missing {
            None => rounds(&flags, &options, (title, subject), order, console).await?,
            Some(why) => {
                let version = version(subject, &options).unwrap_or_default();
                let (name, took) = ((title.clone(), version), Duration::ZERO);
                Judged::broken_off(name, Vec::new(), order.cases, why, took)
            }
        };
        judged.flags = repeated(&flags);
        judged.selection = selection(&flags);
        targets.push(judged);
    }
    let shown = match flags.verbose {
        true => Shown::All,
        false => Shown::Failures,
    };
    if let [judged] = &mut targets[..] {
        let (outcomes, versions) = (
            Outcome::of_cases(judged),
            Versions::new(&judged.version, &judged.server),
        );
        let stopped = judged.stopped.is_some();
        let settled = known.settle(subject, (&outcomes, stopped), versions, console)?;
        if let Some(baseline) = settled {
            baseline.mark_all(judged);
        }
    }
    if !output.takes_stdout() {
        for judged in &targets {
            (console.out)(&report::terminal::target(judged, seed, shown));
        }
    }
    let mut report = match flags.strict {
        true => Conformance::new(seed, targets).strict(),
        false => Conformance::new(seed, targets),
    }
    .requiring(flags.min_judged);
    report.started = Some(started.to_rfc3339_opts(SecondsFormat::Secs, true));
    if console.stop.is_requested() {
        report.outcome = Ending::Aborted;
    }
    output.write(&report, console)
}

/// Judges one proxy as often as asked for, each time with the next seed.
async fn rounds(
    flags: &Flags,
    options: &RunOptions,
    (title, subject): (&str, &Subject),
    order: Order<'_>,
    console: &Console,
) -> anyhow::Result<Judged> {
    let mut runs = Vec::new();
    for round in 0..flags.repeat {
        let options = RunOptions {
            seed: options.seed.wrapping_add(round),
            ..options.clone()
        };
        let name = title;
        let title = match flags.repeat {
            1 => title.to_owned(),
            all => format!("{title}, run {} of {all}", round + 1),
        };
        let judged = watched(&options, (name, &title, subject), order, console).await;
        let stopped = judged.stopped.is_some();
        runs.push((options.seed, judged));
        if stopped {
            break;
        }
    }
    match (flags.repeat, runs.pop()) {
        (1, Some((_, judged))) => Ok(judged),
        (_, last) => Judged::merged(runs.into_iter().chain(last).collect()).context("no run"),
    }
}

/// Judges one proxy once, and shows its cases as they are judged.
async fn watched(
    options: &RunOptions,
    (name, title, subject): (&str, &str, &Subject),
    order: Order<'_>,
    console: &Console,
) -> Judged {
    let (began, results) = (Instant::now(), RefCell::new(Vec::new()));
    let progress = console.progress(title);
    let (begun, count) = (Cell::new(0), order.cases.len());
    if !console.terminal {
        progress.say(&format!("{count} cases"));
    }
    let say = |event: Event<'_>| match event {
        Event::Probed(probed) => {
            let lacking = probed.found.iter().filter(|it| it.offered == Offered::No);
            let lacking: Vec<&str> = lacking.map(|it| it.capability.as_str()).collect();
            if !lacking.is_empty() {
                let lacking = lacking.join(", ");
                progress.line(&format!(
                    "{title}: does not offer {lacking}: cases that need it are skipped"
                ));
            }
        }
        Event::Begins(case) => {
            begun.set(begun.get() + 1);
            let number = begun.get();
            if console.terminal || number % LINE_EVERY == 0 {
                progress.say(&format!("{number} of {count}: {}", case.id));
            }
        }
        Event::Judged(result) => {
            results.borrow_mut().push(result.clone());
            if let Some(line) = report::terminal::failed(result) {
                progress.line(&format!("{title}: {line}"));
            }
        }
    };
    let judged = tokio::select! {
        judged = run::judge(options, subject, order, &say) => {
            judged.map_err(|why| format!("{:#}", anyhow::Error::from(why)))
        }
        () = console.stop.requested() => Err(ABORTED.to_owned()),
    };
    judged.unwrap_or_else(|why| {
        let version = version(subject, options).unwrap_or_else(|_| "unknown".to_owned());
        let name = (name.to_owned(), version);
        Judged::broken_off(name, results.take(), order.cases, &why, began.elapsed())
    })
}

/// The version of a proxy. An error says why its program cannot be used.
fn version(subject: &Subject, options: &RunOptions) -> Result<String, String> {
    match subject {
        Subject::Target { target, .. } => {
            let version = targets::version(target, &options.search);
            version.map_err(|why| format!("{:#}", anyhow::Error::from(why)))
        }
        Subject::Running { .. } => Ok("unknown".to_owned()),
    }
}

/// Refuses flags that would have no effect.
fn check(flags: &Flags) -> Result<(), Usage> {
    let foreign = flags.proxy.is_some() || !flags.common.nodes.is_empty();
    if flags.allow_disturbing && !foreign {
        return Err(Usage(
            "--allow-disturbing: has no effect without --proxy or --node".to_owned(),
        ));
    }
    flags.common.check()
}

async fn subjects(flags: &Flags, connector: &Connector) -> anyhow::Result<Vec<(String, Subject)>> {
    let allowed = Allowed {
        destructive: flags.allow_destructive,
        disturbing: flags.allow_disturbing,
    };
    if let Some(proxy) = &flags.proxy {
        let proxy = connector.proxy("--proxy", proxy).await?;
        let running = Subject::Running {
            proxy,
            op_timeout_ms: flags.op_timeout_ms,
            allowed,
            likened_to: likened_to(flags)?,
        };
        return Ok(vec![(proxy.to_string(), running)]);
    }
    let targets = flags.common.targets(&flags.targets)?;
    let named = |target: Target| {
        let name = target.name.clone();
        let target = Box::new(target);
        (name, Subject::Target { target, allowed })
    };
    Ok(targets.into_iter().map(named).collect())
}

/// The target of --as, with the deviations of its version, or of all versions without one.
fn likened_to(flags: &Flags) -> anyhow::Result<Option<Box<Target>>> {
    let Some(argument) = &flags.likened_to else {
        return Ok(None);
    };
    let folder = &flags.common.basics.folder;
    let (target, version) = super::target::likened(folder, argument)?;
    let Some(version) = version else {
        return Ok(Some(Box::new(target)));
    };
    let judged: Vec<&str> = target.version.judged().collect();
    if !judged.contains(&version) {
        tracing::warn!(
            "{} {version} may show every recorded deviation: judged were {}",
            target.name,
            judged.join(", ")
        );
    }
    Ok(Some(Box::new(target.in_version(version))))
}

/// The flags that say which cases are judged, and how often, in the form of a command line.
fn selection(flags: &Flags) -> String {
    let mut repeat = repeat::Flags::default();
    flags.selection.repeated(&mut repeat);
    if flags.repeat > 1 {
        repeat.value("--repeat", flags.repeat);
    }
    repeat.text()
}

/// The flags that affect verdicts, in the form of a command line.
fn repeated(flags: &Flags) -> String {
    let mut repeat = repeat::Flags::default();
    if flags.op_timeout_ms != OP_TIMEOUT_MS {
        repeat.value("--op-timeout-ms", flags.op_timeout_ms);
    }
    if let Some(target) = &flags.likened_to {
        repeat.value("--as", target);
    }
    repeat.switch("--allow-destructive", flags.allow_destructive);
    repeat.switch("--allow-disturbing", flags.allow_disturbing);
    repeat.switch("--strict", flags.strict);
    for file in flags.selection.files() {
        repeat.value("--case", file.display());
    }
    flags.baseline.repeated(&mut repeat);
    repeat.common(&flags.common);
    repeat.text()
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use testbed::cluster::Source;

    use super::*;

    #[derive(Debug, Parser)]
    struct Cli {
        #[command(flatten)]
        flags: Flags,
    }

    fn read(line: &str) -> Flags {
        let read = Cli::try_parse_from(["run"].into_iter().chain(line.split_whitespace()));
        read.map_or_else(|wrong| panic!("{line}: {wrong}"), |cli| cli.flags)
    }

    /// Flags that the line itself replaces, or that do not affect a verdict.
    const APART: &[&str] = &[
        "target",
        "proxy",
        "filter",
        "seed",
        "exclude",
        "level",
        "max-failures",
        "min-judged",
        "ctrf",
        "summary",
        "badge",
        "repeat",
        "write-baseline",
        "verbose",
        "json",
        "junit",
        "html",
        "help",
        "wait",
    ];

    /// Command lines that together have every flag.
    const LINES: [&str; 4] = [
        "--proxy 127.0.0.1:1 --op-timeout-ms 300 --allow-destructive --allow-disturbing --strict \
         --node 127.0.0.1:2 --node 127.0.0.1:3 --fixtures f --as x",
        "--target x --nodes docker --redis-image redis:8 --link-port-base 22000 --case a.case",
        "--target x --node 127.0.0.1:2 --toxiproxy 127.0.0.1:8474 --baseline known.toml --auth-file a.toml --cacert c.pem \
         --cert d.pem --key e.pem",
        "--proxy rediss://127.0.0.1:1 --insecure",
    ];

    #[test]
    fn the_command_of_a_run_has_the_flags_of_its_selection() {
        let flags = " --filter 'a b' --filter c --exclude d --level must --repeat 3";
        let line = "--target x --filter c --exclude d --level must --repeat 3";
        let mut read = read(line);
        read.selection.filters.insert(0, "a b".to_owned());
        assert_eq!(selection(&read), flags);
    }

    #[test]
    fn the_repeat_line_has_every_flag_that_affects_verdicts() {
        for line in LINES {
            let again = repeated(&read(line));
            let subject = line
                .split_whitespace()
                .take(2)
                .collect::<Vec<_>>()
                .join(" ");
            let twice = repeated(&read(&format!("{subject}{again}")));
            assert_eq!(again, twice, "{line}");
            for flag in line.split_whitespace().skip(2) {
                assert!(
                    again.split_whitespace().any(|word| word == flag),
                    "{flag}: {again}"
                );
            }
        }
    }

    #[test]
    fn every_flag_of_run_is_on_a_line() {
        use clap::CommandFactory;
        for argument in Cli::command().get_arguments() {
            let Some(name) = argument.get_long() else {
                continue;
            };
            let flag = format!("--{name}");
            let given = LINES
                .iter()
                .any(|line| line.split_whitespace().any(|word| word == flag));
            assert!(APART.contains(&name) || given, "{flag} is on no line");
        }
    }

    #[test]
    fn values_are_quoted_for_a_shell() {
        let flags = Cli::try_parse_from(["run", "--target", "x", "--fixtures", "my folder's"]);
        let again = repeated(&flags.expect("a command line").flags);
        assert_eq!(again, r" --fixtures 'my folder'\''s'");
    }

    #[test]
    fn an_image_implies_containers() {
        let options = |line| {
            read(line)
                .common
                .run_options(Search::default(), Vec::new())
                .nodes
        };
        let image = |image: &str| Some(image.to_owned());
        let containers = |image| Source::Docker { image };
        let nodes = options("--target x --redis-image redis:8");
        assert_eq!(nodes, containers(image("redis:8")));
        assert_eq!(options("--target x --nodes docker"), containers(None));
        assert_eq!(options("--target x"), Source::Process);
    }

    #[test]
    fn flags_without_effect_are_refused() {
        for line in [
            "--target x --allow-disturbing",
            "--target x --nodes process --redis-image redis:8",
            "--proxy 127.0.0.1:1 --redis-image redis:8",
        ] {
            let read = Cli::try_parse_from(["run"].into_iter().chain(line.split_whitespace()));
            let refused = read.map_or(true, |cli| check(&cli.flags).is_err());
            assert!(refused, "{line}");
        }
    }
}
