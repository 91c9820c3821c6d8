//! A child that outlives this process and then removes its containers, however the process ended.
//!
//! It is a convenience: without the `docker` program the next process that starts a container does the same.

use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

use super::owner::{self, Owner};
use crate::program::{Program, Search};

/// Reads until the other end of the pipe is closed: only this process holds it.
const SCRIPT: &str = r#"
cat >/dev/null
left=$("$0" ps --all --quiet --filter "label=$1")
[ -z "$left" ] || "$0" rm --force --volumes $left
"#;

/// Holds our end of the pipe for as long as the process lives.
static REAPER: OnceLock<Option<Child>> = OnceLock::new();

pub(super) fn start(owner: &Owner, search: &Search) {
    REAPER.get_or_init(|| {
        let docker = search.find(&docker()).ok()?;
        let started = Command::new("sh")
            .args(["-c", SCRIPT])
            .arg(docker)
            .arg(format!("{}={owner}", owner::LABEL))
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // Out of reach of the terminal's interrupt, which is one of the ends that it waits for.
            .process_group(0)
            .spawn();
        started.ok()
    });
}

fn docker() -> Program {
    Program {
        name: "docker".to_owned(),
        env: "SHARDPROOF_DOCKER".to_owned(),
        install: "install Debian's package docker.io".to_owned(),
        package: None,
    }
}
