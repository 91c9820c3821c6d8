//! A node as a child process: `redis-server` on a free port, without persistence, gone when we are.

use std::fs::File;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustix::process::Signal;

use super::{Error, Node, Step, shutdown};
use crate::child::Running;
use crate::client::{self, Client, NODE_DEADLINE};
use crate::folder::Folder;
use crate::port::{self, Port};
use crate::program::{Program, Search};
use crate::text;
use crate::wait::Wait;
use crate::wire::Value;

/// How long a server may take until it answers. It takes milliseconds; a loaded machine takes longer.
const READY_WITHIN: Duration = Duration::from_secs(20);
/// The file for a server's data, if it is ordered to keep it.
const DATA: &str = "dump.rdb";
/// How long a server may take to end in order; with nothing to save it takes none.
const STOPPED_WITHIN: Duration = Duration::from_secs(5);

/// A `redis-server` that we started.
#[derive(Debug)]
pub struct Process {
    /// Where it was started first.
    home: SocketAddr,
    /// Its current address.
    place: Mutex<SocketAddr>,
    /// Every port that it ever had: a proxy may still ask there.
    ports: Mutex<Vec<Port>>,
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
        let start = async || {
            let port = Port::free().map_err(Error::Spawn)?;
            let node = Self::on(port, &program)?;
            node.launch().await?;
            Ok(node)
        };
        port::retry_if_taken(port_is_taken, start).await
    }

    fn on(port: Port, program: &Path) -> Result<Self, Error> {
        let home = port.addr();
        Ok(Self {
            home,
            place: Mutex::new(home),
            ports: Mutex::new(vec![port]),
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

    /// Whether this server answers. Another process may have taken the port first; its answer does not count.
    async fn answers(&self) -> Result<(), String> {
        let calling = async {
            client::ping(self.addr()).await?;
            let mut client = Client::connect(self.addr(), NODE_DEADLINE).await?;
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
                &self.addr().port().to_string(),
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
            addr: self.addr(),
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
                addr: self.addr(),
                why,
            })
    }

    async fn end_in_order(&self) -> Result<(), Error> {
        self.signal(Signal::TERM)?;
        self.wait_for_end().await;
        Ok(())
    }

    fn without_network(&self) -> Step<'_> {
        Box::pin(std::future::ready(Err(Error::NoNetwork {
            addr: self.addr(),
        })))
    }

    /// Ends it in order; its data stays in a file.
    async fn save_and_end(&self) -> Result<(), Error> {
        if let Err(why) = shutdown::save_and_end(self.addr()).await {
            return Err(self.not_ready(&self.log_path(), format!("saves nothing: {why}")));
        }
        self.wait_for_end().await;
        Ok(())
    }

    /// Waits until it has ended, and kills it if it does not end.
    async fn wait_for_end(&self) {
        let mut wait = Wait::begin("the end", STOPPED_WITHIN);
        while self.ended().is_none() && wait.pause("it runs".to_owned()).await.is_ok() {}
        drop(self.server().take());
    }

    /// Starts a server on another port.
    async fn move_away(&self) -> Result<(), Error> {
        drop(self.server().take());
        // A closure that borrows the node makes no future that other threads may run, so `retry_if_taken` does not fit.
        let mut attempts_left = port::ATTEMPTS;
        loop {
            attempts_left -= 1;
            let port = Port::free().map_err(Error::Spawn)?;
            *self.place() = port.addr();
            self.ports().push(port);
            match self.launch().await {
                Err(taken) if attempts_left > 0 && port_is_taken(&taken) => {}
                launched => return launched,
            }
        }
    }

    fn place(&self) -> MutexGuard<'_, SocketAddr> {
        self.place.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn ports(&self) -> MutexGuard<'_, Vec<Port>> {
        self.ports.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn server(&self) -> MutexGuard<'_, Option<Running>> {
        self.server.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether another process took the free port before the server did.
fn port_is_taken(error: &Error) -> bool {
    matches!(error, Error::NotReady { log, .. } if log.contains("Address already in use"))
}

impl Node for Process {
    fn addr(&self) -> SocketAddr {
        *self.place()
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

    fn restart_with_data(&self) -> Step<'_> {
        Box::pin(async {
            self.save_and_end().await?;
            self.launch().await?;
            // The next start is empty again. Without data, there is no file.
            let _ = std::fs::remove_file(self.folder.path().join(DATA));
            Ok(())
        })
    }

    fn replace(&self) -> Step<'_> {
        Box::pin(self.move_away())
    }

    fn return_home(&self) -> Step<'_> {
        Box::pin(async {
            drop(self.server().take());
            *self.place() = self.home;
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
    use crate::client::{self, Client, NODE_DEADLINE};
    use crate::node;
    use crate::port::Port;
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

    async fn call(node: &Process, words: &[&str]) -> String {
        let mut client = Client::connect(node.addr(), NODE_DEADLINE).await.unwrap();
        client.call(words, NODE_DEADLINE).await.unwrap().to_string()
    }

    #[tokio::test]
    async fn data_is_kept_over_one_restart_only() {
        let node = Process::start(&search()).await.unwrap();
        let pid = node.pid();
        assert_eq!(call(&node, &["SET", "k", "v"]).await, "+OK");
        node.restart_with_data().await.unwrap();
        assert_ne!(node.pid(), pid);
        assert_eq!(call(&node, &["GET", "k"]).await, "\"v\"");
        node.restart().await.unwrap();
        assert_eq!(call(&node, &["GET", "k"]).await, "nil");
    }

    #[tokio::test]
    async fn a_replacement_is_empty_and_elsewhere() {
        let node = Process::start(&search()).await.unwrap();
        let home = node.addr();
        assert_eq!(call(&node, &["SET", "k", "v"]).await, "+OK");
        node.replace().await.unwrap();
        assert_ne!(node.addr(), home);
        assert_eq!(call(&node, &["GET", "k"]).await, "nil");
        assert!(client::ping(home).await.is_err());
        node.return_home().await.unwrap();
        assert_eq!(node.addr(), home);
        assert_eq!(call(&node, &["DBSIZE"]).await, ":0");
    }

    #[tokio::test]
    async fn a_server_that_had_the_port_first_is_not_taken_for_the_node() {
        let first = Process::start(&search()).await.unwrap();
        let second = Process::on(Port::free().unwrap(), &first.program).unwrap();
        *second.place() = first.addr();
        let error = second.launch().await.unwrap_err().to_string();
        assert!(error.contains("Address already in use"), "{error}");
    }

    #[tokio::test]
    async fn without_the_program_the_error_has_advice() {
        let error = Process::start(&Search::default()).await.unwrap_err();
        assert!(matches!(error, node::Error::Missing(_)));
        assert!(error.to_string().contains("make setup"), "{error}");
    }
}
