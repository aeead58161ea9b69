//! [`Setback`]: how an attempt ended that did not succeed, before anybody knows what it means to the
//! service.

use std::time::Duration;

use tokio::time::Instant;
use tonic::metadata::MetadataValue;

use super::error::CallError;
use super::failure::{Failure, FailureKind};
use super::transport::{Progress, TransportError};
use crate::errors::{PUSHBACK, ServiceError};
use crate::{Code, Status};

/// How an attempt ended that did not succeed.
#[derive(Debug)]
pub(super) enum Setback {
    /// The request or the answer did not get across.
    Transport(TransportError),
    /// The server answered with this status.
    Status {
        status: Status,
        /// Whether an answer had begun before it: then it is final (gRFC A6, "committed").
        after_head: bool,
    },
    /// The attempt had its time, and the call has more.
    TimedOut(Duration),
    /// Something that no other attempt would change.
    Final(Box<Failure>),
}

/// What a server says about trying again (gRFC A6, "Pushback").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pushback {
    /// After exactly this time.
    After(Duration),
    /// Not at all.
    Never,
}

impl Setback {
    /// What `error` is to a call with this deadline.
    ///
    /// A server that gives a call up because its time is over cancels the stream, and that can be
    /// heard before our own timer is; grpc-go has the same rule.
    pub(super) fn broken(error: TransportError, deadline: Option<Instant>) -> Self {
        let is_late = || deadline.is_some_and(|at| at <= Instant::now());
        match error.code() {
            Code::Cancelled if is_late() => {
                let status = Status::new(Code::DeadlineExceeded, "the deadline has passed");
                Failure::new(FailureKind::Deadline, status).into()
            }
            _ => Self::Transport(error),
        }
    }

    pub(super) fn code(&self) -> Code {
        match self {
            Self::Transport(error) => error.code(),
            Self::Status { status, .. } => status.code(),
            Self::TimedOut(_) => Code::DeadlineExceeded,
            Self::Final(failure) => failure.status().code(),
        }
    }

    /// The status that an interceptor sees of it.
    pub(super) fn told(&self) -> Status {
        match self {
            Self::Status { status, .. } => status.clone(),
            Self::Final(failure) => failure.status().clone(),
            Self::Transport(_) | Self::TimedOut(_) => Status::new(self.code(), self.cause()),
        }
    }

    /// In a few words, for traces.
    pub(super) fn cause(&self) -> String {
        match self {
            Self::Transport(error) => error.to_string(),
            Self::Status { status, .. } => status.message().to_owned(),
            Self::TimedOut(after) => format!("the attempt had {after:?}"),
            Self::Final(failure) => failure.status().message().to_owned(),
        }
    }

    /// What the server said about trying again, if it did.
    ///
    /// One value that is a number of milliseconds is a time; anything else is a no.
    pub(super) fn pushback(&self) -> Option<Pushback> {
        let Self::Status { status, .. } = self else {
            return None;
        };
        let mut values = status.metadata().get_all(PUSHBACK).iter();
        let first = values.next()?;
        let millis = match values.next() {
            None => first
                .to_str()
                .ok()
                .and_then(|text| text.parse::<u32>().ok()),
            Some(_) => None,
        };
        Some(match millis {
            Some(millis) => Pushback::After(Duration::from_millis(u64::from(millis))),
            None => Pushback::Never,
        })
    }

    /// Whether no server has acted on the request, for certain.
    pub(super) fn is_unprocessed(&self) -> bool {
        match self {
            Self::Transport(error) => error.progress() != Progress::Unknown,
            Self::Final(failure) => failure.is_not_processed(),
            _ => false,
        }
    }

    /// Whether it never left.
    pub(super) fn is_unsent(&self) -> bool {
        match self {
            Self::Transport(error) => error.progress() == Progress::Unsent,
            Self::Final(failure) => failure.attempts() == 0,
            _ => false,
        }
    }

    /// What befell other calls, too.
    pub(super) fn event(&self) -> Option<u64> {
        match self {
            Self::Transport(error) => error.event(),
            _ => None,
        }
    }

    /// The same, and whoever it is passed on to is told not to retry it once more, as if the server had
    /// said so: an error of a service doesn't know how often it was asked for.
    pub(super) fn already_retried(mut self) -> Self {
        if let Self::Status { status, .. } = &mut self {
            let never = MetadataValue::from_static("-1");
            status.metadata_mut().insert(PUSHBACK, never);
        }
        self
    }

    pub(super) fn into_error<E: ServiceError>(self) -> CallError<E> {
        match self {
            Self::Transport(error) => Failure::transport(error).into(),
            Self::Status { status, .. } => CallError::from_status(status),
            Self::TimedOut(after) => {
                let message = format!("an attempt took longer than the {after:?} that it had");
                let status = Status::new(Code::DeadlineExceeded, message);
                Failure::new(FailureKind::Deadline, status).into()
            }
            Self::Final(failure) => CallError::Failed(failure),
        }
    }
}

impl From<Failure> for Setback {
    fn from(failure: Failure) -> Self {
        Self::Final(Box::new(failure))
    }
}

impl From<TransportError> for Setback {
    fn from(error: TransportError) -> Self {
        Self::Transport(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pushback(values: &[&'static str]) -> Option<Pushback> {
        let mut status = Status::new(Code::Unavailable, "");
        for value in values {
            status
                .metadata_mut()
                .append(PUSHBACK, value.parse().unwrap());
        }
        let after_head = false;
        Setback::Status { status, after_head }.pushback()
    }

    #[test]
    fn rule_03_one_number_is_a_delay_and_anything_else_a_no() {
        assert_eq!(pushback(&[]), None);
        let after = |millis| Some(Pushback::After(Duration::from_millis(millis)));
        assert_eq!(pushback(&["0"]), after(0));
        assert_eq!(pushback(&["1500"]), after(1500));
        for no in ["-1", "", "soon", "1.5", "4294967296", " 1"] {
            assert_eq!(pushback(&[no]), Some(Pushback::Never), "{no:?}");
        }
        assert_eq!(pushback(&["10", "10"]), Some(Pushback::Never));
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_that_is_cancelled_when_its_time_is_over_is_late() {
        let cancelled = || TransportError::broken(h2::Error::from(h2::Reason::CANCEL));
        let code = |deadline| Setback::broken(cancelled(), deadline).code();
        let now = Instant::now();
        assert_eq!(code(Some(now)), Code::DeadlineExceeded);
        assert_eq!(code(Some(now + Duration::from_secs(1))), Code::Cancelled);
        assert_eq!(code(None), Code::Cancelled);
        let broken = TransportError::broken(h2::Error::from(h2::Reason::INTERNAL_ERROR));
        assert_eq!(Setback::broken(broken, Some(now)).code(), Code::Internal);
    }
}
