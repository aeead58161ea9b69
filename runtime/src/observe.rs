//! [`Observer`]: the one interface that hears what happens.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use crate::client::{BreakerTransition, Verdict};
use crate::context::Peer;
use crate::{Code, Context, Method};

/// Hears what happens to calls: logs, metrics, spans and tests read from it.
///
/// It is called on the path of every call and must not block. A panic in it is caught: it harms
/// neither the call nor the other observers.
///
/// ```
/// use std::sync::atomic::{AtomicU64, Ordering};
/// use apibase::{Event, Observer};
///
/// #[derive(Default)]
/// struct Count(AtomicU64);
///
/// impl Observer for Count {
///     fn observe(&self, event: &Event<'_>) {
///         if let Event::Ended { .. } = event {
///             self.0.fetch_add(1, Ordering::Relaxed);
///         }
///     }
/// }
/// ```
pub trait Observer: Send + Sync + 'static {
    /// Something has happened.
    fn observe(&self, event: &Event<'_>);
}

/// What has happened.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// A call was taken on (server), or is about to be sent (client).
    Started {
        /// Which end of the call saw it.
        side: Side,
        /// The RPC.
        method: &'a Method,
        /// The call's context.
        context: &'a Context,
    },
    /// A call is over: its body has ended, or was dropped. Once for each `Started`.
    Ended {
        /// Which end of the call saw it.
        side: Side,
        /// The RPC.
        method: &'a Method,
        /// The call's context.
        context: &'a Context,
        /// Its final status; CANCELLED if it was dropped before its end.
        code: Code,
        /// From its start to now.
        elapsed: Duration,
    },
    /// An attempt to carry a call has ended, at the client. A call that is sent once has one.
    Attempt {
        /// The RPC.
        method: &'a Method,
        /// The call's context.
        context: &'a Context,
        /// Which one it is, from 1 on; one that no server saw does not count.
        number: u32,
        /// Where it went: `10.0.0.7:50051`; `None` if the transport doesn't tell.
        endpoint: Option<&'a str>,
        /// How it ended.
        code: Code,
        /// What was decided then; `None` for one that succeeded.
        verdict: Option<Verdict>,
    },
    /// The circuit breaker of a method and a target has opened, closed, or lets calls through to see.
    Breaker {
        /// The target: `http://items:50051`.
        target: &'a str,
        /// The RPC.
        method: &'a Method,
        /// From which state to which, and why.
        transition: BreakerTransition,
    },
    /// Something has happened to an endpoint of a target, or to its connections.
    Endpoint {
        /// The target: `dns:///items:50051`.
        target: &'a str,
        /// The endpoint: `10.0.0.7:50051`.
        endpoint: &'a str,
        /// What.
        change: EndpointChange<'a>,
    },
    /// A servicer returned an error that its method does not declare: the caller gets it all the same.
    Undeclared {
        /// The RPC.
        method: &'a Method,
        /// The call's context.
        context: &'a Context,
        /// The reason, of the service's catalogue.
        reason: &'static str,
    },
    /// Something has happened to a connection of our own server.
    Connection {
        /// Who has it.
        peer: &'a Peer,
        /// What.
        change: ConnectionChange,
    },
    /// The server refused a call.
    Refused {
        /// The path of the request, as it came.
        path: &'a str,
        /// Why.
        reason: Refusal,
        /// What the caller is told.
        code: Code,
        /// Who calls; `None` where the transport doesn't say.
        peer: Option<&'a Peer>,
        /// The call's context; `None` of a request that is no call of a method that is there.
        context: Option<&'a Context>,
        /// Whether it had come as far as the interceptors: then there is a `Started` and an `Ended` of
        /// it, too.
        started: bool,
    },
}

/// What can happen to an endpoint of a client's target.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum EndpointChange<'a> {
    /// It has one more connection.
    Connected {
        /// How many it has now.
        connections: usize,
    },
    /// A connection takes no more calls: it broke, or its server closes it.
    Disconnected {
        /// How many are left.
        connections: usize,
    },
    /// It could not be connected to.
    Unreachable {
        /// Why.
        cause: &'a str,
        /// When it is tried again.
        retry_in: Duration,
    },
    /// It says that it is SERVING, where endpoints are asked.
    Healthy,
    /// It doesn't say so any more, or didn't to begin with.
    Unhealthy {
        /// What it says.
        cause: &'a str,
    },
    /// Too many calls on it fail: others are picked for this time.
    Ejected {
        /// How long.
        time: Duration,
    },
    /// It is picked again.
    Returned,
}

/// What can happen to a connection of a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ConnectionChange {
    /// It was accepted: TLS and HTTP/2 are yet to come.
    Opened,
    /// It is gone. Once for each that was opened.
    Closed,
    /// It was closed as it came: there are as many as the server takes, or its peer has too many.
    Refused,
}

/// Which end of a call saw something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Side {
    /// Where the call is answered.
    Server,
    /// Where the call is made.
    Client,
}

/// Why a server refuses a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Refusal {
    /// The request is no POST.
    NotPost,
    /// The content type is not gRPC with protobuf.
    ContentType,
    /// No service has a method at this path.
    UnknownMethod,
    /// The messages are compressed in a way that the server doesn't know.
    Encoding,
    /// The `grpc-timeout` is malformed.
    Timeout,
    /// The deadline had passed on arrival.
    DeadlineSpent,
    /// A limit on concurrent calls is reached: the server's, the connection's or the method's.
    Overloaded,
    /// The caller calls the method more often than it may.
    RateLimited,
    /// The server stops, and its callers have had the time to hear of it.
    Draining,
    /// The request's metadata is larger than the server takes.
    MetadataTooLarge,
    /// The call needs a token, and came without one.
    TokenMissing,
    /// The token is none: not in its form, too long, sent twice, or its claims aren't what they should be.
    TokenMalformed,
    /// The token is signed by an algorithm that its key is not for, or that isn't taken at all.
    TokenAlgorithm,
    /// Nobody here knows the key that the token names.
    TokenKey,
    /// The token's signature is wrong.
    TokenSignature,
    /// The token has expired.
    TokenExpired,
    /// The token isn't good yet.
    TokenNotYetValid,
    /// The token is of another issuer.
    TokenIssuer,
    /// The token is for another audience.
    TokenAudience,
    /// The token is good, and lacks a scope that the method asks for.
    ScopeMissing,
    /// Tokens can't be verified: their issuer's keys have not come.
    KeysUnavailable,
}

impl Refusal {
    /// Its name in logs and metrics, and as a reason on the wire: `OVERLOADED`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotPost => "NOT_POST",
            Self::ContentType => "CONTENT_TYPE",
            Self::UnknownMethod => "UNKNOWN_METHOD",
            Self::Encoding => "ENCODING",
            Self::Timeout => "TIMEOUT_MALFORMED",
            Self::DeadlineSpent => "DEADLINE_SPENT",
            Self::Overloaded => "OVERLOADED",
            Self::RateLimited => "RATE_LIMITED",
            Self::Draining => "DRAINING",
            Self::MetadataTooLarge => "METADATA_TOO_LARGE",
            Self::TokenMissing => "TOKEN_MISSING",
            Self::TokenMalformed => "TOKEN_MALFORMED",
            Self::TokenAlgorithm => "TOKEN_ALGORITHM",
            Self::TokenKey => "TOKEN_KEY",
            Self::TokenSignature => "TOKEN_SIGNATURE",
            Self::TokenExpired => "TOKEN_EXPIRED",
            Self::TokenNotYetValid => "TOKEN_NOT_YET_VALID",
            Self::TokenIssuer => "TOKEN_ISSUER",
            Self::TokenAudience => "TOKEN_AUDIENCE",
            Self::ScopeMissing => "SCOPE_MISSING",
            Self::KeysUnavailable => "KEYS_UNAVAILABLE",
        }
    }
}

/// All observers of a server or a client.
#[derive(Clone, Default)]
pub(crate) struct Observers {
    of_all: Vec<Arc<dyn Observer>>,
    /// Who hears of calls in the chain.
    beside_calls: Vec<Arc<dyn Observer>>,
}

impl Observers {
    /// Adds one who hears of all.
    pub(crate) fn push(&mut self, observer: Arc<dyn Observer>) {
        self.of_all.push(observer);
    }

    /// These hear of all but calls and their attempts.
    pub(crate) fn set_beside_calls(&mut self, observers: Vec<Arc<dyn Observer>>) {
        self.beside_calls = observers;
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.of_all.is_empty() && self.beside_calls.is_empty()
    }

    #[inline]
    pub(crate) fn observe(&self, event: &Event<'_>) {
        let is_of_call = matches!(
            event,
            Event::Started { .. } | Event::Ended { .. } | Event::Attempt { .. }
        );
        // Who only counts and logs has the calls of its chain.
        if !(is_of_call && self.of_all.is_empty()) {
            self.tell(event, is_of_call);
        }
    }

    fn tell(&self, event: &Event<'_>, is_of_call: bool) {
        let others = match is_of_call {
            true => &[],
            false => &*self.beside_calls,
        };
        for observer in self.of_all.iter().chain(others) {
            // Unwinding here would take a whole connection down.
            if catch_unwind(AssertUnwindSafe(|| observer.observe(event))).is_err() {
                tracing::error!("an observer panicked");
            }
        }
    }
}

impl fmt::Debug for Observers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} observers",
            self.of_all.len() + self.beside_calls.len()
        )
    }
}
