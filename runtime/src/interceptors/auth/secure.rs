//! [`Secure`]: TLS to who publishes keys.

use std::io;
use std::sync::{Arc, OnceLock};

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore, version};
use tokio::net::TcpStream;
use tokio::task::spawn_blocking;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// TLS to one host.
pub(super) struct Secure {
    host: ServerName<'static>,
    /// The CAs that were given.
    ca: Option<RootCertStore>,
    /// Made when it is first needed: the system's CAs are read from files.
    config: Arc<OnceLock<Arc<ClientConfig>>>,
}

impl Secure {
    pub(super) fn new(host: &str, ca: Option<&[u8]>) -> Result<Self, String> {
        let name = ServerName::try_from(host.to_owned())
            .map_err(|_| format!("`{host}` is no name that a certificate can be for"))?;
        Ok(Self {
            host: name,
            ca: ca.map(given).transpose()?,
            config: Arc::default(),
        })
    }

    pub(super) async fn handshake(&self, stream: TcpStream) -> io::Result<TlsStream<TcpStream>> {
        let config = match self.config.get() {
            Some(config) => Arc::clone(config),
            None => {
                let (config, ca) = (Arc::clone(&self.config), self.ca.clone());
                let made = spawn_blocking(move || make(ca)).await;
                let made = made.map_err(io::Error::other)??;
                Arc::clone(config.get_or_init(|| made))
            }
        };
        TlsConnector::from(config)
            .connect(self.host.clone(), stream)
            .await
    }
}

fn given(pem: &[u8]) -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        let certificate =
            certificate.map_err(|error| format!("the CA of the JWKS URL: {error}"))?;
        roots
            .add(certificate)
            .map_err(|error| format!("the CA of the JWKS URL: {error}"))?;
    }
    match roots.is_empty() {
        true => Err("the CA of the JWKS URL has no certificate; PEM is wanted".to_owned()),
        false => Ok(roots),
    }
}

/// It may block.
fn make(ca: Option<RootCertStore>) -> io::Result<Arc<ClientConfig>> {
    let roots = ca.unwrap_or_else(|| {
        let mut roots = RootCertStore::empty();
        let found = rustls_native_certs::load_native_certs();
        // Among a hundred roots there may be one that no verifier reads.
        let _ = roots.add_parsable_certificates(found.certs);
        roots
    });
    // The process-wide default is never asked: there, two libraries that install different ones panic.
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&version::TLS13, &version::TLS12])
        .map_err(io::Error::other)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}
