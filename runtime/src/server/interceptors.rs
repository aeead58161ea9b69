//! [`Interceptors`]: what stands around every call of a server.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

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
    lacks: &'static str,
}

impl ChainError {
    /// The full name of the service.
    #[must_use]
    pub fn service(&self) -> &'static str {
        self.service
    }
}

impl fmt::Display for ChainError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { service, lacks } = self;
        write!(
            f,
            "`{service}` asks for {lacks}, and the interceptors have none"
        )
    }
}

impl Error for ChainError {}
