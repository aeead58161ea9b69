//! [`FaultyBody`]: an answer that goes wrong after its head, or is none of the server's.

use std::collections::VecDeque;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::HeaderMap;
use http_body::{Body, Frame};

use super::fault::AfterHead;
use crate::client::TransportError;
use crate::wire::status;
use crate::{BoxError, Status};

/// A frame of gRPC with three bytes that no message begins with: a field that is cut off.
const NO_MESSAGE: &[u8] = b"\0\0\0\0\x03\x0a\xff\x01";

/// The body of an answer from [`Faults`](super::Faults).
pub struct FaultyBody<B>(Content<B>);

enum Content<B> {
    Real(B),
    /// These, and then the end.
    Frames(VecDeque<Frame<Bytes>>),
    /// This, and then nothing. What the server sends is held and not read.
    Broken(Option<BoxError>, Option<B>),
    /// Nothing, ever.
    Silent(#[allow(dead_code, reason = "the call is held")] B),
}

impl<B> FaultyBody<B> {
    /// The server's own.
    pub(super) fn real(body: B) -> Self {
        Self(Content::Real(body))
    }

    /// That of an answer which is all in its head.
    pub(super) fn empty() -> Self {
        Self(Content::Frames(VecDeque::new()))
    }

    /// The server's own, of which this is made; `lost` is what the loss of its connection is.
    pub(super) fn faulty(
        body: B,
        fault: &AfterHead,
        lost: impl FnOnce() -> TransportError,
    ) -> Self {
        Self(match fault {
            AfterHead::Reset => {
                let reset = h2::Error::from(h2::Reason::INTERNAL_ERROR);
                Content::Broken(Some(reset.into()), Some(body))
            }
            AfterHead::Lost => Content::Broken(Some(lost().into()), Some(body)),
            AfterHead::Silence => Content::Silent(body),
            AfterHead::Status(status) => Content::Frames([trailers(status)].into()),
            AfterHead::Corrupt => {
                let ok = trailers(&Status::ok(""));
                Content::Frames([Frame::data(Bytes::from_static(NO_MESSAGE)), ok].into())
            }
        })
    }
}

fn trailers(status: &Status) -> Frame<Bytes> {
    let mut trailers = HeaderMap::new();
    status::write(status, &mut trailers);
    Frame::trailers(trailers)
}

impl<B> Body for FaultyBody<B>
where
    B: Body<Data = Bytes, Error: Into<BoxError>> + Unpin,
{
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        match &mut self.get_mut().0 {
            Content::Real(body) => Pin::new(body).poll_frame(cx).map_err(Into::into),
            Content::Frames(frames) => Poll::Ready(frames.pop_front().map(Ok)),
            Content::Broken(error, body) => {
                *body = None;
                Poll::Ready(error.take().map(Err))
            }
            Content::Silent(_) => Poll::Pending,
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            Content::Real(body) => body.is_end_stream(),
            Content::Frames(frames) => frames.is_empty(),
            Content::Broken(..) | Content::Silent(_) => false,
        }
    }
}

impl<B> fmt::Debug for FaultyBody<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FaultyBody").finish_non_exhaustive()
    }
}
