//! [`RequestStream`]: the body of a request on its way out.

use std::fmt;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use futures_core::Stream;
use http_body::{Body, Frame};
use prost::Message;
use tokio::sync::oneshot::{self, error::TryRecvError};

use super::error::CallError;
use super::failure::Failure;
use crate::wire::encode::{Encode, Fill, Source, Unencodable};
use crate::{Code, ProtobufMapper, Status};

/// The body of a request: one message, or a stream of them.
pub struct RequestStream(Content);

enum Content {
    Empty,
    Message(Bytes),
    Stream {
        source: Box<dyn Source>,
        buffer: BytesMut,
        /// Closed when the call is over; hears what ends it early.
        call: oneshot::Sender<Box<Failure>>,
    },
}

/// Held by the call that a stream of requests belongs to. When it is dropped, what is left of the
/// stream is reset: the answer alone, once its head is there, doesn't hold a transport to that.
#[derive(Debug)]
pub(super) struct HoldsRequests {
    /// None once the last request is on its way.
    failed: Option<oneshot::Receiver<Box<Failure>>>,
}

impl RequestStream {
    pub(super) fn message(frame: Bytes) -> Self {
        Self(Content::Message(frame))
    }

    /// The messages that `M` maps `entities` to.
    pub(super) fn stream<M>(
        entities: impl Stream<Item = M::Entity> + Send + 'static,
    ) -> (Self, HoldsRequests)
    where
        M: ProtobufMapper<Proto: Message> + 'static,
    {
        let (call, failed) = oneshot::channel();
        let entities = Infallibly { entities };
        let content = Content::Stream {
            source: Box::new(Encode::<M, _, _, _>::new(entities, || None, unencodable)),
            buffer: BytesMut::new(),
            call,
        };
        let held = HoldsRequests {
            failed: Some(failed),
        };
        (Self(content), held)
    }

    /// The stream has ended: all is sent, or something has no message.
    fn end(&mut self, end: Result<(), Status>) -> Result<(), Status> {
        let content = std::mem::replace(&mut self.0, Content::Empty);
        let (Err(status), Content::Stream { call, .. }) = (end, content) else {
            return Ok(());
        };
        // The call hears it before the transport does, whose own error comes second then. When the
        // call is over, nobody needs it.
        let _ = call.send(Box::new(Failure::encode_in_stream(status)));
        Err(cancelled())
    }
}

impl HoldsRequests {
    /// Ready when a request can't be encoded; that ends the call, whatever came back until then.
    pub(super) fn poll_failed(&mut self, cx: &mut Context<'_>) -> Poll<Box<Failure>> {
        let Some(failed) = &mut self.failed else {
            return Poll::Pending;
        };
        // What is there is seen, whatever tokio has left of the task's budget.
        let failure = match failed.try_recv() {
            Err(TryRecvError::Empty) => ready!(Pin::new(failed).poll(cx)).ok(),
            known => known.ok(),
        };
        self.failed = None;
        failure.map_or(Poll::Pending, Poll::Ready)
    }
}

/// Runs `exchange`, and no longer than until one of the `requests` can't be encoded.
pub(super) async fn unless_failed<R, E>(
    mut requests: Option<&mut HoldsRequests>,
    exchange: impl Future<Output = Result<R, CallError<E>>>,
) -> Result<R, CallError<E>> {
    let mut exchange = pin!(exchange);
    poll_fn(|cx| {
        // The exchange is asked first: a transport may read the requests when it is.
        let result = exchange.as_mut().poll(cx);
        match &mut requests {
            Some(requests) => match requests.poll_failed(cx) {
                Poll::Ready(failure) => Poll::Ready(Err(CallError::Failed(failure))),
                Poll::Pending => result,
            },
            None => result,
        }
    })
    .await
}

/// What a request that can't be encoded is.
#[cold]
pub(super) fn unencodable(why: Unencodable) -> Status {
    match why {
        Unencodable::Entity(error) => {
            let message = format!("a request can't be encoded: {error}");
            let mut status = Status::new(Code::Internal, message);
            status.set_source(Arc::new(error));
            status
        }
        Unencodable::TooLong(status) => status,
    }
}

impl Body for RequestStream {
    type Data = Bytes;
    /// A request that can't be encoded, or a call that is over: the stream is reset.
    type Error = Status;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let this = self.get_mut();
        if let Content::Stream {
            source,
            buffer,
            call,
        } = &mut this.0
        {
            if call.poll_closed(cx).is_ready() {
                this.0 = Content::Empty;
                return Poll::Ready(Some(Err(cancelled())));
            }
            let fill = ready!(source.poll_fill(cx, buffer));
            let ready = buffer.split().freeze();
            if let Fill::End(end) = fill {
                this.end(end)?;
            }
            return Poll::Ready((!ready.is_empty()).then(|| Ok(Frame::data(ready))));
        }
        Poll::Ready(match std::mem::replace(&mut this.0, Content::Empty) {
            Content::Message(frame) => Some(Ok(Frame::data(frame))),
            Content::Empty | Content::Stream { .. } => None,
        })
    }

    fn is_end_stream(&self) -> bool {
        matches!(self.0, Content::Empty)
    }
}

impl fmt::Debug for RequestStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestStream").finish_non_exhaustive()
    }
}

/// The call is over, so its stream is reset, as a call that is dropped before its answer is.
fn cancelled() -> Status {
    let mut status = Status::new(Code::Cancelled, "the call is over");
    status.set_source(Arc::new(h2::Error::from(h2::Reason::CANCEL)));
    status
}

pin_project_lite::pin_project! {
    /// A caller's requests; a caller has no error to send, it drops the call instead.
    struct Infallibly<S> {
        #[pin]
        entities: S,
    }
}

impl<S: Stream> Stream for Infallibly<S> {
    type Item = Result<S::Item, Status>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.project()
            .entities
            .poll_next(cx)
            .map(|item| item.map(Ok))
    }
}
