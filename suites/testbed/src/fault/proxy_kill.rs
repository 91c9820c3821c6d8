//! `proxy_kill`: the proxy crashes (SIGKILL), and starts again when the fault is healed.

use serde::{Deserialize, Serialize};

use super::row::{Describe, Effect, Object};
use super::site::{Act, Error, Site};

/// A crash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]

pub struct ProxyKill {}

impl Describe for ProxyKill {
    const ACTS_ON: Object = Object::Proxy;
    const EFFECT: Effect = Effect::Nothing;
}

impl Act for ProxyKill {
    async fn apply(&self, site: Site<'_>) -> Result<(), Error> {
        site.proxy()?.kill();
        Ok(())
    }

    async fn heal(&self, site: Site<'_>) -> Result<(), Error> {
        Ok(site.proxy()?.restart().await?)
    }
}
