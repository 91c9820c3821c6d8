//! `restart`: the node ends in order and starts again with its data; connections end.

use serde::{Deserialize, Serialize};

use super::row::{Describe, Effect, Object};
use super::site::{Act, Error, Site};

/// A restart, over when it is applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]

pub struct Restart {}

impl Describe for Restart {
    const ACTS_ON: Object = Object::Node;
    const EFFECT: Effect = Effect::Partial;
    const LASTS: bool = false;
}

impl Act for Restart {
    async fn apply(&self, site: Site<'_>) -> Result<(), Error> {
        Ok(site.node.restart_with_data().await?)
    }

    async fn heal(&self, site: Site<'_>) -> Result<(), Error> {
        let _ = site;
        Ok(())
    }
}
