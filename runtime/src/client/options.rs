//! [`CallOptions`]: what is set for the calls of one stub.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use prost::Message;
use tonic::metadata::MetadataMap;

use super::fallback::Fallback;
use super::info::CallInfo;
use super::transport::Transport;
use crate::observe::{Observer, Observers};
use crate::{Compression, HedgingPolicy, MetadataError, RetryPolicy, TypedMetadata};

/// What is set for the calls that are made through one stub, `items.with(options)`.
///
/// Nothing of it goes further than the next hop.
///
/// ```
/// use std::time::Duration;
/// use apibase::CallOptions;
///
/// let options = CallOptions::new()
///     .deadline(Duration::from_millis(250))
///     .metadata("x-tenant", "acme");
/// ```
#[derive(Clone)]
pub struct CallOptions {
    /// `Some(None)`: none, whatever else says.
    pub(super) deadline: Option<Option<Duration>>,
    pub(super) retry: Option<RetryPolicy>,
    pub(super) hedging: Option<HedgingPolicy>,
    pub(super) wait_for_ready: Option<bool>,
    pub(super) metadata: MetadataMap,
    /// Metadata that can't be sent fails the call, rather than this builder.
    pub(super) wrong: Option<MetadataError>,
    pub(super) info: Option<CallInfo>,
    pub(super) max_message_size: Option<usize>,
    pub(super) compression: Option<Compression>,
    pub(super) fallback: Option<Arc<Fallback>>,
    pub(super) observers: Option<Arc<Observers>>,
}

impl CallOptions {
    /// Nothing is set.
    #[must_use]
    pub fn new() -> Self {
        Self {
            deadline: None,
            retry: None,
            hedging: None,
            wait_for_ready: None,
            metadata: MetadataMap::new(),
            wrong: None,
            info: None,
            max_message_size: None,
            compression: None,
            fallback: None,
            observers: None,
        }
    }

    /// A call has this long, from its start to its last trailer, or what its context leaves it if
    /// that is less. Default: what the proto says, then the client's settings.
    #[must_use]
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = Some(Some(deadline));
        self
    }

    /// A call has as long as its context leaves it, whatever the proto and the client's settings say.
    #[must_use]
    pub fn no_deadline(mut self) -> Self {
        self.deadline = Some(None);
        self
    }

    /// Sends requests again so, in place of what the proto and the client's settings say. The codes of
    /// `policy` are tried again even if the method is not known to be idempotent.
    #[must_use]
    pub fn retry(mut self, policy: RetryPolicy) -> Self {
        self.retry = Some(policy);
        self
    }

    /// Sends a request once, whatever the proto and the client's settings say; but for one that no
    /// server has seen, which is sent again once at once (gRFC A6, "transparent").
    #[must_use]
    pub fn no_retry(self) -> Self {
        self.retry(RetryPolicy::up_to(1))
    }

    /// Sends requests again so before there is an answer, in place of what the proto says.
    #[must_use]
    pub fn hedging(mut self, policy: HedgingPolicy) -> Self {
        self.hedging = Some(policy);
        self
    }

    /// Lets a call wait for a connection as long as it has time, where it would fail at once because
    /// none can be made. Default: what the client's settings say, which is false.
    #[must_use]
    pub fn wait_for_ready(mut self, wait: bool) -> Self {
        self.wait_for_ready = Some(wait);
        self
    }

    /// Sends `key` with `value`, which is visible ASCII, in place of what was set before.
    ///
    /// A key or value that can't be sent fails the call, with a failure of kind encode; so do more
    /// than 8 KiB of metadata, which servers don't take.
    #[must_use]
    pub fn metadata(mut self, key: &str, value: impl fmt::Display) -> Self {
        let set = self.metadata.set_text(key, value);
        self.note(set)
    }

    /// The same, beside what was set before: a key can have several values.
    #[must_use]
    pub fn append_metadata(mut self, key: &str, value: impl fmt::Display) -> Self {
        let set = self.metadata.append_text(key, value);
        self.note(set)
    }

    /// Sends `key`, which ends in `-bin`, with `message` as its value, in place of what was set
    /// before.
    #[must_use]
    pub fn metadata_message<M: Message>(mut self, key: &str, message: &M) -> Self {
        let set = self.metadata.set_message(key, message);
        self.note(set)
    }

    /// Tells `info` of the call.
    #[must_use]
    pub fn info(mut self, info: &CallInfo) -> Self {
        self.info = Some(info.clone());
        self
    }

    /// Reads replies up to this many bytes; a larger one fails the call. Default: 4 MiB.
    #[must_use]
    pub fn max_message_size(mut self, bytes: usize) -> Self {
        self.max_message_size = Some(bytes);
        self
    }

    /// Compresses requests so, those of 1 KiB and more. Default: they go as they are.
    ///
    /// A server that doesn't know the encoding fails the call with UNIMPLEMENTED, and nothing says
    /// beforehand whether it does. Replies are read however the server compresses them.
    #[must_use]
    pub fn compress(mut self, compression: Compression) -> Self {
        self.compression = Some(compression);
        self
    }

    /// Sends a call over `transport`, once, where its own [can't be
    /// reached](crate::Failure::is_unreachable): the circuit breaker is open, or all attempts that the
    /// call was worth have failed. One that a server may have acted on is sent only if its method may be
    /// repeated. For another way than gRPC there is [`OrFallback`](crate::OrFallback).
    #[must_use]
    pub fn fallback(mut self, transport: impl Transport) -> Self {
        self.fallback = Some(Arc::new(Fallback::new(transport)));
        self
    }

    /// Tells `observer` of the calls.
    #[must_use]
    pub fn observer(mut self, observer: Arc<dyn Observer>) -> Self {
        let mut observers = self.observers.as_deref().cloned().unwrap_or_default();
        observers.push(observer);
        self.observers = Some(Arc::new(observers));
        self
    }

    fn note(mut self, set: Result<(), MetadataError>) -> Self {
        if let Err(error) = set {
            self.wrong.get_or_insert(error);
        }
        self
    }
}

impl Default for CallOptions {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for CallOptions {
    /// Shows no metadata: a token is mostly there.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallOptions")
            .field("deadline", &self.deadline)
            .field("max_message_size", &self.max_message_size)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_no_metadata() {
        let options = CallOptions::new()
            .deadline(Duration::from_secs(2))
            .metadata("authorization", "Bearer hunter2")
            .metadata("x-wrong", "hunter2\n");
        let shown = format!("{options:?}");
        assert!(shown.contains("2s"), "{shown}");
        assert!(!shown.contains("hunter2"), "{shown}");
    }
}
