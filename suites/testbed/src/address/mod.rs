//! The grammar of addresses: of proxies and nodes, on the command line and in files. Pure.
//!
//! Never resolves a name, and never shows a user or a password.

mod secret;
#[cfg(test)]
mod tests;

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use percent_encoding::percent_decode_str;

pub use secret::Secret;

/// A server to connect to: `HOST:PORT`, `redis://[USER[:PASSWORD]@]HOST:PORT[/DATABASE]`, the same with `rediss://` for
/// TLS, or `unix:/PATH`. A host may be a name, an IPv4 address, or an IPv6 address in brackets.
///
/// Is shown without user and password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// The place of the server.
    pub site: Site,
    /// Whether it is reached by TLS.
    pub tls: bool,
    /// The user and password of the address, if it has them.
    pub login: Option<Login>,
    /// The database of the address, if it names one.
    pub database: Option<u32>,
}

/// The place of a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Site {
    /// A TCP port.
    Host {
        /// Its name or address. IPv6 is without brackets.
        host: String,
        /// Its port.
        port: u16,
    },
    /// A Unix socket.
    Unix(PathBuf),
}

/// A user and a password.
#[derive(Clone, PartialEq, Eq)]
pub struct Login {
    /// The user; `None` is the default user.
    pub user: Option<String>,
    /// The password; `None` if it is given elsewhere.
    pub password: Option<Secret>,
}

/// The text is no address. Never shows any of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Mistake {
    /// None of the forms.
    #[error(
        "expected HOST:PORT, redis://[USER[:PASSWORD]@]HOST:PORT[/DATABASE], rediss:// for TLS, or unix:/PATH"
    )]
    Form,
    /// A user or password is before an address that is not a URL.
    #[error(
        "the address has a user or password before @ (not shown): expected HOST:PORT, or \
         redis://USER:PASSWORD@HOST:PORT, where it is allowed"
    )]
    Bare,
    /// The user or password is not UTF-8 after percent decoding.
    #[error("the user or password before @ (not shown) is not percent-encoded UTF-8")]
    Encoding,
    /// The port is not a number.
    #[error("expected HOST:PORT with a port from 1 to 65535")]
    Port,
    /// Colons outside of brackets.
    #[error("expected HOST:PORT, and an IPv6 address in brackets: [ADDRESS]:PORT")]
    Brackets,
    /// The database is not a number.
    #[error("expected redis://HOST:PORT/DATABASE with a numeric database")]
    Database,
}

impl Address {
    /// The address of a host, without TLS, user and database.
    #[must_use]
    pub fn of_host(host: &str, port: u16) -> Self {
        let host = host.to_owned();
        Self::at(Site::Host { host, port })
    }

    fn at(site: Site) -> Self {
        Self {
            site,
            tls: false,
            login: None,
            database: None,
        }
    }
}

impl FromStr for Address {
    type Err = Mistake;

    fn from_str(text: &str) -> Result<Self, Mistake> {
        if let Some(path) = path(text) {
            return Ok(Self::at(Site::Unix(path.to_owned())));
        }
        let (tls, rest) = match text.split_once("://") {
            Some(("redis", rest)) => (false, rest),
            Some(("rediss", rest)) => (true, rest),
            Some(_) => return Err(Mistake::Form),
            None if text.starts_with("unix:") => return Err(Mistake::Form),
            None if text.contains('@') => return Err(Mistake::Bare),
            None => return Ok(Self::at(text.parse()?)),
        };
        // A password may contain any character; a host cannot contain an `@`.
        let (login, rest) = match rest.rsplit_once('@') {
            Some((login, rest)) => (Some(Login::read(login)?), rest),
            None => (None, rest),
        };
        let (site, database) = rest.split_once('/').unwrap_or((rest, ""));
        let database = match database {
            "" => None,
            digits if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
                Some(digits.parse().map_err(|_| Mistake::Database)?)
            }
            _ => return Err(Mistake::Database),
        };
        Ok(Self {
            site: site.parse()?,
            tls,
            login,
            database,
        })
    }
}

/// The path of `unix:/PATH`, `unix:///PATH` or `/PATH`.
fn path(text: &str) -> Option<&Path> {
    let path = text.strip_prefix("unix:").unwrap_or(text);
    let path = match path.strip_prefix("//") {
        Some(path) if text.starts_with("unix:") => path,
        _ => path,
    };
    (path.starts_with('/') && path.len() > 1).then(|| Path::new(path))
}

impl FromStr for Site {
    type Err = Mistake;

    /// `HOST:PORT`.
    fn from_str(text: &str) -> Result<Self, Mistake> {
        let (host, port) = text.rsplit_once(':').ok_or(Mistake::Form)?;
        let host = match host.strip_prefix('[') {
            Some(host) => host.strip_suffix(']').ok_or(Mistake::Brackets)?,
            None if host.contains(':') => return Err(Mistake::Brackets),
            None => host,
        };
        let is_name = |byte: u8| byte.is_ascii_graphic() && !b"/@[]=*,?#".contains(&byte);
        if host.is_empty() || !host.bytes().all(is_name) {
            return Err(Mistake::Form);
        }
        let digits = port.bytes().all(|byte| byte.is_ascii_digit());
        let port: u16 = port.parse().map_err(|_| Mistake::Port)?;
        if !digits || port == 0 {
            return Err(Mistake::Port);
        }
        Ok(Self::Host {
            host: host.to_owned(),
            port,
        })
    }
}

impl Login {
    fn read(text: &str) -> Result<Self, Mistake> {
        let decoded = |text: &str| {
            let text = percent_decode_str(text).decode_utf8();
            Ok(text.map_err(|_| Mistake::Encoding)?.into_owned())
        };
        let (user, password) = match text.split_once(':') {
            Some((user, password)) => (user, Some(Secret::new(decoded(password)?))),
            None => (text, None),
        };
        Ok(Self {
            user: Some(decoded(user)?).filter(|user| !user.is_empty()),
            password,
        })
    }
}

/// Shows neither user nor password.
impl fmt::Debug for Login {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Login")
    }
}

impl fmt::Display for Site {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Host { host, port } if host.contains(':') => write!(out, "[{host}]:{port}"),
            Self::Host { host, port } => write!(out, "{host}:{port}"),
            Self::Unix(path) => write!(out, "unix:{}", path.display()),
        }
    }
}

/// The shortest form without user and password.
impl fmt::Display for Address {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.tls, self.database) {
            (true, _) => out.write_str("rediss://")?,
            (false, Some(_)) => out.write_str("redis://")?,
            (false, None) => {}
        }
        write!(out, "{}", self.site)?;
        match self.database {
            Some(database) => write!(out, "/{database}"),
            None => Ok(()),
        }
    }
}
