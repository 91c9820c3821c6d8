//! `restart_empty`: the node crashes (SIGKILL) and starts again at once, without its data.

use serde::{Deserialize, Serialize};

use super::row::{Describe, Effect, Object};
use super::site::{Act, Error, Site};

/// A restart, over when it is applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]

pub struct RestartEmpty {}

impl Describe for RestartEmpty {
    const ACTS_ON: Object = Object::Node;
    const EFFECT: Effect = Effect::Partial;
    const KEEPS_DATA: bool = false;
    const LASTS: bool = false;
}

impl Act for RestartEmpty {
    async fn apply(&self, site: Site<'_>) -> Result<(), Error> {
        Ok(site.node.restart().await?)
    }

    async fn heal(&self, site: Site<'_>) -> Result<(), Error> {
        let _ = site;
        Ok(())
    }
}
