//! How connections of a link end.

/// How connections end when the link goes down, or when one side is missing or breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// By RST, as when a node dies.
    Reset,
    /// By FIN, as Toxiproxy ends them. Only the toxic `reset_peer` resets.
    Close,
}
