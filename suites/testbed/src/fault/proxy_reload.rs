//! `proxy_reload`: the proxy reloads its configuration, in the way in which its cluster is changed.

use serde::{Deserialize, Serialize};

use super::row::{Describe, Effect, Object};
use super::site::{Act, Error, Site};

/// A reload, over when it is applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]

pub struct ProxyReload {}

impl Describe for ProxyReload {
    const ACTS_ON: Object = Object::Proxy;
    const EFFECT: Effect = Effect::Nothing;
    const LASTS: bool = false;
}

impl Act for ProxyReload {
    async fn apply(&self, site: Site<'_>) -> Result<(), Error> {
        Ok(site.proxy()?.reload().await?)
    }

    async fn heal(&self, site: Site<'_>) -> Result<(), Error> {
        let _ = site;
        Ok(())
    }
}
