//! A node in a container. Its container is another one where the node is replaced, or is to be empty after its data was
//! saved.

mod container;
mod engine;
mod owner;
mod reaper;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{Error, Node, Step};
use crate::port::{self, Port};
use crate::program::Search;
use crate::wait::Wait;
use container::{Container, READY_WITHIN, is_taken};
use engine::Engine;

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
    /// Its first address.
    home: SocketAddr,
    engine: Engine,
    image: String,
    container: Mutex<Arc<Container>>,
    /// Every port that it ever had: a proxy may still ask there.
    ports: Mutex<Vec<Port>>,
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
        let (container, port) = start_anywhere(&engine, &image).await?;
        Ok(Self {
            home: container.addr(),
            engine,
            image,
            container: Mutex::new(Arc::new(container)),
            ports: Mutex::new(vec![port]),
        })
    }

    fn container(&self) -> Arc<Container> {
        Arc::clone(&self.slot())
    }

    fn slot(&self) -> MutexGuard<'_, Arc<Container>> {
        self.container
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn ports(&self) -> MutexGuard<'_, Vec<Port>> {
        self.ports.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes another container in the place of the present one, which is removed.
    fn take_over(&self, container: Container) {
        let former = std::mem::replace(&mut *self.slot(), Arc::new(container));
        drop(former);
    }

    /// Ends the container, and starts it empty on this port; another one where it would have other data or another port.
    async fn start_empty(&self, port: u16) -> Result<(), Error> {
        let present = self.container();
        present.kill().await?;
        if present.addr().port() == port && !present.has_data() {
            return present.start().await;
        }
        let fresh = start_at(&self.engine, &self.image, port).await?;
        self.take_over(fresh);
        Ok(())
    }
}

impl Node for Docker {
    fn addr(&self) -> SocketAddr {
        self.slot().addr()
    }

    fn pause(&self) -> Step<'_> {
        Box::pin(async { self.container().pause().await })
    }

    fn resume(&self) -> Step<'_> {
        Box::pin(async { self.container().resume().await })
    }

    fn stop(&self) -> Step<'_> {
        Box::pin(async { self.container().stop().await })
    }

    fn kill(&self) -> Step<'_> {
        Box::pin(async { self.container().kill().await })
    }

    fn restart(&self) -> Step<'_> {
        Box::pin(self.start_empty(self.addr().port()))
    }

    fn restart_with_data(&self) -> Step<'_> {
        Box::pin(async {
            let present = self.container();
            present.save_and_stop().await?;
            present.start().await
        })
    }

    fn replace(&self) -> Step<'_> {
        Box::pin(async {
            let (fresh, port) = start_anywhere(&self.engine, &self.image).await?;
            self.ports().push(port);
            self.container().kill().await?;
            self.take_over(fresh);
            Ok(())
        })
    }

    fn return_home(&self) -> Step<'_> {
        Box::pin(self.start_empty(self.home.port()))
    }

    fn disconnect(&self) -> Step<'_> {
        Box::pin(async { self.container().disconnect().await })
    }

    fn connect(&self) -> Step<'_> {
        Box::pin(async { self.container().connect().await })
    }
}

/// Starts a container on a free port.
async fn start_anywhere(engine: &Engine, image: &str) -> Result<(Container, Port), Error> {
    // A closure that borrows makes no future that other threads may run, so `retry_if_taken` does not fit.
    let mut attempts_left = port::ATTEMPTS;
    loop {
        attempts_left -= 1;
        let port = Port::free().map_err(Error::Spawn)?;
        match Container::start_at(engine, image, port.number()).await {
            Err(taken) if attempts_left > 0 && is_taken(&taken) => {}
            started => return started.map(|container| (container, port)),
        }
    }
}

/// Starts a container on this port, which one that has just ended may still have.
async fn start_at(engine: &Engine, image: &str, port: u16) -> Result<Container, Error> {
    let mut wait = Wait::begin("the port", READY_WITHIN);
    loop {
        let taken = match Container::start_at(engine, image, port).await {
            Err(error) if is_taken(&error) => error,
            started => return started,
        };
        if wait.pause(String::new()).await.is_err() {
            return Err(taken);
        }
    }
}
