//! The fault server with foreign clients: `toxiproxy_rust` and PyPI's `toxiproxy-python`, each over a real Redis.
//!
//! `toxiproxy_rust` needs an HTTP client of 2021 and OpenSSL: it is built with the feature `toxiproxy-rust` only.
//! Without it, and where toxiproxy-python is not installed, the trials are listed as ignored.

#[cfg(feature = "toxiproxy-rust")]
mod proxies;
#[cfg(feature = "toxiproxy-rust")]
mod rust;

use std::env;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use libtest_mimic::{Failed, Trial};
use testbed::node::{Node, Process};
use testbed::program::Program;
use tokio::runtime::Runtime;

use crate::support;

pub(crate) fn trials() -> Vec<Trial> {
    let mut trials = vec![python()];
    trials.extend(rust());
    trials
}

/// One script, because it is one conversation; its assertions show where it failed.
fn python() -> Trial {
    let interpreter = Program {
        name: "toxiproxy-python".to_owned(),
        env: "SHARDPROOF_TOXIPROXY_PYTHON".to_owned(),
        install: "run `make clients`".to_owned(),
        package: None,
    };
    let name = "toxiproxy::toxiproxy-python::drives-the-program";
    let presence = support::program("toxiproxy-python", &interpreter);
    support::trial(name, presence, move || {
        let interpreter = support::search().find(&interpreter)?;
        let node = Runtime::new()?.block_on(Process::start(&support::search()))?;
        let server = Served::start()?;
        let (host, port) = server.addr.rsplit_once(':').ok_or("no port")?;
        let script = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../ci/clients/toxiproxy_python.py"
        );
        let output = Command::new(&interpreter)
            .args([script, host, port, &node.addr().to_string()])
            .output()?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            return Err(said.into());
        }
        Ok(())
    })
}

/// `shardproof toxiproxy`, gone when dropped.
struct Served {
    program: Child,
    addr: String,
}

impl Served {
    fn start() -> Result<Self, Failed> {
        let mut program = Command::new(env!("CARGO_BIN_EXE_shardproof"))
            .args(["toxiproxy", "--listen", "127.0.0.1:0", "--seed", "1"])
            .stderr(Stdio::piped())
            .spawn()?;
        let mut lines = program.stderr.take().map(BufReader::new).into_iter();
        let lines = lines.next().ok_or("no stderr")?.lines();
        let mut said = Vec::new();
        for line in lines {
            said.push(line?);
            let addr = said.last().and_then(|line| line.split_once("http://"));
            if let Some((_, addr)) = addr {
                let addr = addr.to_owned();
                return Ok(Self { program, addr });
            }
        }
        Err(format!("the fault server ended: {said:?}").into())
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.program.kill();
        let _ = self.program.wait();
    }
}

#[cfg(feature = "toxiproxy-rust")]
fn rust() -> Vec<Trial> {
    rust::trials()
        .into_iter()
        .chain(proxies::trials())
        .collect()
}

#[cfg(not(feature = "toxiproxy-rust"))]
fn rust() -> Vec<Trial> {
    let why = "built without the feature toxiproxy-rust".to_owned();
    let presence = support::present("toxiproxy-rust", Some(why));
    let name = "toxiproxy::toxiproxy_rust::drives-the-library";
    vec![support::trial(name, presence, || Ok(()))]
}
