//! [`ClientTls`]: servers that are who they say they are, and connections that nobody else can read.
//!
//! `handshake.rs` makes TLS of a connection, with what the files said last (`loaded.rs`); `explained.rs`
//! says in plain words why that failed.

mod explained;
mod handshake;
mod loaded;
#[cfg(test)]
#[cfg(feature = "server")]
mod tests;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use self::handshake::Handshakes;
use super::channel::Secure;
use crate::tls::Pem;

/// How often files are looked at unless it is set otherwise.
const RELOAD_INTERVAL: Duration = Duration::from_secs(10);

/// Whom a client trusts and who it is itself: TLS 1.3 and 1.2, with HTTP/2 by ALPN.
///
/// ```
/// use apibase::ClientTls;
///
/// let tls = ClientTls::new()
///     .ca_file("/etc/tls/ca.crt")
///     .identity_files("/etc/tls/tls.crt", "/etc/tls/tls.key");
/// ```
///
/// All of it is PEM. Files are read with the first connection, where one that is broken is an error that
/// names it, and looked at again with later ones, if the last look is 10 seconds old: Kubernetes and others
/// replace them while a client runs. Connections that are open stay. Where what is new is broken or half
/// there, the client goes on with what it has, and the log has a WARN; so it does when its own certificate
/// has ended or soon will.
///
/// Whether a certificate was revoked is not looked at.
#[derive(Clone, Debug)]
pub struct ClientTls {
    ca: Option<Pem>,
    identity: Option<Identity>,
    server_name: Option<String>,
    reload_interval: Duration,
}

/// The client's own certificate and its key. Neither is ever shown.
#[derive(Clone, Debug)]
struct Identity {
    chain: Pem,
    key: Pem,
}

impl Default for ClientTls {
    fn default() -> Self {
        Self::new()
    }
}

impl ClientTls {
    /// Trusts the CAs of the system, and shows no certificate.
    #[must_use]
    pub fn new() -> Self {
        Self {
            ca: None,
            identity: None,
            server_name: None,
            reload_interval: RELOAD_INTERVAL,
        }
    }

    /// Trusts the CAs of this file, and not the system's.
    #[must_use]
    pub fn ca_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.ca = Some(Pem::File(path.into()));
        self
    }

    /// As [`ca_file`](Self::ca_file), with these CAs, in PEM.
    #[must_use]
    pub fn ca_pem(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.ca = Some(Pem::memory(pem));
        self
    }

    /// Shows the certificate chain and has the private key of these files, for servers that ask who calls
    /// (mTLS). The chain starts with the client's own certificate; the key is in PKCS #8, PKCS #1 or SEC1,
    /// and not encrypted.
    #[must_use]
    pub fn identity_files(mut self, chain: impl Into<PathBuf>, key: impl Into<PathBuf>) -> Self {
        self.identity = Some(Identity {
            chain: Pem::File(chain.into()),
            key: Pem::File(key.into()),
        });
        self
    }

    /// As [`identity_files`](Self::identity_files), with this chain and this key, in PEM.
    #[must_use]
    pub fn identity_pem(mut self, chain: impl Into<Vec<u8>>, key: impl Into<Vec<u8>>) -> Self {
        self.identity = Some(Identity {
            chain: Pem::memory(chain),
            key: Pem::memory(key),
        });
        self
    }

    /// The name that a server's certificate has to be for, and that the server is told (SNI). Default:
    /// the target's host, of a list each server's own.
    #[must_use]
    pub fn server_name(mut self, name: impl Into<String>) -> Self {
        self.server_name = Some(name.into());
        self
    }

    /// What makes TLS of a channel's connections.
    pub(crate) fn secure(self) -> Arc<dyn Secure> {
        Arc::new(Handshakes::new(self))
    }

    /// Looks at the files with the next connection when the last look is as old. Default: 10 seconds.
    #[must_use]
    pub fn reload_interval(mut self, interval: Duration) -> Self {
        self.reload_interval = interval;
        self
    }
}
