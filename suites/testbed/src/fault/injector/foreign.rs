//! The links of a cluster in a foreign Toxiproxy, driven over its REST API.

use std::net::SocketAddr;
use std::time::Duration;

use super::{Error, ports};
use crate::toxiproxy::Client;
use crate::toxiproxy::client;

/// Time limit for the deletion of a proxy at the end of a run.
const DELETE_WITHIN: Duration = Duration::from_secs(2);

/// The proxies that a foreign Toxiproxy holds for a cluster. They are deleted when this is dropped.
#[derive(Debug)]
pub struct Foreign {
    pub(super) client: Client,
    proxies: Vec<(String, SocketAddr)>,
    /// Whether they were created for this run.
    ours: bool,
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
        })
    }

    pub(super) fn addrs(&self) -> Vec<SocketAddr> {
        self.proxies.iter().map(|(_, addr)| *addr).collect()
    }

    pub(super) fn name(&self, node: usize) -> &str {
        &self.proxies[node].0
    }

    /// Removes the toxic of this name.
    pub(super) async fn remove(&self, node: usize, toxic: &str) -> Result<(), Error> {
        match self.client.remove(self.name(node), toxic).await {
            Err(why) if why.status() == Some(404) => Err(Error::NoToxic(toxic.to_owned())),
            removed => Ok(removed?),
        }
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
        if !self.ours {
            return;
        }
        let client = self.client.within(DELETE_WITHIN);
        let proxies = std::mem::take(&mut self.proxies);
        // A thread of its own, because the runtime of the caller may be gone.
        let deleting = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()?;
            for (name, _) in &proxies {
                if let Err(why) = runtime.block_on(client.delete(name)) {
                    tracing::warn!("proxy {name} may remain: {why}");
                }
            }
            std::io::Result::Ok(())
        });
        // Without the thread, the next run deletes them.
        let _ = deleting.join();
    }
}
