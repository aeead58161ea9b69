//! [`Taker`]: takes a request that no server gets.

use std::future::{pending, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http::Request;
use http_body::Body;

use crate::client::{Attempt, Reached, RequestStream};

/// A window of HTTP/2, in bytes: what a connection takes of a request that nobody reads.
const WINDOW: usize = 65_535;

/// Takes the body of a request as a connection would.
pub(super) struct Taker {
    body: RequestStream,
    taken: usize,
}

impl Taker {
    pub(super) fn new(request: Request<RequestStream>, attempt: &mut Attempt) -> Self {
        attempt.set_reached(Reached::Sent);
        Self {
            body: request.into_body(),
            taken: 0,
        }
    }

    /// Takes what is there.
    pub(super) async fn take_now(mut self) {
        poll_fn(|cx| {
            let _ = self.poll_take(cx);
            Poll::Ready(())
        })
        .await;
    }

    /// Takes what there will be.
    pub(super) async fn take_for_ever<R>(mut self) -> R {
        poll_fn(|cx| self.poll_take(cx)).await;
        // The rest is held.
        pending().await
    }

    /// Ready when nothing more is taken.
    fn poll_take(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        while self.taken < WINDOW {
            match ready!(Pin::new(&mut self.body).poll_frame(cx)) {
                Some(Ok(frame)) => self.taken += frame.data_ref().map_or(0, bytes::Bytes::len),
                Some(Err(_)) | None => break,
            }
        }
        Poll::Ready(())
    }
}
