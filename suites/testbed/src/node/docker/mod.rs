//! A node as a container: Redis from an image, through testcontainers, at a loopback port that stays the same.
//!
//! What testcontainers has no call for (kill, the network) goes to the engine through the client that it uses.

mod engine;
mod owner;
mod reaper;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use testcontainers::bollard::models::{
    NetworkConnectRequest, NetworkDisconnectRequest, PortBinding,
};
use testcontainers::core::IntoContainerPort;
use testcontainers::runners::AsyncRunner;
use testcontainers::{ContainerAsync, GenericImage, ImageExt};
use tokio::runtime::Handle;

use super::{Error, Node, Step};
use crate::client;
use crate::port;
use crate::program::Search;
use crate::text;
use crate::wait::Wait;
use engine::{Engine, failed};

/// How long a server may take until it answers, with the engine's part.
const READY_WITHIN: Duration = Duration::from_secs(30);
/// The port of Redis in its container.
const REDIS: u16 = 6379;
/// The network that the engine gives to a container that asks for none.
const NETWORK: &str = "bridge";

/// Whether containers can be used: an engine answers.
///
/// # Errors
/// [`Error::NoEngine`].
pub(super) async fn engine() -> Result<(), Error> {
    Engine::connect().await.map(|_| ())
}

/// A Redis container that we started. Removed when dropped. Containers of a killed process are removed by a child that
/// outlives it, and by the next process that starts a container.
pub struct Docker {
    addr: SocketAddr,
    engine: Engine,
    parted: AtomicBool,
    /// `None` only while it is dropped.
    container: Option<ContainerAsync<GenericImage>>,
    /// The runtime on which the container is removed, wherever the node is dropped.
    runtime: Handle,
}

impl Docker {
    /// Starts a server from `image`, or from the default image, and waits until it answers.
    ///
    /// # Errors
    /// When no engine answers, the image cannot be pulled, or the server does not come up (with the end of its log).
    pub async fn start(image: Option<&str>, search: &Search) -> Result<Self, Error> {
        let engine = Engine::connect().await?;
        engine.prepare(search).await?;
        let image = engine.image(image, search).await;
        let taken = |error: &Error| matches!(error, Error::Image { why, .. } if why.contains("already allocated"));
        let start = async || {
            let port = port::free().map_err(Error::Spawn)?;
            Self::start_at(&engine, &image, port).await
        };
        port::retry_if_taken(taken, start).await
    }

    async fn start_at(engine: &Engine, image: &str, port: u16) -> Result<Self, Error> {
        let name = container_name(engine);
        let addr = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let (repository, tag) = image.rsplit_once(':').unwrap_or((image, "latest"));
        let request = GenericImage::new(repository, tag)
            .with_exposed_port(REDIS.tcp())
            .with_container_name(&name)
            .with_labels(engine.labels())
            .with_startup_timeout(READY_WITHIN)
            .with_cmd(command())
            .with_host_config_modifier(move |host| {
                // Loopback only, and the same port after a restart.
                let binding = PortBinding {
                    host_ip: Some(Ipv4Addr::LOCALHOST.to_string()),
                    host_port: Some(port.to_string()),
                };
                host.publish_all_ports = Some(false);
                host.port_bindings = Some([(REDIS.tcp().to_string(), Some(vec![binding]))].into());
            });
        let container = match request.start().await {
            Ok(container) => container,
            Err(why) => {
                // A container that failed to start still exists.
                engine.remove(&name).await;
                return Err(Error::Image {
                    image: image.to_owned(),
                    why: text::chain(&why),
                });
            }
        };
        let node = Self {
            addr,
            engine: engine.clone(),
            parted: AtomicBool::new(false),
            container: Some(container),
            runtime: Handle::current(),
        };
        node.wait_until_ready().await?;
        Ok(node)
    }

    /// The container's id, as the engine's own tools take it.
    #[must_use]
    pub fn id(&self) -> &str {
        self.container().id()
    }

    fn container(&self) -> &ContainerAsync<GenericImage> {
        self.container
            .as_ref()
            .expect("a container is gone only when its node is")
    }

    async fn wait_until_ready(&self) -> Result<(), Error> {
        let mut wait = Wait::begin("an answer to PING", READY_WITHIN);
        loop {
            let why = match client::ping(self.addr).await {
                Ok(()) => return Ok(()),
                Err(why) => why,
            };
            let runs = self.container().is_running().await;
            if !runs.map_err(|why| failed("inspect", self.addr, &why))? {
                return Err(self.not_ready("ended".to_owned()).await);
            }
            if let Err(late) = wait.pause(why.to_string()).await {
                let what = format!("does not answer PING: {}", late.instead);
                return Err(self.not_ready(what).await);
            }
        }
    }

    async fn not_ready(&self, what: String) -> Error {
        let log = self.container().stdout_to_vec().await.unwrap_or_default();
        Error::NotReady {
            addr: self.addr,
            what,
            log: text::last_lines_of(&String::from_utf8_lossy(&log), 5),
        }
    }

    async fn end(&self) -> Result<(), Error> {
        let runs = self.container().is_running().await;
        if runs.map_err(|why| failed("inspect", self.addr, &why))? {
            let killed = self.engine.client().kill_container(self.id(), None).await;
            killed.map_err(|why| failed("kill", self.addr, &why))?;
        }
        Ok(())
    }

    async fn join(&self) -> Result<(), Error> {
        if !self.parted.swap(false, Ordering::Relaxed) {
            return Ok(());
        }
        let request = NetworkConnectRequest {
            container: self.id().to_owned(),
            endpoint_config: None,
        };
        let joined = self.engine.client().connect_network(NETWORK, request).await;
        joined.map_err(|why| failed("connect", self.addr, &why))
    }

    async fn part(&self) -> Result<(), Error> {
        if self.parted.swap(true, Ordering::Relaxed) {
            return Ok(());
        }
        let request = NetworkDisconnectRequest {
            container: self.id().to_owned(),
            force: None,
        };
        let client = self.engine.client();
        let parted = client.disconnect_network(NETWORK, request).await;
        parted.map_err(|why| failed("disconnect", self.addr, &why))
    }
}

impl Node for Docker {
    fn addr(&self) -> SocketAddr {
        self.addr
    }

    fn pause(&self) -> Step<'_> {
        Box::pin(async {
            let paused = self.container().pause().await;
            paused.map_err(|why| failed("pause", self.addr, &why))
        })
    }

    fn resume(&self) -> Step<'_> {
        Box::pin(async {
            let resumed = self.container().unpause().await;
            resumed.map_err(|why| failed("resume", self.addr, &why))
        })
    }

    fn stop(&self) -> Step<'_> {
        Box::pin(async {
            let stopped = self.container().stop_with_timeout(Some(5)).await;
            stopped.map_err(|why| failed("stop", self.addr, &why))
        })
    }

    fn kill(&self) -> Step<'_> {
        Box::pin(self.end())
    }

    fn restart(&self) -> Step<'_> {
        Box::pin(async {
            self.end().await?;
            let started = self.container().start().await;
            started.map_err(|why| failed("start", self.addr, &why))?;
            self.join().await?;
            self.wait_until_ready().await
        })
    }

    fn disconnect(&self) -> Step<'_> {
        Box::pin(self.part())
    }

    fn connect(&self) -> Step<'_> {
        Box::pin(async {
            self.join().await?;
            self.wait_until_ready().await
        })
    }
}

impl Drop for Docker {
    fn drop(&mut self) {
        // testcontainers removes it on the current runtime, and panics if there is none.
        let _runtime = self.runtime.enter();
        drop(self.container.take());
    }
}

fn command() -> [&'static str; 9] {
    [
        "redis-server",
        "--save",
        "",
        "--appendonly",
        "no",
        "--protected-mode",
        "no",
        "--enable-debug-command",
        "yes",
    ]
}

fn container_name(engine: &Engine) -> String {
    static STARTED: AtomicUsize = AtomicUsize::new(0);
    let number = STARTED.fetch_add(1, Ordering::Relaxed);
    format!("shardproof-{}-{number}", engine.run())
}
