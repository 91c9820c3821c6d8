//! Forms of the same settings, each compared with the program: a form that Envoy or nutcracker accepts is read, or
//! refused with advice; a form that they refuse is refused.

mod envoy;
mod twemproxy;

use std::path::Path;
use std::process::Command;

use libtest_mimic::Failed;
use shardproof::planner::description::{Hints, inline, read};
use testbed::targets::Target;

use crate::support;

/// How a program, and the reader of descriptions, treat a form.
#[derive(Debug, Clone, Copy)]
enum Fate {
    /// The program accepts it, and it is read as this description in one word.
    Read(&'static str),
    /// The program accepts it, and it is refused with this text.
    Declined(&'static str),
    /// The program refuses it, and so do we, with this text.
    Refused(&'static str),
}
use Fate::{Declined, Read, Refused};

/// A whole file, and its treatment.
type Form = (String, Fate);

/// Compares every form of a target's file with its program.
pub(crate) fn hold(target: &Target) -> Result<(), Failed> {
    let program = support::search().find(&target.program)?;
    let forms = match &*target.name {
        "envoy" => envoy::all(),
        _ => twemproxy::all(),
    };
    let folder = tempfile::tempdir()?;
    let file = folder.path().join(&target.start.config_name);
    let mut wrong = Vec::new();
    for (text, fate) in forms {
        std::fs::write(&file, &text)?;
        let takes = takes(&program, &file)?;
        if let Err(why) = judge(&text, takes, fate) {
            wrong.push(format!("{why}, expected {fate:?}, of\n{text}"));
        }
    }
    match wrong.is_empty() {
        true => Ok(()),
        false => Err(wrong.join("\n").into()),
    }
}

/// Whether the program accepts a file.
fn takes(program: &Path, file: &Path) -> Result<bool, Failed> {
    let mut command = Command::new(program);
    match file.extension().is_some_and(|ending| ending == "yaml") {
        true => command.args(["--mode", "validate", "--log-level", "off", "-c"]),
        false => command.args(["--test-conf", "--conf-file"]),
    };
    Ok(command.arg(file).output()?.status.success())
}

fn judge(text: &str, takes: bool, fate: Fate) -> Result<(), String> {
    if takes == matches!(fate, Refused(_)) {
        return Err(format!("the program takes it: {takes}"));
    }
    match (read(text, "file", &Hints::default()), fate) {
        (Ok(found), Read(expected)) => {
            let expected = inline(expected, &Hints::default()).map_err(|why| why.to_string())?;
            match found.cluster == expected.cluster {
                true => Ok(()),
                false => Err(format!("read {:?}", found.cluster)),
            }
        }
        (Err(why), Declined(words) | Refused(words)) if why.to_string().contains(words) => Ok(()),
        (found, _) => Err(format!("{found:?}")),
    }
}
