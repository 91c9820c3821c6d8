//! `partition`: the node loses its network, and the proxy gets no FIN or RST. Only nodes in containers support it.

use serde::{Deserialize, Serialize};

use super::row::{Describe, Effect, Object};
use super::site::{Act, Error, Site};

/// A node without network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Partition {}

impl Describe for Partition {
    const ACTS_ON: Object = Object::Node;
    const EFFECT: Effect = Effect::Silence;
    const NEEDS_NETWORK: bool = true;
}

impl Act for Partition {
    async fn apply(&self, site: Site<'_>) -> Result<(), Error> {
        Ok(site.node.disconnect().await?)
    }

    async fn heal(&self, site: Site<'_>) -> Result<(), Error> {
        Ok(site.node.connect().await?)
    }
}
