//! The mark in the environment of everything that this process starts, and the end of what bears it.

use std::fs;
use std::path::Path;

use rustix::process::{Pid, Signal, kill_process};

/// Limit for a program that forks faster than it is killed.
const ROUNDS_MAX: usize = 20;

/// Names the folder of the process that started a program, and which of its children it was; inherited by everything
/// that the program starts.
pub(crate) const VARIABLE: &str = "SHARDPROOF_RUN";

/// The mark of one child of the process with this folder.
pub(crate) fn of_child(run: &Path, number: u32) -> String {
    format!("{}#{number}#", run.display())
}

/// Ends everything that a process with this folder had started.
pub(crate) fn end_run(run: &Path) {
    end_all(&format!("{}#", run.display()));
}

/// Kills all processes whose mark begins with `mark`, also those that left their process group. Programs that clear
/// their environment are out of reach. Does nothing without /proc.
pub(crate) fn end_all(mark: &str) {
    let wanted = format!("{VARIABLE}={mark}");
    // A process may fork just before it is killed.
    for _ in 0..ROUNDS_MAX {
        let marked = processes(wanted.as_bytes());
        if marked.is_empty() {
            return;
        }
        for pid in marked {
            let _ = kill_process(pid, Signal::KILL);
        }
    }
}

/// Processes whose environment has a variable that begins with `wanted`. A zombie has none.
fn processes(wanted: &[u8]) -> Vec<Pid> {
    let Ok(entries) = fs::read_dir("/proc") else {
        return Vec::new();
    };
    let marked = |entry: fs::DirEntry| {
        let pid: i32 = entry.file_name().to_str()?.parse().ok()?;
        let environment = fs::read(entry.path().join("environ")).ok()?;
        let mut variables = environment.split(|byte| *byte == 0);
        variables
            .any(|variable| variable.starts_with(wanted))
            .then(|| Pid::from_raw(pid))?
    };
    entries.flatten().filter_map(marked).collect()
}
