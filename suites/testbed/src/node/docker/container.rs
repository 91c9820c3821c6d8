//! One container: Redis from an image, at a loopback port that stays the same.
//!
//! What testcontainers has no call for (kill, the network) goes to the engine through the client that it uses.

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

use super::super::{Error, shutdown};
use super::engine::{Engine, failed};
use crate::client;
use crate::text;
use crate::wait::Wait;

/// Time limit for a server to answer, with the engine's part.
pub(super) const READY_WITHIN: Duration = Duration::from_secs(30);
/// Time limit for a server to end in order; with little to save it takes milliseconds.
const STOPPED_WITHIN: Duration = Duration::from_secs(10);
/// The port of Redis in its container.
const REDIS: u16 = 6379;
/// The network that the engine gives to a container that asks for none.
const NETWORK: &str = "bridge";

/// A container. Removed when dropped.
pub(super) struct Container {
    addr: SocketAddr,
    engine: Engine,
    parted: AtomicBool,
    /// It has data on its disk, which it reads when it starts.
    has_data: AtomicBool,
    /// `None` only while it is dropped.
    inner: Option<ContainerAsync<GenericImage>>,
    /// Where the container is removed, wherever this is dropped.
    runtime: Handle,
}

impl Container {
    /// Starts a server from `image` and waits until it answers.
    ///
    /// # Errors
    /// When there is no such image, the port is taken (see [`is_taken`]), or the server does not answer in time.
    pub(super) async fn start_at(engine: &Engine, image: &str, port: u16) -> Result<Self, Error> {
        let name = container_name(engine);
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
        let inner = match request.start().await {
            Ok(inner) => inner,
            Err(why) => {
                // A container that failed to start still exists.
                engine.remove(&name).await;
                return Err(Error::Image {
                    image: image.to_owned(),
                    why: text::chain(&why),
                });
            }
        };
        let container = Self {
            addr: SocketAddr::from((Ipv4Addr::LOCALHOST, port)),
            engine: engine.clone(),
            parted: AtomicBool::new(false),
            has_data: AtomicBool::new(false),
            inner: Some(inner),
            runtime: Handle::current(),
        };
        container.wait_until_ready().await?;
        Ok(container)
    }

    pub(super) fn addr(&self) -> SocketAddr {
        self.addr
    }

    pub(super) fn id(&self) -> &str {
        self.inner().id()
    }

    /// Whether it would not be empty after a restart.
    pub(super) fn has_data(&self) -> bool {
        self.has_data.load(Ordering::Relaxed)
    }

    pub(super) async fn pause(&self) -> Result<(), Error> {
        let paused = self.inner().pause().await;
        paused.map_err(|why| failed("pause", self.addr, &why))
    }

    pub(super) async fn resume(&self) -> Result<(), Error> {
        let resumed = self.inner().unpause().await;
        resumed.map_err(|why| failed("resume", self.addr, &why))
    }

    /// Ends it in order (SIGTERM).
    pub(super) async fn stop(&self) -> Result<(), Error> {
        let stopped = self.inner().stop_with_timeout(Some(5)).await;
        stopped.map_err(|why| failed("stop", self.addr, &why))
    }

    /// Ends it as a crash would (SIGKILL), if it runs.
    pub(super) async fn kill(&self) -> Result<(), Error> {
        if self.runs().await? {
            let killed = self.engine.client().kill_container(self.id(), None).await;
            killed.map_err(|why| failed("kill", self.addr, &why))?;
        }
        Ok(())
    }

    /// Starts it again and waits until it answers.
    pub(super) async fn start(&self) -> Result<(), Error> {
        let started = self.inner().start().await;
        started.map_err(|why| failed("start", self.addr, &why))?;
        self.connect().await
    }

    /// Ends it in order; its data stays on its disk.
    pub(super) async fn save_and_stop(&self) -> Result<(), Error> {
        if let Err(why) = shutdown::save_and_end(self.addr).await {
            return Err(self.not_ready(format!("saves nothing: {why}")).await);
        }
        self.has_data.store(true, Ordering::Relaxed);
        let mut wait = Wait::begin("its end", STOPPED_WITHIN);
        while self.runs().await? {
            if wait.pause("it runs".to_owned()).await.is_err() {
                return self.kill().await;
            }
        }
        Ok(())
    }

    /// Gives its network back, if it has none, and waits until it answers.
    pub(super) async fn connect(&self) -> Result<(), Error> {
        if self.parted.swap(false, Ordering::Relaxed) {
            let request = NetworkConnectRequest {
                container: self.id().to_owned(),
                endpoint_config: None,
            };
            let connected = self.engine.client().connect_network(NETWORK, request).await;
            connected.map_err(|why| failed("connect", self.addr, &why))?;
        }
        self.wait_until_ready().await
    }

    /// Takes its network away, if it has one.
    pub(super) async fn disconnect(&self) -> Result<(), Error> {
        if self.parted.swap(true, Ordering::Relaxed) {
            return Ok(());
        }
        let request = NetworkDisconnectRequest {
            container: self.id().to_owned(),
            force: None,
        };
        let client = self.engine.client();
        let disconnected = client.disconnect_network(NETWORK, request).await;
        disconnected.map_err(|why| failed("disconnect", self.addr, &why))
    }

    fn inner(&self) -> &ContainerAsync<GenericImage> {
        self.inner
            .as_ref()
            .expect("the inner container is taken only on drop")
    }

    async fn runs(&self) -> Result<bool, Error> {
        let runs = self.inner().is_running().await;
        runs.map_err(|why| failed("inspect", self.addr, &why))
    }

    async fn wait_until_ready(&self) -> Result<(), Error> {
        let mut wait = Wait::begin("an answer to PING", READY_WITHIN);
        loop {
            let why = match client::ping(self.addr).await {
                Ok(()) => return Ok(()),
                Err(why) => why,
            };
            if !self.runs().await? {
                return Err(self.not_ready("ended".to_owned()).await);
            }
            if let Err(late) = wait.pause(why.to_string()).await {
                let what = format!("does not answer PING: {}", late.instead);
                return Err(self.not_ready(what).await);
            }
        }
    }

    async fn not_ready(&self, what: String) -> Error {
        let log = self.inner().stdout_to_vec().await.unwrap_or_default();
        Error::NotReady {
            addr: self.addr,
            what,
            log: text::last_lines_of(&String::from_utf8_lossy(&log), 5),
        }
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        // testcontainers removes it on the current runtime, and panics if there is none.
        let _runtime = self.runtime.enter();
        drop(self.inner.take());
    }
}

/// Whether a container was not started because another process, or a container that is being removed, has its port.
pub(super) fn is_taken(error: &Error) -> bool {
    matches!(error, Error::Image { why, .. }
        if why.contains("already allocated") || why.contains("address already in use"))
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
