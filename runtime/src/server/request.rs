//! [`RequestBody`]: the body of a request, whichever server it came through.

use std::error::Error;
use std::fmt;
use std::pin::Pin;
#[cfg(feature = "server")]
use std::task::ready;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame};
use tokio::time::{Instant, sleep_until};

use crate::BoxError;
use crate::context::Context as CallContext;
use crate::wire::boxed::{AnyBody, BoxedError};

/// The body of a request: h2's own on our server, any other where a service is mounted.
pub(crate) enum RequestBody {
    #[cfg(feature = "server")]
    Own(IncomingBody),
    // One box a call: every server that we are mounted in has its own type.
    Foreign(AnyBody),
    /// That of a detached call, whose servicer may outlive it.
    UntilOver(Box<UntilOver>),
}

/// The body of a request that has come to a [`Server`](crate::Server), as a
/// [layer](crate::Server::layer) gets it.
#[cfg(feature = "server")]
#[derive(Debug)]
pub struct IncomingBody {
    received: h2::RecvStream,
    next: Next,
}

/// What comes next of a body. To ask h2 takes a lock, also where nothing can come.
#[cfg(feature = "server")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    First,
    /// The end, if there was only one chunk, as most requests have it.
    Second,
    More,
    Trailers,
    Nothing,
}

#[cfg(feature = "server")]
impl IncomingBody {
    pub(super) fn new(received: h2::RecvStream) -> Self {
        Self {
            received,
            next: Next::First,
        }
    }
}

#[cfg(feature = "server")]
impl Body for IncomingBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = self.get_mut();
        if this.next == Next::Second {
            this.next = match this.received.is_end_stream() {
                true => Next::Nothing,
                false => Next::More,
            };
        }
        if let Next::First | Next::More = this.next {
            match ready!(this.received.poll_data(cx)) {
                Some(Ok(data)) => {
                    if this.next == Next::First {
                        this.next = Next::Second;
                    }
                    // What was taken makes room for more. It fails for a stream that is over, which needs none.
                    let _ = this.received.flow_control().release_capacity(data.len());
                    return Poll::Ready(Some(Ok(Frame::data(data))));
                }
                Some(Err(error)) => return Poll::Ready(unless_enough(error)),
                None => this.next = Next::Trailers,
            }
        }
        if this.next == Next::Nothing {
            return Poll::Ready(None);
        }
        Poll::Ready(match ready!(this.received.poll_trailers(cx)) {
            Ok(trailers) => trailers.map(|trailers| Ok(Frame::trailers(trailers))),
            Err(error) => unless_enough(error),
        })
    }

    fn is_end_stream(&self) -> bool {
        self.next == Next::Nothing || self.received.is_end_stream()
    }
}

/// A reset with `NO_ERROR` says that the rest isn't wanted, and fails nothing (RFC 9113, section 8.1).
#[cfg(feature = "server")]
fn unless_enough<T>(error: h2::Error) -> Option<Result<T, BoxError>> {
    (error.reason() != Some(h2::Reason::NO_ERROR)).then(|| Err(error.into()))
}

/// A body that fails when its call is over: what is read later is no clean end, whatever the caller
/// still sends.
pub(crate) struct UntilOver {
    body: RequestBody,
    /// None once it was.
    over: Option<Pin<Box<dyn Future<Output = Over> + Send>>>,
}

/// The call of a body is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Over {
    Cancelled,
    DeadlinePassed,
}

impl RequestBody {
    pub(crate) fn foreign<B>(body: B) -> Self
    where
        B: Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
    {
        Self::Foreign(BoxedError::any(body))
    }

    /// The same body, until the call is over: cancelled, past its deadline, or answered.
    pub(crate) fn until_over(self, call: &CallContext) -> Self {
        Self::UntilOver(Box::new(UntilOver {
            body: self,
            over: Some(Box::pin(over(call.clone()))),
        }))
    }

    /// Whether nobody is dropped where its call is cut off.
    pub(crate) fn is_detached(&self) -> bool {
        matches!(self, Self::UntilOver(_))
    }

    /// Whether its `is_end_stream` says when its stream has ended.
    ///
    /// h2's does; a server or client that we are mounted in may have bodies that don't.
    pub(crate) fn tells_its_end(&self) -> bool {
        match self {
            #[cfg(feature = "server")]
            Self::Own(_) => true,
            Self::Foreign(_) => false,
            Self::UntilOver(until) => until.body.tells_its_end(),
        }
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        match self.get_mut() {
            #[cfg(feature = "server")]
            Self::Own(body) => Pin::new(body).poll_frame(cx),
            Self::Foreign(body) => body.as_mut().poll_frame(cx),
            Self::UntilOver(until) => until.poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            #[cfg(feature = "server")]
            Self::Own(body) => body.is_end_stream(),
            Self::Foreign(body) => body.is_end_stream(),
            Self::UntilOver(until) => until.body.is_end_stream(),
        }
    }
}

impl UntilOver {
    fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let Some(over) = &mut self.over else {
            return Poll::Ready(None);
        };
        // First: an end that comes when the call is over comes too late.
        if let Poll::Ready(how) = over.as_mut().poll(cx) {
            self.over = None;
            return Poll::Ready(Some(Err(how.into())));
        }
        Pin::new(&mut self.body).poll_frame(cx)
    }
}

/// Waits until the call is over.
async fn over(call: CallContext) -> Over {
    let Some(deadline) = call.deadline() else {
        call.cancelled().await;
        return Over::Cancelled;
    };
    tokio::select! {
        biased;
        () = sleep_until(deadline) => Over::DeadlinePassed,
        () = call.cancelled() => match deadline > Instant::now() {
            true => Over::Cancelled,
            false => Over::DeadlinePassed,
        },
    }
}

impl fmt::Display for Over {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Cancelled => "the caller cancelled before its stream ended",
            Self::DeadlinePassed => "the deadline passed before the stream ended",
        })
    }
}

impl Error for Over {}
