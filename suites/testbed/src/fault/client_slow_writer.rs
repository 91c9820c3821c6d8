//! `client_slow_writer`: clients send half a request, and then one byte now and then.

use serde::{Deserialize, Serialize};

use super::clients::Load;
use super::row::{Describe, Effect, Object, Parameter, Unit};
use super::site::{Act, Error, Site};

/// Clients that stay until the fault is healed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ClientSlowWriter {
    /// Clients, at most 500.
    pub clients: i64,
}

impl Default for ClientSlowWriter {
    fn default() -> Self {
        Self { clients: 50 }
    }
}

impl Describe for ClientSlowWriter {
    const ACTS_ON: Object = Object::Client;
    const EFFECT: Effect = Effect::Nothing;
    const PARAMETERS: &'static [Parameter] =
        &[Parameter::optional("clients", Unit::Clients).or(50)];
}

impl Act for ClientSlowWriter {
    async fn apply(&self, site: Site<'_>) -> Result<(), Error> {
        let load = Load::new(self.clients, 1);
        Ok(site
            .clients()?
            .slow_writer("client_slow_writer", load)
            .await?)
    }

    async fn heal(&self, site: Site<'_>) -> Result<(), Error> {
        site.clients()?.end("client_slow_writer");
        Ok(())
    }
}
