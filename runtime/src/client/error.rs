//! [`CallError`]: how a call can fail.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use super::failure::{Failure, FailureKind};
use crate::errors::{Fault, ServiceError};
use crate::{Code, Status};

/// How a call failed: by an error that the service declares, or otherwise.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum CallError<E> {
    /// An error of the service, as its servicer returned it.
    Service(E),
    /// Anything else. Boxed: it is large, and a call's result should be small.
    Failed(Box<Failure>),
}

impl<E> CallError<E> {
    /// The failure, if it is no error of the service.
    #[must_use]
    pub fn failure(&self) -> Option<&Failure> {
        match self {
            Self::Service(_) => None,
            Self::Failed(failure) => Some(failure),
        }
    }

    /// The service's error, or the failure.
    ///
    /// # Errors
    ///
    /// The failure, if it is no error of the service.
    pub fn into_service(self) -> Result<E, Box<Failure>> {
        match self {
            Self::Service(error) => Ok(error),
            Self::Failed(failure) => Err(failure),
        }
    }

    /// Whether the circuit breaker was open, so that nothing was sent.
    #[must_use]
    pub fn is_circuit_open(&self) -> bool {
        self.is_kind(FailureKind::CircuitOpen)
    }

    /// Whether the request or the reply did not get across.
    #[must_use]
    pub fn is_transport(&self) -> bool {
        self.is_kind(FailureKind::Transport)
    }

    /// Whether the context that the call was made in was cancelled.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.is_kind(FailureKind::Cancelled)
    }

    /// Whether no server has acted on the request, so that sending it again is safe.
    #[must_use]
    pub fn is_not_processed(&self) -> bool {
        self.failure().is_some_and(Failure::is_not_processed)
    }

    fn is_kind(&self, kind: FailureKind) -> bool {
        self.failure().is_some_and(|failure| failure.kind() == kind)
    }
}

impl<E: ServiceError> CallError<E> {
    /// The code that it has, or would have, on the wire.
    pub fn code(&self) -> Code {
        match self {
            Self::Service(error) => error.code(),
            Self::Failed(failure) => failure.status().code(),
        }
    }

    /// Whether time ran out, here or at the server.
    pub fn is_timeout(&self) -> bool {
        self.code() == Code::DeadlineExceeded
    }

    /// Whether the same call may succeed later: the service's table says so, or the server gave a
    /// delay, or no server has acted on the call, or it was UNAVAILABLE. Not if somebody nearer to the
    /// fault has retried already.
    ///
    /// Whether it is safe to call again is another question: that is for methods that are idempotent,
    /// and for calls that [were not processed](Self::is_not_processed).
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Service(error) => {
                let fault = fault(error);
                !fault.is_some_and(Fault::is_already_retried)
                    && (error.row().is_some_and(|row| row.retryable)
                        || fault.is_some_and(|fault| fault.retry_delay().is_some()))
            }
            Self::Failed(failure) => failure.is_retryable(),
        }
    }

    /// How long to wait before the next try, where the server or the service's table says so.
    pub fn retry_delay(&self) -> Option<Duration> {
        match self {
            Self::Service(error) => fault(error)
                .and_then(Fault::retry_delay)
                .or_else(|| error.row()?.retry_delay),
            Self::Failed(failure) => failure.details().retry_delay,
        }
    }

    /// What a status that the server sent is.
    pub(super) fn from_status(status: Status) -> Self {
        match E::from_status(status) {
            Ok(error) => Self::Service(error),
            Err(status) => Failure::new(FailureKind::Status, status).into(),
        }
    }
}

/// What an error says that is one of the nine.
fn fault<E: ServiceError>(error: &E) -> Option<&Fault> {
    error.parts().into_domain()?.fault()
}

impl<E> From<Failure> for CallError<E> {
    fn from(failure: Failure) -> Self {
        Self::Failed(Box::new(failure))
    }
}

impl<E: fmt::Display> fmt::Display for CallError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Service(error) => error.fmt(f),
            Self::Failed(failure) => failure.fmt(f),
        }
    }
}

impl<E: Error + 'static> Error for CallError<E> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Service(error) => error.source(),
            Self::Failed(failure) => failure.source(),
        }
    }
}
