//! [`CallInfo`]: what is known of a call afterwards.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tonic::metadata::MetadataMap;

use super::trace::AttemptTrace;
use crate::Status;

/// What is known of a call beside its reply: the headers and trailers that came back, and how often
/// it was sent.
///
/// Given to a call by [`CallOptions::info`](super::CallOptions::info); clones are the same. A call
/// that nobody asks pays nothing for it. Used for several calls, it tells of the last.
///
/// ```no_run
/// # async fn call<F: Future<Output = ()>>(with: impl FnOnce(apibase::CallOptions) -> F) {
/// use apibase::{CallInfo, CallOptions, TypedMetadata};
///
/// let info = CallInfo::new();
/// with(CallOptions::new().info(&info)).await; // items.with(…).get_item(&ctx, request).await
/// let region: Option<String> = info.headers().text("x-region").ok().flatten();
/// # }
/// ```
#[derive(Clone, Default)]
pub struct CallInfo(Arc<Mutex<Known>>);

#[derive(Default)]
struct Known {
    headers: MetadataMap,
    trailers: MetadataMap,
    status: Option<Status>,
    attempts: u32,
    trace: AttemptTrace,
}

impl CallInfo {
    /// Knows nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The headers that came back; empty if none did.
    #[must_use]
    pub fn headers(&self) -> MetadataMap {
        self.known().headers.clone()
    }

    /// The trailers that came back, without the status; empty until the call has ended.
    #[must_use]
    pub fn trailers(&self) -> MetadataMap {
        self.known().trailers.clone()
    }

    /// The status that the server failed the call with, whole, whatever the call's error has become;
    /// `None` if it didn't. [`ErrorDetails`](crate::ErrorDetails) reads what is in it.
    #[must_use]
    pub fn status(&self) -> Option<Status> {
        self.known().status.clone()
    }

    /// How often the request was sent.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        self.known().attempts
    }

    /// What became of the attempts that did not succeed.
    #[must_use]
    pub fn trace(&self) -> AttemptTrace {
        self.known().trace.clone()
    }

    pub(super) fn start(&self) {
        *self.known() = Known::default();
    }

    pub(super) fn set_attempts(&self, attempts: u32, trace: AttemptTrace) {
        let mut known = self.known();
        known.attempts = attempts;
        known.trace = trace;
    }

    /// An attempt begins: what another one had is not the call's.
    pub(super) fn begin(&self) {
        self.set_end(MetadataMap::new(), MetadataMap::new(), None);
    }

    /// The head of an answer came, with these; what was known of another one is over.
    pub(super) fn set_headers(&self, headers: MetadataMap) {
        self.set_end(headers, MetadataMap::new(), None);
    }

    /// An answer has ended, with all of this.
    pub(super) fn set_end(
        &self,
        headers: MetadataMap,
        trailers: MetadataMap,
        status: Option<Status>,
    ) {
        let mut known = self.known();
        known.headers = headers;
        known.trailers = trailers;
        known.status = status;
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for CallInfo {
    /// Shows no metadata: it can hold secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known = self.known();
        f.debug_struct("CallInfo")
            .field("code", &known.status.as_ref().map(Status::code))
            .field("attempts", &known.attempts)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_no_metadata() {
        let info = CallInfo::new();
        let mut metadata = MetadataMap::new();
        metadata.insert("set-cookie", "hunter2".parse().unwrap());
        let status = Status::with_metadata(crate::Code::NotFound, "", metadata.clone());
        info.set_end(metadata.clone(), metadata, Some(status));
        let shown = format!("{info:?}");
        assert!(shown.contains("NotFound"), "{shown}");
        assert!(!shown.contains("hunter2"), "{shown}");
    }
}
