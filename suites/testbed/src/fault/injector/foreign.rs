//! The links of a cluster in a foreign Toxiproxy, driven over its REST API.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::{Error, ports};
use crate::fault::Toxic;
use crate::toxiproxy::Client;
use crate::toxiproxy::client;

/// Time limit for each call at the end of a run.
const CLEAN_WITHIN: Duration = Duration::from_secs(2);

/// The proxies that a foreign Toxiproxy holds for a cluster. When this is dropped, those of this run are deleted, and
/// those of the operator are healed of what this run did to them.
#[derive(Debug)]
pub struct Foreign {
    pub(super) client: Client,
    proxies: Vec<(String, SocketAddr)>,
    /// Whether they were created for this run.
    ours: bool,
    changed: Mutex<BTreeSet<Changed>>,
}

/// A change that is to be undone: on the proxy of this number.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Changed {
    /// A toxic was added under this name.
    Toxic(usize, String),
    /// The proxy was disabled.
    Down(usize),
}

impl Foreign {
    pub(super) async fn start(
        client: Client,
        nodes: &[SocketAddr],
        port_base: u16,
    ) -> Result<Self, Error> {
        let mut foreign = Self {
            client,
            proxies: Vec::new(),
            ours: true,
            changed: Mutex::default(),
        };
        for (node, addr) in ports(nodes, port_base) {
            let name = format!("shardproof-{}", addr.port());
            match client.delete(&name).await {
                Err(why) if why.status() != Some(404) => return Err(why.into()),
                _ => {}
            }
            let (listen, upstream) = (addr.to_string(), node.to_string());
            client.create(&name, &listen, &upstream).await?;
            foreign.proxies.push((name, addr));
        }
        Ok(foreign)
    }

    /// The proxies that a server has before these nodes already. They stay when this is dropped.
    pub(super) async fn attach(client: Client, nodes: &[SocketAddr]) -> Result<Self, Error> {
        let there = client.proxies().await?;
        let before = |node: &SocketAddr| {
            let upstream = node.to_string();
            let found = there.values().find(|proxy| proxy.upstream == upstream);
            let found = found.ok_or(Error::NoProxy(*node))?;
            // Where it listens is the operator's business.
            Ok((found.name.clone(), found.listen.parse().unwrap_or(*node)))
        };
        let proxies = nodes.iter().map(before).collect::<Result<_, Error>>()?;
        Ok(Self {
            client,
            proxies,
            ours: false,
            changed: Mutex::default(),
        })
    }

    pub(super) fn addrs(&self) -> Vec<SocketAddr> {
        self.proxies.iter().map(|(_, addr)| *addr).collect()
    }

    pub(super) fn name(&self, node: usize) -> &str {
        &self.proxies[node].0
    }

    /// Adds a toxic.
    pub(super) async fn add(&self, node: usize, toxic: &Toxic) -> Result<(), Error> {
        let change = Changed::Toxic(node, toxic.name.clone());
        // Before the call, which may be executed although its answer is lost.
        self.note(change.clone(), true);
        match self.client.add(self.name(node), toxic).await {
            Err(why) if why.status().is_some() => {
                self.note(change, false);
                Err(why.into())
            }
            added => added.map(|_| ()).map_err(Error::from),
        }
    }

    /// Removes the toxic of this name.
    pub(super) async fn remove(&self, node: usize, toxic: &str) -> Result<(), Error> {
        let removed = self.client.remove(self.name(node), toxic).await;
        let missing = matches!(&removed, Err(why) if why.status() == Some(404));
        if missing || removed.is_ok() {
            self.note(Changed::Toxic(node, toxic.to_owned()), false);
        }
        match missing {
            true => Err(Error::NoToxic(toxic.to_owned())),
            false => Ok(removed?),
        }
    }

    /// Takes a proxy down.
    pub(super) async fn down(&self, node: usize) -> Result<(), Error> {
        self.note(Changed::Down(node), true);
        self.client.set_enabled(self.name(node), false).await?;
        Ok(())
    }

    /// Lets a proxy listen again.
    pub(super) async fn up(&self, node: usize) -> Result<(), Error> {
        self.client.set_enabled(self.name(node), true).await?;
        self.note(Changed::Down(node), false);
        Ok(())
    }

    fn note(&self, change: Changed, is_so: bool) {
        let mut changed = self.changed.lock().unwrap_or_else(PoisonError::into_inner);
        match is_so {
            true => changed.insert(change),
            false => changed.remove(&change),
        };
    }

    /// Not with `/reset`, which would heal the proxies of other users of that server.
    pub(super) async fn heal(&self, node: usize) -> Result<(), client::Error> {
        let name = self.name(node);
        for toxic in self.client.proxy(name).await?.toxics {
            self.client.remove(name, &toxic.name).await?;
        }
        self.client.set_enabled(name, true).await?;
        Ok(())
    }
}

impl Drop for Foreign {
    fn drop(&mut self) {
        let client = self.client.within(CLEAN_WITHIN);
        let proxies = std::mem::take(&mut self.proxies);
        let changed = std::mem::take(&mut self.changed)
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        let ours = self.ours;
        if !ours && changed.is_empty() {
            return;
        }
        // A thread of its own, because the runtime of the caller may be gone.
        let cleaning = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()?;
            runtime.block_on(async {
                match ours {
                    true => delete(client, &proxies).await,
                    false => undo(client, &proxies, &changed).await,
                }
            });
            std::io::Result::Ok(())
        });
        // Without the thread, the next run deletes them.
        let _ = cleaning.join();
    }
}

async fn delete(client: Client, proxies: &[(String, SocketAddr)]) {
    for (name, _) in proxies {
        if let Err(why) = client.delete(name).await {
            tracing::warn!("proxy {name} may remain: {why}");
        }
    }
}

/// Undoes changes to proxies that stay. Some may have been undone by others.
async fn undo(client: Client, proxies: &[(String, SocketAddr)], changed: &BTreeSet<Changed>) {
    for change in changed {
        let undone = match change {
            Changed::Toxic(node, toxic) => client.remove(&proxies[*node].0, toxic).await,
            Changed::Down(node) => {
                let enabled = client.set_enabled(&proxies[*node].0, true).await;
                enabled.map(|_| ())
            }
        };
        match undone {
            Err(why) if why.status() != Some(404) => {
                tracing::warn!("a fault of a link may remain: {why}");
            }
            _ => {}
        }
    }
}
