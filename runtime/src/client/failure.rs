//! [`Failure`]: a call that failed other than by an error of the service.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use super::trace::AttemptTrace;
use super::transport::{Progress, TransportError};
use crate::errors::ErrorDetails;
use crate::{BoxError, Code, MapError, Status};

/// A call that failed other than by an error of its service: what kind of failure, and the status
/// with all that came with it.
#[derive(Clone)]
pub struct Failure {
    kind: FailureKind,
    status: Status,
    attempts: u32,
    /// Whether a server may have acted on the call.
    processed: bool,
    trace: AttemptTrace,
}

/// What kind of failure a [`Failure`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FailureKind {
    /// The request or the reply did not get across: no connection, or it broke.
    Transport,
    /// The deadline passed, here.
    Deadline,
    /// The context that the call was made in was cancelled.
    Cancelled,
    /// The circuit breaker is open: nothing was sent.
    CircuitOpen,
    /// The client refused to send: a limit of its own, or its adaptive throttle.
    Refused,
    /// The client's token could not be had, or may not be sent so.
    Credentials,
    /// There is no tokio runtime where the call was made: nothing was sent.
    Runtime,
    /// A request can't be encoded: it was not sent, and nothing after it.
    Encode,
    /// The reply is not what it should be.
    Decode,
    /// The server answered with a status that is no declared error of the service.
    Status,
}

impl Failure {
    pub(super) fn new(kind: FailureKind, status: Status) -> Self {
        Self {
            kind,
            status,
            attempts: 1,
            processed: true,
            trace: AttemptTrace::default(),
        }
    }

    pub(super) fn unsent(kind: FailureKind, status: Status) -> Self {
        Self {
            kind,
            status,
            attempts: 0,
            processed: false,
            trace: AttemptTrace::default(),
        }
    }

    /// What its call had done before: so many requests were sent, a server may have acted on one of
    /// them, and this became of them.
    pub(super) fn after(&mut self, attempts: u32, processed: bool, trace: AttemptTrace) {
        self.attempts = attempts;
        self.processed = processed;
        self.trace = trace;
    }

    #[cfg(test)]
    pub(crate) fn for_tests(status: Status) -> Self {
        Self::new(FailureKind::Status, status)
    }

    pub(super) fn cancelled() -> Self {
        let status = Status::new(
            Code::Cancelled,
            "the call that this one was made in is over",
        );
        Self::new(FailureKind::Cancelled, status)
    }

    pub(super) fn encode(status: Status) -> Self {
        Self::unsent(FailureKind::Encode, status)
    }

    /// The same of a request in a stream: the call was sent, and those before it.
    pub(super) fn encode_in_stream(status: Status) -> Self {
        Self::new(FailureKind::Encode, status)
    }

    pub(super) fn decode(message: String, source: Option<BoxError>) -> Self {
        let mut status = Status::new(Code::Internal, message);
        if let Some(source) = source {
            status.set_source(source.into());
        }
        Self::new(FailureKind::Decode, status)
    }

    pub(super) fn transport(error: TransportError) -> Self {
        let mut status = Status::new(error.code(), error.to_string());
        let attempts = u32::from(error.progress() != Progress::Unsent);
        let processed = error.progress() == Progress::Unknown;
        let kind = match error.code() {
            Code::DeadlineExceeded => FailureKind::Deadline,
            Code::ResourceExhausted if attempts == 0 => FailureKind::Refused,
            // Nothing else of what is INTERNAL never left.
            Code::Internal if attempts == 0 => FailureKind::Runtime,
            _ => FailureKind::Transport,
        };
        status.set_source(Arc::new(error));
        Self {
            kind,
            status,
            attempts,
            processed,
            trace: AttemptTrace::default(),
        }
    }

    /// What kind it is.
    #[must_use]
    pub fn kind(&self) -> FailureKind {
        self.kind
    }

    /// Its status, with all details and trailers that the server sent.
    #[must_use]
    pub fn status(&self) -> &Status {
        &self.status
    }

    /// The same, owned.
    #[must_use]
    pub fn into_status(self) -> Status {
        self.status
    }

    /// What is wrong with the fields, where no message could say a request, or a reply is not what
    /// its entity needs.
    #[must_use]
    pub fn map_error(&self) -> Option<&MapError> {
        self.source()?.downcast_ref()
    }

    /// What the server's status has beside its code and message.
    #[must_use]
    pub fn details(&self) -> ErrorDetails {
        ErrorDetails::of(&self.status)
    }

    /// Whether the same call may succeed later: the server gave a delay, no server has acted on the
    /// call, or it was UNAVAILABLE; and nobody nearer to the fault has retried already.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self.kind {
            FailureKind::Deadline
            | FailureKind::Cancelled
            | FailureKind::Runtime
            | FailureKind::Encode
            | FailureKind::Decode => false,
            FailureKind::CircuitOpen | FailureKind::Refused => true,
            FailureKind::Credentials => self.status.code() == Code::Unavailable,
            FailureKind::Transport | FailureKind::Status => {
                let details = self.details();
                !details.already_retried
                    && (self.is_not_processed()
                        || self.status.code() == Code::Unavailable
                        || details.retry_delay.is_some())
            }
        }
    }

    /// Whether the call was retried before it failed, here or nearer to the fault.
    #[must_use]
    pub fn is_already_retried(&self) -> bool {
        // Attempts that never left were attempts all the same.
        self.attempts > 1 || self.trace.records().len() > 1 || self.details().already_retried
    }

    /// How often the request was sent; 0 when it never left.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        self.attempts
    }

    /// What became of each attempt: where it went, how far it got, how it ended, and who decided that
    /// there was another one, or none.
    #[must_use]
    pub fn trace(&self) -> &AttemptTrace {
        &self.trace
    }

    /// Whether no server has acted on the call: it never left, or the server said that it refused
    /// it before it looked at it.
    #[must_use]
    pub fn is_not_processed(&self) -> bool {
        !self.processed
    }
}

impl fmt::Debug for Failure {
    /// Shows neither metadata nor details, which can hold secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Failure")
            .field("kind", &self.kind)
            .field("code", &self.status.code())
            .field("message", &self.status.message())
            .field("attempts", &self.attempts)
            .finish_non_exhaustive()
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let code = self.status.code();
        write!(f, "{code:?}: {}", self.status.message())
    }
}

impl Error for Failure {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.status.source()
    }
}
