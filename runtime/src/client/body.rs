//! [`RequestStream`]: the body of a request on its way out.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body, Frame};

use super::replay::ReplayBody;
use crate::Status;

/// The body of a request: one message, or a stream of them.
pub struct RequestStream(Content);

enum Content {
    Empty,
    Message(Bytes),
    Stream(ReplayBody),
}

impl RequestStream {
    pub(super) fn message(frame: Bytes) -> Self {
        Self(Content::Message(frame))
    }

    pub(super) fn replay(body: ReplayBody) -> Self {
        Self(Content::Stream(body))
    }

    /// The one message that it is, whole and not yet read: what can be sent without being waited for.
    #[cfg(feature = "client")]
    pub(super) fn take_message(&mut self) -> Option<Bytes> {
        match std::mem::replace(&mut self.0, Content::Empty) {
            Content::Message(frame) => Some(frame),
            other => {
                self.0 = other;
                None
            }
        }
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
        if let Content::Stream(body) = &mut this.0 {
            let next = ready!(body.poll_next(cx));
            if body.is_ended() {
                this.0 = Content::Empty;
            }
            return Poll::Ready(next.map(|frame| frame.map(Frame::data)));
        }
        Poll::Ready(match std::mem::replace(&mut this.0, Content::Empty) {
            Content::Message(frame) => Some(Ok(Frame::data(frame))),
            Content::Empty | Content::Stream(_) => None,
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
