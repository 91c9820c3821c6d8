//! `shardproof chaos`: workloads and faults on one or more proxies, judged by laws.

mod lists;
mod selection;
mod shrink;

use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use chaos::history;
use chaos::report::{Chaos, ScenarioReport, Stressed, Verdict, write_hgrm};
use chaos::run::Run;
use chaos::scenario::Scenario;
use clap::Args;
use shardproof::baseline::{Baseline, Command, Outcome, Versions};
use shardproof::report;
use shardproof::run::{self, Judged, RunOptions, RunningProxy};
use testbed::address::Address;
use testbed::class::{ABORTED, Ending};
use testbed::endpoint::Endpoint;
use testbed::fault::{Hook, HookCommand, Links};
use testbed::program::Search;
use testbed::targets::{self, Target};
use testbed::text::shell_quoted;

use self::selection::Chosen;
use self::shrink::{Ran, Shrinking};
use super::{ADDRESS, Common, Connector, Console, Exit, baseline, output, repeat};

/// The usual time limit of a proxy that already runs.
const OP_TIMEOUT_MS: u64 = 1000;
/// The usual time limit of a hook: long enough for a controller to report a fault as in force.
const HOOK_TIMEOUT_MS: u64 = 30_000;

/// Run scenarios against one or more proxies: clients send requests while nodes and links fail, and laws judge what they
/// and the nodes saw
#[derive(Debug, Args)]
pub(super) struct Flags {
    /// Scenarios by name, by a pattern with *, or as FILE.toml. Default: all that are known by name
    #[arg(value_name = "SCENARIO")]
    scenarios: Vec<String>,
    /// Proxy to start, by the name or file of its target; repeat for several
    #[arg(long = "target", value_name = "NAME|FILE.toml", conflicts_with = "proxies",
        required_unless_present_any = ["list_faults", "list_laws", "proxies"])]
    targets: Vec<String>,
    /// Running proxy to test, with --node for each of its nodes in their order. Faults of links need links between them:
    /// those of `shardproof links`, or any Toxiproxy, given by --toxiproxy. Other faults need --fault-hook. Repeat for
    /// further proxies in front of the same nodes, which scenarios with several proxies compare with the first
    #[arg(long = "proxy", value_name = ADDRESS, value_parser = super::connect::address, requires = "nodes",
        conflicts_with_all = ["source", "redis_image", "link_port_base"])]
    proxies: Vec<Address>,
    /// Time limit of --proxy for one request
    #[arg(long, value_name = "MS", default_value_t = OP_TIMEOUT_MS, requires = "proxies")]
    op_timeout_ms: u64,
    /// Command that applies and heals the faults that --toxiproxy cannot, such as './hook.sh {action} {fault} {node}'.
    /// {action} is apply or heal, {fault} the fault as in scenarios and {kind} its name, {node} the address of the node or
    /// proxy, and {on} its letter or `proxy`. Exit code 0: done; 3: the hook cannot do this fault; other: the scenario is
    /// unknown
    #[arg(long, value_name = "COMMAND", requires = "proxies")]
    fault_hook: Option<HookCommand>,
    /// Time limit of --fault-hook for one call. The command is killed then
    #[arg(long, value_name = "MS", default_value_t = HOOK_TIMEOUT_MS, requires = "fault_hook",
        value_parser = clap::value_parser!(u64).range(1..))]
    fault_hook_timeout_ms: u64,
    /// Also run scenarios that disturb other clients of --proxy: those with faults. Do not use it on a proxy in production
    #[arg(long, requires = "proxies")]
    allow_disturbing: bool,
    /// Also call --fault-hook for faults that take the data of a node, such as `kill`
    #[arg(long, requires = "fault_hook")]
    allow_destructive: bool,
    /// How long clients send requests, in seconds. Default: as each scenario says
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=86_400))]
    duration: Option<u64>,
    /// Run each scenario N times, each time with the next seed
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..))]
    repeat: u64,
    /// Not these scenarios, by name or by a pattern with *; repeat for several
    #[arg(long = "exclude", value_name = "PATTERN")]
    excludes: Vec<String>,
    /// End the run after N scenarios with broken laws, and report the remaining ones as skipped
    #[arg(long, value_name = "N", conflicts_with = "write_baseline")]
    max_failures: Option<NonZero<usize>>,
    /// Exit code 2 if fewer than N runs of scenarios are judged per proxy
    #[arg(long, value_name = "N", default_value_t = 0)]
    min_judged: usize,
    /// Violations of optional laws fail the run too
    #[arg(long)]
    strict: bool,
    /// Write the history of each run as JSON lines, with its latencies as .hgrm
    #[arg(long, value_name = "DIR")]
    history: Option<PathBuf>,
    #[command(flatten)]
    shrinking: Shrinking,
    /// List the faults that scenarios can apply
    #[arg(long, exclusive = true)]
    list_faults: bool,
    /// List the laws that scenarios are judged by
    #[arg(long, exclusive = true)]
    list_laws: bool,
    #[command(flatten)]
    baseline: baseline::Flags,
    #[command(flatten)]
    output: output::Junit,
    #[command(flatten)]
    pub(super) common: Common,
}

pub(super) async fn run(flags: Flags, search: Search, console: &Console) -> anyhow::Result<Exit> {
    if flags.list_faults || flags.list_laws {
        (console.out)(&match flags.list_faults {
            true => lists::faults(),
            false => lists::laws(),
        });
        return Ok(Exit::Expected);
    }
    flags.common.check()?;
    let duration = flags.duration.map(Duration::from_secs);
    let scenarios = selection::scenarios(&flags.scenarios, &flags.common.fixtures(), duration)?;
    let scenarios = selection::without(scenarios, &flags.excludes)?;
    flags.shrinking.prepare(flags.history.as_deref())?;
    let links = flags.common.links().await?;
    let connector = flags.common.connect.connector(console)?;
    let nodes = connector.nodes(&flags.common.nodes).await?;
    let options = RunOptions {
        toxiproxy_links: links.unwrap_or_default(),
        ..flags.common.run_options(search, nodes.clone())
    };
    let all = selection::scenarios(&[], &flags.common.fixtures(), None)?;
    let exists = |name: &str| is_law_of(all.iter().chain(&scenarios), name);
    let names = baseline::names(&flags.common, &flags.targets)?;
    let subject = baseline::Subject {
        command: Command::Chaos,
        targets: &names,
        exists: Some(&exists),
    };
    let output = flags.output.output();
    output.check(console)?;
    let known = flags.baseline.read(subject, console)?;
    let subjects = subjects(&flags, links, &options, (&connector, nodes)).await?;
    let seed = options.seed;
    (console.err)(&format!("seed {seed:x}"));
    let mut stressed = Vec::new();
    for subject in &subjects {
        let known = known.expected.as_ref();
        let run = stress(&flags, &options, (subject, known), &scenarios, console);
        stressed.push(run.await?);
    }
    if let [stressed] = &mut stressed[..] {
        let versions = Versions::new(&stressed.version, &stressed.server);
        let outcomes = Outcome::of_laws(stressed);
        let stopped = console.stop.is_requested();
        let settled = known.settle(subject, (&outcomes, stopped), versions, console)?;
        if let Some(baseline) = settled {
            baseline.mark_laws(stressed);
        }
    }
    let mut report = Chaos::new(seed, flags.strict, stressed).requiring(flags.min_judged);
    if console.stop.is_requested() {
        report.outcome = Ending::Aborted;
    }
    output.write(&report, console)
}

impl Flags {
    /// Why no more scenarios are run on a proxy, if so.
    fn ended(&self, all: &Stressed) -> Option<String> {
        let most = self.max_failures?.get();
        let breaks = |it: &&ScenarioReport| !it.failing_laws(self.strict).is_empty();
        let failures = all.scenarios.iter().filter(breaks).count();
        (failures >= most).then(|| format!("not run: the run ended after {most} failures"))
    }
}

/// Whether `SCENARIO/LAW` names a law of one of the scenarios.
fn is_law_of<'a>(mut scenarios: impl Iterator<Item = &'a Chosen>, name: &str) -> bool {
    let has = |scenario: &Scenario, law: &str| scenario.laws.iter().any(|it| it.id() == law);
    name.rsplit_once('/').is_some_and(|(id, law)| {
        scenarios.any(|chosen| chosen.scenario.id == id && has(&chosen.scenario, law))
    })
}

/// A proxy to run scenarios on.
enum Subject {
    Target(Box<Target>),
    Running(Box<RunningProxy>),
}

async fn subjects(
    flags: &Flags,
    links: Option<Links>,
    options: &RunOptions,
    (connector, nodes): (&Connector, Vec<Endpoint>),
) -> anyhow::Result<Vec<Subject>> {
    let mut proxies = Vec::new();
    for proxy in &flags.proxies {
        proxies.push(connector.proxy("--proxy", proxy).await?);
    }
    if let Some((proxy, further)) = proxies.split_first() {
        let timeout = Duration::from_millis(flags.fault_hook_timeout_ms);
        let hook = flags.fault_hook.clone();
        return Ok(vec![Subject::Running(Box::new(RunningProxy {
            proxy: *proxy,
            further: further.to_vec(),
            nodes,
            op_timeout: Duration::from_millis(flags.op_timeout_ms),
            links: flags.common.toxiproxy.zip(links),
            hook: hook.map(|command| Hook::new(command, timeout)),
            may_disturb: flags.allow_disturbing,
            may_destroy: flags.allow_destructive,
        }))]);
    }
    let targets = flags.common.targets(&flags.targets)?.into_iter();
    let installed = targets.map(|target| {
        let version = targets::version(&target, &options.search)?;
        Ok(Subject::Target(Box::new(target.in_version(&version))))
    });
    installed.collect()
}

impl Subject {
    fn name(&self) -> String {
        match self {
            Self::Target(target) => target.name.clone(),
            Self::Running(running) => running.proxy.to_string(),
        }
    }

    /// The value of [`Subject::flag`].
    fn argument(&self) -> String {
        match self {
            Self::Target(target) => shell_quoted(&target.argument),
            Self::Running(_) => self.name(),
        }
    }

    fn version(&self, options: &RunOptions) -> anyhow::Result<String> {
        match self {
            Self::Target(target) => Ok(targets::version(target, &options.search)?),
            Self::Running(_) => Ok("of unknown version".to_owned()),
        }
    }

    /// How the command line names it.
    fn flag(&self) -> &'static str {
        match self {
            Self::Target(_) => "--target",
            Self::Running(_) => "--proxy",
        }
    }

    async fn run(
        &self,
        options: &RunOptions,
        scenario: &Scenario,
        say: &dyn Fn(&str),
    ) -> Result<Judged, run::Error> {
        match self {
            Self::Target(target) => run::chaos(options, target, scenario, say).await,
            Self::Running(running) => {
                run::chaos_running(running, scenario, options.seed, say).await
            }
        }
    }
}

/// Runs all scenarios on one proxy, as often as asked for.
async fn stress(
    flags: &Flags,
    options: &RunOptions,
    (subject, known): (&Subject, Option<&Baseline>),
    scenarios: &[Chosen],
    console: &Console,
) -> anyhow::Result<Stressed> {
    let shows = !flags.output.output().takes_stdout();
    let mut all = Stressed {
        target: subject.name(),
        version: subject.version(options)?,
        server: "unknown".to_owned(),
        scenarios: Vec::new(),
    };
    if shows {
        (console.out)(&format!("\n{} {}\n", all.target, all.version));
    }
    let mut failed = None;
    for round in 0..flags.repeat {
        let seed = options.seed.wrapping_add(round);
        let options = RunOptions {
            seed,
            ..options.clone()
        };
        for chosen in scenarios {
            let aborted = console.stop.is_requested();
            let ended = aborted.then(|| format!("not run: {ABORTED}"));
            if let Some(why) = ended.or_else(|| failed.clone().or_else(|| flags.ended(&all))) {
                let scenario = &chosen.scenario;
                let skipped = ScenarioReport::without_run(scenario, Verdict::Skipped, why);
                all.scenarios.push(skipped);
                continue;
            }
            let judged = tokio::select! {
                judged = watched(subject, &options, &chosen.scenario, console) => judged,
                () = console.stop.requested() => {
                    all.scenarios.push(unjudged(&chosen.scenario, ABORTED.to_owned()));
                    continue;
                }
            };
            let mut judged = match judged {
                Ok(judged) => judged,
                Err(why) => {
                    let why = format!("{:#}", anyhow::Error::from(why));
                    (console.err)(&format!("shardproof: {}: {why}", chosen.scenario.id));
                    // No other scenario has a cluster or a proxy either.
                    failed = Some(format!("not run: {} was not started", chosen.scenario.id));
                    all.scenarios.push(unjudged(&chosen.scenario, why));
                    continue;
                }
            };
            if let Some(server) = judged.server.take() {
                all.server = server;
            }
            if let Some(known) = known {
                known.mark_scenario(&mut judged.report);
            }
            judged.report.repeat = command(flags, subject, (&chosen.word, seed), flags.duration);
            if let (Some(folder), Some(run)) = (&flags.history, &judged.run) {
                save(folder, run).context("the history cannot be written")?;
            }
            if shows {
                (console.out)(&report::terminal::scenario(&judged.report));
            }
            let ran = Ran {
                subject,
                version: &all.version,
                chosen,
                options: &options,
                judged: &judged,
            };
            judged.report.shrunk = tokio::select! {
                shrunk = ran.shrink(flags, console) => shrunk?,
                () = console.stop.requested() => None,
            };
            if let (true, Some(shrunk)) = (shows, &judged.report.shrunk) {
                (console.out)(&report::terminal::shrunk(shrunk));
            }
            all.scenarios.push(judged.report);
        }
    }
    Ok(all)
}

/// A scenario that could not be judged for a reason of the suite.
fn unjudged(scenario: &Scenario, why: String) -> ScenarioReport {
    ScenarioReport::without_run(scenario, Verdict::Unknown, why)
}

/// Runs one scenario, and shows its steps on a terminal.
async fn watched(
    subject: &Subject,
    options: &RunOptions,
    scenario: &Scenario,
    console: &Console,
) -> Result<Judged, run::Error> {
    let progress = console.progress(&format!("{} {}", subject.name(), scenario.id));
    let say = |step: &str| {
        if console.terminal {
            progress.say(step);
        }
    };
    subject.run(options, scenario, &say).await
}

/// Writes the history and the latencies of a run, named by target, scenario and seed.
fn save(folder: &Path, run: &Run) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)?;
    let header = &run.observed.history.header;
    let target = in_file_name(&header.target);
    let name = format!("{target}-{}-{}", header.scenario, header.seed);
    let file = |ending: &str| std::fs::File::create(folder.join(format!("{name}.{ending}")));
    history::write(
        &mut std::io::BufWriter::new(file("jsonl")?),
        &run.observed.history,
    )?;
    write_hgrm(&mut std::io::BufWriter::new(file("hgrm")?), run)
}

/// A target or an address in the name of a file. An address may be a URL or the path of a socket.
fn in_file_name(target: &str) -> String {
    target.replace("://", "-").replace('/', "-")
}

/// The command that runs one scenario again, with all flags that affect verdicts.
fn command(
    flags: &Flags,
    subject: &Subject,
    (scenario, seed): (&str, u64),
    duration: Option<u64>,
) -> String {
    let mut repeat = repeat::Flags::default();
    for further in flags.proxies.iter().skip(1) {
        repeat.value("--proxy", further);
    }
    if let Some(seconds) = duration {
        repeat.value("--duration", seconds);
    }
    if flags.op_timeout_ms != OP_TIMEOUT_MS {
        repeat.value("--op-timeout-ms", flags.op_timeout_ms);
    }
    if let Some(hook) = &flags.fault_hook {
        repeat.value("--fault-hook", hook);
    }
    if flags.fault_hook_timeout_ms != HOOK_TIMEOUT_MS {
        repeat.value("--fault-hook-timeout-ms", flags.fault_hook_timeout_ms);
    }
    repeat.switch("--allow-disturbing", flags.allow_disturbing);
    repeat.switch("--allow-destructive", flags.allow_destructive);
    repeat.switch("--strict", flags.strict);
    flags.baseline.repeated(&mut repeat);
    repeat.common(&flags.common);
    let (flag, name, flags) = (subject.flag(), subject.argument(), repeat.text());
    format!("shardproof chaos {scenario} {flag} {name} --seed {seed:x}{flags}")
}
