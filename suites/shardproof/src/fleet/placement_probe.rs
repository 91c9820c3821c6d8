//! Writes keys through a proxy and finds the nodes that get them. Leaves no keys behind: keys have a time to live, and
//! are deleted when all are found.

use std::collections::HashMap;

use testbed::client::{self, Client, NODE_DEADLINE, cause};
use testbed::endpoint::Endpoint;
use testbed::exists;
use testbed::leftovers::{Record, Scope};
use testbed::wire::Value;

/// Requests per pipeline.
const PIPELINE: usize = 100;

/// The proxy or a node did not do its part.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The proxy cannot be reached, or does not answer.
    #[error("cannot write keys through the proxy at {proxy}: {why}")]
    Proxy {
        /// Its address.
        proxy: Endpoint,
        /// The failure.
        why: Box<client::Error>,
    },
    /// The proxy answered a write with something else than OK.
    #[error("the proxy at {proxy} refuses `SET {key} 1 EX {ttl_s}`: {answer}")]
    Refused {
        /// Its address.
        proxy: Box<Endpoint>,
        /// The key, escaped.
        key: String,
        /// The time to live that was asked for.
        ttl_s: u64,
        /// The reply.
        answer: String,
    },
    /// A node cannot be read.
    #[error("cannot read node {node}: {why}")]
    Node {
        /// Its address.
        node: Endpoint,
        /// The failure.
        why: Box<client::Error>,
    },
    /// A node answered with something else than a number.
    #[error("node {node} answered {asked} with {answer}")]
    Answer {
        /// Its address.
        node: Endpoint,
        /// The command.
        asked: &'static str,
        /// The reply.
        answer: String,
    },
}

/// A proxy, its nodes, and the written keys.
#[derive(Debug)]
pub struct PlacementProbe {
    proxy: Endpoint,
    nodes: Vec<Endpoint>,
    ttl_s: u64,
    /// Keys to remove if the process ends before [`PlacementProbe::clean`].
    record: Record,
    /// The nodes on which each key was seen; empty until it was searched.
    written: HashMap<Vec<u8>, Vec<usize>>,
}

impl PlacementProbe {
    /// A probe of a proxy over nodes, which are read directly. Keys live `ttl_s` seconds.
    #[must_use]
    pub fn new(proxy: Endpoint, nodes: Vec<Endpoint>, ttl_s: u64) -> Self {
        let record = Record::open(Scope {
            // Too short to be searched for: a foreign key may contain it.
            prefix: None,
            nodes: nodes.clone(),
            proxy: Some(proxy),
        });
        Self {
            proxy,
            nodes,
            ttl_s,
            record,
            written: HashMap::new(),
        }
    }

    /// Sends PING to proxy and nodes, so that a missing one is named before the first key is written.
    ///
    /// # Errors
    /// The server that does not answer PING, a node before the proxy.
    pub async fn greet(&self) -> Result<(), Error> {
        for node in &self.nodes {
            let answer = client::ping(*node).await;
            answer
                .map_err(Box::new)
                .map_err(|why| Error::Node { node: *node, why })?;
        }
        Ok(())
    }

    /// Writes each key `times` times in a row, and returns the nodes that then have it.
    ///
    /// # Errors
    /// A key was refused, or a server does not answer.
    pub async fn write(
        &mut self,
        keys: &[Vec<u8>],
        times: usize,
    ) -> Result<Vec<Vec<usize>>, Error> {
        for key in keys {
            self.record.key(key);
            self.written.entry(key.clone()).or_default();
        }
        self.set(keys, times).await?;
        let mut places = vec![Vec::new(); keys.len()];
        for node in 0..self.nodes.len() {
            for (place, lies) in places.iter_mut().zip(self.are_on(node, keys).await?) {
                if lies {
                    place.push(node);
                }
            }
        }
        for (key, place) in keys.iter().zip(&places) {
            self.written.insert(key.clone(), place.clone());
        }
        Ok(places)
    }

    /// Deletes all written keys: on the nodes where they were found, or on all nodes.
    ///
    /// # Errors
    /// The first server that does not answer. Remaining keys expire by themselves.
    pub async fn clean(&mut self) -> Result<(), Error> {
        for node in 0..self.nodes.len() {
            let may_lie = |on: &Vec<usize>| on.is_empty() || on.contains(&node);
            let keys = self.written.iter().filter(|(_, on)| may_lie(on));
            let requests: Vec<Vec<&[u8]>> = keys.map(|(key, _)| delete(key)).collect();
            self.ask(node, &requests).await?;
        }
        let nowhere = self.written.iter().filter(|(_, on)| on.is_empty());
        let requests: Vec<Vec<&[u8]>> = nowhere.map(|(key, _)| delete(key)).collect();
        self.ask_proxy(&requests).await?;
        self.written.clear();
        Ok(())
    }

    async fn set(&self, keys: &[Vec<u8>], times: usize) -> Result<(), Error> {
        let ttl = self.ttl_s.to_string();
        let set = |key: &'_ [u8]| -> Vec<Vec<u8>> {
            [b"SET", key, b"1", b"EX", ttl.as_bytes()]
                .map(<[u8]>::to_vec)
                .to_vec()
        };
        let writes = keys.iter().flat_map(|key| std::iter::repeat_n(key, times));
        let requests: Vec<Vec<Vec<u8>>> = writes.map(|key| set(key)).collect();
        let answers = self.ask_proxy(&requests).await?;
        for (request, answer) in requests.iter().zip(answers) {
            if answer != Value::Simple(b"OK".to_vec()) {
                return Err(Error::Refused {
                    proxy: Box::new(self.proxy),
                    key: request[1].escape_ascii().to_string(),
                    ttl_s: self.ttl_s,
                    answer: cause::of_answer(&answer),
                });
            }
        }
        Ok(())
    }

    /// Whether each key is on a node.
    async fn are_on(&self, node: usize, keys: &[Vec<u8>]) -> Result<Vec<bool>, Error> {
        let node = self.nodes[node];
        let asking = async {
            let mut client = Client::connect(node, NODE_DEADLINE).await?;
            exists::answers(&mut client, keys, NODE_DEADLINE).await
        };
        let answers = asking
            .await
            .map_err(Box::new)
            .map_err(|why| Error::Node { node, why })?;
        let lies = |answer: Value| match answer {
            // A node of Redis Cluster answers so for keys that are not its own. A proxy may not, so the shared probe
            // treats it as an error.
            Value::Error(text) if text.starts_with(b"MOVED ") => Ok(false),
            answer => exists::exists(&answer).ok_or_else(|| Error::Answer {
                node,
                asked: "EXISTS",
                answer: cause::of_answer(&answer),
            }),
        };
        answers.into_iter().map(lies).collect()
    }

    async fn ask<A: AsRef<[u8]>>(
        &self,
        node: usize,
        requests: &[Vec<A>],
    ) -> Result<Vec<Value>, Error> {
        let node = self.nodes[node];
        let answers = pipelines(node, requests).await;
        answers
            .map_err(Box::new)
            .map_err(|why| Error::Node { node, why })
    }

    async fn ask_proxy<A: AsRef<[u8]>>(&self, requests: &[Vec<A>]) -> Result<Vec<Value>, Error> {
        let proxy = self.proxy;
        let answers = pipelines(proxy, requests).await;
        answers
            .map_err(Box::new)
            .map_err(|why| Error::Proxy { proxy, why })
    }
}

fn delete(key: &[u8]) -> Vec<&[u8]> {
    vec![b"DEL", key]
}

/// The answers to all requests, over a connection of their own: between two batches a proxy may close an idle one.
async fn pipelines<A: AsRef<[u8]>>(
    addr: Endpoint,
    requests: &[Vec<A>],
) -> Result<Vec<Value>, client::Error> {
    let mut answers = Vec::with_capacity(requests.len());
    if requests.is_empty() {
        return Ok(answers);
    }
    let mut client = Client::connect(addr, NODE_DEADLINE).await?;
    for batch in requests.chunks(PIPELINE) {
        let batch = client.pipeline(batch, NODE_DEADLINE).await;
        answers.extend(batch.map_err(|why| client.explain(why))?);
    }
    Ok(answers)
}
