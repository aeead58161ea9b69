//! [`Transport`]: what carries a call.

use std::error::Error;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
#[cfg(any(feature = "client", feature = "testing"))]
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use http_body::Body;

use super::attempt::{Attempt, Reached};
use super::body::RequestStream;
#[cfg(feature = "client")]
use super::runtime::Missing;
use super::upstream::Upstream;
use crate::{BoxError, Code};

/// Carries calls to a server: our own [`Channel`](super::Channel), or any tower service over HTTP
/// requests, tonic's channel among them.
///
/// A request has its path alone; authority and scheme are the transport's to add.
pub trait Transport: Clone + Send + Sync + 'static {
    /// The body of an answer.
    type Body: Body<Data = Bytes, Error: Into<BoxError>> + Send + Unpin + 'static;

    /// Sends a request and waits for the head of its answer. `attempt` hears how far that gets; the
    /// future may be dropped at any point.
    ///
    /// # Errors
    ///
    /// When there is no answer: no connection, or it broke.
    fn send(
        &self,
        request: http::Request<RequestStream>,
        attempt: &mut Attempt,
    ) -> impl Future<Output = Result<http::Response<Self::Body>, TransportError>> + Send;

    /// What all stubs over it share. `None`: each stub has its own, with nothing set.
    fn upstream(&self) -> Option<&Arc<Upstream>> {
        None
    }
}

/// A call that did not get across.
#[derive(Debug)]
pub struct TransportError {
    code: Code,
    message: &'static str,
    progress: Progress,
    event: Option<u64>,
    source: Option<BoxError>,
}

const GOODBYE: &str = "the server is closing the connection";

/// How far a call got that did not get across, as far as is known for certain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Progress {
    /// There was no connection to send it on.
    Unsent,
    /// There was one, and nobody at its other end was given the call: `REFUSED_STREAM`, a GOAWAY that
    /// says so, or a connection that closed before the call was sent.
    Refused,
    /// The server may have acted on it.
    Unknown,
}

impl<T, B> Transport for T
where
    T: tower_service::Service<
            http::Request<tonic::body::Body>,
            Response = http::Response<B>,
            Error: Into<BoxError>,
            Future: Send,
        > + Clone
        + Send
        + Sync
        + 'static,
    B: Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
{
    // One box a call: a foreign body may not be movable.
    type Body = Pin<Box<B>>;

    async fn send(
        &self,
        request: http::Request<RequestStream>,
        attempt: &mut Attempt,
    ) -> Result<http::Response<Self::Body>, TransportError> {
        let mut service = self.clone();
        std::future::poll_fn(|cx| service.poll_ready(cx))
            .await
            .map_err(|error| TransportError::unavailable("the transport is not ready", error))?;
        attempt.set_reached(Reached::Sent);
        let response = service
            .call(request.map(tonic::body::Body::new))
            .await
            .map_err(TransportError::broken)?;
        attempt.set_reached(Reached::Answered);
        Ok(response.map(Box::pin))
    }
}

impl TransportError {
    /// No connection, so nothing was sent.
    pub(crate) fn unavailable(message: &'static str, source: impl Into<BoxError>) -> Self {
        Self {
            code: Code::Unavailable,
            message,
            progress: Progress::Unsent,
            event: None,
            source: Some(source.into()),
        }
    }

    /// Too much waits to be sent already, so this was not.
    #[cfg(feature = "client")]
    pub(super) fn overloaded(message: &'static str, source: impl Into<BoxError>) -> Self {
        Self {
            code: Code::ResourceExhausted,
            ..Self::unavailable(message, source)
        }
    }

    /// There is no tokio runtime to connect on.
    #[cfg(feature = "client")]
    pub(super) fn outside(_: Missing) -> Self {
        Self {
            code: Code::Internal,
            message: Missing::WORDS,
            progress: Progress::Unsent,
            event: None,
            source: None,
        }
    }

    /// The call was sent, or was about to be, and the stream or its connection broke.
    pub(crate) fn broken(source: impl Into<BoxError>) -> Self {
        let source = match source.into().downcast() {
            // Our own channel has said what it is.
            Ok(known) => return *known,
            Err(source) => source,
        };
        // tonic's channel reads `grpc-timeout` too, and may be the first to see that it has passed.
        let late = find::<tonic::TimeoutExpired>(&*source).is_some();
        let h2 = find::<h2::Error>(&*source);
        // A GOAWAY that reaches a call says that its stream is above the last that was processed.
        let goodbye = h2.is_some_and(|error| error.is_go_away() && error.is_remote());
        let reset = h2.is_some_and(h2::Error::is_reset);
        // Where our own HTTP/2 gives up, its reason is what it tells the server, not what that says.
        let reason = h2
            .filter(|error| error.is_remote() || !(error.is_go_away() || error.is_reset()))
            .and_then(h2::Error::reason);
        let (code, message) = match reason {
            _ if late => (Code::DeadlineExceeded, "the deadline has passed"),
            _ if goodbye => (Code::Unavailable, GOODBYE),
            Some(reason) => from_reset(reason),
            None if reset => (Code::Unavailable, "the stream broke"),
            None => (Code::Unavailable, "the connection broke"),
        };
        let refused = goodbye || reason == Some(h2::Reason::REFUSED_STREAM);
        Self {
            code,
            message,
            progress: match refused {
                true => Progress::Refused,
                false => Progress::Unknown,
            },
            event: None,
            source: Some(source),
        }
    }

    /// A GOAWAY said that the server did not process it.
    ///
    /// That of a server is read by [`broken`](Self::broken); nobody but h2 can make such an error.
    #[cfg(feature = "testing")]
    pub(crate) fn goodbye() -> Self {
        Self {
            code: Code::Unavailable,
            message: GOODBYE,
            progress: Progress::Refused,
            event: None,
            source: None,
        }
    }

    /// What befell this one may befall many calls at once: a connection that broke, or one that could
    /// not be made. Those of the same `event` are one failure to a circuit breaker.
    #[cfg(any(feature = "client", feature = "testing"))]
    pub(crate) fn of_event(mut self, event: u64) -> Self {
        self.event = Some(event);
        self
    }

    /// It had a connection, which went away before it was sent. No server saw it, as if one had refused
    /// it.
    #[cfg(feature = "client")]
    pub(super) fn unseen(mut self) -> Self {
        self.progress = Progress::Refused;
        self
    }

    /// The answer had begun, so the server has acted on the call, whatever it says.
    pub(super) fn after_head(mut self) -> Self {
        self.progress = Progress::Unknown;
        self
    }

    /// How far the call got.
    pub(super) fn progress(&self) -> Progress {
        self.progress
    }

    /// What befell other calls too: [`of_event`](Self::of_event).
    pub(super) fn event(&self) -> Option<u64> {
        self.event
    }

    /// The status code that it amounts to.
    #[must_use]
    pub fn code(&self) -> Code {
        self.code
    }
}

impl fmt::Display for TransportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.message)?;
        // The innermost error has the fact: "connection refused".
        let mut innermost = self.source();
        while let Some(error) = innermost.and_then(Error::source) {
            innermost = Some(error);
        }
        match innermost {
            Some(error) => write!(f, ": {error}"),
            None => Ok(()),
        }
    }
}

impl Error for TransportError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|error| error as _)
    }
}

/// The number of the next [event](TransportError::of_event): a connection that is lost, or one that can't
/// be made.
#[cfg(any(feature = "client", feature = "testing"))]
pub(crate) fn next_event() -> u64 {
    static EVENTS: AtomicU64 = AtomicU64::new(0);
    EVENTS.fetch_add(1, Ordering::Relaxed)
}

/// The first error of type `T` among `error` and what it came from.
fn find<'a, T: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a T> {
    let mut at = Some(error);
    while let Some(error) = at {
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        at = error.source();
    }
    None
}

/// What a reset stands for (PROTOCOL-HTTP2.md, "HTTP2 Transport Mapping", "Errors").
fn from_reset(reason: h2::Reason) -> (Code, &'static str) {
    match reason {
        h2::Reason::NO_ERROR | h2::Reason::PROTOCOL_ERROR | h2::Reason::INTERNAL_ERROR => {
            (Code::Internal, "the server reset the stream")
        }
        h2::Reason::REFUSED_STREAM => (Code::Unavailable, "the server refused the stream"),
        h2::Reason::CANCEL => (Code::Cancelled, "the server cancelled the stream"),
        h2::Reason::ENHANCE_YOUR_CALM => (
            Code::ResourceExhausted,
            "the server says that this is too much",
        ),
        h2::Reason::INADEQUATE_SECURITY => (
            Code::PermissionDenied,
            "the connection is not secure enough for the server",
        ),
        _ => (Code::Internal, "the stream was reset"),
    }
}
