//! `replace`: an empty node at another address takes the place of the node, and the link leads there.

use serde::{Deserialize, Serialize};

use super::row::{Describe, Effect, Object};
use super::site::{Act, Error, Site};

/// A replacement. When it is healed, the node is empty and at its own address again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]

pub struct Replace {}

impl Describe for Replace {
    const ACTS_ON: Object = Object::Node;
    const EFFECT: Effect = Effect::Partial;
    const KEEPS_DATA: bool = false;
    const ENDS_NODE: bool = true;
}

impl Act for Replace {
    async fn apply(&self, site: Site<'_>) -> Result<(), Error> {
        site.node.replace().await?;
        let addr = site.node.addr();
        Ok(site.injector.point(site.index, addr).await?)
    }

    async fn heal(&self, site: Site<'_>) -> Result<(), Error> {
        site.node.return_home().await?;
        let addr = site.node.addr();
        Ok(site.injector.point(site.index, addr).await?)
    }
}
