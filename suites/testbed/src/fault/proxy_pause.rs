//! `proxy_pause`: the proxy hangs (SIGSTOP); its connections stay open.

use serde::{Deserialize, Serialize};

use super::row::{Describe, Effect, Object};
use super::site::{Act, Error, Site};

/// A proxy that hangs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]

pub struct ProxyPause {}

impl Describe for ProxyPause {
    const ACTS_ON: Object = Object::Proxy;
    const EFFECT: Effect = Effect::Nothing;
}

impl Act for ProxyPause {
    async fn apply(&self, site: Site<'_>) -> Result<(), Error> {
        Ok(site.proxy()?.pause()?)
    }

    async fn heal(&self, site: Site<'_>) -> Result<(), Error> {
        Ok(site.proxy()?.resume()?)
    }
}
