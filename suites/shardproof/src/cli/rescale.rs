//! `shardproof rescale`: what adding or removing nodes costs, key by key.

mod fault;
mod running;

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::PathBuf;

use anyhow::Context;
use chaos::rescale::{self, Plan, Rescales, write_keys};
use clap::Args;
use shardproof::report;
use shardproof::run::{self, Rescaled};
use testbed::fault::Fault;
use testbed::program::Search;
use testbed::targets::Target;

use super::{Common, Console, Exit, Usage, output};

/// Measure what a rescale costs: write keys through a proxy, change its number of nodes, read all keys, change back, read again
#[derive(Debug, Args)]
pub(super) struct Flags {
    /// Proxy to start, by the name or file of its target; repeat for several
    #[arg(
        long = "target",
        value_name = "NAME|FILE.toml",
        conflicts_with = "proxies",
        required_unless_present = "proxies"
    )]
    targets: Vec<String>,
    #[command(flatten)]
    proxies: running::Proxies,
    /// Number of nodes before
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u16).range(1..=64))]
    from: u16,
    /// Number of nodes after
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u16).range(1..=64))]
    to: u16,
    /// Placement policy of the target; repeat to compare. Default: the target's first. With --proxy, the policy to compare
    /// the nodes with
    #[arg(long = "policy", value_name = "NAME")]
    policies: Vec<String>,
    /// Apply a fault to one node while the number of nodes changes: kill, pause, down, "latency 50ms" or any other fault of the
    /// case format. The number of nodes does not change back then
    #[arg(long, value_name = "FAULT", conflicts_with = "keys_out")]
    fault: Option<Fault>,
    /// Node of the fault, counted from 0. Default: 1, or 0 if only one node stays
    #[arg(long, value_name = "INDEX", requires = "fault")]
    fault_node: Option<u16>,
    /// Number of keys. Default: 10000, with --fault 2000
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    count: Option<u32>,
    /// Pattern of the keys: n in braces counts from 0. On nodes of --node, keys have a prefix of the run
    #[arg(long, value_name = "PATTERN", default_value = "key:{n}")]
    generate: String,
    /// Time to live of the keys, in seconds. Default: 60, with --fault 120, with --proxy 600
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..))]
    ttl: Option<u64>,
    #[command(flatten)]
    output: output::Page,
    /// Write one line per key: its node before and after. Needs a single target and policy
    #[arg(long, value_name = "FILE")]
    keys_out: Option<PathBuf>,
    #[command(flatten)]
    pub(super) common: Common,
}

pub(super) async fn run(flags: Flags, search: Search, console: &Console) -> anyhow::Result<Exit> {
    flags.common.check()?;
    if let Some(fault) = flags.fault.clone() {
        return fault::run(&flags, fault, search, console).await;
    }
    let output = flags.output.output();
    output.check(console)?;
    if flags.proxies.given() {
        let Some(rescaled) = running::run(&flags, console).await? else {
            return Ok(Exit::Unjudged);
        };
        show(&flags, &rescaled, console);
        return report(&flags, vec![rescaled], console);
    }
    let runs = runs(&flags)?;
    let connector = flags.common.connect.connector(console)?;
    let options = flags
        .common
        .run_options_with_links(search, &connector)
        .await?;
    let plan = plan(&flags, options.seed)?;
    (console.err)(&format!("seed {:x}", plan.seed));
    let mut done: Vec<Rescaled> = Vec::new();
    for (target, policy) in &runs {
        let progress = console.progress(&format!("{} {policy}", target.name));
        let say = |step: &str| progress.say(step);
        let rescaled = run::rescale(&options, target, policy, &plan, &say).await?;
        drop(progress);
        show(&flags, &rescaled, console);
        done.push(rescaled);
    }
    report(&flags, done, console)
}

/// Prints one rescale, unless stdout is taken.
fn show(flags: &Flags, rescaled: &Rescaled, console: &Console) {
    if !flags.output.output().takes_stdout() {
        (console.out)(&report::terminal::rescale(&rescaled.report));
        (console.out)("\n");
    }
}

/// Writes the files asked for.
fn report(flags: &Flags, done: Vec<Rescaled>, console: &Console) -> anyhow::Result<Exit> {
    if let (Some(file), [only]) = (&flags.keys_out, done.as_slice()) {
        save_keys(file, only).with_context(|| format!("cannot write {}", file.display()))?;
    }
    let reports = done.into_iter().map(|rescaled| rescaled.report).collect();
    flags.output.output().write(&Rescales { reports }, console)
}

/// Every target with every policy asked for.
fn runs(flags: &Flags) -> anyhow::Result<Vec<(Target, String)>> {
    let mut runs = Vec::new();
    for target in flags.common.targets(&flags.targets)? {
        let policies = if flags.policies.is_empty() {
            target.policies[..1].to_vec()
        } else {
            flags.policies.clone()
        };
        for policy in policies {
            if !target.policies.contains(&policy) {
                let (name, known) = (&target.name, target.policies.join(", "));
                let usage = format!("--policy {policy}: target {name} expects one of {known}");
                return Err(Usage(usage).into());
            }
            runs.push((target.clone(), policy));
        }
    }
    if flags.keys_out.is_some() && runs.len() > 1 {
        let usage = "--keys-out: expected with one target and one policy".to_owned();
        return Err(Usage(usage).into());
    }
    Ok(runs)
}

fn plan(flags: &Flags, seed: u64) -> Result<Plan, Usage> {
    if flags.from == flags.to {
        return Err(Usage(format!(
            "--from {} --to {}: expected to differ",
            flags.from, flags.to
        )));
    }
    if !flags.generate.contains("{n}") {
        let pattern = &flags.generate;
        return Err(Usage(format!(
            "--generate {pattern}: expected to contain {{n}}"
        )));
    }
    // Foreign nodes may have keys of any name: a prefix of its own distinguishes the keys of the run.
    let prefix = match flags.common.nodes.is_empty() {
        true => String::new(),
        false => rescale::prefix(seed),
    };
    let key = |number: u32| {
        let name = flags.generate.replace("{n}", &number.to_string());
        [prefix.as_bytes(), name.as_bytes()].concat()
    };
    // Each batch of requests waits until the proxy gives up on the node: fewer keys, with a longer time to live.
    // The change of a running proxy may take minutes.
    let (keys, ttl_s) = match (&flags.fault, flags.proxies.given()) {
        (Some(_), _) => (2_000, 120),
        (None, true) => (10_000, 600),
        (None, false) => (10_000, 60),
    };
    Ok(Plan {
        from: flags.from.into(),
        to: flags.to.into(),
        keys: (0..flags.count.unwrap_or(keys)).map(key).collect(),
        ttl_s: flags.ttl.unwrap_or(ttl_s),
        seed,
    })
}

fn save_keys(file: &PathBuf, rescaled: &Rescaled) -> std::io::Result<()> {
    let mut out = BufWriter::new(File::create(file)?);
    write_keys(&mut out, &rescaled.addrs, &rescaled.observed)?;
    out.flush()
}
