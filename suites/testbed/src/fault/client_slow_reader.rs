//! `client_slow_reader`: clients ask for much, and read it at a low rate.

use serde::{Deserialize, Serialize};

use super::clients::Load;
use super::row::{Describe, Effect, Object, Parameter, Unit};
use super::site::{Act, Error, Site};

/// Clients whose replies pile up at the proxy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ClientSlowReader {
    /// Clients, at most 500.
    pub clients: i64,
    /// Requests of each client, at most 100,000.
    pub requests: i64,
    /// The rate in 1000 bytes per second; 0 or less reads nothing.
    pub rate: i64,
}

impl Default for ClientSlowReader {
    fn default() -> Self {
        Self {
            clients: 5,
            requests: 10000,
            rate: 1,
        }
    }
}

impl Describe for ClientSlowReader {
    const ACTS_ON: Object = Object::Client;
    const EFFECT: Effect = Effect::Nothing;
    const PARAMETERS: &'static [Parameter] = &[
        Parameter::optional("clients", Unit::Clients).or(5),
        Parameter::optional("requests", Unit::Requests).or(10000),
        Parameter::optional("rate", Unit::KilobytesPerSecond).or(1),
    ];
}

impl Act for ClientSlowReader {
    async fn apply(&self, site: Site<'_>) -> Result<(), Error> {
        let load = Load::new(self.clients, self.requests);
        let clients = site.clients()?;
        Ok(clients
            .slow_reader("client_slow_reader", load, self.rate)
            .await?)
    }

    async fn heal(&self, site: Site<'_>) -> Result<(), Error> {
        site.clients()?.end("client_slow_reader");
        Ok(())
    }
}
