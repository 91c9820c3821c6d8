//! `slow`: the node executes one command for a while, and answers nothing until it is done.

use serde::{Deserialize, Serialize};

use super::row::{Describe, Effect, Object, Parameter, Unit};
use super::site::{Act, Error, Site};
use super::toxic::ms;
use crate::client::{Client, NODE_DEADLINE};

/// A slow command (DEBUG SLEEP). It cannot be ended early: healing waits for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Slow {
    /// Milliseconds until the node answers again.
    #[serde(rename = "time")]
    pub time_ms: i64,
}

impl Describe for Slow {
    const ACTS_ON: Object = Object::Node;
    const EFFECT: Effect = Effect::Partial;
    const PARAMETERS: &'static [Parameter] = &[Parameter::required("time", Unit::Milliseconds)];
}

impl Act for Slow {
    async fn apply(&self, site: Site<'_>) -> Result<(), Error> {
        let seconds = ms(self.time_ms).as_secs_f64().to_string();
        let within = ms(self.time_ms) + NODE_DEADLINE;
        site.begin(&["DEBUG", "SLEEP", &seconds], within).await
    }

    async fn heal(&self, site: Site<'_>) -> Result<(), Error> {
        let mut client = Client::connect(site.node.addr(), NODE_DEADLINE).await?;
        let within = ms(self.time_ms) + NODE_DEADLINE;
        client.call(&["PING"], within).await?;
        Ok(())
    }
}
