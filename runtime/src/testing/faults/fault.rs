//! [`Fault`]: one thing that goes wrong with one attempt.

use std::time::Duration;

use tonic::metadata::MetadataValue;

use crate::errors::{PUSHBACK, ServiceError};
use crate::{Code, Status};

/// What is done to one attempt of a call: see [`Faults`](super::Faults).
///
/// Each is what a client sees of the real thing; those before the head differ in what they tell about
/// the server:
///
/// | fault | the client sees | the server |
/// |---|---|---|
/// | [`no_connection`](Self::no_connection) | UNAVAILABLE, unsent | heard nothing |
/// | [`refused`](Self::refused), [`go_away`](Self::go_away) | UNAVAILABLE, not processed | has not acted |
/// | [`lost`](Self::lost) | UNAVAILABLE | heard nothing, and nobody knows |
/// | [`answer_lost`](Self::answer_lost) | UNAVAILABLE | has acted, and nobody knows |
/// | [`silence`](Self::silence) | nothing | heard nothing |
/// | [`status`](Self::status) | the status | heard nothing |
#[derive(Clone, Debug)]
pub struct Fault {
    pub(super) delay: Duration,
    pub(super) kind: Kind,
}

#[derive(Clone, Debug)]
pub(super) enum Kind {
    None,
    NoConnection,
    Refused,
    GoAway,
    Lost,
    AnswerLost,
    Silence,
    Status(Box<Status>),
    /// The server answers, and this comes after the head of its answer.
    After(AfterHead),
}

/// What goes wrong with an answer that has begun.
#[derive(Clone, Debug)]
pub(super) enum AfterHead {
    Reset,
    Lost,
    Silence,
    Status(Box<Status>),
    Corrupt,
}

impl Fault {
    const fn of(kind: Kind) -> Self {
        Self {
            delay: Duration::ZERO,
            kind,
        }
    }

    /// Nothing goes wrong: for a place in a script, or to be [late](Self::after).
    #[must_use]
    pub fn none() -> Self {
        Self::of(Kind::None)
    }

    /// The attempt goes on after this time, and then nothing goes wrong.
    #[must_use]
    pub fn delay(delay: Duration) -> Self {
        Self::none().after(delay)
    }

    /// There is no connection to send it on, and none can be made. A call that waits for one
    /// ([`wait_for_ready`](crate::CallOptions::wait_for_ready)) waits until it is given up.
    ///
    /// To a circuit breaker, what comes of one dial is one failure, however many calls there are: dials
    /// are 1, 1.6, 2.56 … seconds apart, as those of a [`Channel`](crate::Channel) are give or take their
    /// jitter, as long as no attempt has a connection.
    #[must_use]
    pub fn no_connection() -> Self {
        Self::of(Kind::NoConnection)
    }

    /// The server refuses the stream: `RST_STREAM` with `REFUSED_STREAM`.
    #[must_use]
    pub fn refused() -> Self {
        Self::of(Kind::Refused)
    }

    /// The server says goodbye, and that it has not processed the call: GOAWAY.
    #[must_use]
    pub fn go_away() -> Self {
        Self::of(Kind::GoAway)
    }

    /// The connection is lost before the server has heard of the call. Attempts that are under way
    /// together were on one connection, and the loss of it is one failure to a circuit breaker.
    #[must_use]
    pub fn lost() -> Self {
        Self::of(Kind::Lost)
    }

    /// The connection is lost when the server has answered, and before its answer is here. For the
    /// client it is the same as [`lost`](Self::lost).
    #[must_use]
    pub fn answer_lost() -> Self {
        Self::of(Kind::AnswerLost)
    }

    /// Nothing comes back, ever. Requests are taken up to a window of HTTP/2, 64 KiB.
    #[must_use]
    pub fn silence() -> Self {
        Self::of(Kind::Silence)
    }

    /// The answer is this status, alone, with its details and metadata.
    #[must_use]
    pub fn status(status: Status) -> Self {
        Self::of(Kind::Status(Box::new(status)))
    }

    /// The answer is the status of this code, alone.
    #[must_use]
    pub fn code(code: Code) -> Self {
        Self::status(Status::new(code, "injected by a test"))
    }

    /// The answer is what this error of a service is on the wire.
    #[must_use]
    pub fn error(error: impl ServiceError) -> Self {
        Self::status(error.into_status())
    }

    /// The server answers, and resets the stream after the head of its answer.
    #[must_use]
    pub fn reset_after_head() -> Self {
        Self::of(Kind::After(AfterHead::Reset))
    }

    /// The server answers, and the connection is lost after the head of its answer.
    #[must_use]
    pub fn lost_after_head() -> Self {
        Self::of(Kind::After(AfterHead::Lost))
    }

    /// The server answers, and nothing comes after the head of its answer.
    #[must_use]
    pub fn silence_after_head() -> Self {
        Self::of(Kind::After(AfterHead::Silence))
    }

    /// The server answers with a head, and then with this status in trailers.
    #[must_use]
    pub fn status_after_head(status: Status) -> Self {
        Self::of(Kind::After(AfterHead::Status(Box::new(status))))
    }

    /// The server answers, with a message that is none.
    #[must_use]
    pub fn corrupt_reply() -> Self {
        Self::of(Kind::After(AfterHead::Corrupt))
    }

    /// The same, this much later.
    #[must_use]
    pub fn after(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    /// The same status, and the server says to come back after `delay`, in whole milliseconds
    /// (`grpc-retry-pushback-ms`, gRFC A6). Only a status can say so: of another fault, nothing
    /// changes.
    #[must_use]
    pub fn pushback(self, delay: Duration) -> Self {
        let milliseconds = i64::try_from(delay.as_millis()).unwrap_or(i64::MAX);
        self.pushback_of(milliseconds)
    }

    /// The same status, and the server says not to come back (`grpc-retry-pushback-ms: -1`).
    #[must_use]
    pub fn no_retry(self) -> Self {
        self.pushback_of(-1)
    }

    fn pushback_of(mut self, milliseconds: i64) -> Self {
        if let Kind::Status(status) | Kind::After(AfterHead::Status(status)) = &mut self.kind {
            let value = MetadataValue::from(milliseconds);
            status.metadata_mut().insert(PUSHBACK, value);
        }
        self
    }
}

impl Kind {
    /// Whether something goes wrong whatever the server does.
    pub(super) fn is_before_answer(&self) -> bool {
        !matches!(self, Self::None | Self::AnswerLost | Self::After(_))
    }

    /// What it is called in what was seen.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::None => "none",
            Self::NoConnection => "no_connection",
            Self::Refused => "refused",
            Self::GoAway => "go_away",
            Self::Lost => "lost",
            Self::AnswerLost => "answer_lost",
            Self::Silence => "silence",
            Self::Status(_) => "status",
            Self::After(AfterHead::Reset) => "reset_after_head",
            Self::After(AfterHead::Lost) => "lost_after_head",
            Self::After(AfterHead::Silence) => "silence_after_head",
            Self::After(AfterHead::Status(_)) => "status_after_head",
            Self::After(AfterHead::Corrupt) => "corrupt_reply",
        }
    }
}
