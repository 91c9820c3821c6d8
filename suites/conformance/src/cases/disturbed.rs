//! State of other clients that a case can change.

/// State that other clients depend on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Disturbed {
    /// Connections from the proxy to its nodes, which a proxy may share among clients.
    Connections,
    /// The nodes themselves: their settings, scripts, data, or time.
    Nodes,
    /// The proxy's process, which may end or stop serving.
    Proxy,
}

impl Disturbed {
    /// All of them, by their words in case files.
    pub const ALL: [(&'static str, Self); 3] = [
        ("connections", Self::Connections),
        ("nodes", Self::Nodes),
        ("proxy", Self::Proxy),
    ];

    /// The word in case files.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Connections => "connections",
            Self::Nodes => "nodes",
            Self::Proxy => "proxy",
        }
    }
}
