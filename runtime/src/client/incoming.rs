//! [`Incoming`]: what comes on a stream of HTTP/2, as a body.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use h2::RecvStream;
use http_body::{Body, Frame};

/// What comes on a stream. Dropping it resets the stream.
pub(super) struct Incoming {
    stream: RecvStream,
    has_data: bool,
}

impl Incoming {
    pub(super) fn new(stream: RecvStream) -> Self {
        Self {
            stream,
            has_data: true,
        }
    }
}

impl Body for Incoming {
    type Data = Bytes;
    type Error = h2::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, h2::Error>>> {
        if self.has_data {
            if let Some(data) = ready!(self.stream.poll_data(cx)) {
                if let Ok(data) = &data {
                    // Fails only for more than was received.
                    let _ = self.stream.flow_control().release_capacity(data.len());
                }
                return Poll::Ready(Some(data.map(Frame::data)));
            }
            self.has_data = false;
        }
        let trailers = ready!(self.stream.poll_trailers(cx));
        Poll::Ready(trailers.transpose().map(|one| one.map(Frame::trailers)))
    }

    fn is_end_stream(&self) -> bool {
        self.has_data && self.stream.is_end_stream()
    }
}
