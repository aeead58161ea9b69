//! [`Inbound`]: the requests of a streaming RPC.

use std::error::Error;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use futures_core::Stream;
use prost::Message;

use crate::errors;
use crate::interceptors::Tally;
use crate::server::{Over, RequestBody};
use crate::wire::frames::{FrameError, Frames, Piece};
use crate::{BoxError, Code, DomainError, MapError, ProtobufMapper, ServiceError, Status};

/// The requests of a streaming RPC, in the order in which they were sent.
///
/// It ends only when the caller has said that all is sent. When the caller cancels or its
/// connection breaks, the servicer is dropped at the point where it waits; who reads elsewhere, in
/// a spawned task or in a `detached` method, gets an error. So what was read up to a clean end is all
/// there was.
///
/// A request that doesn't decode, or is not what its entity needs, is one item's error, and the
/// stream goes on. Any other error is the last item: the `None` after it is no clean end.
pub struct Inbound<T> {
    frames: Frames<RequestBody>,
    /// What is told to a reader who was not dropped with the call.
    cut: Option<Cut>,
    tally: Tally,
    decode: fn(Piece<'_>) -> Result<T, InboundError>,
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
pub struct InboundError(Box<Cause>);

#[derive(Clone, Debug)]
enum Cause {
    /// What the request says can't be.
    Wrong(DomainError),
    /// What came is no request, or nothing came.
    Broken {
        code: Code,
        message: String,
        source: Option<Arc<dyn Error + Send + Sync>>,
    },
}

impl<T> Inbound<T> {
    /// What `M` maps the messages of `frames` to. `tally` counts them.
    pub(crate) fn new<M>(frames: Frames<RequestBody>, tally: Tally) -> Self
    where
        M: ProtobufMapper<Entity = T, Proto: Message + Default>,
    {
        Self {
            frames,
            cut: None,
            tally,
            decode: decode::<M>,
        }
    }

    /// The next request; `None` once the caller has sent them all.
    ///
    /// # Errors
    ///
    /// When the request doesn't decode, is not what its entity needs or is too large, or the stream
    /// was cut off.
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
        let polled = self.frames.poll_next(cx);
        if polled.is_pending() {
            self.tally.tell();
        }
        let cut = match ready!(polled) {
            None => return Poll::Ready(None),
            Some(Ok(())) => {
                self.tally.count();
                return Poll::Ready(Some(self.frames.read(self.decode)));
            }
            Some(Err(FrameError::Invalid(status))) => {
                return Poll::Ready(Some(Err(InboundError::new(&status))));
            }
            Some(Err(FrameError::Cut(error))) => Cut::Off(InboundError::cut(error)),
            // Nobody drops a servicer that is detached, so it takes no end that may be none.
            Some(Err(FrameError::Open))
                if self.frames.body().tells_its_end() || self.frames.body().is_detached() =>
            {
                Cut::Off(InboundError::cancelled(None))
            }
            Some(Err(FrameError::Open)) => Cut::Unsaid,
        };
        // A server looks for a reset when a call is pending, and then drops it: so this gives way once,
        // and nothing of the servicer runs on. Only who reads elsewhere comes back.
        self.cut = Some(cut);
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

impl<T> Stream for Inbound<T> {
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

/// Decodes a request, and maps it.
pub(crate) fn decode<M>(request: Piece<'_>) -> Result<M::Entity, InboundError>
where
    M: ProtobufMapper<Proto: Message + Default>,
{
    let message = M::Proto::decode(request).map_err(InboundError::undecodable)?;
    Ok(M::from_proto(message)?)
}

impl InboundError {
    fn broken(code: Code, message: String, source: Option<BoxError>) -> Self {
        Self(Box::new(Cause::Broken {
            code,
            message,
            source: source.map(Arc::from),
        }))
    }

    /// What isn't a frame, as the reader of frames says it.
    pub(crate) fn new(status: &Status) -> Self {
        Self::broken(status.code(), status.message().to_owned(), None)
    }

    fn cut(error: BoxError) -> Self {
        match error.downcast_ref() {
            Some(over @ Over::DeadlinePassed) => {
                Self::broken(Code::DeadlineExceeded, over.to_string(), Some(error))
            }
            _ => Self::cancelled(Some(error)),
        }
    }

    fn cancelled(source: Option<BoxError>) -> Self {
        Self::broken(Code::Cancelled, Over::Cancelled.to_string(), source)
    }

    fn undecodable(error: prost::DecodeError) -> Self {
        let message = format!("a request does not decode: {error}");
        Self::broken(Code::Internal, message, Some(error.into()))
    }

    /// What is wrong with the fields of a request that isn't what its entity needs: the stream goes
    /// on after it.
    #[must_use]
    pub fn map_error(&self) -> Option<&MapError> {
        self.source()?.downcast_ref()
    }

    /// The code that the call is answered with if it ends with this error.
    #[must_use]
    pub fn code(&self) -> Code {
        match &*self.0 {
            Cause::Wrong(error) => error.code(),
            Cause::Broken { code, .. } => *code,
        }
    }

    /// The status that the call is answered with if it ends with this error.
    #[must_use]
    pub fn into_status(self) -> Status {
        self.into_domain().into_status()
    }

    /// The same, as the error of a service.
    pub(crate) fn into_domain(self) -> DomainError {
        match *self.0 {
            Cause::Wrong(error) => error,
            // The caller's doing, so the caller may know.
            Cause::Broken {
                code,
                message,
                source,
            } => DomainError::from(errors::own_words(code, &message, source)),
        }
    }
}

impl From<MapError> for InboundError {
    /// A request that is wrong: [`DomainError::Validation`].
    fn from(error: MapError) -> Self {
        Self(Box::new(Cause::Wrong(error.into())))
    }
}

impl fmt::Display for InboundError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.0 {
            Cause::Wrong(error) => f.write_str(error.message()),
            Cause::Broken { message, .. } => f.write_str(message),
        }
    }
}

impl Error for InboundError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &*self.0 {
            Cause::Wrong(error) => error.source(),
            Cause::Broken { source, .. } => Some(&**source.as_ref()?),
        }
    }
}
