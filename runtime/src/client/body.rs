//! [`RequestStream`]: the body of a request on its way out.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use futures_core::Stream;
use http_body::{Body, Frame};
use prost::Message;

use crate::Status;
use crate::wire::encode::{Encode, Fill, Source};

/// The body of a request: one message, or a stream of them.
pub struct RequestStream(Content);

enum Content {
    Empty,
    Message(Bytes),
    Stream {
        source: Box<dyn Source>,
        buffer: BytesMut,
    },
}

impl RequestStream {
    pub(super) fn message(frame: Bytes) -> Self {
        Self(Content::Message(frame))
    }

    pub(super) fn stream<M: Message + 'static>(
        messages: impl Stream<Item = M> + Send + 'static,
    ) -> Self {
        Self(Content::Stream {
            source: Box::new(Encode::new(Infallibly { messages })),
            buffer: BytesMut::new(),
        })
    }
}

impl Body for RequestStream {
    type Data = Bytes;
    /// A message that is too large for a frame: the call is reset.
    type Error = Status;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let this = self.get_mut();
        if let Content::Stream { source, buffer } = &mut this.0 {
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
