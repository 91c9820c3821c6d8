//! Toxics: the faults that links carry out on bytes. Names, streams and attributes are Toxiproxy's (its README, "Toxics").

mod rule;

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::site::{Act, Error, Site};
use super::{InjectorError, ToxicKind};

pub(crate) use rule::Law;
pub(crate) use rule::later;
pub(super) use rule::ms;
pub use rule::{BufferLimit, Decision, Head, Removal, Rule, View};

/// The direction that a toxic works on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stream {
    /// From the proxy to the node: requests.
    Upstream,
    /// From the node to the proxy: replies.
    Downstream,
}

impl fmt::Display for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Upstream => "upstream",
            Self::Downstream => "downstream",
        })
    }
}

/// The text names no direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("stream was invalid, can be either upstream or downstream")]
pub struct UnknownStream;

impl FromStr for Stream {
    type Err = UnknownStream;

    fn from_str(text: &str) -> Result<Self, UnknownStream> {
        match text {
            "upstream" => Ok(Self::Upstream),
            "downstream" => Ok(Self::Downstream),
            _ => Err(UnknownStream),
        }
    }
}

/// A toxic with its name, its direction, and how many connections it works on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Toxic {
    /// Unique on its link.
    pub name: String,
    /// The bytes that it works on.
    pub stream: Stream,
    /// The share of connections that it acts on, 0 to 1; drawn once for each connection when the toxic starts there.
    pub toxicity: f32,
    /// Its effect on the bytes.
    #[serde(flatten)]
    pub kind: ToxicKind,
}

impl Toxic {
    /// A toxic for all connections, named by its type and direction.
    #[must_use]
    pub fn new(stream: Stream, kind: ToxicKind) -> Self {
        Self {
            name: format!("{}_{stream}", kind.name()),
            stream,
            toxicity: 1.0,
            kind,
        }
    }
}

impl Act for ToxicKind {
    /// Acts on replies of the node; requests are not affected.
    async fn apply(&self, site: Site<'_>) -> Result<(), Error> {
        let toxic = Toxic::new(Stream::Downstream, self.clone());
        Ok(site.injector.add(site.index, toxic).await?)
    }

    async fn heal(&self, site: Site<'_>) -> Result<(), Error> {
        let toxic = Toxic::new(Stream::Downstream, self.clone());
        match site.injector.remove(site.index, &toxic.name).await {
            Err(InjectorError::NoToxic(_)) => Ok(()),
            removed => Ok(removed?),
        }
    }
}
