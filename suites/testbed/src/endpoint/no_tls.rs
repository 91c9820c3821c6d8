//! TLS where it is not built in: every use is refused.

use std::path::PathBuf;

use super::Error;
use crate::address::{Address, Site};

/// Options for `rediss://`.
#[derive(Debug, Clone, Default)]
pub struct TlsOptions {
    /// Certificates of authorities to trust, as PEM.
    pub cacert: Option<PathBuf>,
    /// Trust any certificate.
    pub insecure: bool,
    /// The client's certificate and its chain, as PEM.
    pub cert: Option<PathBuf>,
    /// The key of the client's certificate, as PEM.
    pub key: Option<PathBuf>,
}

/// There is none.
pub(crate) enum Tls {}

/// There is none.
pub(crate) type TlsStream = tokio::net::TcpStream;

impl Tls {
    /// Refuses.
    pub(super) fn new(address: &Address, _: &TlsOptions) -> Result<Self, Error> {
        Err(Error::Tls {
            address: address.clone(),
            why: "TLS is not built in: build shardproof with its feature `tls`".to_owned(),
        })
    }

    /// Where it connects to.
    pub(crate) fn site(&self) -> &Site {
        match *self {}
    }

    /// Starts TLS.
    pub(crate) async fn connect(&self, _: tokio::net::TcpStream) -> Result<TlsStream, String> {
        match *self {}
    }
}
