//! `shardproof chaos`: workloads and faults on one or more proxies, judged by laws.

mod lists;

use std::path::{Path, PathBuf};

use anyhow::Context;
use chaos::history;
use chaos::report::{Chaos, Stressed, write_hgrm};
use chaos::run::Run;
use chaos::scenario::{self, Scenario};
use clap::Args;
use shardproof::report;
use shardproof::run;
use testbed::program::Search;
use testbed::targets;
use testbed::text;

use super::{Common, Console, Exit, Usage, output, repeat};

/// Run scenarios against one or more proxies: clients send requests while nodes and links fail, and laws judge what they
/// and the nodes saw
#[derive(Debug, Args)]
pub(super) struct Flags {
    /// Scenarios by name, or by a pattern with *. Default: all of them
    #[arg(value_name = "SCENARIO")]
    scenarios: Vec<String>,
    /// Proxy to start, by target name; repeat for several
    #[arg(long = "target", value_name = "NAME", required_unless_present_any = ["list_faults", "list_laws"])]
    targets: Vec<String>,
    /// How long clients send requests, in seconds. Default: as each scenario says
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=86_400))]
    duration: Option<u64>,
    /// Run each scenario N times, each time with the next seed
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..))]
    repeat: u64,
    /// Violations of optional laws fail the run too
    #[arg(long)]
    strict: bool,
    /// Write the history of each run as JSON lines, with its latencies as .hgrm
    #[arg(long, value_name = "DIR")]
    history: Option<PathBuf>,
    /// List the faults that scenarios can apply
    #[arg(long, exclusive = true)]
    list_faults: bool,
    /// List the laws that scenarios are judged by
    #[arg(long, exclusive = true)]
    list_laws: bool,
    #[command(flatten)]
    output: output::Junit,
    #[command(flatten)]
    common: Common,
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
    let scenarios = scenarios(&flags)?;
    let targets = flags.common.targets(&flags.targets)?;
    let options = flags.common.run_options(search);
    let (seed, output) = (options.seed, flags.output.output());
    (console.err)(&format!("seed {seed:x}"));
    let mut stressed = Vec::new();
    for target in &targets {
        let mut all = Stressed {
            target: target.name.clone(),
            version: targets::version(target, &options.search)?,
            flags: repeated(&flags),
            scenarios: Vec::new(),
        };
        if !output.takes_stdout() {
            (console.out)(&format!("\n{} {}\n", all.target, all.version));
        }
        for round in 0..flags.repeat {
            let options = run::RunOptions {
                seed: seed.wrapping_add(round),
                ..options.clone()
            };
            for scenario in &scenarios {
                let progress = console.progress(&format!("{} {}", target.name, scenario.id));
                let say = |step: &str| {
                    if console.terminal {
                        progress.say(step);
                    }
                };
                let judged = run::chaos(&options, target, scenario, &say).await?;
                drop(progress);
                if let (Some(folder), Some(run)) = (&flags.history, &judged.run) {
                    save(folder, run).context("the history cannot be written")?;
                }
                if !output.takes_stdout() {
                    let (name, again) = (&all.target, &all.flags);
                    let text =
                        report::terminal::scenario(name, again, options.seed, &judged.report);
                    (console.out)(&text);
                }
                all.scenarios.push(judged.report);
            }
        }
        stressed.push(all);
    }
    output.write(&Chaos::new(seed, flags.strict, stressed), console)
}

/// The scenarios asked for, each once, with the duration asked for.
fn scenarios(flags: &Flags) -> anyhow::Result<Vec<Scenario>> {
    let sources = scenario::files(&flags.common.fixtures())?;
    let mut scenarios = scenario::load_all(&sources)?;
    for wanted in &flags.scenarios {
        if !scenarios.iter().any(|it| text::matches(wanted, &it.id)) {
            let known: Vec<&str> = scenarios.iter().map(|it| it.id.as_str()).collect();
            let known = known.join(", ");
            return Err(Usage(format!(
                "{wanted}: unknown scenario, expected one of {known}"
            ))
            .into());
        }
    }
    if !flags.scenarios.is_empty() {
        let wanted = |it: &Scenario| flags.scenarios.iter().any(|id| text::matches(id, &it.id));
        scenarios.retain(wanted);
    }
    if let Some(seconds) = flags.duration {
        let lasts = std::time::Duration::from_secs(seconds);
        scenarios.iter_mut().for_each(|it| it.set_duration(lasts));
    }
    Ok(scenarios)
}

/// Writes the history and the latencies of a run, named by target, scenario and seed.
fn save(folder: &Path, run: &Run) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)?;
    let header = &run.observed.history.header;
    let name = format!("{}-{}-{}", header.target, header.scenario, header.seed);
    let file = |ending: &str| std::fs::File::create(folder.join(format!("{name}.{ending}")));
    history::write(
        &mut std::io::BufWriter::new(file("jsonl")?),
        &run.observed.history,
    )?;
    write_hgrm(&mut std::io::BufWriter::new(file("hgrm")?), run)
}

/// The flags that change what is judged, as they would be given again.
fn repeated(flags: &Flags) -> String {
    let mut repeat = repeat::Flags::default();
    if let Some(seconds) = flags.duration {
        repeat.value("--duration", seconds);
    }
    repeat.switch("--strict", flags.strict);
    repeat.common(&flags.common);
    repeat.text()
}
