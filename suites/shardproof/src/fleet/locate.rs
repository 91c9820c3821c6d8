//! Searches keys on each node, and through the proxy.

use crate::planner::locate::Seen;
use testbed::client::{self, Client, NODE_DEADLINE};
use testbed::endpoint::Endpoint;
use testbed::exists;
use testbed::wire::Value;

/// A server did not answer a request for a key.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No answer.
    #[error("{who}: {why}")]
    Client {
        /// The server that was asked.
        who: String,
        /// The failure.
        why: client::Error,
    },
    /// A node does not have the database.
    #[error("{who} answered SELECT {database} with {answer}")]
    Database {
        /// The server that was asked.
        who: String,
        /// The database.
        database: u32,
        /// The answer.
        answer: Value,
    },
    /// It is unknown whether a key exists.
    #[error("{who}: {why}")]
    Unknown {
        /// The server that was asked.
        who: String,
        /// The failure.
        why: exists::Error,
    },
}

/// Connections to the servers that are asked for keys.
#[derive(Debug, Default)]
pub struct Locator {
    nodes: Option<Vec<Asked>>,
    proxy: Option<Asked>,
}

#[derive(Debug)]
struct Asked {
    who: String,
    client: Client,
    /// Whether it may be in a Redis Cluster, and sends keys elsewhere.
    has_slots: bool,
}

impl Locator {
    /// Nodes that are asked for the keys of one database, each called as the proxy sees it. They are all nodes of the
    /// cluster, in its order. With `has_slots` they may be in a Redis Cluster, whose nodes send keys elsewhere.
    ///
    /// # Errors
    /// A node does not answer.
    pub async fn at_nodes(
        &mut self,
        nodes: &[(String, Endpoint)],
        database: u32,
        has_slots: bool,
    ) -> Result<(), Error> {
        let mut asked = Vec::new();
        for (name, addr) in nodes {
            let mut node = Asked::connect(format!("node {name}"), *addr).await?;
            node.select(database).await?;
            node.has_slots = has_slots;
            asked.push(node);
        }
        self.nodes = Some(asked);
        Ok(())
    }

    /// A proxy that is asked.
    ///
    /// # Errors
    /// It does not answer.
    pub async fn at_proxy(&mut self, addr: Endpoint) -> Result<(), Error> {
        self.proxy = Some(Asked::connect(format!("proxy {addr}"), addr).await?);
        Ok(())
    }

    /// Location of each key. `addresses` are those of the cluster's nodes, in its order.
    ///
    /// # Errors
    /// A server did not answer.
    pub async fn seen<'a>(
        &mut self,
        keys: &[&[u8]],
        addresses: &[&'a str],
    ) -> Result<Vec<Seen<'a>>, Error> {
        let mut seen = vec![Seen::default(); keys.len()];
        if let Some(nodes) = &mut self.nodes {
            for seen in &mut seen {
                seen.on = Some(Vec::new());
            }
            for (asked, address) in nodes.iter_mut().zip(addresses) {
                for (seen, held) in seen.iter_mut().zip(asked.exist(keys).await?) {
                    if let (Some(on), true) = (&mut seen.on, held) {
                        on.push(address);
                    }
                }
            }
        }
        if let Some(proxy) = &mut self.proxy {
            for (seen, found) in seen.iter_mut().zip(proxy.exist(keys).await?) {
                seen.by_proxy = Some(found);
            }
        }
        Ok(seen)
    }
}

impl Asked {
    async fn connect(who: String, addr: Endpoint) -> Result<Self, Error> {
        match Client::connect(addr, NODE_DEADLINE).await {
            Ok(client) => Ok(Self {
                who,
                client,
                has_slots: false,
            }),
            Err(why) => Err(Error::Client { who, why }),
        }
    }

    /// Selects a database. A new connection is in database 0.
    async fn select(&mut self, database: u32) -> Result<(), Error> {
        if database == 0 {
            return Ok(());
        }
        let number = database.to_string();
        let answer = self.client.call(&["SELECT", &number], NODE_DEADLINE).await;
        let who = self.who.clone();
        match answer {
            Ok(Value::Simple(ok)) if ok == b"OK" => Ok(()),
            Ok(answer) => Err(Error::Database {
                who,
                database,
                answer,
            }),
            Err(why) => Err(Error::Client { who, why }),
        }
    }

    /// Whether each key exists.
    async fn exist(&mut self, keys: &[&[u8]]) -> Result<Vec<bool>, Error> {
        let client = &mut self.client;
        let found = match self.has_slots {
            true => exists::exist_in_redis_cluster(client, keys, NODE_DEADLINE).await,
            false => exists::exist(client, keys, NODE_DEADLINE).await,
        };
        found.map_err(|why| Error::Unknown {
            who: self.who.clone(),
            why,
        })
    }
}
