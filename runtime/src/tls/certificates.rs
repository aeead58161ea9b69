//! What files make: a certificate of our own with its key, and the CAs of those on the other side.

use std::sync::Arc;

use rustls::sign::CertifiedKey;
use rustls::{Error, InconsistentKeys, RootCertStore};

use super::pem::{Broken, Pem, certificates, private_key};
use super::provider;
use super::validity::Validity;
use super::watched::{Contents, Part};

/// What the files are called in errors.
const CHAIN: &str = "the certificate";
const KEY: &str = "the private key";

/// Our own certificate chain and its private key, which only count together.
pub(crate) struct Own {
    pub(crate) chain: Pem,
    pub(crate) key: Pem,
}

/// A certificate with its key.
pub(crate) struct Pair {
    pub(crate) certified: CertifiedKey,
    pub(crate) validity: Option<Validity>,
}

impl Part for Own {
    type Made = Pair;

    fn read(&self) -> Result<Contents, Broken> {
        let (mut chain, mut key) = (self.chain.read(CHAIN)?, self.key.read(KEY)?);
        // Kubernetes swaps both at once, which may be after one was read and before the other.
        let again = self.chain.read(CHAIN)?;
        if again != chain {
            (chain, key) = (again, self.key.read(KEY)?);
        }
        Ok(vec![chain, key])
    }

    fn make(&self, contents: &Contents) -> Result<Pair, Broken> {
        let [chain, key] = contents.as_slice() else {
            return Err(self.chain.broken(CHAIN, "it was not read"));
        };
        let chain = certificates(chain).map_err(|why| self.chain.broken(CHAIN, why))?;
        let key = private_key(key).map_err(|why| self.key.broken(KEY, why))?;
        let validity = Validity::of(&chain);
        let certified = CertifiedKey::from_der(chain, key, &provider());
        let certified = certified.map_err(|error| self.misfit(error))?;
        Ok(Pair {
            certified,
            validity,
        })
    }
}

impl Own {
    /// What rustls says, and of which file.
    fn misfit(&self, error: Error) -> Broken {
        match error {
            Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => {
                let why = format!("it is not that of {CHAIN} {}", self.chain);
                self.key.broken(KEY, why)
            }
            Error::InvalidCertificate(error) => self
                .chain
                .broken(CHAIN, format!("it can't be used: {error}")),
            // Whatever rustls says of a key has nothing of it.
            error => self.key.broken(KEY, format!("it can't be used: {error}")),
        }
    }
}

/// The CAs that sign certificates of those on the other side.
pub(crate) struct Roots {
    pub(crate) ca: Pem,
    /// What they are called in errors.
    pub(crate) what: &'static str,
}

impl Part for Roots {
    type Made = Arc<RootCertStore>;

    fn read(&self) -> Result<Contents, Broken> {
        Ok(vec![self.ca.read(self.what)?])
    }

    fn make(&self, contents: &Contents) -> Result<Self::Made, Broken> {
        let broken = |why| self.ca.broken(self.what, why);
        let mut roots = RootCertStore::empty();
        let found = certificates(&contents.concat()).map_err(broken)?;
        for (index, certificate) in found.into_iter().enumerate() {
            let added = roots.add(certificate);
            added.map_err(|error| {
                broken(format!(
                    "its certificate {} can't be used: {error}",
                    index + 1
                ))
            })?;
        }
        Ok(Arc::new(roots))
    }
}
