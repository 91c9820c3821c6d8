//! `client_flood`: many clients connect and stay silent.

use serde::{Deserialize, Serialize};

use super::clients::Load;
use super::row::{Describe, Effect, Object, Parameter, Unit};
use super::site::{Act, Error, Site};

/// Connections that stay open until the fault is healed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ClientFlood {
    /// Connections, at most 10,000.
    pub clients: i64,
}

impl Default for ClientFlood {
    fn default() -> Self {
        Self { clients: 200 }
    }
}

impl Describe for ClientFlood {
    const ACTS_ON: Object = Object::Client;
    const EFFECT: Effect = Effect::Nothing;
    const PARAMETERS: &'static [Parameter] =
        &[Parameter::optional("clients", Unit::Connections).or(200)];
}

impl Act for ClientFlood {
    async fn apply(&self, site: Site<'_>) -> Result<(), Error> {
        let load = Load::silent(self.clients);
        Ok(site.clients()?.flood("client_flood", load).await?)
    }

    async fn heal(&self, site: Site<'_>) -> Result<(), Error> {
        site.clients()?.end_slowly("client_flood").await;
        Ok(())
    }
}
