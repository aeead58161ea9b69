//! [`Inbound`]: the requests of a streaming RPC.

use std::error::Error;
use std::fmt;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_core::Stream;
use prost::Message;

use crate::server::RequestBody;
use crate::wire::frames::{FrameError, Frames};
use crate::{Code, Status};

/// The requests of a streaming RPC, in the order in which they were sent.
///
/// It ends only when the caller has said that all is sent. When the caller cancels or its
/// connection breaks, the servicer is dropped at the point where it waits; mounted in another
/// server, which may not do that, the stream yields an error. So what was read up to a clean end is
/// all there was.
///
/// A request that doesn't decode is one item's error, and the stream goes on.
pub struct Inbound<T> {
    frames: Frames<RequestBody>,
    message: PhantomData<fn() -> T>,
}

/// Why an inbound stream didn't yield a request.
///
/// Every error of a service is `From<InboundError>`, so `?` answers with its status.
#[derive(Clone, Debug)]
pub struct InboundError {
    status: Box<Status>,
}

impl<T: Message + Default> Inbound<T> {
    pub(crate) fn new(frames: Frames<RequestBody>) -> Self {
        Self {
            frames,
            message: PhantomData,
        }
    }

    /// The next request; `None` once the caller has sent them all.
    ///
    /// # Errors
    ///
    /// When the request doesn't decode or is too large, or the stream was cut off.
    pub async fn message(&mut self) -> Result<Option<T>, InboundError> {
        std::future::poll_fn(|cx| self.poll_message(cx))
            .await
            .transpose()
    }

    fn poll_message(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<T, InboundError>>> {
        Poll::Ready(match ready!(self.frames.poll_next(cx)) {
            None => None,
            Some(Ok(bytes)) => Some(T::decode(bytes).map_err(InboundError::decode)),
            Some(Err(FrameError::Invalid(status))) => Some(Err(InboundError::new(status))),
            // Our own server drops the call at once, so nothing of the servicer may run on.
            Some(Err(FrameError::Cut(_))) if self.frames.body().is_dropped_when_cut() => {
                return Poll::Pending;
            }
            Some(Err(FrameError::Cut(error))) => {
                let mut status = Status::new(
                    Code::Cancelled,
                    "the caller cancelled before its stream ended",
                );
                status.set_source(error.into());
                Some(Err(InboundError::new(status)))
            }
        })
    }
}

impl<T: Message + Default> Stream for Inbound<T> {
    type Item = Result<T, InboundError>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.get_mut().poll_message(cx)
    }
}

impl<T> fmt::Debug for Inbound<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inbound").finish_non_exhaustive()
    }
}

impl InboundError {
    pub(crate) fn new(status: Status) -> Self {
        Self {
            status: Box::new(status),
        }
    }

    pub(crate) fn decode(error: prost::DecodeError) -> Self {
        let mut status = Status::new(
            Code::Internal,
            format!("a request does not decode: {error}"),
        );
        status.set_source(std::sync::Arc::new(error));
        Self::new(status)
    }

    /// The code that the call is answered with if it ends with this error.
    #[must_use]
    pub fn code(&self) -> Code {
        self.status.code()
    }

    /// The status that the call is answered with if it ends with this error.
    #[must_use]
    pub fn into_status(self) -> Status {
        *self.status
    }
}

impl fmt::Display for InboundError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.status.message())
    }
}

impl Error for InboundError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.status.source()
    }
}
