//! The proxy's own fields of INFO, independent of its nodes.

use std::sync::Arc;

/// The proxy's facts about itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Facts {
    /// Connected clients of all workers.
    pub(crate) clients: usize,
    /// The maximum of clients.
    pub(crate) clients_max: usize,
    pub(crate) uptime_seconds: u64,
    pub(crate) port: u16,
    pub(crate) process_id: u32,
    /// 40 hexadecimal digits that differ after each start.
    pub(crate) run_id: Arc<str>,
    /// State of each node, in one word.
    pub(crate) health: Vec<&'static str>,
}

/// The proxy's own values, independent of the nodes. To its clients it is a server of its own, and not a cluster, as in
/// HELLO.
pub(super) fn own(name: &str, facts: &Facts) -> Option<String> {
    Some(match name {
        "cluster_enabled" => "0".to_owned(),
        "redis_mode" | "server_mode" => "standalone".to_owned(),
        "run_id" => facts.run_id.to_string(),
        "connected_clients" => facts.clients.to_string(),
        "maxclients" => facts.clients_max.to_string(),
        "process_id" => facts.process_id.to_string(),
        "tcp_port" => facts.port.to_string(),
        "uptime_in_seconds" => facts.uptime_seconds.to_string(),
        "uptime_in_days" => (facts.uptime_seconds / (24 * 60 * 60)).to_string(),
        _ => return None,
    })
}

/// The names of [`own`].
#[cfg(test)]
pub(super) fn own_names() -> [&'static str; 10] {
    [
        "cluster_enabled",
        "connected_clients",
        "maxclients",
        "process_id",
        "redis_mode",
        "run_id",
        "server_mode",
        "tcp_port",
        "uptime_in_days",
        "uptime_in_seconds",
    ]
}
