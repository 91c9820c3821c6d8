//! The Docker engine: availability, the image of nodes, and cleanup before the first node.

use std::collections::HashMap;
use std::error::Error as StdError;
use std::net::SocketAddr;
use std::sync::LazyLock;
use std::time::Duration;

use testcontainers::bollard::Docker as Client;
use testcontainers::bollard::query_parameters::{
    ListContainersOptionsBuilder, RemoveContainerOptionsBuilder,
};
use testcontainers::core::client::docker_client_instance;
use tokio::sync::OnceCell;
use tokio::time::timeout;

use super::super::Error;
use super::owner::{self, Owner};
use super::reaper;
use crate::program::Search;
use crate::text;

/// Label of the run that started a container.
const RUN: &str = "org.shardproof.run";
/// An image that the user chose.
const IMAGE_VARIABLE: &str = "SHARDPROOF_REDIS_IMAGE";
/// The image that `make images` builds.
const LOCAL_IMAGE: &str = "shardproof/redis:local";
/// The public image.
const OFFICIAL_IMAGE: &str = "redis:7.2-alpine";
/// Deadline of the first answer of the engine.
const ANSWERS_WITHIN: Duration = Duration::from_secs(10);

/// Distinguishes the containers of this process.
static OURS: LazyLock<(Owner, String)> = LazyLock::new(|| {
    use std::hash::{BuildHasher, RandomState};
    let run = RandomState::new().hash_one(()) & 0xffff_ffff;
    (Owner::ours(), format!("{run:08x}"))
});
/// Once per process.
static PREPARED: OnceCell<()> = OnceCell::const_new();

#[derive(Clone)]
pub(super) struct Engine {
    client: Client,
}

impl Engine {
    pub(super) async fn connect() -> Result<Self, Error> {
        let no_engine = |why: String| Error::NoEngine { why };
        let client = docker_client_instance().await;
        let client = client.map_err(|why| no_engine(text::chain(&why)))?;
        match timeout(ANSWERS_WITHIN, client.ping()).await {
            Ok(Ok(_)) => Ok(Self { client }),
            Ok(Err(why)) => Err(no_engine(text::chain(&why))),
            Err(_) => Err(no_engine(format!("silent for {ANSWERS_WITHIN:?}"))),
        }
    }

    pub(super) fn client(&self) -> &Client {
        &self.client
    }

    pub(super) fn run(&self) -> &str {
        &OURS.1
    }

    pub(super) fn labels(&self) -> [(&'static str, String); 2] {
        [(owner::LABEL, OURS.0.to_string()), (RUN, OURS.1.clone())]
    }

    /// Removes containers of dead processes, and arranges the removal of our own.
    pub(super) async fn prepare(&self, search: &Search) -> Result<(), Error> {
        let prepared = PREPARED.get_or_try_init(|| async {
            self.sweep().await?;
            reaper::start(&OURS.0, search);
            Ok(())
        });
        prepared.await.copied()
    }

    async fn sweep(&self) -> Result<(), Error> {
        let options = ListContainersOptionsBuilder::new()
            .all(true)
            .filters(&HashMap::from([("label", vec![owner::LABEL])]))
            .build();
        let listed = self.client.list_containers(Some(options)).await;
        for container in listed.map_err(|why| Error::NoEngine {
            why: text::chain(&why),
        })? {
            let (Some(id), Some(labels)) = (container.id, container.labels) else {
                continue;
            };
            let owner = labels.get(owner::LABEL).and_then(|text| Owner::parse(text));
            if owner.is_some_and(|owner| owner.is_dead()) {
                tracing::info!("removing container {id:.12}: the process that started it is gone");
                self.remove(&id).await;
            }
        }
        Ok(())
    }

    /// Removes a container of ours, if it is there.
    pub(super) async fn remove(&self, container: &str) {
        let options = RemoveContainerOptionsBuilder::new().force(true).v(true);
        let removed = self
            .client
            .remove_container(container, Some(options.build()));
        // Another process may sweep at the same time.
        if let Err(why) = removed.await {
            tracing::debug!("container {container} is not removed: {why}");
        }
    }

    /// The image of nodes: the one asked for, by flag or by variable, then the local one, then the official one.
    pub(super) async fn image(&self, asked: Option<&str>, search: &Search) -> String {
        let variable = || search.variable(IMAGE_VARIABLE).filter(|it| !it.is_empty());
        if let Some(image) = asked.map(str::to_owned).or_else(variable) {
            return image;
        }
        let local = self.client.inspect_image(LOCAL_IMAGE).await;
        let found = if local.is_ok() {
            LOCAL_IMAGE
        } else {
            OFFICIAL_IMAGE
        };
        found.to_owned()
    }
}

/// The engine refused a request.
pub(super) fn failed(what: &'static str, addr: SocketAddr, why: &dyn StdError) -> Error {
    Error::Engine {
        what,
        addr,
        why: text::chain(why),
    }
}
