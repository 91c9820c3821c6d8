//! `shardproof completions` and `shardproof man`: the command line for a shell and for its reader.

use std::path::PathBuf;

use anyhow::Context;
use clap::Args;
use clap_complete::Shell;

use super::{Console, Exit, help};

/// Name of the program.
const PROGRAM: &str = env!("CARGO_PKG_NAME");

/// Print the completions of a shell
#[derive(Debug, Args)]
pub(super) struct Completions {
    /// Shell
    #[arg(value_enum)]
    shell: Shell,
}

/// Write man pages, one for each subcommand
#[derive(Debug, Args)]
pub(super) struct Man {
    /// Folder to write to
    #[arg(value_name = "DIR")]
    folder: PathBuf,
}

pub(super) fn completions(flags: &Completions, console: &Console) -> anyhow::Result<Exit> {
    let mut script = Vec::new();
    clap_complete::generate(flags.shell, &mut help::command(), PROGRAM, &mut script);
    (console.out)(&String::from_utf8(script)?);
    Ok(Exit::Expected)
}

pub(super) fn man(flags: &Man, console: &Console) -> anyhow::Result<Exit> {
    let folder = &flags.folder;
    let written = std::fs::create_dir_all(folder)
        .and_then(|()| clap_mangen::generate_to(help::command(), folder));
    written.with_context(|| format!("cannot write man pages to {}", folder.display()))?;
    (console.err)(&format!("man pages: {}", folder.display()));
    Ok(Exit::Expected)
}
