//! `full_backlog`: the listen queue is full: open connections keep working, and new ones are not even refused.

use serde::{Deserialize, Serialize};

use super::row::{Describe, Effect, Links, Object};
use super::site::{Act, Error, Site};

/// A link that accepts nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]

pub struct FullBacklog {}

impl Describe for FullBacklog {
    const ACTS_ON: Object = Object::Link;
    const EFFECT: Effect = Effect::Partial;
    const LINKS: Links = Links::Own;
}

impl Act for FullBacklog {
    async fn apply(&self, site: Site<'_>) -> Result<(), Error> {
        Ok(site.injector.fill_backlog(site.index).await?)
    }

    async fn heal(&self, site: Site<'_>) -> Result<(), Error> {
        Ok(site.injector.up(site.index).await?)
    }
}
