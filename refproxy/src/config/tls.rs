//! The settings of TLS. Files are relative to the working directory of the proxy.

use std::path::PathBuf;

use serde::Deserialize;

/// TLS to clients: `tls`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(
    not(feature = "tls"),
    expect(dead_code, reason = "only checked for its shape")
)]
pub(crate) struct ClientTls {
    /// The proxy's certificate and its chain, as PEM.
    pub(crate) cert: PathBuf,
    /// Its key, as PEM.
    pub(crate) key: PathBuf,
    /// Authorities of the certificates that clients must have; without it, clients need none.
    pub(crate) client_ca: Option<PathBuf>,
}

/// TLS to nodes: `node_tls`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(
    not(feature = "tls"),
    expect(dead_code, reason = "only checked for its shape")
)]
pub(crate) struct NodeTls {
    /// Authorities to trust, instead of those of the system.
    pub(crate) cacert: Option<PathBuf>,
    /// Whether any certificate is trusted.
    #[serde(default)]
    pub(crate) insecure: bool,
    /// The proxy's own certificate and its chain, if nodes want one.
    pub(crate) cert: Option<PathBuf>,
    pub(crate) key: Option<PathBuf>,
    /// The name in the nodes' certificates, instead of the host of the address.
    pub(crate) server_name: Option<String>,
}
