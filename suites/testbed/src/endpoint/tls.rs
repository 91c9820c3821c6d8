//! TLS to servers, by rustls.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::net::TcpStream;
use tokio_rustls::rustls::client::WebPkiServerVerifier;
use tokio_rustls::rustls::client::danger::{
    HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier,
};
use tokio_rustls::rustls::crypto::{WebPkiSupportedAlgorithms, ring};
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use tokio_rustls::rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use tokio_rustls::{TlsConnector, rustls};

use super::Error;
use crate::address::{Address, Site};

/// A connection by TLS.
pub(crate) type TlsStream = Box<tokio_rustls::client::TlsStream<TcpStream>>;

/// Options for `rediss://`.
#[derive(Debug, Clone, Default)]
pub struct TlsOptions {
    /// Certificates of authorities to trust, as PEM, instead of those of the system.
    pub cacert: Option<PathBuf>,
    /// Trust any certificate.
    pub insecure: bool,
    /// The client's certificate and its chain, as PEM.
    pub cert: Option<PathBuf>,
    /// The key of the client's certificate, as PEM.
    pub key: Option<PathBuf>,
}

/// TLS to one server.
pub(crate) struct Tls {
    site: Site,
    name: ServerName<'static>,
    connector: TlsConnector,
}

impl Tls {
    /// TLS to the server at `address`, whose certificate must be for its host.
    pub(super) fn new(address: &Address, options: &TlsOptions) -> Result<Self, Error> {
        let failed = |why: String| Error::Tls {
            address: address.clone(),
            why,
        };
        let Site::Host { host, .. } = &address.site else {
            return Err(failed("expected a host for TLS".to_owned()));
        };
        let name = ServerName::try_from(host.clone())
            .map_err(|_| failed("the host is no name that a certificate can have".to_owned()))?;
        Ok(Self {
            site: address.site.clone(),
            name,
            connector: TlsConnector::from(Arc::new(config(options, &failed)?)),
        })
    }

    /// Where it connects to.
    pub(crate) fn site(&self) -> &Site {
        &self.site
    }

    /// Starts TLS on a connection.
    pub(crate) async fn connect(&self, stream: TcpStream) -> Result<TlsStream, String> {
        let connecting = self.connector.connect(self.name.clone(), stream);
        connecting.await.map(Box::new).map_err(|why| cause(&why))
    }
}

/// Why TLS does not start, in words.
fn cause(why: &std::io::Error) -> String {
    let inner = why.get_ref().and_then(|inner| inner.downcast_ref());
    match inner {
        Some(rustls::Error::InvalidMessage(_)) => {
            "the other side does not speak TLS: expected redis:// or HOST:PORT".to_owned()
        }
        Some(rustls::Error::InvalidCertificate(wrong)) => format!(
            "the certificate is not trusted ({wrong:?}): --cacert FILE names its authority, --insecure trusts any"
        ),
        Some(rustls::Error::AlertReceived(alert)) => format!(
            "the other side refuses TLS with the alert {alert:?}: it may expect a client certificate (--cert, --key)"
        ),
        Some(other) => format!("TLS: {other}"),
        None if why.kind() == std::io::ErrorKind::UnexpectedEof => {
            "the other side closed during the TLS handshake: it may not speak TLS".to_owned()
        }
        None => format!("TLS: {why}"),
    }
}

fn config(options: &TlsOptions, failed: &dyn Fn(String) -> Error) -> Result<ClientConfig, Error> {
    let provider = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|why| failed(why.to_string()))?;
    let builder = builder.dangerous();
    let builder = match options.insecure {
        true => builder.with_custom_certificate_verifier(Arc::new(TrustAny {
            algorithms: provider.signature_verification_algorithms,
        })),
        false => {
            let roots = Arc::new(roots(options.cacert.as_deref(), failed)?);
            let verifier = WebPkiServerVerifier::builder_with_provider(roots, provider)
                .build()
                .map_err(|why| failed(why.to_string()))?;
            builder.with_custom_certificate_verifier(verifier)
        }
    };
    match (&options.cert, &options.key) {
        (Some(cert), Some(key)) => {
            let chain = certificates("--cert", cert)?;
            let secret = PrivateKeyDer::from_pem_file(key)
                .map_err(|why| file("--key", key, &why.to_string()))?;
            builder
                .with_client_auth_cert(chain, secret)
                .map_err(|why| file("--cert", cert, &why.to_string()))
        }
        _ => Ok(builder.with_no_client_auth()),
    }
}

fn roots(cacert: Option<&Path>, failed: &dyn Fn(String) -> Error) -> Result<RootCertStore, Error> {
    let mut roots = RootCertStore::empty();
    let Some(cacert) = cacert else {
        let found = rustls_native_certs::load_native_certs();
        roots.add_parsable_certificates(found.certs);
        return match roots.is_empty() {
            true => Err(failed(
                "the system has no certificates of authorities: --cacert FILE names one".to_owned(),
            )),
            false => Ok(roots),
        };
    };
    for certificate in certificates("--cacert", cacert)? {
        let added = roots.add(certificate);
        added.map_err(|why| file("--cacert", cacert, &why.to_string()))?;
    }
    Ok(roots)
}

/// The certificates of a file, at least one.
fn certificates(flag: &'static str, path: &Path) -> Result<Vec<CertificateDer<'static>>, Error> {
    let failed = |why: String| file(flag, path, &why);
    let found = CertificateDer::pem_file_iter(path).map_err(|why| failed(why.to_string()))?;
    let found: Vec<_> = found
        .collect::<Result<_, _>>()
        .map_err(|why| failed(why.to_string()))?;
    match found.is_empty() {
        true => Err(failed("expected a certificate as PEM".to_owned())),
        false => Ok(found),
    }
}

fn file(flag: &'static str, path: &Path, why: &str) -> Error {
    Error::TlsFile {
        flag,
        file: path.display().to_string(),
        why: why.to_owned(),
    }
}

/// Trusts any certificate, and still verifies that the other side has its key: `--insecure`.
#[derive(Debug)]
struct TrustAny {
    algorithms: WebPkiSupportedAlgorithms,
}

impl ServerCertVerifier for TrustAny {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls12_signature(message, cert, signed, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls13_signature(message, cert, signed, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}
