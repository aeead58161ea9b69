//! [`Tls`]: connections that nobody else can read, and clients that say who they are.

mod handshake;
mod loaded;
mod reload;

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

pub(super) use self::handshake::Handshake;
pub(super) use self::reload::Reload;
use super::config::ServerSettings;
use crate::settings::ClientCertificates;
use crate::tls::Pem;

/// How often files are looked at unless it is set otherwise.
const RELOAD_INTERVAL: Duration = Duration::from_secs(10);

/// A server's certificate and key, and which clients it takes: TLS 1.3 and 1.2, with HTTP/2 by ALPN.
///
/// ```no_run
/// use apibase::{Server, Tls};
///
/// let tls = Tls::from_files("/etc/tls/tls.crt", "/etc/tls/tls.key").client_ca_file("/etc/tls/ca.crt");
/// let server = Server::new().tls(tls);
/// ```
///
/// All of it is PEM. Files are read when the server binds, where one that is broken is a
/// [`ServerError`](crate::ServerError) that names it, and looked at again every 10 seconds: Kubernetes
/// and others replace them while a server runs. What is new there counts for the connections that come
/// then; those that are open stay, until
/// [`max_connection_age`](crate::Server::max_connection_age) if that is set. Where what is new is broken
/// or half there, the server goes on with what it has, and the log has a WARN. So it does when a
/// certificate has ended or will within 24 hours; of one that lives less than four days, within a quarter
/// of its life.
#[derive(Clone)]
pub struct Tls {
    chain: Pem,
    key: Pem,
    client_ca: Option<Pem>,
    client_certificates: Option<ClientCertificates>,
    reload_interval: Duration,
}

impl Tls {
    /// With the certificate chain and the private key of these files. The chain starts with the
    /// server's own certificate; the key is in PKCS #8, PKCS #1 or SEC1, and not encrypted.
    #[must_use]
    pub fn from_files(chain: impl Into<PathBuf>, key: impl Into<PathBuf>) -> Self {
        Self::of(Pem::File(chain.into()), Pem::File(key.into()))
    }

    /// With this certificate chain and this private key, in PEM as [`from_files`](Self::from_files) has
    /// them.
    #[must_use]
    pub fn from_pem(chain: impl Into<Vec<u8>>, key: impl Into<Vec<u8>>) -> Self {
        Self::of(Pem::memory(chain), Pem::memory(key))
    }

    fn of(chain: Pem, key: Pem) -> Self {
        Self {
            chain,
            key,
            client_ca: None,
            client_certificates: None,
            reload_interval: RELOAD_INTERVAL,
        }
    }

    /// Asks clients for a certificate (mTLS), which one of the CAs of this file has to have signed.
    /// [`Context::peer_certificate`](crate::Context::peer_certificate) then says who calls.
    ///
    /// Whether a certificate was revoked is not looked at: give out ones that don't live long.
    #[must_use]
    pub fn client_ca_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.client_ca = Some(Pem::File(path.into()));
        self
    }

    /// As [`client_ca_file`](Self::client_ca_file), with these CAs, in PEM.
    #[must_use]
    pub fn client_ca_pem(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.client_ca = Some(Pem::memory(pem));
        self
    }

    /// Whether a client has to have a certificate, where there is a CA for them. Default: it has to.
    #[must_use]
    pub fn client_certificates(mut self, wanted: ClientCertificates) -> Self {
        self.client_certificates = Some(wanted);
        self
    }

    /// Looks at the files this often, and at least a millisecond apart. Default: 10 seconds.
    #[must_use]
    pub fn reload_interval(mut self, interval: Duration) -> Self {
        // Without a pause it would do nothing else.
        self.reload_interval = interval.max(Duration::from_millis(1));
        self
    }

    /// What the settings say; None where they say nothing of TLS.
    pub(super) fn set(settings: &ServerSettings) -> Option<Self> {
        let chain = settings.tls_cert_file.get().clone()?;
        let key = settings.tls_key_file.get().clone()?;
        let mut tls = Self::from_files(chain, key);
        tls.client_ca = settings.tls_client_ca_file.get().clone().map(Pem::File);
        tls.client_certificates = *settings.tls_client_auth.get();
        Some(tls)
    }

    /// Has the settings say the same, as far as they can: what is in memory has no path.
    pub(super) fn describe(&self, settings: &mut ServerSettings) {
        let path = |pem: &Pem| pem.path().map(ToOwned::to_owned);
        let client_ca = self.client_ca.as_ref();
        settings.tls_cert_file.set(path(&self.chain));
        settings.tls_key_file.set(path(&self.key));
        settings.tls_client_ca_file.set(client_ca.and_then(path));
        settings.tls_client_auth.set(self.client_certificates);
    }
}

impl fmt::Debug for Tls {
    /// Shows paths, and nothing of what is in memory.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls")
            .field("chain", &self.chain)
            .field("key", &self.key)
            .field("client_ca", &self.client_ca)
            .field("client_certificates", &self.client_certificates)
            .field("reload_interval", &self.reload_interval)
            .finish()
    }
}
