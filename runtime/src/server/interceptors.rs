//! [`Interceptors`]: what stands around every call of a server.

use std::error::Error;
use std::fmt;
#[cfg(feature = "server")]
use std::hash::Hash;
use std::sync::Arc;

#[cfg(feature = "server")]
use super::limits::RateKey;
#[cfg(feature = "server")]
use crate::Context;
use crate::errors::ErrorPolicy;
use crate::observe::{Observer, Observers};
use crate::wire::compression::{Compression, Encodings};

/// What stands around every call of a server, whether it is our own or one that a service is
/// mounted in.
#[derive(Clone, Debug, Default)]
pub struct Interceptors {
    // None where nothing is set, so that a call pays nothing for it.
    chain: Option<Arc<Chain>>,
}

/// What is set, shared by all calls.
#[derive(Clone, Debug, Default)]
pub(crate) struct Chain {
    pub(crate) observers: Observers,
    pub(crate) errors: ErrorPolicy,
    pub(crate) encodings: Encodings,
    #[cfg(feature = "server")]
    pub(crate) rate_key: Option<RateKey>,
}

impl Interceptors {
    /// Nothing: calls go straight to the servicer.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// These and an [`Observer`], which hears of every call and every refusal.
    #[must_use]
    pub fn with_observer(mut self, observer: Arc<dyn Observer>) -> Self {
        self.change(|chain| chain.observers.push(observer));
        self
    }

    /// These and an [`ErrorPolicy`], in place of another one.
    #[must_use]
    pub fn with_errors(mut self, policy: ErrorPolicy) -> Self {
        self.change(|chain| chain.errors = policy);
        self
    }

    /// These, and messages compressed so, as [`Server::compression`] says; for a service that is mounted
    /// in another server, which has no such setting.
    ///
    /// On a [`Server`], its own setting goes before, if code sets it.
    ///
    /// [`Server`]: crate::Server
    /// [`Server::compression`]: crate::Server::compression
    #[must_use]
    pub fn with_compression(mut self, encodings: impl IntoIterator<Item = Compression>) -> Self {
        self.compress(Encodings::new(encodings));
        self
    }

    pub(crate) fn compress(&mut self, encodings: Encodings) {
        self.change(|chain| chain.encodings = encodings);
    }

    /// These and a function that tells apart whose rates are limited, in place of their addresses and
    /// of another function: the same key is the same caller. `None` leaves a call to its address.
    ///
    /// It is called for each call of a method that has a limit, and must not block. Of a key, only a
    /// hash is kept. A key that callers choose freely lets each of them have as many limits as it likes:
    /// take what somebody has verified.
    ///
    /// A service that is mounted in another server doesn't know addresses: there, without this, all
    /// callers of a method share its one limit.
    ///
    /// ```
    /// use apibase::Interceptors;
    ///
    /// // A gateway in front has authenticated whoever calls, and says so.
    /// let chain = Interceptors::none().with_rate_limit_key(|ctx| {
    ///     Some(ctx.metadata().get("x-principal")?.as_bytes().to_vec())
    /// });
    /// ```
    #[cfg(feature = "server")]
    #[must_use]
    pub fn with_rate_limit_key<K: Hash>(
        mut self,
        key: impl Fn(&Context) -> Option<K> + Send + Sync + 'static,
    ) -> Self {
        let key = RateKey::new(key);
        self.change(|chain| chain.rate_key = Some(key));
        self
    }

    /// Tells apart whose rates are limited; None where their addresses do.
    #[cfg(feature = "server")]
    pub(crate) fn rate_key(&self) -> Option<&RateKey> {
        self.chain.as_ref()?.rate_key.as_ref()
    }

    /// Callers see what is redacted otherwise.
    #[cfg(feature = "server")]
    pub(crate) fn show_details(&mut self) {
        self.change(|chain| chain.errors = std::mem::take(&mut chain.errors).with_details());
    }

    fn change(&mut self, change: impl FnOnce(&mut Chain)) {
        let mut chain = self.chain.as_deref().cloned().unwrap_or_default();
        change(&mut chain);
        self.chain = Some(Arc::new(chain));
    }

    pub(crate) fn chain(&self) -> Option<&Arc<Chain>> {
        self.chain.as_ref()
    }
}

/// A service asks for what its [`Interceptors`] don't have, so it is not served at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChainError {
    service: &'static str,
    problem: String,
}

impl ChainError {
    /// `problem` completes a sentence about the service.
    pub(crate) fn new(service: &'static str, problem: String) -> Self {
        Self { service, problem }
    }

    /// The full name of the service.
    #[must_use]
    pub fn service(&self) -> &'static str {
        self.service
    }
}

impl fmt::Display for ChainError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` can't be served: {}", self.service, self.problem)
    }
}

impl Error for ChainError {}
