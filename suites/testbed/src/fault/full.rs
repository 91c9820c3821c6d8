//! `full`: the node has no memory for another key.

use serde::{Deserialize, Serialize};

use super::row::{Describe, Effect, Object};
use super::site::{Act, Error, Site};

/// Any node has more than a byte in use.
const FULL: &[&str] = &["CONFIG", "SET", "maxmemory", "1"];
/// No limit, as nodes of the suite start.
const ROOMY: &[&str] = &["CONFIG", "SET", "maxmemory", "0"];

/// A memory limit that is reached; nothing is evicted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Full {}

impl Describe for Full {
    const ACTS_ON: Object = Object::Node;
    const EFFECT: Effect = Effect::RefuseWrites;
}

impl Act for Full {
    async fn apply(&self, site: Site<'_>) -> Result<(), Error> {
        site.order(FULL).await
    }

    async fn heal(&self, site: Site<'_>) -> Result<(), Error> {
        site.order(ROOMY).await
    }
}
