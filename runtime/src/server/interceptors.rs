//! [`Interceptors`]: what stands around every call of a server.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use crate::observe::{Observer, Observers};

/// What stands around every call of a server, whether it is our own or one that a service is
/// mounted in.
#[derive(Clone, Debug, Default)]
pub struct Interceptors {
    // None where nobody observes, so that a call pays nothing for it.
    observers: Option<Arc<Observers>>,
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
        let mut observers = self.observers.as_deref().cloned().unwrap_or_default();
        observers.push(observer);
        self.observers = Some(Arc::new(observers));
        self
    }

    pub(crate) fn observers(&self) -> Option<&Arc<Observers>> {
        self.observers.as_ref()
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
