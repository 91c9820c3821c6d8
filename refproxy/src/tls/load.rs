//! Configurations of rustls from the files of certificates and keys.

use std::path::Path;
use std::sync::Arc;

use tokio_rustls::rustls;
use tokio_rustls::rustls::client::WebPkiServerVerifier;
use tokio_rustls::rustls::client::danger::{
    HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier,
};
use tokio_rustls::rustls::crypto::{CryptoProvider, WebPkiSupportedAlgorithms, ring};
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{
    ClientConfig, DigitallySignedStruct, RootCertStore, ServerConfig, SignatureScheme,
};

use crate::config::{ClientTls, NodeTls};

/// For handshakes with clients.
pub(super) fn server_config(options: &ClientTls) -> Result<ServerConfig, String> {
    let provider = provider();
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|why| why.to_string())?;
    let builder = match &options.client_ca {
        None => builder.with_no_client_auth(),
        Some(path) => {
            let roots = Arc::new(authorities("client_ca", path)?);
            let verifier = WebPkiClientVerifier::builder_with_provider(roots, provider).build();
            builder.with_client_cert_verifier(verifier.map_err(|why| why.to_string())?)
        }
    };
    builder
        .with_single_cert(certificates("cert", &options.cert)?, key(&options.key)?)
        .map_err(|why| file("cert", &options.cert, &why))
}

/// For handshakes with nodes.
pub(super) fn client_config(options: &NodeTls) -> Result<ClientConfig, String> {
    let provider = provider();
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|why| why.to_string())?
        .dangerous()
        .with_custom_certificate_verifier(verifier(options, provider)?);
    match (&options.cert, &options.key) {
        (None, None) => Ok(builder.with_no_client_auth()),
        (Some(cert), Some(secret)) => builder
            .with_client_auth_cert(certificates("cert", cert)?, key(secret)?)
            .map_err(|why| file("cert", cert, &why)),
        (Some(_), None) => Err("expected `key` with `cert`".to_owned()),
        (None, Some(_)) => Err("expected `cert` with `key`".to_owned()),
    }
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

fn verifier(
    options: &NodeTls,
    provider: Arc<CryptoProvider>,
) -> Result<Arc<dyn ServerCertVerifier>, String> {
    let roots = match (&options.cacert, options.insecure) {
        (Some(_), true) => return Err("expected either `cacert` or `insecure`".to_owned()),
        (None, true) => {
            let algorithms = provider.signature_verification_algorithms;
            return Ok(Arc::new(TrustAny { algorithms }));
        }
        (Some(path), false) => authorities("cacert", path)?,
        (None, false) => authorities_of_the_system()?,
    };
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider);
    Ok(verifier.build().map_err(|why| why.to_string())?)
}

fn authorities(setting: &str, path: &Path) -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(setting, path)? {
        let added = roots.add(certificate);
        added.map_err(|why| file(setting, path, &why))?;
    }
    Ok(roots)
}

fn authorities_of_the_system() -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    match roots.is_empty() {
        true => Err("the system trusts no authorities, expected `cacert`".to_owned()),
        false => Ok(roots),
    }
}

/// The certificates of a file, at least one.
fn certificates(setting: &str, path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let read = CertificateDer::pem_file_iter(path);
    let found: Result<Vec<_>, _> = read.and_then(Iterator::collect);
    match found {
        Ok(found) if !found.is_empty() => Ok(found),
        Ok(_) => Err(file(setting, path, &"expected a certificate as PEM")),
        Err(why) => Err(file(setting, path, &why)),
    }
}

fn key(path: &Path) -> Result<PrivateKeyDer<'static>, String> {
    PrivateKeyDer::from_pem_file(path).map_err(|why| file("key", path, &why))
}

fn file(setting: &str, path: &Path, why: &dyn std::fmt::Display) -> String {
    format!("{setting}: {}: {why}", path.display())
}

/// Trusts any certificate, and still verifies that the node has its key.
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
