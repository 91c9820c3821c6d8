//! `shardproof run`: the conformance cases on one or more proxies.

use std::cell::Cell;
use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{ArgGroup, Args};
use shardproof::conformance::Case;
use shardproof::program::Search;
use shardproof::report;
use shardproof::run::{self, Conformance, Subject};

use super::selection::Selection;
use super::{Common, Console, Exit};

/// Judge proxies by the conformance cases
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("subject").required(true).multiple(true).args(["targets", "proxy"]))]
pub(super) struct Flags {
    /// A proxy that the suite starts; repeat for several
    #[arg(long = "target", value_name = "NAME", conflicts_with = "proxy")]
    targets: Vec<String>,
    /// A proxy that already runs. With --node, its nodes are looked at; without, cases that need them are skipped
    #[arg(long, value_name = "HOST:PORT", value_parser = super::address)]
    proxy: Option<SocketAddr>,
    /// The time limit of --proxy for one request
    #[arg(long, value_name = "MS", default_value_t = 1000, requires = "proxy")]
    op_timeout_ms: u64,
    /// Run also cases that destroy what others keep on the nodes of --proxy, such as FLUSHALL
    #[arg(long, requires = "proxy")]
    allow_destructive: bool,
    #[command(flatten)]
    selection: Selection,
    /// Promises of level `should` count too
    #[arg(long)]
    strict: bool,
    /// Report for machines; - is stdout
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Report for CI servers
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Report to look at: one page with everything in it
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    #[command(flatten)]
    common: Common,
}

pub(super) async fn run(flags: Flags, search: Search, console: &Console) -> anyhow::Result<Exit> {
    let cases = flags.selection.cases(&flags.common)?;
    let subjects = subjects(&flags)?;
    let ground = flags.common.ground(search);
    let seed = ground.seed;
    let files = [&flags.json, &flags.junit, &flags.html];
    let to_stdout = files
        .iter()
        .any(|file| file.as_deref() == Some("-".as_ref()));
    (console.err)(&format!("seed {seed:x}"));
    let mut targets = Vec::new();
    for (title, subject) in &subjects {
        let progress = console.progress(title);
        if !console.terminal {
            progress.say(&format!("{} cases", cases.len()));
        }
        let begun = Cell::new(0);
        let say = |case: &Case| {
            begun.set(begun.get() + 1);
            if console.terminal {
                progress.say(&format!("{} of {}: {}", begun.get(), cases.len(), case.id));
            }
        };
        let judged = run::judge(&ground, subject, &cases, &say).await?;
        drop(progress);
        if !to_stdout {
            (console.out)(&report::terminal::target(&judged, seed));
        }
        targets.push(judged);
    }
    let report = Conformance::new(seed, targets);
    if !to_stdout {
        (console.out)(&report::terminal::summary(&report));
    }
    if let Some(file) = &flags.json {
        console.save(file, &report::json::conformance(&report)?)?;
    }
    if let Some(file) = &flags.junit {
        console.save(file, &report::junit::conformance(&report, flags.strict)?)?;
    }
    if let Some(file) = &flags.html {
        console.save(file, &report::html::conformance(&report))?;
    }
    Ok(exit(&report, flags.strict))
}

fn subjects(flags: &Flags) -> anyhow::Result<Vec<(String, Subject)>> {
    if let Some(proxy) = flags.proxy {
        let running = Subject::Running {
            proxy,
            op_timeout_ms: flags.op_timeout_ms,
            allow_destructive: flags.allow_destructive,
        };
        return Ok(vec![(proxy.to_string(), running)]);
    }
    let targets = flags.common.targets(&flags.targets)?;
    let named = |target: shardproof::target::Target| {
        (target.name.clone(), Subject::Target(Box::new(target)))
    };
    Ok(targets.into_iter().map(named).collect())
}

fn exit(report: &Conformance, strict: bool) -> Exit {
    let results = || report.targets.iter().flat_map(|judged| &judged.results);
    if results().any(|result| result.breaks(strict)) {
        Exit::Broken
    } else if report
        .targets
        .iter()
        .any(|judged| judged.summary.unknown > 0)
    {
        Exit::Unjudged
    } else {
        Exit::Expected
    }
}
