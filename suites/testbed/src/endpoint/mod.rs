//! Where and how a server is reached: its address, resolved, with what a connection needs.

mod access;
#[cfg(feature = "tls")]
mod tls;
#[cfg(not(feature = "tls"))]
#[path = "no_tls.rs"]
mod tls;

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::path::Path;

use schemars::JsonSchema;
use serde::{Serialize, Serializer};

pub use access::{Access, AuthFile, AuthMistake, Role};
pub use tls::TlsOptions;
pub(crate) use tls::{Tls, TlsStream};

use crate::address::{Address, Secret, Site};

/// A server, and how to connect to it. Two are equal if they are the same database of the same server.
///
/// It is copied like an address: what it needs is kept until the process ends. Is shown as an [`Address`] is, without user
/// and password.
#[derive(Clone, Copy)]
pub struct Endpoint {
    place: Place,
    database: u32,
    login: Option<&'static Login>,
    tls: Option<&'static Tls>,
}

/// The place of a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Place {
    /// A TCP port.
    Tcp(SocketAddr),
    /// A Unix socket.
    Unix(&'static Path),
}

/// The arguments of AUTH.
pub(crate) struct Login {
    /// `None` is the default user.
    pub(crate) user: Option<String>,
    pub(crate) password: Secret,
}

/// An endpoint cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The name has no address.
    #[error("{address} has no address: {why}")]
    Resolve {
        /// The address.
        address: Address,
        /// The resolver's reason.
        why: io::Error,
    },
    /// A user is given, but no password.
    #[error(
        "{address} has a user but no password: expected redis://USER:PASSWORD@HOST:PORT, {variable} or --auth-file"
    )]
    NoPassword {
        /// The address.
        address: Address,
        /// The variable of the environment that would have it.
        variable: &'static str,
    },
    /// A file for TLS cannot be used.
    #[error("{flag} {file}: {why}")]
    TlsFile {
        /// The flag that names it.
        flag: &'static str,
        /// The file.
        file: String,
        /// The reason.
        why: String,
    },
    /// TLS cannot be used as asked for.
    #[error("{address}: {why}")]
    Tls {
        /// The address.
        address: Address,
        /// The reason.
        why: String,
    },
}

impl Endpoint {
    /// The endpoint of an address whose user and password are ignored, by the TLS options where it is one of TLS.
    fn resolve(address: &Address, tls: &TlsOptions) -> Result<Self, Error> {
        let place = match &address.site {
            Site::Unix(path) => Place::Unix(Box::leak(path.clone().into_boxed_path())),
            Site::Host { host, port } => Place::Tcp(lookup(host, *port).map_err(|why| {
                let address = address.clone();
                Error::Resolve { address, why }
            })?),
        };
        let tls = match address.tls {
            false => None,
            true => Some(&*Box::leak(Box::new(Tls::new(address, tls)?))),
        };
        Ok(Self {
            place,
            database: address.database.unwrap_or(0),
            login: None,
            tls,
        })
    }

    fn with_login(self, user: Option<String>, password: Secret) -> Self {
        let login = Box::leak(Box::new(Login { user, password }));
        Self {
            login: Some(login),
            ..self
        }
    }

    /// The same server with another database.
    #[must_use]
    pub fn in_database(self, database: u32) -> Self {
        Self { database, ..self }
    }

    /// The database that connections select.
    #[must_use]
    pub fn database(&self) -> u32 {
        self.database
    }

    /// The TCP address; `None` for a Unix socket.
    #[must_use]
    pub fn socket_addr(&self) -> Option<SocketAddr> {
        match self.place {
            Place::Tcp(addr) => Some(addr),
            Place::Unix(_) => None,
        }
    }

    /// The TCP address, if a connection to it needs nothing else: no password, no TLS, and the first database.
    #[must_use]
    pub fn plain(&self) -> Option<SocketAddr> {
        let needs = self.login.is_some() || self.tls.is_some() || self.database > 0;
        self.socket_addr().filter(|_| !needs)
    }

    /// Whether it is reached by TLS.
    #[must_use]
    pub fn is_tls(&self) -> bool {
        self.tls.is_some()
    }

    /// Whether connections send a password.
    #[must_use]
    pub fn has_password(&self) -> bool {
        self.login.is_some()
    }

    pub(crate) fn place(&self) -> Place {
        self.place
    }

    pub(crate) fn tls(&self) -> Option<&'static Tls> {
        self.tls
    }

    pub(crate) fn login(&self) -> Option<&'static Login> {
        self.login
    }
}

/// IPv4 first if a name has both, as nodes and proxies listen by default.
fn lookup(host: &str, port: u16) -> io::Result<SocketAddr> {
    let found: Vec<SocketAddr> = (host, port).to_socket_addrs()?.collect();
    let first = found.iter().find(|addr| addr.is_ipv4()).or(found.first());
    first
        .copied()
        .ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "the name has none"))
}

impl From<SocketAddr> for Endpoint {
    fn from(addr: SocketAddr) -> Self {
        Self {
            place: Place::Tcp(addr),
            database: 0,
            login: None,
            tls: None,
        }
    }
}

impl PartialEq for Endpoint {
    fn eq(&self, other: &Self) -> bool {
        (self.place, self.database) == (other.place, other.database)
    }
}

impl Eq for Endpoint {}

impl Hash for Endpoint {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.place, self.database).hash(state);
    }
}

impl PartialOrd for Endpoint {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Endpoint {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.place, self.database).cmp(&(other.place, other.database))
    }
}

/// The shortest text that is an address of it, without user and password. A name that TLS verifies is kept.
impl fmt::Display for Endpoint {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.place, self.tls) {
            (Place::Unix(path), _) => return write!(out, "unix:{}", path.display()),
            (Place::Tcp(_), Some(tls)) => write!(out, "rediss://{}", tls.site())?,
            (Place::Tcp(addr), None) if self.database > 0 => write!(out, "redis://{addr}")?,
            (Place::Tcp(addr), None) => write!(out, "{addr}")?,
        }
        match self.database {
            0 => Ok(()),
            database => write!(out, "/{database}"),
        }
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, out)
    }
}

impl Serialize for Endpoint {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.collect_str(self)
    }
}

impl JsonSchema for Endpoint {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Endpoint".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        String::json_schema(generator)
    }
}

#[cfg(test)]
mod tests;
