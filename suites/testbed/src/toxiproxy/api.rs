//! JSON shapes of both sides of the API.

use serde::{Deserialize, Serialize};

use crate::fault::Toxic;

/// A proxy: a link with a name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Proxy {
    /// Unique on its server.
    pub name: String,
    /// Where it listens; port 0 is answered with the one that was free.
    pub listen: String,
    /// Where it connects to.
    pub upstream: String,
    /// Whether it listens. One that does not is "down".
    #[serde(default = "enabled")]
    pub enabled: bool,
    /// Its toxics, those of the upstream direction first. Ignored in requests.
    #[serde(default)]
    pub toxics: Vec<Toxic>,
}

fn enabled() -> bool {
    true
}

/// The body of a refusal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// The problem.
    #[serde(rename = "error")]
    pub message: String,
    /// The status code, once more.
    pub status: u16,
}
