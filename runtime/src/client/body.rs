//! [`RequestStream`]: the body of a request on its way out.

use std::convert::Infallible;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use futures_core::Stream;
use http_body::{Body, Frame};
use prost::Message;
use tokio::sync::oneshot;

use crate::wire::encode::{Encode, Fill, Source};
use crate::{Code, Status};

/// The body of a request: one message, or a stream of them.
pub struct RequestStream(Content);

enum Content {
    Empty,
    Message(Bytes),
    Stream {
        source: Box<dyn Source>,
        buffer: BytesMut,
        /// Closed when the call is over.
        call: oneshot::Receiver<Infallible>,
    },
}

/// Held by the call that a stream of requests belongs to. When it is dropped, what is left of the
/// stream is reset: the answer alone, once its head is there, doesn't hold a transport to that.
#[derive(Debug)]
pub(super) struct HoldsRequests {
    _call: oneshot::Sender<Infallible>,
}

impl RequestStream {
    pub(super) fn message(frame: Bytes) -> Self {
        Self(Content::Message(frame))
    }

    pub(super) fn stream<M: Message + 'static>(
        messages: impl Stream<Item = M> + Send + 'static,
    ) -> (Self, HoldsRequests) {
        let (held, call) = oneshot::channel();
        let content = Content::Stream {
            source: Box::new(Encode::new(Infallibly { messages })),
            buffer: BytesMut::new(),
            call,
        };
        (Self(content), HoldsRequests { _call: held })
    }
}

impl Body for RequestStream {
    type Data = Bytes;
    /// A message that is too large for a frame, or a call that is over: the stream is reset.
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
            if Pin::new(call).poll(cx).is_ready() {
                this.0 = Content::Empty;
                return Poll::Ready(Some(Err(over())));
            }
            let fill = ready!(source.poll_fill(cx, buffer));
            let ready = buffer.split().freeze();
            if let Fill::End(end) = fill {
                this.0 = Content::Empty;
                end?;
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
fn over() -> Status {
    let mut status = Status::new(Code::Cancelled, "the call is over");
    status.set_source(Arc::new(h2::Error::from(h2::Reason::CANCEL)));
    status
}

pin_project_lite::pin_project! {
    /// A caller's messages; a caller has no error to send, it drops the call instead.
    struct Infallibly<S> {
        #[pin]
        messages: S,
    }
}

impl<S: Stream> Stream for Infallibly<S> {
    type Item = Result<S::Item, Status>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.project()
            .messages
            .poll_next(cx)
            .map(|item| item.map(Ok))
    }
}
