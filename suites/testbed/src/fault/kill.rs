//! `kill`: the node crashes (SIGKILL), and starts again without its data.

use serde::{Deserialize, Serialize};

use super::row::{Describe, Effect, Object};
use super::site::{Act, Error, Site};

/// A crash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Kill {}

impl Describe for Kill {
    const ACTS_ON: Object = Object::Node;
    const EFFECT: Effect = Effect::Close;
    const KEEPS_DATA: bool = false;
    const ENDS_NODE: bool = true;
}

impl Act for Kill {
    async fn apply(&self, site: Site<'_>) -> Result<(), Error> {
        Ok(site.node.kill().await?)
    }

    async fn heal(&self, site: Site<'_>) -> Result<(), Error> {
        Ok(site.node.restart().await?)
    }
}
