//! What a server keeps with the context of a call, for itself.

use std::sync::Arc;

use super::Context;
use crate::errors::ErrorPolicy;
use crate::interceptors::{MethodChain, Trail};
use crate::observe::Observers;
#[cfg(feature = "server")]
use crate::server::AtomicPhase;
#[cfg(all(feature = "server", feature = "tls"))]
use crate::tls::PeerCertificate;
use crate::wire::compression::{Compression, Encodings};

impl Context {
    /// The same context, of a call from who has shown this certificate.
    #[cfg(all(feature = "server", feature = "tls"))]
    pub(crate) fn called_by(mut self, certificate: Option<Arc<PeerCertificate>>) -> Self {
        self.peer_certificate = certificate;
        self
    }

    /// Ends the call for all who wait on [`cancelled`](Self::cancelled).
    pub(crate) fn cancel(&self) {
        if let Some(cancellation) = &self.scope.cancellation {
            cancellation.cancel();
        }
    }

    /// What the call is at.
    #[cfg(feature = "server")]
    pub(crate) fn phase(&self) -> &AtomicPhase {
        &self.scope.phase
    }

    /// Whether [`cancelled`](Self::cancelled) can ever return.
    pub(crate) fn is_cancellable(&self) -> bool {
        self.cancellation().is_some()
    }

    /// What the server changes about errors; `None` where it changes nothing.
    pub(crate) fn error_policy(&self) -> Option<&ErrorPolicy> {
        Some(&self.scope.chain.as_ref()?.errors)
    }

    /// What stands around the call on the server; `None` where nothing does.
    pub(crate) fn chain(&self) -> Option<&Arc<MethodChain>> {
        self.scope.chain.as_ref()
    }

    /// What the server's interceptors know of the call.
    pub(crate) fn trail(&self) -> &Trail {
        &self.scope.trail
    }

    /// Who hears of the call on the server; `None` where nobody does.
    pub(crate) fn observers(&self) -> Option<&Observers> {
        let observers = &self.scope.chain.as_ref()?.observers;
        (!observers.is_empty()).then_some(observers)
    }

    /// What its messages may be compressed as; `None` where nothing is.
    pub(crate) fn encodings(&self) -> Option<&Encodings> {
        let encodings = &self.scope.chain.as_ref()?.encodings;
        (!encodings.is_empty()).then_some(encodings)
    }

    /// What its requests are compressed as.
    pub(crate) fn requests_compression(&self) -> Option<Compression> {
        // Another one was refused.
        let of = self.encodings()?.of(self.scope.metadata.as_ref());
        of.ok().flatten()
    }

    /// What its replies are compressed as, unless its servicer says that they are not.
    pub(crate) fn replies_compression(&self) -> Option<Compression> {
        self.encodings()?.agreed(self.scope.metadata.as_ref())
    }
}
