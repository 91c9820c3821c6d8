//! `client_disconnect`: clients send a pipeline and are gone within its last request.

use serde::{Deserialize, Serialize};

use super::clients::Load;
use super::row::{Describe, Effect, Object, Parameter, Unit};
use super::site::{Act, Error, Site};

/// Clients that wait for no reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ClientDisconnect {
    /// Clients, at most 500.
    pub clients: i64,
    /// Requests of each client, at most 100,000.
    pub requests: i64,
}

impl Default for ClientDisconnect {
    fn default() -> Self {
        Self {
            clients: 10,
            requests: 100,
        }
    }
}

impl Describe for ClientDisconnect {
    const ACTS_ON: Object = Object::Client;
    const EFFECT: Effect = Effect::Nothing;
    const PARAMETERS: &'static [Parameter] = &[
        Parameter::optional("clients", Unit::Clients).or(10),
        Parameter::optional("requests", Unit::Requests).or(100),
    ];
    const LASTS: bool = false;
}

impl Act for ClientDisconnect {
    async fn apply(&self, site: Site<'_>) -> Result<(), Error> {
        let load = Load::new(self.clients, self.requests);
        Ok(site.clients()?.disconnect(load).await?)
    }

    async fn heal(&self, site: Site<'_>) -> Result<(), Error> {
        site.clients()?.end("client_disconnect");
        Ok(())
    }
}
