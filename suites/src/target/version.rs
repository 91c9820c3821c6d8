//! Which version of a proxy is at hand: deviations were seen with one.

use std::process::{Command, Stdio};

use super::Target;
use super::proxy::{Error, find};
use crate::program::Search;

/// The version that the target's program tells: the pinned one where it is the same, else its first line.
///
/// # Errors
/// When there is no program.
pub fn version(target: &Target, search: &Search) -> Result<String, Error> {
    let program = find(target, search)?;
    let output = Command::new(program)
        .args(&target.version.args)
        .stdin(Stdio::null())
        .output()
        .map_err(|why| Error::Io {
            target: target.name.clone(),
            why,
        })?;
    let told = [output.stdout, output.stderr].concat();
    let told = String::from_utf8_lossy(&told);
    if told.contains(&target.version.pinned) {
        return Ok(target.version.pinned.clone());
    }
    let first = told.lines().find(|line| !line.trim().is_empty());
    Ok(first.unwrap_or("unknown version").trim().to_owned())
}
