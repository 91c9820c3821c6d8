//! The suite's own client of Toxiproxy's API: small, async, with a deadline on every call.
//!
//! Never retries: Toxiproxy up to 2.12 may hang when a toxic is removed, and a second call would hang too.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::json;

use super::api::{Failure, Proxy};
use crate::fault::{Links, Toxic, ToxicKind};
use crate::http::{self, Answer};

/// Deadline of a call. A fault server takes microseconds for it, and gives up on its own after 25 s.
pub const CALL_DEADLINE: Duration = Duration::from_secs(10);

/// A call failed, or its result is unknown.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// No answer: the call may have been executed.
    #[error("the fault server does not answer: {0}")]
    Silent(#[from] http::Error),
    /// The server said no.
    #[error("the fault server refused to {call}: {message} (status {status})")]
    Refused {
        /// The call.
        call: String,
        /// The status code.
        status: u16,
        /// Its reason.
        message: String,
    },
    /// The server speaks another language.
    #[error("the fault server's answer to {call} is not valid: {why}")]
    Foreign {
        /// The call.
        call: String,
        /// The error in the answer.
        why: String,
    },
}

impl Error {
    /// The status code of a refusal.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Refused { status, .. } => Some(*status),
            _ => None,
        }
    }
}

/// A fault server, by its address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Client {
    addr: SocketAddr,
    within: Duration,
}

impl Client {
    /// The server at `addr`; each call takes at most [`CALL_DEADLINE`].
    #[must_use]
    pub fn new(addr: SocketAddr) -> Self {
        Self {
            addr,
            within: CALL_DEADLINE,
        }
    }

    /// The same server with another deadline for each call.
    #[must_use]
    pub fn within(self, within: Duration) -> Self {
        Self { within, ..self }
    }

    /// The version of the server.
    ///
    /// # Errors
    /// All of [`Error`], as for every call.
    pub async fn version(&self) -> Result<String, Error> {
        #[derive(Deserialize)]
        struct Version {
            version: String,
        }
        let answer = http::get(self.addr, "/version", self.within).await?;
        let version: Version = understood("tell its version", answer)?;
        Ok(version.version)
    }

    /// Whose links the server has: it lists all toxics of shardproof, or is a Toxiproxy without such a list.
    ///
    /// # Errors
    /// All of [`Error`].
    pub async fn links(&self) -> Result<Links, Error> {
        #[derive(Deserialize)]
        struct Type {
            #[serde(rename = "type")]
            name: String,
        }
        let answer = http::get(self.addr, "/toxics", self.within).await?;
        if answer.status == 404 {
            return Ok(Links::Toxiproxy);
        }
        let types: Vec<Type> = understood("list its types of toxics", answer)?;
        let has = |name: &str| types.iter().any(|it| it.name == name);
        // Another version of shardproof may lack some.
        match ToxicKind::rows().iter().all(|row| has(row.name)) {
            true => Ok(Links::Extended),
            false => Ok(Links::Toxiproxy),
        }
    }

    /// All proxies by name.
    ///
    /// # Errors
    /// All of [`Error`].
    pub async fn proxies(&self) -> Result<BTreeMap<String, Proxy>, Error> {
        let answer = http::get(self.addr, "/proxies", self.within).await?;
        understood("list proxies", answer)
    }

    /// One proxy with its toxics.
    ///
    /// # Errors
    /// All of [`Error`]; 404 when there is no proxy of this name.
    pub async fn proxy(&self, name: &str) -> Result<Proxy, Error> {
        let answer = http::get(self.addr, &proxy_path(name), self.within).await?;
        understood(&format!("show proxy {name}"), answer)
    }

    /// Creates an enabled proxy; port 0 is answered with the one that was free.
    ///
    /// # Errors
    /// All of [`Error`]; 409 when the name is taken, 500 when the port is.
    pub async fn create(&self, name: &str, listen: &str, upstream: &str) -> Result<Proxy, Error> {
        let body = json!({ "name": name, "listen": listen, "upstream": upstream, "enabled": true });
        let answer = self.post("/proxies", body).await?;
        understood(&format!("create proxy {name} on {listen}"), answer)
    }

    /// Enables a proxy, or takes it down with all its connections.
    ///
    /// # Errors
    /// All of [`Error`].
    pub async fn set_enabled(&self, name: &str, enabled: bool) -> Result<Proxy, Error> {
        // POST, because Toxiproxy before 2.6 does not support PATCH.
        let answer = self
            .post(&proxy_path(name), json!({ "enabled": enabled }))
            .await?;
        let verb = if enabled { "enable" } else { "disable" };
        understood(&format!("{verb} proxy {name}"), answer)
    }

    /// Connects elsewhere from now on, and ends all connections of a proxy.
    ///
    /// # Errors
    /// All of [`Error`].
    pub async fn set_upstream(&self, name: &str, upstream: &str) -> Result<Proxy, Error> {
        let body = json!({ "upstream": upstream });
        let answer = self.post(&proxy_path(name), body).await?;
        understood(&format!("point proxy {name} to {upstream}"), answer)
    }

    /// Deletes a proxy with all its connections.
    ///
    /// # Errors
    /// All of [`Error`].
    pub async fn delete(&self, name: &str) -> Result<(), Error> {
        let answer = http::delete(self.addr, &proxy_path(name), self.within).await?;
        done(&format!("delete proxy {name}"), &answer)
    }

    /// Adds a toxic to a proxy.
    ///
    /// # Errors
    /// All of [`Error`]; 400 when the server does not know its type, 409 when its name is taken.
    pub async fn add(&self, proxy: &str, toxic: &Toxic) -> Result<Toxic, Error> {
        let path = format!("{}/toxics", proxy_path(proxy));
        let answer = self.post(&path, json!(toxic)).await?;
        understood(&format!("add toxic {} to {proxy}", toxic.name), answer)
    }

    /// Gives the toxic of this name other attributes and another toxicity.
    ///
    /// # Errors
    /// All of [`Error`].
    pub async fn update(&self, proxy: &str, toxic: &Toxic) -> Result<Toxic, Error> {
        let path = toxic_path(proxy, &toxic.name);
        let answer = self.post(&path, json!(toxic)).await?;
        understood(&format!("update toxic {} of {proxy}", toxic.name), answer)
    }

    /// Removes a toxic.
    ///
    /// # Errors
    /// All of [`Error`].
    pub async fn remove(&self, proxy: &str, toxic: &str) -> Result<(), Error> {
        let answer = http::delete(self.addr, &toxic_path(proxy, toxic), self.within).await?;
        done(&format!("remove toxic {toxic} of {proxy}"), &answer)
    }

    async fn post(&self, path: &str, body: serde_json::Value) -> Result<Answer, http::Error> {
        http::post(self.addr, path, body.to_string(), self.within).await
    }
}

fn proxy_path(proxy: &str) -> String {
    format!("/proxies/{}", escaped(proxy))
}

fn toxic_path(proxy: &str, toxic: &str) -> String {
    format!("{}/toxics/{}", proxy_path(proxy), escaped(toxic))
}

/// A name as one segment of a path (RFC 3986, section 2.3).
fn escaped(name: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    name.bytes()
        .map(|byte| match byte {
            byte if plain(byte) => char::from(byte).to_string(),
            byte => format!("%{byte:02X}"),
        })
        .collect()
}

fn done(call: &str, answer: &Answer) -> Result<(), Error> {
    if (200..300).contains(&answer.status) {
        return Ok(());
    }
    let failure = serde_json::from_str::<Failure>(&answer.body);
    Err(Error::Refused {
        call: call.to_owned(),
        status: answer.status,
        message: failure.map_or_else(
            |_| answer.body.trim_end().to_owned(),
            |failure| failure.message,
        ),
    })
}

fn understood<T: DeserializeOwned>(call: &str, answer: Answer) -> Result<T, Error> {
    done(call, &answer)?;
    serde_json::from_str(&answer.body).map_err(|why| Error::Foreign {
        call: call.to_owned(),
        why: why.to_string(),
    })
}

#[cfg(test)]
mod tests;
