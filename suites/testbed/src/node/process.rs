//! A node as a child process: `redis-server` on a free port, without persistence, gone when we are.

use std::fs::File;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustix::process::Signal;

use super::{Error, Node, Step};
use crate::child::Running;
use crate::client::{self, Client, NODE_DEADLINE};
use crate::folder::Folder;
use crate::port;
use crate::program::{Program, Search};
use crate::text;
use crate::wait::Wait;
use crate::wire::Value;

/// How long a server may take until it answers. It takes milliseconds; a loaded machine takes longer.
const READY_WITHIN: Duration = Duration::from_secs(20);
/// How long a server may take to end in order; with nothing to save it takes none.
const STOPPED_WITHIN: Duration = Duration::from_secs(5);

/// A `redis-server` that we started.
#[derive(Debug)]
pub struct Process {
    addr: SocketAddr,
    program: PathBuf,
    folder: Folder,
    server: Mutex<Option<Running>>,
}

impl Process {
    /// Starts a server on a free loopback port and waits until it answers.
    ///
    /// # Errors
    /// When there is no `redis-server`, or it does not come up (with the end of its log).
    pub async fn start(search: &Search) -> Result<Self, Error> {
        let program = search.find(&Program::redis_server())?;
        let taken = |error: &Error| matches!(error, Error::NotReady { log, .. } if log.contains("Address already in use"));
        let start = async || {
            let port = port::free().map_err(Error::Spawn)?;
            let node = Self::on(port, &program)?;
            node.launch().await?;
            Ok(node)
        };
        port::retry_if_taken(taken, start).await
    }

    fn on(port: u16, program: &Path) -> Result<Self, Error> {
        Ok(Self {
            addr: SocketAddr::from((Ipv4Addr::LOCALHOST, port)),
            program: program.to_owned(),
            folder: Folder::create("node-").map_err(Error::Spawn)?,
            server: Mutex::new(None),
        })
    }

    /// The process id, while the server runs.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        self.server().as_ref().map(Running::pid)
    }

    async fn launch(&self) -> Result<(), Error> {
        let log = self.log_path();
        let server =
            Running::start(self.command(&log).map_err(Error::Spawn)?).map_err(Error::Spawn)?;
        *self.server() = Some(server);
        let mut wait = Wait::begin("an answer", READY_WITHIN);
        loop {
            let why = match self.answers().await {
                Ok(()) => return Ok(()),
                Err(why) => why,
            };
            if let Some(status) = self.ended() {
                return Err(self.not_ready(&log, format!("ended with {status}")));
            }
            wait.pause(why).await.map_err(|late| {
                self.not_ready(&log, format!("does not answer: {}", late.instead))
            })?;
        }
    }

    /// Whether this server answers. Another process may have taken the port first, and its answer is not ours.
    async fn answers(&self) -> Result<(), String> {
        let calling = async {
            client::ping(self.addr).await?;
            let mut client = Client::connect(self.addr, NODE_DEADLINE).await?;
            client.call(&["INFO", "server"], NODE_DEADLINE).await
        };
        let answer: Value = calling.await.map_err(|why| why.to_string())?;
        let Value::Bulk(info) = &answer else {
            return Err(format!("INFO is answered with {answer}"));
        };
        let ours = self.pid().map(|pid| format!("process_id:{pid}"));
        let text = String::from_utf8_lossy(info);
        match text.lines().any(|line| Some(line) == ours.as_deref()) {
            true => Ok(()),
            false => Err("another server answers at this address".to_owned()),
        }
    }

    fn command(&self, log: &Path) -> std::io::Result<Command> {
        let mut command = Command::new(&self.program);
        command
            .args([
                "--bind",
                "127.0.0.1",
                "--port",
                &self.addr.port().to_string(),
            ])
            .args(["--save", "", "--appendonly", "no", "--daemonize", "no"])
            .args(["--enable-debug-command", "local"])
            .arg("--dir")
            .arg(self.folder.path())
            .stdin(Stdio::null())
            .stdout(File::create(log)?)
            .stderr(Stdio::null());
        Ok(command)
    }

    fn log_path(&self) -> PathBuf {
        self.folder.path().join("redis.log")
    }

    fn ended(&self) -> Option<std::process::ExitStatus> {
        self.server().as_mut()?.ended().ok()?
    }

    fn not_ready(&self, log: &Path, what: String) -> Error {
        Error::NotReady {
            addr: self.addr,
            what,
            log: text::last_lines(log, 5),
        }
    }

    fn signal(&self, signal: Signal) -> Result<(), Error> {
        let server = self.server();
        let gone = || std::io::Error::other("it does not run");
        server
            .as_ref()
            .ok_or_else(gone)
            .and_then(|server| server.signal(signal))
            .map_err(|why| Error::Signal {
                addr: self.addr,
                why,
            })
    }

    async fn end_in_order(&self) -> Result<(), Error> {
        self.signal(Signal::TERM)?;
        let mut wait = Wait::begin("the end", STOPPED_WITHIN);
        while self.ended().is_none() && wait.pause("it runs".to_owned()).await.is_ok() {}
        // Kills it where it did not end.
        drop(self.server().take());
        Ok(())
    }

    fn without_network(&self) -> Step<'_> {
        Box::pin(std::future::ready(Err(Error::NoNetwork {
            addr: self.addr,
        })))
    }

    fn server(&self) -> MutexGuard<'_, Option<Running>> {
        self.server.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Node for Process {
    fn addr(&self) -> SocketAddr {
        self.addr
    }

    fn pause(&self) -> Step<'_> {
        Box::pin(async { self.signal(Signal::STOP) })
    }

    fn resume(&self) -> Step<'_> {
        Box::pin(async { self.signal(Signal::CONT) })
    }

    fn stop(&self) -> Step<'_> {
        Box::pin(self.end_in_order())
    }

    fn kill(&self) -> Step<'_> {
        Box::pin(async {
            // Dropping the child kills it and waits for its end.
            drop(self.server().take());
            Ok(())
        })
    }

    fn restart(&self) -> Step<'_> {
        Box::pin(async {
            drop(self.server().take());
            self.launch().await
        })
    }

    fn disconnect(&self) -> Step<'_> {
        self.without_network()
    }

    fn connect(&self) -> Step<'_> {
        self.without_network()
    }
}

#[cfg(test)]
mod tests {
    use std::env;

    use super::{Node, Process};
    use crate::node;
    use crate::program::Search;

    fn search() -> Search {
        Search::new(&env::current_exe().unwrap(), env::vars_os())
    }

    #[tokio::test]
    async fn a_process_has_no_network_to_lose() {
        let node = Process::start(&search()).await.unwrap();
        let refused = node.disconnect().await;
        assert!(matches!(refused, Err(node::Error::NoNetwork { .. })));
    }

    #[tokio::test]
    async fn a_server_that_had_the_port_first_is_not_taken_for_the_node() {
        let first = Process::start(&search()).await.unwrap();
        let second = Process::on(first.addr.port(), &first.program).unwrap();
        let error = second.launch().await.unwrap_err().to_string();
        assert!(error.contains("Address already in use"), "{error}");
    }

    #[tokio::test]
    async fn without_the_program_the_error_says_what_to_install() {
        let error = Process::start(&Search::default()).await.unwrap_err();
        assert!(matches!(error, node::Error::Missing(_)));
        assert!(error.to_string().contains("make setup"), "{error}");
    }
}
