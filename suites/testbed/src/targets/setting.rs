//! What a proxy is to be.

use std::net::SocketAddr;

use serde::Serialize;

use super::file::Target;

/// Settings of a proxy: the variables of the templates in its target file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Setting {
    /// Addresses of the nodes as the proxy sees them, in the cluster's order.
    pub nodes: Vec<SocketAddr>,
    /// One of the target's policies.
    pub policy: String,
    /// Whether only the part of a key in braces is hashed.
    pub hash_tags: bool,
    /// The proxy's time limit for one request.
    pub op_timeout_ms: u64,
}

impl Setting {
    /// The first policy and the time limit of the target's file, with hash tags.
    #[must_use]
    pub fn usual(target: &Target, nodes: Vec<SocketAddr>) -> Self {
        Self {
            nodes,
            policy: target.policies.first().cloned().unwrap_or_default(),
            hash_tags: true,
            op_timeout_ms: target.op_timeout_ms,
        }
    }
}
