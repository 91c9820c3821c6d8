//! Why the proxy closes a client: for its log and its counters.

/// Why the proxy closes a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Closed {
    Idle,
    Unauthenticated,
    Output,
    Memory,
    Truncated,
    Panic,
}

impl Closed {
    pub(crate) const ALL: [Self; 6] = [
        Self::Idle,
        Self::Unauthenticated,
        Self::Output,
        Self::Memory,
        Self::Truncated,
        Self::Panic,
    ];

    /// As named in the counters.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Unauthenticated => "unauthenticated",
            Self::Output => "output",
            Self::Memory => "memory",
            Self::Truncated => "truncated",
            Self::Panic => "panic",
        }
    }

    pub(super) fn text(self) -> &'static str {
        match self {
            Self::Idle => "timeouts.client_idle_ms",
            Self::Unauthenticated => "timeouts.unauthenticated_ms",
            Self::Output => "it does not read its replies",
            Self::Memory => {
                "limits.output_bytes: its requests that are not complete and its transaction occupy too much"
            }
            Self::Truncated => "the node broke off a reply of which a part was delivered",
            Self::Panic => "internal error of the proxy",
        }
    }
}
