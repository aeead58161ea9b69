//! [`Loaded`]: all that the files of a server say, and what a handshake takes of it.

use std::sync::Arc;

use rustls::server::{NoServerSessionStorage, WebPkiClientVerifier};
use rustls::sign::SingleCertAndKey;
use rustls::{ServerConfig, version};

use super::Tls;
use crate::settings::ClientCertificates;
use crate::tls::{Broken, H2, News, Own, Roots, Validity, Watched, provider};

/// What the CAs of clients are called in errors.
const CLIENT_CA: &str = "the CA of client certificates";

/// All that the files of a server say, as they were when they were last good.
pub(super) struct Loaded {
    own: Watched<Own>,
    /// The CAs of clients and whether a client needs one of them; None where none is asked.
    clients: Option<(Watched<Roots>, ClientCertificates)>,
}

/// What a look at the files shows.
pub(super) struct Looked {
    pub(super) own: News,
    pub(super) roots: News,
    /// What handshakes take from now on, if that is new.
    pub(super) config: Option<Result<Arc<ServerConfig>, Broken>>,
}

impl Loaded {
    /// Reads the files.
    pub(super) fn load(tls: &Tls) -> Result<Self, Broken> {
        let own = Watched::load(Own {
            chain: tls.chain.clone(),
            key: tls.key.clone(),
        })?;
        let clients = match &tls.client_ca {
            Some(ca) => {
                let roots = Watched::load(Roots {
                    ca: ca.clone(),
                    what: CLIENT_CA,
                })?;
                let wanted = tls.client_certificates.unwrap_or_default();
                Some((roots, wanted))
            }
            None => None,
        };
        Ok(Self { own, clients })
    }

    /// Looks at the files again. Each part stands alone: a broken CA doesn't keep a certificate that is
    /// about to expire.
    pub(super) fn look(&mut self) -> Looked {
        let own = self.own.look();
        let roots = self.clients.as_mut();
        let roots = roots.map_or(News::None, |(roots, _)| roots.look());
        let is_new = own == News::Renewed || roots == News::Renewed;
        Looked {
            own,
            roots,
            config: is_new.then(|| self.config()),
        }
    }

    /// How long the certificate can be used.
    pub(super) fn validity(&self) -> Option<&Validity> {
        self.own.made().validity.as_ref()
    }

    /// What a handshake takes.
    pub(super) fn config(&self) -> Result<Arc<ServerConfig>, Broken> {
        let provider = provider();
        let unusable = |error: &dyn std::fmt::Display| Broken::tls(error.to_string());
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(&[&version::TLS13, &version::TLS12])
            .map_err(|error| unusable(&error))?;
        let builder = match &self.clients {
            Some((roots, wanted)) => {
                let roots = Arc::clone(roots.made());
                let verifier = WebPkiClientVerifier::builder_with_provider(roots, provider);
                let verifier = match wanted {
                    ClientCertificates::Required => verifier,
                    ClientCertificates::Optional => verifier.allow_unauthenticated(),
                };
                let verifier = verifier.build().map_err(|error| unusable(&error))?;
                builder.with_client_cert_verifier(verifier)
            }
            None => builder.with_no_client_auth(),
        };
        let certified = self.own.made().certified.clone();
        let resolver = SingleCertAndKey::from(certified);
        let mut config = builder.with_cert_resolver(Arc::new(resolver));
        config.alpn_protocols = vec![H2.to_vec()];
        if self.clients.is_some() {
            // A session that is resumed is not asked for its certificate again, which may have expired.
            config.session_storage = Arc::new(NoServerSessionStorage {});
            config.send_tls13_tickets = 0;
        }
        Ok(Arc::new(config))
    }
}
