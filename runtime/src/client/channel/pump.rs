//! [`Pump`]: a stream of requests on its way out.

use std::error::Error as _;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use h2::{Reason, SendStream};
use http_body::Body;
use tokio::task::AbortHandle;

use crate::Status;
use crate::client::RequestStream;

/// The task that sends a stream of requests. Dropping this ends it, which resets what isn't sent.
#[derive(Debug)]
pub(super) struct Pump(AbortHandle);

impl Pump {
    pub(super) fn start(body: RequestStream, stream: SendStream<Bytes>) -> Self {
        Self(tokio::spawn(pump(body, stream)).abort_handle())
    }
}

impl Drop for Pump {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Where the requests go. A panic in making one, which is the caller's own code, resets it: the answer has
/// the stream too, and the server would wait for the next request for ever.
struct Outlet(SendStream<Bytes>);

impl Drop for Outlet {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.send_reset(Reason::CANCEL);
        }
    }
}

async fn pump(mut body: RequestStream, stream: SendStream<Bytes>) {
    let mut outlet = Outlet(stream);
    let stream = &mut outlet.0;
    loop {
        match next(&mut body, stream).await {
            Next::Data(data) => {
                let is_all = body.is_end_stream();
                if stream.send_data(data, is_all).is_err() || is_all {
                    return;
                }
            }
            Next::End => {
                // The server may have reset it; then there is nothing to end.
                let _ = stream.send_data(Bytes::new(), true);
                return;
            }
            Next::Failed(reason) => return stream.send_reset(reason),
            Next::Over => return,
        }
    }
}

enum Next {
    Data(Bytes),
    End,
    Failed(Reason),
    /// The server wants no more of it.
    Over,
}

/// The next requests, once there is room for some: what waits for the server's window is bounded by
/// what the stream has ready at once.
async fn next(body: &mut RequestStream, stream: &mut SendStream<Bytes>) -> Next {
    stream.reserve_capacity(1);
    poll_fn(|cx| {
        if stream.poll_reset(cx).is_ready() {
            return Poll::Ready(Next::Over);
        }
        if !ready!(poll_room(stream, cx)) {
            return Poll::Ready(Next::Over);
        }
        Pin::new(&mut *body)
            .poll_frame(cx)
            .map(|frame| match frame {
                Some(Ok(frame)) => frame.into_data().map_or(Next::End, Next::Data),
                Some(Err(error)) => Next::Failed(reason(&error)),
                None => Next::End,
            })
    })
    .await
}

/// Waits for some of the room that was reserved; whether the stream still takes anything.
pub(super) fn poll_room(stream: &mut SendStream<Bytes>, cx: &mut Context<'_>) -> Poll<bool> {
    while stream.capacity() == 0 {
        match ready!(stream.poll_capacity(cx)) {
            Some(Ok(_)) => {}
            _ => return Poll::Ready(false),
        }
    }
    Poll::Ready(true)
}

/// How a body says that its stream is reset.
fn reason(error: &Status) -> Reason {
    let h2 = error.source().and_then(|source| source.downcast_ref());
    h2.and_then(h2::Error::reason).unwrap_or(Reason::CANCEL)
}
