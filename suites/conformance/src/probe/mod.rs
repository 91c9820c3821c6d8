//! The probe: which capabilities a proxy offers, found out by one request each.
//!
//! Never judges whether an answer is true, and without permission never asks what other clients could notice. All keys are
//! under a random prefix; the few that get a value expire, and are removed at once.

mod question;
mod report;

use std::time::Duration;
use testbed::endpoint::Endpoint;

use testbed::client::{self, Client};
use testbed::leftovers::{self, Record};
use testbed::link::{Tap, What};
use testbed::wire::Value;

use crate::harness::environment::Allowed;
use crate::harness::keys::{Pool, owners};
use question::{Ask, Needs, QUESTIONS, Question, Shape};

pub use report::{Found, Offered, Probe};

/// Keys of a request that is to reach several nodes. All on one node of two happens once in 2^15.
const KEYS: usize = 16;
/// Makes another seed of the seed of a run, whose keys must not be those of the probe.
const APART: u64 = 0x7072_6f62_6500_0000;

/// A proxy to probe.
#[derive(Debug, Clone, Copy)]
pub struct Site<'a> {
    /// Where clients reach it.
    pub proxy: Endpoint,
    /// Its nodes, as far as they are known.
    pub nodes: &'a [Endpoint],
    /// Its time limit for one request, in milliseconds.
    pub op_timeout_ms: u64,
    /// What may be asked.
    pub allowed: Allowed,
    /// The record of the links to its nodes, if they are our own.
    pub tap: Option<&'a Tap>,
    /// Whether the servers are of others, so that keys are registered for removal however the process ends.
    pub foreign: bool,
    /// Seed of the keys.
    pub seed: u64,
}

/// A proxy cannot be probed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It does not keep a key, so that its other answers show nothing.
    #[error("probe {addr}: the proxy does not serve: {why}")]
    NotServing {
        /// Where.
        addr: Endpoint,
        /// What it answered.
        why: String,
    },
    /// Keys that were written could not be removed.
    #[error("probe {addr}: keys with the prefix {prefix} could not be removed: {why}")]
    Unclean {
        /// Where.
        addr: Endpoint,
        /// The prefix.
        prefix: String,
        /// What it answered.
        why: String,
    },
}

/// An answer to a question.
enum Answered {
    Yes,
    No(String),
    Unknown(String),
}

/// Asks every question.
///
/// # Errors
/// If the proxy does not serve, or keys cannot be removed.
pub async fn probe(site: Site<'_>) -> Result<Vec<Found>, Error> {
    let pool = Pool::new(site.seed ^ APART, site.nodes.len());
    let record = site.foreign.then(|| {
        Record::open(leftovers::Scope {
            prefix: Some(pool.prefix().to_owned()),
            nodes: site.nodes.to_vec(),
            proxy: Some(site.proxy),
        })
    });
    let mut prober = Prober {
        site,
        pool: pool.recorded(record),
        written: Vec::new(),
    };
    prober.serves().await?;
    let mut found = Vec::with_capacity(QUESTIONS.len());
    for question in QUESTIONS {
        let (offered, why) = match prober.answer(question).await {
            Answered::Yes => (Offered::Yes, None),
            Answered::No(why) => (Offered::No, Some(why)),
            Answered::Unknown(why) => (Offered::Unknown, Some(why)),
        };
        found.push(Found {
            capability: question.capability.to_owned(),
            offered,
            why,
        });
        prober.clean().await?;
    }
    Ok(found)
}

struct Prober<'a> {
    site: Site<'a>,
    pool: Pool,
    /// Keys that have a value.
    written: Vec<Vec<u8>>,
}

impl Prober<'_> {
    fn within(&self) -> Duration {
        Duration::from_millis(self.site.op_timeout_ms * 2) + Duration::from_secs(1)
    }

    /// A proxy that does not keep a key, with a time to live, would refuse all the rest for that reason.
    async fn serves(&mut self) -> Result<(), Error> {
        let key = self.pool.fresh();
        let failed = |why: String| Error::NotServing {
            addr: self.site.proxy,
            why,
        };
        let mut client = self
            .connect()
            .await
            .map_err(|why| failed(why.to_string()))?;
        let requests: [&[&[u8]]; 3] = [
            &[b"SET", &key, b"v", b"EX", b"60"],
            &[b"GET", &key],
            &[b"DEL", &key],
        ];
        let expected = [
            Value::Simple(b"OK".to_vec()),
            Value::Bulk(b"v".to_vec()),
            Value::Integer(1),
        ];
        for (request, expected) in requests.iter().zip(expected) {
            let name = String::from_utf8_lossy(request[0]).into_owned();
            let reply = client.call(request, self.within()).await;
            let reply = reply.map_err(|why| failed(format!("{name}: {why}")))?;
            if reply != expected {
                return Err(failed(format!("{name} is answered with {reply}")));
            }
        }
        Ok(())
    }

    async fn connect(&self) -> Result<Client, client::Error> {
        Client::connect(self.site.proxy, self.within()).await
    }

    async fn answer(&mut self, question: &Question) -> Answered {
        let allowed = self.site.allowed;
        match question.needs {
            Needs::Disturbing if !allowed.disturbing => {
                return Answered::Unknown("other clients could notice the request".to_owned());
            }
            Needs::Destructive if !allowed.destructive => {
                return Answered::Unknown("the request destroys data".to_owned());
            }
            _ => {}
        }
        match question.ask {
            Ask::Requests(requests) => self.requests(requests).await,
            Ask::Inline => self.inline().await,
            Ask::HashTags => self.hash_tags().await,
            Ask::PingLocal => self.ping_local().await,
            Ask::Unknown(why) => Answered::Unknown(why.to_owned()),
        }
    }

    async fn requests(&mut self, requests: &[(&str, Shape)]) -> Answered {
        let key = self.pool.fresh();
        let mut client = match self.connect().await {
            Ok(client) => client,
            Err(why) => return Answered::No(why.to_string()),
        };
        for (text, shape) in requests {
            let words = self.words(text, &key);
            let short = text.replace('$', "");
            match client.call(&words, self.within()).await {
                Ok(reply) if shape.fits(&reply) => {}
                Ok(reply) => {
                    return Answered::No(format!("{short} is answered with {}", shown(&reply)));
                }
                Err(why) => return Answered::No(format!("{short}: {why}")),
            }
        }
        Answered::Yes
    }

    /// The words of a request, with its keys. Keys that get a value are noted.
    fn words(&mut self, text: &str, key: &[u8]) -> Vec<Vec<u8>> {
        let mut words = Vec::new();
        for word in text.split(' ') {
            match word {
                "$key" => words.push(key.to_vec()),
                "$keys" => words.extend((0..KEYS).map(|_| self.pool.fresh())),
                "$pairs" => {
                    for _ in 0..KEYS {
                        let key = self.pool.fresh();
                        self.written.push(key.clone());
                        words.extend([key, b"v".to_vec()]);
                    }
                }
                word => words.push(word.replace("$prefix", self.pool.prefix()).into_bytes()),
            }
        }
        words
    }

    async fn inline(&mut self) -> Answered {
        let asked = async {
            let mut client = self.connect().await?;
            client.write(b"PING\r\n", self.within()).await?;
            client.reply(self.within()).await
        };
        match asked.await {
            Ok(reply) if Shape::Status.fits(&reply) => Answered::Yes,
            Ok(reply) => Answered::No(format!("PING as a line is answered with {}", shown(&reply))),
            Err(why) => Answered::No(format!("PING as a line: {why}")),
        }
    }

    /// Keys with one tag live on one node, which keys without it do not.
    async fn hash_tags(&mut self) -> Answered {
        if self.site.nodes.len() < 2 {
            return Answered::Unknown(
                "it shows only on the nodes, with --node for each".to_owned(),
            );
        }
        let tagged = tagged(&mut self.pool);
        match owners(self.site.proxy, self.site.nodes, &tagged).await {
            Err(why) => Answered::Unknown(why.to_string()),
            Ok(owners) if owners.iter().all(|owner| *owner == owners[0]) => Answered::Yes,
            Ok(_) => Answered::No("keys with one tag in braces live on several nodes".to_owned()),
        }
    }

    /// Whether a PING reaches a node, seen on the links.
    async fn ping_local(&mut self) -> Answered {
        let Some(tap) = self.site.tap else {
            return Answered::Unknown("it shows only on links of our own to the nodes".to_owned());
        };
        let mark = tap.mark();
        if let Err(why) = client::ping(self.site.proxy).await {
            return Answered::No(why.to_string());
        }
        let is_ping = |what: &What| match what {
            What::Asked(words) => words
                .first()
                .is_some_and(|word| word.eq_ignore_ascii_case(b"PING")),
            _ => false,
        };
        match tap.since(mark).iter().any(|event| is_ping(&event.what)) {
            false => Answered::Yes,
            true => Answered::No("PING is forwarded to a node".to_owned()),
        }
    }

    /// Gives the written keys a time to live, and removes them.
    async fn clean(&mut self) -> Result<(), Error> {
        let keys = std::mem::take(&mut self.written);
        let proxy = self.site.proxy;
        let cleaned = async {
            // Some of them may have no value, and a proxy may lack EXPIRE: removal alone decides.
            let _ = leftovers::expire(proxy, &keys).await;
            leftovers::delete(proxy, &keys).await
        };
        cleaned.await.map(drop).map_err(|why| Error::Unclean {
            addr: proxy,
            prefix: self.pool.prefix().to_owned(),
            why,
        })
    }
}

/// A reply, cut where it is long.
fn shown(reply: &Value) -> String {
    let text = reply.to_string();
    match text.char_indices().nth(80) {
        None => text,
        Some((at, _)) => format!("{}...", &text[..at]),
    }
}

/// Keys with one tag. They differ before it and after it: keys that differ in a last digit are neighbours for FNV, and
/// share a node of a ketama ring without any tag.
fn tagged(pool: &mut Pool) -> Vec<Vec<u8>> {
    let tag = pool.fresh();
    let around = |pool: &mut Pool| {
        let (before, after) = (pool.fresh(), pool.fresh());
        [&before, &b"{"[..], &tag, b"}", &after].concat()
    };
    (0..KEYS).map(|_| around(pool)).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn tagged_keys_share_a_tag_and_nothing_else() {
        let mut pool = Pool::new(7, 3);
        let keys = tagged(&mut pool);
        let parts = |key: &Vec<u8>| -> Vec<String> {
            let text = String::from_utf8_lossy(key).into_owned();
            text.split(['{', '}']).map(str::to_owned).collect()
        };
        let parts: Vec<Vec<String>> = keys.iter().map(parts).collect();
        let different = |place: usize| -> usize {
            let of_all: BTreeSet<&String> = parts.iter().map(|parts| &parts[place]).collect();
            of_all.len()
        };
        assert_eq!([0, 1, 2].map(different), [KEYS, 1, KEYS]);
        // The last ones differ by more than a digit.
        let ends = parts.iter().map(|parts| &parts[2][parts[2].len() - 8..]);
        assert_eq!(ends.collect::<BTreeSet<_>>().len(), KEYS);
    }
}
