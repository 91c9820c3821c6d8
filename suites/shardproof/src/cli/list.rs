//! `shardproof list`: cases, scenarios and targets.

use std::path::PathBuf;

use chaos::scenario;
use clap::Args;
use shardproof::report;
use testbed::targets;

use super::selection::Selection;
use super::{Console, Exit, Folder};

/// List cases, scenarios and targets; with --filter or --case, no scenarios
#[derive(Debug, Args)]
pub(super) struct Flags {
    #[command(flatten)]
    selection: Selection,
    /// Write the list as JSON; - for stdout
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    #[command(flatten)]
    pub(super) folder: Folder,
}

pub(super) fn run(flags: &Flags, console: &Console) -> anyhow::Result<Exit> {
    let cases = flags.selection.cases(&flags.folder)?;
    let scenarios = match flags.selection.is_all() {
        true => scenario::load_all(&scenario::files(&flags.folder.fixtures())?)?,
        false => Vec::new(),
    };
    let targets = targets::load_all(&flags.folder.fixtures().targets()?)?;
    match &flags.json {
        Some(file) => console.save(file, &report::json::list(&cases, &scenarios, &targets)?)?,
        None => (console.out)(&report::terminal::list(&cases, &scenarios, &targets)),
    }
    Ok(Exit::Expected)
}
