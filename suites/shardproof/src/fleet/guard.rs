//! The proof that the proxy places keys as the description says, before any key is moved.
//!
//! If keys are moved by another placement than the proxy's, the proxy cannot find them. It is no proof that no answer
//! of the proxy differs: an empty fleet has no answers, and keys without hash tags prove nothing about hash tags. So
//! evidence is counted: if the proxy finds a key that only its right node has, the proxy asks that node. If the keys of
//! the fleet are not enough evidence, keys of our own are written through the proxy and searched on the nodes. They
//! expire within a minute, and are deleted as soon as they were seen.

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use super::connection::{Connection, Request};
use super::connections::Connections;
use super::report::{Check, Probed};
use super::{Error, Fleet};
use testbed::endpoint::Endpoint;
use testbed::leftovers::{Record, Scope};
use testbed::wire::Value;

/// Keys that are written, of each kind.
const WRITTEN: usize = 16;
/// Tags that are tried to find keys whose node depends on the rule.
const TRIED: usize = 400;
/// Time to live of our keys, in case we cannot delete them.
const TTL_S: &str = "60";

/// How it is proved that the proxy places keys as the description says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// The answers of the proxy at this address.
    Proxy(Endpoint),
    /// Not at all: the caller is responsible.
    Unverified,
}

impl Proof {
    pub(super) fn proxy(self) -> Option<Endpoint> {
        match self {
            Self::Proxy(proxy) => Some(proxy),
            Self::Unverified => None,
        }
    }
}

/// Proves that `proxy` places keys as described. `check` is a check of all keys in which it was asked.
pub(super) async fn prove(
    fleet: &Arc<Fleet>,
    proxy: Endpoint,
    prefix: &[u8],
    check: &Check,
) -> Result<Probed, Error> {
    let mut probed = check.proxy.clone().unwrap_or_default();
    agrees(&probed)?;
    if probed.doubt().is_some() {
        Writing::open(fleet, proxy)
            .await?
            .run(prefix, &mut probed)
            .await?;
        agrees(&probed)?;
    }
    match probed.doubt() {
        Some(doubt) => Err(Error::Unproven(doubt)),
        None => Ok(probed),
    }
}

fn agrees(probed: &Probed) -> Result<(), Error> {
    if probed.differ == 0 {
        return Ok(());
    }
    Err(Error::Disagrees {
        differ: probed.differ,
        asked: probed.differ + probed.agree,
        example: probed.examples.first().cloned().unwrap_or_default(),
    })
}

/// Writes keys through the proxy and finds them on the nodes.
struct Writing {
    fleet: Arc<Fleet>,
    proxy: Connection,
    nodes: Connections,
    /// The keys to remove if the process ends before they are deleted.
    record: Record,
}

impl Writing {
    async fn open(fleet: &Arc<Fleet>, proxy: Endpoint) -> Result<Self, Error> {
        Ok(Self {
            fleet: Arc::clone(fleet),
            proxy: Connection::open(&format!("the proxy at {proxy}"), proxy).await?,
            nodes: Connections::new(fleet),
            record: Record::open(Scope {
                proxy: Some(proxy),
                ..Scope::default()
            }),
        })
    }

    async fn run(mut self, prefix: &[u8], probed: &mut Probed) -> Result<(), Error> {
        let (plain, tagged) = keys(&self.fleet, prefix);
        for key in plain {
            probed.written += u64::from(self.write(&key, probed).await?);
        }
        for key in tagged {
            let seen = u64::from(self.write(&key, probed).await?);
            probed.written += seen;
            probed.tagged_shown += seen;
        }
        Ok(())
    }

    /// Writes a key and deletes it where it is found. Returns whether only its right node had it.
    async fn write(&mut self, key: &[u8], probed: &mut Probed) -> Result<bool, Error> {
        self.record.key(key);
        let answer = self
            .proxy
            .ask(&[b"SET", key, b"1", b"EX", TTL_S.as_bytes()])
            .await?;
        if answer != Value::Simple(b"OK".to_vec()) {
            return Err(Error::Unproven(format!(
                "the proxy answers SET {} with {answer}",
                key.escape_ascii()
            )));
        }
        let mut found = Vec::new();
        for place in 0..self.fleet.members().len() {
            let node = self.nodes.to(place).await?;
            if node.exist(&[key]).await? == [true] {
                found.push(place);
                let delete: Request<'_> = vec![b"UNLINK", key];
                node.ask(&delete).await?;
            }
        }
        let right = self.fleet.right(key);
        if found == [right] {
            return Ok(true);
        }
        let name = |place: usize| self.fleet.members()[place].seen.clone();
        let lies = match found.as_slice() {
            [] => "no node of the description has it".to_owned(),
            found => format!(
                "it is on {}",
                found
                    .iter()
                    .map(|place| name(*place))
                    .collect::<Vec<_>>()
                    .join(", ")
            ),
        };
        probed.differs(format!(
            "{}: written through the proxy, placed on {}, and {lies}",
            key.escape_ascii(),
            name(right)
        ));
        Ok(false)
    }
}

/// Keys without hash tags, and keys whose node depends on the rule for hash tags.
fn keys(fleet: &Fleet, prefix: &[u8]) -> (Vec<Vec<u8>>, Vec<Vec<u8>>) {
    let run = RandomState::new().hash_one(prefix);
    let key = |text: String| [prefix, text.as_bytes()].concat();
    let plain = (0..WRITTEN).map(|number| key(format!("shardproof:{run:x}:{number}")));
    let tagged = (0..TRIED).map(|number| key(format!("shardproof:{{{run:x}:{number}}}:tagged")));
    // The proxy may send keys of other names to other clusters.
    let ours = |key: &Vec<u8>| fleet.routing().takes(key);
    let depends = |key: &Vec<u8>| fleet.by_other_tags(key).next().is_some();
    (
        plain.filter(ours).collect(),
        tagged.filter(ours).filter(depends).take(WRITTEN).collect(),
    )
}
