//! [`Loaded`]: all that the files of a client say, and what a handshake takes of it.

use std::sync::Arc;

use rustls::sign::SingleCertAndKey;
use rustls::{ClientConfig, RootCertStore, version};
use tokio::time::Instant;

use super::{ClientTls, Identity};
use crate::tls::{Broken, H2, News, Own, Pem, Roots, Standing, Watched, provider};

/// What the CA of servers is called in errors.
const SERVER_CA: &str = "the CA of servers";

/// All that the files of a client say, as they were when they were last good.
pub(super) struct Loaded {
    own: Option<OwnCertificate>,
    trusted: Trusted,
    config: Arc<ClientConfig>,
    looked: Instant,
}

struct OwnCertificate {
    watched: Watched<Own>,
    chain: Pem,
    /// How it stood when that was last told.
    told: Standing,
}

/// Whose word counts of who a server is.
enum Trusted {
    /// That of the system's CAs, which are read once.
    System(Arc<RootCertStore>),
    File(Watched<Roots>),
}

impl Loaded {
    /// Reads the files.
    pub(super) fn load(tls: &ClientTls) -> Result<Self, Broken> {
        let trusted = match &tls.ca {
            Some(ca) => Trusted::File(Watched::load(Roots {
                ca: ca.clone(),
                what: SERVER_CA,
            })?),
            None => Trusted::System(system()?),
        };
        let own = tls
            .identity
            .as_ref()
            .map(OwnCertificate::load)
            .transpose()?;
        let mut loaded = Self {
            config: config(own.as_ref(), &trusted)?,
            own,
            trusted,
            looked: Instant::now(),
        };
        loaded.tell_standing();
        Ok(loaded)
    }

    /// What a handshake takes.
    pub(super) fn config(&self) -> Arc<ClientConfig> {
        Arc::clone(&self.config)
    }

    pub(super) fn looked(&self) -> Instant {
        self.looked
    }

    /// Looks at the files again. Each part stands alone: a broken CA doesn't keep a certificate that is
    /// about to expire.
    pub(super) fn look(&mut self) {
        self.looked = Instant::now();
        let own = self.own.as_mut().map_or(News::None, OwnCertificate::look);
        let trusted = match &mut self.trusted {
            Trusted::System(_) => News::None,
            Trusted::File(roots) => roots.look(),
        };
        let is_new = own == News::Renewed || trusted == News::Renewed;
        for (news, what) in [(own, "certificate"), (trusted, "CA of servers")] {
            match news {
                News::None => {}
                News::Renewed => tracing::info!("the client's {what} was reloaded"),
                News::Broken(error) => tell_broken(&error),
            }
        }
        if is_new {
            match config(self.own.as_ref(), &self.trusted) {
                Ok(config) => self.config = config,
                Err(error) => tell_broken(&error),
            }
        }
        self.tell_standing();
    }

    fn tell_standing(&mut self) {
        if let Some(own) = &mut self.own
            && let Some(validity) = &own.watched.made().validity
        {
            validity.tell(&own.chain, &mut own.told);
        }
    }
}

fn tell_broken(error: &Broken) {
    tracing::warn!(%error, "what is new is not used; the client goes on with what was good");
}

impl OwnCertificate {
    fn load(identity: &Identity) -> Result<Self, Broken> {
        let Identity { chain, key } = identity.clone();
        Ok(Self {
            chain: chain.clone(),
            watched: Watched::load(Own { chain, key })?,
            told: Standing::Good,
        })
    }

    fn look(&mut self) -> News {
        let news = self.watched.look();
        if news == News::Renewed {
            self.told = Standing::Good;
        }
        news
    }
}

fn config(own: Option<&OwnCertificate>, trusted: &Trusted) -> Result<Arc<ClientConfig>, Broken> {
    let roots = match trusted {
        Trusted::System(roots) => roots,
        Trusted::File(roots) => roots.made(),
    };
    let builder = ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&version::TLS13, &version::TLS12])
        .map_err(|error| Broken::tls(error.to_string()))?
        .with_root_certificates(Arc::clone(roots));
    let mut config = match own {
        Some(own) => {
            let certified = own.watched.made().certified.clone();
            let resolver = SingleCertAndKey::from(certified);
            builder.with_client_cert_resolver(Arc::new(resolver))
        }
        None => builder.with_no_client_auth(),
    };
    config.alpn_protocols = vec![H2.to_vec()];
    Ok(Arc::new(config))
}

/// The CAs of the system, which `SSL_CERT_FILE` and `SSL_CERT_DIR` may say.
fn system() -> Result<Arc<RootCertStore>, Broken> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    // Among a hundred roots there may be one that no verifier reads.
    let (added, _) = roots.add_parsable_certificates(found.certs);
    if added > 0 {
        return Ok(Arc::new(roots));
    }
    let why = match found.errors.first() {
        Some(error) => format!(" ({error})"),
        None => String::new(),
    };
    Err(Broken::tls(format!(
        "the system has no CA certificates{why}; install `ca-certificates`, or give the CA of the servers \
         by `ClientTls::ca_file`"
    )))
}
