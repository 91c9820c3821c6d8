//! `down`: connections to the node are reset and new ones refused; the node runs on. Toxiproxy's `enabled: false`.

use serde::{Deserialize, Serialize};

use super::row::{Describe, Effect, Object};
use super::site::{Act, Error, Site};

/// A link that does not listen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Down {}

impl Describe for Down {
    const ACTS_ON: Object = Object::Link;
    const EFFECT: Effect = Effect::Close;
}

impl Act for Down {
    async fn apply(&self, site: Site<'_>) -> Result<(), Error> {
        Ok(site.injector.down(site.index).await?)
    }

    async fn heal(&self, site: Site<'_>) -> Result<(), Error> {
        Ok(site.injector.up(site.index).await?)
    }
}
