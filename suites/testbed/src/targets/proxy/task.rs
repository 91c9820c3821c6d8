//! A proxy in this process, on a thread with a runtime of its own.

use std::net::SocketAddr;
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::Duration;
use std::{io, panic};

use tokio::runtime::{Builder, Runtime};
use tokio::sync::oneshot;

use crate::targets::Setting;
use crate::targets::launcher::Serve;

/// Threads that run the proxy's tasks.
const WORKERS: usize = 2;
/// How long the tasks of a proxy may take to yield when it is stopped.
const STOPPED_WITHIN: Duration = Duration::from_secs(5);

/// A proxy in this process. Dropping it stops it.
#[derive(Debug)]
pub(super) struct Task {
    /// Dropped to stop it.
    stop: Option<oneshot::Sender<()>>,
    /// Why it ended by itself.
    ended: Arc<OnceLock<String>>,
    /// Disconnected when the thread is gone, and with it every socket.
    gone: Receiver<()>,
}

impl Task {
    pub(super) fn start(serve: Serve, listen: SocketAddr, setting: Setting) -> io::Result<Self> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(WORKERS)
            .thread_name("proxy-worker")
            .enable_all()
            .build()?;
        let (stop, stopped) = oneshot::channel();
        let (alive, gone) = mpsc::channel();
        let ended = Arc::new(OnceLock::new());
        let why = Arc::clone(&ended);
        thread::Builder::new()
            .name("proxy".to_owned())
            .spawn(move || run(runtime, &serve, (listen, setting), stopped, &why, alive))?;
        Ok(Self {
            stop: Some(stop),
            ended,
            gone,
        })
    }

    /// Why it ended by itself, if it has.
    pub(super) fn ended(&self) -> Option<String> {
        self.ended.get().cloned()
    }

    /// Stops it, and waits until its sockets are closed.
    pub(super) fn stop(&mut self) {
        drop(self.stop.take());
        // Disconnected is the expected answer. A proxy that blocks its threads is left behind.
        let _ = self.gone.recv_timeout(STOPPED_WITHIN * 2);
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        self.stop();
    }
}

fn run(
    runtime: Runtime,
    serve: &Serve,
    (listen, setting): (SocketAddr, Setting),
    stopped: oneshot::Receiver<()>,
    ended: &OnceLock<String>,
    alive: Sender<()>,
) {
    let served = panic::catch_unwind(panic::AssertUnwindSafe(|| {
        runtime.block_on(async {
            tokio::select! {
                served = serve.serve(listen, setting) => Some(served),
                _ = stopped => None,
            }
        })
    }));
    let why = match served {
        Ok(None) => None,
        Ok(Some(Ok(()))) => Some("its future returned".to_owned()),
        Ok(Some(Err(why))) => Some(why),
        Err(_) => Some("it panicked".to_owned()),
    };
    // First the sockets, then the news.
    runtime.shutdown_timeout(STOPPED_WITHIN);
    if let Some(why) = why {
        // Only this thread sets it.
        let _ = ended.set(why);
    }
    drop(alive);
}

#[cfg(test)]
mod tests {
    use std::net::TcpStream;

    use tokio::net::TcpListener;

    use super::*;
    use crate::port::Port;
    use crate::wait::{self, Probed};

    const WITHIN: Duration = Duration::from_secs(20);

    fn start(serve: Serve) -> (Task, SocketAddr) {
        let listen = Port::free().unwrap().addr();
        let setting = Setting {
            nodes: Vec::new(),
            policy: String::new(),
            hash_tags: true,
            op_timeout_ms: 100,
        };
        (Task::start(serve, listen, setting).unwrap(), listen)
    }

    fn ended(task: &Task) -> String {
        wait::eventually_blocking("its end", WITHIN, || match task.ended() {
            None => Probed::Continue("it runs".to_owned()),
            Some(why) => Probed::Break(why),
        })
        .unwrap()
    }

    #[test]
    fn a_stop_takes_every_socket_and_every_task_with_it() {
        let serve = Serve::new(async |listen, _| {
            let listener = TcpListener::bind(listen).await?;
            // A task that the proxy's own future does not wait for.
            tokio::spawn(async move {
                let mut clients = Vec::new();
                while let Ok((client, _)) = listener.accept().await {
                    clients.push(client);
                }
            });
            std::future::pending::<std::io::Result<()>>().await
        });
        let (mut task, listen) = start(serve);
        let connect = || match TcpStream::connect(listen) {
            Ok(client) => Probed::Break(client),
            Err(why) => Probed::Continue(why.to_string()),
        };
        wait::eventually_blocking("a listener", WITHIN, connect).unwrap();
        task.stop();
        let refused = TcpStream::connect(listen).unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::ConnectionRefused);
        assert_eq!(task.ended(), None, "it was stopped");
    }

    #[test]
    fn an_error_a_return_and_a_panic_are_told_apart() {
        let (task, _) = start(Serve::new(async |_, _| Err("no configuration")));
        assert_eq!(ended(&task), "no configuration");
        let (task, _) = start(Serve::new(async |_, _| Ok::<(), String>(())));
        assert_eq!(ended(&task), "its future returned");
        let (task, _) = start(Serve::new(async |_, setting| match setting.nodes.first() {
            Some(_) => Ok::<(), String>(()),
            None => panic!("a proxy without nodes"),
        }));
        assert_eq!(ended(&task), "it panicked");
    }
}
