//! `busy`: a script that does not end blocks the node, which answers everything with an error (BUSY).

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::row::{Describe, Effect, Object};
use super::site::{Act, Error, Site};
use crate::client::NODE_DEADLINE;

/// The node answers BUSY after this many milliseconds of a script, and nothing before.
const SAYS_SO: &[&str] = &["CONFIG", "SET", "lua-time-limit", "1"];
/// As Redis starts.
const USUAL: &[&str] = &["CONFIG", "SET", "lua-time-limit", "5000"];
const ENDLESS: &[&str] = &["EVAL", "while true do end", "0"];
const KILL: &[&str] = &["SCRIPT", "KILL"];
/// No fault keeps a node busy for longer.
const SCRIPT_WITHIN: Duration = Duration::from_secs(3600);

/// An endless loop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Busy {}

impl Describe for Busy {
    const ACTS_ON: Object = Object::Node;
    const EFFECT: Effect = Effect::Partial;
}

impl Act for Busy {
    async fn apply(&self, site: Site<'_>) -> Result<(), Error> {
        site.order(SAYS_SO).await?;
        site.begin(ENDLESS, SCRIPT_WITHIN).await?;
        let is_busy = |answer: &[u8]| answer.starts_with(b"BUSY");
        site.until("busy", NODE_DEADLINE, is_busy).await
    }

    async fn heal(&self, site: Site<'_>) -> Result<(), Error> {
        match site.order(KILL).await {
            // No script is running.
            Err(Error::Refused(why)) if why.starts_with("NOTBUSY") => {}
            killed => killed?,
        }
        let is_free = |answer: &[u8]| answer == b"PONG";
        site.until("free", NODE_DEADLINE, is_free).await?;
        site.order(USUAL).await
    }
}
