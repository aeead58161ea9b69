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
use crate::{BoxError, Code, Status};

/// The requests of a streaming RPC, in the order in which they were sent.
///
/// It ends only when the caller has said that all is sent. When the caller cancels or its
/// connection breaks, the servicer is dropped at the point where it waits; who reads elsewhere, in
/// a spawned task for example, gets an error. So what was read up to a clean end is all there was.
///
/// A request that doesn't decode is one item's error, and the stream goes on. Any other error is
/// the last item: the `None` after it is no clean end.
pub struct Inbound<T> {
    frames: Frames<RequestBody>,
    /// What is told to a reader who was not dropped with the call.
    cut: Option<Cut>,
    message: PhantomData<fn() -> T>,
}

/// How a stream stopped.
enum Cut {
    /// It was cut off.
    Off(InboundError),
    /// Its body doesn't say whether it was cut off. Where it was, the call is dropped by now.
    Unsaid,
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
            cut: None,
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
        match self.cut.take() {
            Some(Cut::Off(error)) => return Poll::Ready(Some(Err(error))),
            Some(Cut::Unsaid) => return Poll::Ready(None),
            None => {}
        }
        let cut = match ready!(self.frames.poll_next(cx)) {
            None => return Poll::Ready(None),
            Some(Ok(bytes)) => {
                return Poll::Ready(Some(T::decode(bytes).map_err(InboundError::decode)));
            }
            Some(Err(FrameError::Invalid(status))) => {
                return Poll::Ready(Some(Err(InboundError::new(status))));
            }
            Some(Err(FrameError::Cut(error))) => Cut::Off(InboundError::cancelled(Some(error))),
            Some(Err(FrameError::Open)) if self.frames.body().tells_its_end() => {
                Cut::Off(InboundError::cancelled(None))
            }
            Some(Err(FrameError::Open)) => Cut::Unsaid,
        };
        // hyper looks for a reset when a call is pending, and then drops it: so this gives way once,
        // and nothing of the servicer runs on. Only who reads elsewhere comes back.
        self.cut = Some(cut);
        cx.waker().wake_by_ref();
        Poll::Pending
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

    fn cancelled(source: Option<BoxError>) -> Self {
        let message = "the caller cancelled before its stream ended";
        let mut status = Status::new(Code::Cancelled, message);
        if let Some(source) = source {
            status.set_source(source.into());
        }
        Self::new(status)
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
