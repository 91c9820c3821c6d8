//! `client_half_open`: clients send a pipeline, close their sending side, and never read.

use serde::{Deserialize, Serialize};

use super::clients::Load;
use super::row::{Describe, Effect, Object, Parameter, Unit};
use super::site::{Act, Error, Site};

/// Clients that stay until the fault is healed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ClientHalfOpen {
    /// Clients, at most 500.
    pub clients: i64,
    /// Requests of each client, at most 100,000.
    pub requests: i64,
}

impl Default for ClientHalfOpen {
    fn default() -> Self {
        Self {
            clients: 10,
            requests: 100,
        }
    }
}

impl Describe for ClientHalfOpen {
    const ACTS_ON: Object = Object::Client;
    const EFFECT: Effect = Effect::Nothing;
    const PARAMETERS: &'static [Parameter] = &[
        Parameter::optional("clients", Unit::Clients).or(10),
        Parameter::optional("requests", Unit::Requests).or(100),
    ];
}

impl Act for ClientHalfOpen {
    async fn apply(&self, site: Site<'_>) -> Result<(), Error> {
        let load = Load::new(self.clients, self.requests);
        Ok(site.clients()?.half_open("client_half_open", load).await?)
    }

    async fn heal(&self, site: Site<'_>) -> Result<(), Error> {
        site.clients()?.end("client_half_open");
        Ok(())
    }
}
