//! `proxy_restart`: the proxy is killed and starts again at once, at the same address.

use serde::{Deserialize, Serialize};

use super::row::{Describe, Effect, Object};
use super::site::{Act, Error, Site};

/// A restart, over when it is applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]

pub struct ProxyRestart {}

impl Describe for ProxyRestart {
    const ACTS_ON: Object = Object::Proxy;
    const EFFECT: Effect = Effect::Nothing;
    const LASTS: bool = false;
}

impl Act for ProxyRestart {
    async fn apply(&self, site: Site<'_>) -> Result<(), Error> {
        Ok(site.proxy()?.restart().await?)
    }

    async fn heal(&self, site: Site<'_>) -> Result<(), Error> {
        let _ = site;
        Ok(())
    }
}
