//! `client_pipeline_flood`: clients send long pipelines, and read the replies as fast as they come.

use serde::{Deserialize, Serialize};

use super::clients::Load;
use super::row::{Describe, Effect, Object, Parameter, Unit};
use super::site::{Act, Error, Site};

/// Clients that are done when they have all replies, or the fault is healed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ClientPipelineFlood {
    /// Clients, at most 500.
    pub clients: i64,
    /// Requests of each client, at most 100,000.
    pub requests: i64,
}

impl Default for ClientPipelineFlood {
    fn default() -> Self {
        Self {
            clients: 10,
            requests: 10000,
        }
    }
}

impl Describe for ClientPipelineFlood {
    const ACTS_ON: Object = Object::Client;
    const EFFECT: Effect = Effect::Nothing;
    const PARAMETERS: &'static [Parameter] = &[
        Parameter::optional("clients", Unit::Clients).or(10),
        Parameter::optional("requests", Unit::Requests).or(10000),
    ];
}

impl Act for ClientPipelineFlood {
    async fn apply(&self, site: Site<'_>) -> Result<(), Error> {
        let load = Load::new(self.clients, self.requests);
        Ok(site
            .clients()?
            .pipeline_flood("client_pipeline_flood", load)
            .await?)
    }

    async fn heal(&self, site: Site<'_>) -> Result<(), Error> {
        site.clients()?.end("client_pipeline_flood");
        Ok(())
    }
}
