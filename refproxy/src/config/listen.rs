//! The address to listen on: `IP:PORT` or `unix:/PATH`.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;

use placement::file::socket_path;
use serde::{Deserialize, Deserializer};

/// An address to listen on for clients.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ListenAddress {
    /// A TCP port.
    Tcp(SocketAddr),
    /// The path of a Unix socket.
    Unix(PathBuf),
}

/// The text is no address to listen on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected IP:PORT or unix:/PATH")]
pub struct NotAnAddress;

impl FromStr for ListenAddress {
    type Err = NotAnAddress;

    fn from_str(text: &str) -> Result<Self, NotAnAddress> {
        match socket_path(text) {
            Some(path) => Ok(Self::Unix(path.into())),
            None => text.parse().map(Self::Tcp).map_err(|_| NotAnAddress),
        }
    }
}

impl fmt::Display for ListenAddress {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(out),
            Self::Unix(path) => write!(out, "unix:{}", path.display()),
        }
    }
}

impl<'de> Deserialize<'de> for ListenAddress {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::ListenAddress;

    #[track_caller]
    fn check(text: &str, shown: Option<&str>) {
        let read = text.parse::<ListenAddress>().ok();
        assert_eq!(
            read.map(|address| address.to_string()).as_deref(),
            shown,
            "{text}"
        );
    }

    #[test]
    fn an_address_is_a_port_or_a_path() {
        check("127.0.0.1:6400", Some("127.0.0.1:6400"));
        check("[::1]:0", Some("[::1]:0"));
        check("unix:/run/a.sock", Some("unix:/run/a.sock"));
        check("/run/a.sock", Some("unix:/run/a.sock"));
        let longest = format!("unix:/{}", "a".repeat(106));
        check(&longest, Some(&longest));
        for wrong in ["localhost:1", "unix:a", "unix:", "unix:/", "/run/a b", ""] {
            check(wrong, None);
        }
        check(&format!("{longest}a"), None);
    }
}
