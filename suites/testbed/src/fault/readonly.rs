//! `readonly`: the node refuses writes, as a replica does.

use serde::{Deserialize, Serialize};

use super::row::{Describe, Effect, Object};
use super::site::{Act, Error, Site};

/// No server listens on that port, so the node never replicates anything.
const REPLICA: &[&str] = &["REPLICAOF", "127.0.0.1", "1"];
const PRIMARY: &[&str] = &["REPLICAOF", "NO", "ONE"];

/// A replica of a primary that is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Readonly {}

impl Describe for Readonly {
    const ACTS_ON: Object = Object::Node;
    const EFFECT: Effect = Effect::RefuseWrites;
}

impl Act for Readonly {
    async fn apply(&self, site: Site<'_>) -> Result<(), Error> {
        site.order(REPLICA).await
    }

    async fn heal(&self, site: Site<'_>) -> Result<(), Error> {
        site.order(PRIMARY).await
    }
}
