//! [`Trail`]: what the interceptors know of one call.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

#[cfg(feature = "auth")]
use tokio::time::Instant;

use super::logging::Correlation;
use super::tally::{Flow, Messages};
use crate::observe::Refusal;

#[cfg(feature = "otel")]
use super::tracing::SpanSlot;

/// What the interceptors know of one call. Part of what a call has anyway, so that none of it is
/// allocated where there are no interceptors.
#[derive(Debug, Default)]
pub(crate) struct Trail {
    /// How many steps of the chain the call has come to.
    entered: AtomicUsize,
    /// Where its messages are counted; unset where nobody counts them.
    meter: OnceLock<Arc<Messages>>,
    /// Whose correlation id it has.
    correlation: Correlation,
    /// Why the server refused it, in the chain or beyond.
    refusal: OnceLock<Refusal>,
    /// The path that it came with, if no service has a method there.
    path: OnceLock<Box<str>>,
    /// Who calls, once that is known.
    #[cfg(feature = "auth")]
    principal: OnceLock<super::Principal>,
    /// When the call ends because who calls isn't let in any longer; unset where it doesn't.
    #[cfg(feature = "auth")]
    end: OnceLock<Instant>,
    /// Its span, where somebody makes one.
    #[cfg(feature = "otel")]
    span: SpanSlot,
}

impl Trail {
    /// The call has come to this step, counted from 0.
    pub(super) fn enter(&self, step: usize) {
        // It comes to them one after the other.
        self.entered.store(step + 1, Ordering::Relaxed);
    }

    /// It is known who calls.
    #[cfg(feature = "auth")]
    pub(super) fn set_principal(&self, principal: super::Principal) {
        // A call has one caller, whatever number of gates it comes through.
        let _ = self.principal.set(principal);
    }

    /// Who calls.
    #[cfg(feature = "auth")]
    pub(crate) fn principal(&self) -> Option<&super::Principal> {
        self.principal.get()
    }

    /// The call ends then.
    #[cfg(feature = "auth")]
    pub(super) fn set_end(&self, end: Instant) {
        let _ = self.end.set(end);
    }

    /// When the call ends because who calls isn't let in any longer.
    #[cfg(feature = "auth")]
    pub(crate) fn end(&self) -> Option<Instant> {
        self.end.get().copied()
    }

    pub(super) fn entered(&self) -> usize {
        self.entered.load(Ordering::Relaxed)
    }

    /// Has its messages counted there.
    #[cfg(feature = "prometheus")]
    pub(super) fn set_meter(&self, meter: &Arc<Messages>) {
        // Where two count, the first one does.
        let _ = self.meter.set(Arc::clone(meter));
    }

    pub(super) fn meter(&self) -> Option<&Arc<Messages>> {
        self.meter.get()
    }

    /// So many messages went that way.
    pub(crate) fn count(&self, flow: Flow, messages: u64) {
        if let Some(meter) = self.meter() {
            meter.add(flow, messages);
        }
    }

    /// Whose correlation id the call has.
    pub(crate) fn correlation(&self) -> &Correlation {
        &self.correlation
    }

    /// The server refuses the call.
    pub(crate) fn refuse(&self, reason: Refusal) {
        // Only the first one counts.
        let _ = self.refusal.set(reason);
    }

    pub(super) fn refusal(&self) -> Option<Refusal> {
        self.refusal.get().copied()
    }

    /// The call came to a path where no service has a method.
    pub(crate) fn came_to(&self, path: &str) {
        let _ = self.path.set(path.into());
    }

    pub(super) fn path(&self) -> Option<&str> {
        self.path.get().map(|path| &**path)
    }

    /// Where the call has its span.
    #[cfg(feature = "otel")]
    pub(crate) fn span(&self) -> &SpanSlot {
        &self.span
    }
}
