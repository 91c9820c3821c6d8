//! TLS with clients and with nodes, by rustls.
//!
//! Never waits by itself: handshakes are futures of the connections' own tasks.

mod load;

use std::fmt;
use std::io;
use std::sync::Arc;

use tokio::net::TcpStream;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::{TlsAcceptor, TlsConnector, rustls};

use crate::config::{ClientTls, NodeTls};

/// A connection by TLS, after its handshake.
pub(crate) type TlsStream = tokio_rustls::TlsStream<TcpStream>;

/// TLS to clients.
#[derive(Clone)]
pub struct Acceptor(TlsAcceptor);

/// TLS to nodes.
#[derive(Clone)]
pub struct Connector {
    connector: TlsConnector,
    /// The name in the nodes' certificates; without it, the host of a node's address.
    server_name: Option<ServerName<'static>>,
}

impl Acceptor {
    /// With these files.
    ///
    /// # Errors
    /// The setting, its file, and why it cannot be used.
    pub(crate) fn new(options: &ClientTls) -> Result<Self, String> {
        let config = load::server_config(options)?;
        Ok(Self(TlsAcceptor::from(Arc::new(config))))
    }

    /// The handshake with a client.
    pub(crate) async fn accept(&self, stream: TcpStream) -> Result<Box<TlsStream>, String> {
        let accepted = self.0.accept(stream).await;
        let stream = accepted.map_err(|error| handshake_failed(&error, "client"))?;
        Ok(Box::new(stream.into()))
    }
}

impl Connector {
    /// With these files.
    ///
    /// # Errors
    /// The setting, and why it cannot be used.
    pub(crate) fn new(options: &NodeTls) -> Result<Self, String> {
        let name = options.server_name.as_deref().map(name).transpose();
        let server_name = name.map_err(|why| format!("server_name: {why}"))?;
        let config = load::client_config(options)?;
        Ok(Self {
            connector: TlsConnector::from(Arc::new(config)),
            server_name,
        })
    }

    /// The handshake with the node at `address`, which is `host:port`.
    pub(crate) async fn connect(
        &self,
        address: &str,
        stream: TcpStream,
    ) -> Result<Box<TlsStream>, String> {
        let name = match &self.server_name {
            Some(name) => name.clone(),
            None => name(host(address)).map_err(|why| format!("TLS: {why}"))?,
        };
        let connected = self.connector.connect(name, stream).await;
        let stream = connected.map_err(|error| handshake_failed(&error, "node"))?;
        Ok(Box::new(stream.into()))
    }
}

/// Shows no keys.
impl fmt::Debug for Acceptor {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Acceptor")
    }
}

/// Shows no keys.
impl fmt::Debug for Connector {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Connector")
    }
}

fn host(address: &str) -> &str {
    let host = address.rsplit_once(':').map_or(address, |(host, _)| host);
    let bare = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'));
    bare.unwrap_or(host)
}

fn name(host: &str) -> Result<ServerName<'static>, String> {
    let name = ServerName::try_from(host.to_owned());
    name.map_err(|_| format!("`{host}`: expected a host name or an IP address"))
}

/// Why a handshake with this side failed.
fn handshake_failed(error: &io::Error, side: &str) -> String {
    match cause(error) {
        Some(rustls::Error::InvalidMessage(_)) => format!("TLS: the {side} does not speak TLS"),
        Some(rustls::Error::InvalidCertificate(why)) => {
            format!("TLS: the {side}'s certificate is not trusted: {why:?}")
        }
        Some(rustls::Error::NoCertificatesPresented) => {
            format!("TLS: the {side} has no certificate")
        }
        Some(rustls::Error::AlertReceived(alert)) => {
            format!("TLS: the {side} ends the handshake with alert {alert:?}")
        }
        Some(other) => format!("TLS: {other}"),
        None if error.kind() == io::ErrorKind::UnexpectedEof => {
            format!("TLS: the {side} closed during the handshake")
        }
        None => format!("TLS: {error}"),
    }
}

/// The reason in words, if TLS itself failed rather than the connection.
pub(crate) fn fault(error: &io::Error) -> Option<String> {
    Some(match cause(error)? {
        rustls::Error::AlertReceived(alert) => {
            format!("TLS: the other side ends the connection with alert {alert:?}")
        }
        other => format!("TLS: {other}"),
    })
}

fn cause(error: &io::Error) -> Option<&rustls::Error> {
    error.get_ref()?.downcast_ref()
}

#[cfg(test)]
mod tests {
    use super::host;

    #[test]
    fn the_host_of_an_address_has_no_brackets() {
        assert_eq!(host("a.example:1"), "a.example");
        assert_eq!(host("[::1]:1"), "::1");
    }
}
