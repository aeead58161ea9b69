//! [`Answer`]: the body of an answer, as it is read.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use h2::RecvStream;
use http::HeaderMap;
use http::response::Parts;
use http_body::{Body, Frame};

use super::connection::Place;
use super::pump::Pump;
use crate::Code;
use crate::client::TransportError;
use crate::client::incoming::Incoming;
use crate::wire::status;

/// The body of an answer. Dropping it before its end resets the stream, so that the server stops.
pub struct Answer {
    incoming: Incoming,
    at: At,
    // Dropped with the stream's end, so that another call has the place and the requests stop.
    held: Option<(Place, Option<Pump>)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    Body,
    /// It ended as it should.
    End,
    /// It broke.
    Cut,
}

impl Answer {
    pub(super) fn new(
        head: &Parts,
        stream: RecvStream,
        mut place: Place,
        pump: Option<Pump>,
    ) -> Self {
        if let Some(code) = status::code_of(head) {
            place.ended(code);
        }
        Self {
            incoming: Incoming::new(stream),
            at: At::Body,
            held: Some((place, pump)),
        }
    }

    fn end(&mut self, trailers: Option<&HeaderMap>) {
        self.at = At::End;
        let Some((mut place, _)) = self.held.take() else {
            return;
        };
        match trailers.and_then(status::code_in) {
            Some(code) => place.ended(code),
            // As the caller is told, where nothing has said it either.
            None if !place.has_ended() => place.ended(Code::Unknown),
            None => {}
        }
    }

    /// The stream broke. One that is reset without an error broke too: the trailers have the call's
    /// status, and they never came (PROTOCOL-HTTP2.md, "Errors").
    fn cut(&mut self, error: h2::Error) -> Option<TransportError> {
        self.at = At::Cut;
        let (mut place, _pump) = self.held.take()?;
        let failure = place.connection.failure(error);
        place.broke(&failure);
        Some(failure)
    }
}

impl Body for Answer {
    type Data = Bytes;
    type Error = TransportError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, TransportError>>> {
        let this = self.get_mut();
        if this.at != At::Body {
            return Poll::Ready(None);
        }
        Poll::Ready(match ready!(Pin::new(&mut this.incoming).poll_frame(cx)) {
            Some(Ok(frame)) => {
                if let Some(trailers) = frame.trailers_ref() {
                    this.end(Some(trailers));
                }
                Some(Ok(frame))
            }
            Some(Err(error)) => this.cut(error).map(Err),
            None => {
                this.end(None);
                None
            }
        })
    }

    fn is_end_stream(&self) -> bool {
        self.at == At::End || (self.at == At::Body && self.incoming.is_end_stream())
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer")
            .field("at", &self.at)
            .finish_non_exhaustive()
    }
}
