//! `shardproof diff`: two reports of the same kind, compared.

use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args;
use shardproof::diff::{Diff, Outcomes};

use super::{Console, Exit, output};

/// Compare two JSON reports of `run`, `matrix` or `chaos`: failures that are fixed, new, gone or changed.
///
/// Exit code 1 if something fails that did not fail before, or fails worse
#[derive(Debug, Args)]
pub(super) struct Flags {
    /// Report to compare with
    #[arg(value_name = "BEFORE.json")]
    before: PathBuf,
    /// Report to judge
    #[arg(value_name = "AFTER.json")]
    after: PathBuf,
    #[command(flatten)]
    output: output::Json,
}

pub(super) fn run(flags: &Flags, console: &Console) -> anyhow::Result<Exit> {
    let diff = Diff::new(&read(&flags.before)?, &read(&flags.after)?)?;
    flags.output.output().write(&diff, console)
}

fn read(file: &Path) -> anyhow::Result<Outcomes> {
    let path = file.display().to_string();
    let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {path}"))?;
    Ok(Outcomes::parse(&path, &text)?)
}
