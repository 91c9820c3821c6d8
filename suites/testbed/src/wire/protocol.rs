//! Which protocol a connection speaks.

use std::fmt;

/// A version of the protocol. Each connection begins with the second one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Protocol {
    /// Five types, the protocol of a connection before HELLO.
    #[default]
    Resp2,
    /// The protocol after HELLO 3: maps, sets, doubles, and a separate null.
    Resp3,
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Resp2 => "RESP2",
            Self::Resp3 => "RESP3",
        })
    }
}
