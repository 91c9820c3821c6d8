//! What connections need besides an address: passwords that are given apart from it, and TLS.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{Endpoint, Error, TlsOptions};
use crate::address::{Address, Login, Secret, Site};

/// What a server is to the suite.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// A proxy.
    Proxy,
    /// A node.
    Node,
}

/// Passwords and TLS for the addresses of one command line. A password in an address comes first, then one for that
/// address in the file, then one for its role in the file, then one in the environment.
#[derive(Debug, Clone, Default)]
pub struct Access {
    /// Password of proxies, from the environment.
    pub proxy: Option<Secret>,
    /// Password of nodes, from the environment.
    pub node: Option<Secret>,
    /// Passwords of a file.
    pub file: AuthFile,
    /// For `rediss://`.
    pub tls: TlsOptions,
}

/// Passwords by address or role: `--auth-file`.
#[derive(Debug, Clone, Default)]
pub struct AuthFile {
    proxy: Option<Login>,
    node: Option<Login>,
    at: Vec<(Site, Login)>,
}

/// A file of passwords cannot be read. Never shows any of its text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AuthMistake {
    /// It is not a table of tables.
    #[error(
        "line {line}: expected [proxy], [node] or [\"HOST:PORT\"] with password = \"...\" and perhaps user = \"...\""
    )]
    Form {
        /// The first line that is wrong.
        line: usize,
    },
    /// A table has another name.
    #[error("[{name}]: expected [proxy], [node] or [\"HOST:PORT\"]")]
    Name {
        /// Its name, without its user and password.
        name: String,
    },
}

/// One table of the file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    user: Option<String>,
    password: String,
}

impl AuthFile {
    /// Reads TOML: tables `proxy`, `node` and `"HOST:PORT"`, each with `password`, and perhaps `user`.
    ///
    /// # Errors
    /// The line that is wrong, without its text.
    pub fn read(text: &str) -> Result<Self, AuthMistake> {
        let rows: BTreeMap<String, Row> = toml::from_str(text).map_err(|wrong| {
            let start = wrong.span().map_or(0, |span| span.start.min(text.len()));
            let line = text.as_bytes()[..start]
                .iter()
                .filter(|byte| **byte == b'\n');
            AuthMistake::Form {
                line: line.count() + 1,
            }
        })?;
        let mut file = Self::default();
        for (name, Row { user, password }) in rows {
            let password = Some(Secret::new(password));
            let login = Login { user, password };
            match &*name {
                "proxy" => file.proxy = Some(login),
                "node" => file.node = Some(login),
                place => match place.parse::<Address>() {
                    Ok(address) if address.login.is_none() => file.at.push((address.site, login)),
                    _ => {
                        let (_, shown) = place.rsplit_once('@').unwrap_or(("", place));
                        let name = shown.to_owned();
                        return Err(AuthMistake::Name { name });
                    }
                },
            }
        }
        Ok(file)
    }

    fn login(&self, site: &Site, role: Role) -> Option<&Login> {
        let at = self.at.iter().find(|(place, _)| place == site);
        at.map(|(_, login)| login).or(match role {
            Role::Proxy => self.proxy.as_ref(),
            Role::Node => self.node.as_ref(),
        })
    }
}

impl Access {
    /// The endpoint of an address: its name is resolved, and what connections need is added.
    ///
    /// # Errors
    /// No address, no password for a user, or files for TLS that cannot be used.
    pub fn endpoint(&self, address: &Address, role: Role) -> Result<Endpoint, Error> {
        let endpoint = Endpoint::resolve(address, &self.tls)?;
        let (environment, variable) = match role {
            Role::Proxy => (&self.proxy, "$SHARDPROOF_PROXY_PASSWORD"),
            Role::Node => (&self.node, "$SHARDPROOF_NODE_PASSWORD"),
        };
        let user = address.login.as_ref().and_then(|login| login.user.clone());
        let own = address.login.as_ref();
        if let Some(password) = own.and_then(|login| login.password.clone()) {
            return Ok(endpoint.with_login(user, password));
        }
        if let Some(login) = self.file.login(&address.site, role)
            && let Some(password) = login.password.clone()
        {
            return Ok(endpoint.with_login(user.or_else(|| login.user.clone()), password));
        }
        match environment {
            Some(password) => Ok(endpoint.with_login(user, password.clone())),
            None if user.is_some() => Err(Error::NoPassword {
                address: address.clone(),
                variable,
            }),
            None => Ok(endpoint),
        }
    }
}
