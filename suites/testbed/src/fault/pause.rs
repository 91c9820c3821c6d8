//! `pause`: the node hangs (SIGSTOP); its connections stay open.

use serde::{Deserialize, Serialize};

use super::row::{Describe, Effect, Object};
use super::site::{Act, Error, Site};

/// A node that hangs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Pause {}

impl Describe for Pause {
    const ACTS_ON: Object = Object::Node;
    const EFFECT: Effect = Effect::Silence;
}

impl Act for Pause {
    async fn apply(&self, site: Site<'_>) -> Result<(), Error> {
        Ok(site.node.pause().await?)
    }

    async fn heal(&self, site: Site<'_>) -> Result<(), Error> {
        Ok(site.node.resume().await?)
    }
}
