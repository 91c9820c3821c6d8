//! `shardproof check-history`: whether the registers of a recorded run are linearizable, with session order.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};

use anyhow::Context;
use chaos::checker::{Options, Report};
use chaos::history;
use clap::Args;

use super::{Console, Exit, output};

/// Check a recorded run: whether its keys are linearizable, with the requests of each connection in order
///
/// Keys are judged that only GET, MGET, SET, MSET, SET NX, SETNX, GETSET, DEL and UNLINK are used on, without time to live.
/// Requests of one connection must take effect in the order in which they were sent, pipelined or not.
///
/// Exit code 1 if a register is not linearizable, 2 if one could not be judged.
#[derive(Debug, Args)]
pub(super) struct Flags {
    /// History as JSON lines, shardproof.history/1; - for stdin
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Configurations to visit at most in the search for an order, per key
    #[arg(long, value_name = "N", default_value_t = Options::default().budget)]
    budget: usize,
    /// Write the history as EDN, for the checkers of Jepsen; - for stdout
    #[arg(long, value_name = "FILE")]
    edn: Option<PathBuf>,
    #[command(flatten)]
    output: output::Json,
}

pub(super) fn run(flags: &Flags, console: &Console) -> anyhow::Result<Exit> {
    let name = flags.file.display().to_string();
    let history = history::read(&mut open(&flags.file)?, &name)?;
    if let Some(edn) = &flags.edn {
        history::write_edn(&mut console.stream(edn)?, &history)?;
    }
    let options = Options {
        budget: flags.budget,
        ..Options::default()
    };
    let report = Report::new(history, options);
    let output = flags.output.output().with_file(flags.edn.as_deref());
    output.write(&report, console)
}

fn open(file: &Path) -> anyhow::Result<Box<dyn BufRead>> {
    if file == Path::new("-") {
        return Ok(Box::new(io::stdin().lock()));
    }
    let opened = File::open(file).with_context(|| format!("{} cannot be read", file.display()))?;
    Ok(Box::new(BufReader::new(opened)))
}
