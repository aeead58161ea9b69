//! HTTP/2 of one connection, by h2: takes its requests, keeps it alive, and ends it.
//!
//! hyper, which does the same, asks the clock and takes a lock for each frame, and moves each request and each
//! reply through futures that know nothing of gRPC: 2 to 5% of what a small call takes.

mod keepalive;
mod stream;

use std::error::Error;
use std::fmt;
use std::ops::ControlFlow;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use h2::Reason;
use h2::server::{Builder, Connection, Handshake};

use self::keepalive::Keepalive;
pub(super) use self::keepalive::{Heard, Patience};
use self::stream::Stream;
use super::executor::{self, Streams};
use super::guarded::Guarded;
use super::requests::Requests;
use crate::server::request::IncomingBody;

/// One connection, until it is over.
pub(super) struct Http2 {
    state: State,
    requests: Arc<Requests>,
    /// How its peer is asked whether it is there, if it is.
    asks: Option<(Patience, Arc<Heard>)>,
    /// Whether it ends when the streams that it has have ended.
    is_closing: bool,
}

enum State {
    Handshaking(Handshake<Guarded, Bytes>),
    Serving {
        connection: Connection<Guarded, Bytes>,
        keepalive: Option<Keepalive>,
        is_lost: bool,
    },
}

/// Why a connection is over.
#[derive(Debug)]
pub(super) enum Failed {
    Http2(h2::Error),
    /// Its peer has not answered a PING.
    Silent,
}

impl Http2 {
    /// A connection over `io`.
    pub(super) fn new(
        builder: &Builder,
        io: Guarded,
        requests: Arc<Requests>,
        asks: Option<(Patience, Arc<Heard>)>,
    ) -> Self {
        Self {
            state: State::Handshaking(builder.handshake(io)),
            requests,
            asks,
            is_closing: false,
        }
    }

    /// Takes no more requests than are on their way, and ends when they have been answered (RFC 9113,
    /// section 6.8).
    pub(super) fn graceful_shutdown(&mut self) {
        self.is_closing = true;
        if let State::Serving { connection, .. } = &mut self.state {
            connection.graceful_shutdown();
        }
    }

    fn poll_handshake(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), h2::Error>> {
        let State::Handshaking(handshake) = &mut self.state else {
            return Poll::Ready(Ok(()));
        };
        let mut connection = ready!(Pin::new(handshake).poll(cx))?;
        if self.is_closing {
            connection.graceful_shutdown();
        }
        let asks = self.asks.take().zip(connection.ping_pong());
        let keepalive =
            asks.map(|((patience, heard), pings)| Keepalive::new(patience, pings, heard));
        self.state = State::Serving {
            connection,
            keepalive,
            is_lost: false,
        };
        Poll::Ready(Ok(()))
    }
}

impl executor::Connection for Http2 {
    type End = Result<(), Failed>;

    fn poll_stream(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        streams: &mut Streams,
    ) -> Poll<ControlFlow<Self::End>> {
        let this = &mut *self;
        if let Err(error) = ready!(this.poll_handshake(cx)) {
            return Poll::Ready(ControlFlow::Break(Err(Failed::Http2(error))));
        }
        let State::Serving {
            connection,
            keepalive,
            is_lost,
        } = &mut this.state
        else {
            return Poll::Pending;
        };
        if let Some(asking) = keepalive
            && asking.poll(cx).is_ready()
        {
            *keepalive = None;
            *is_lost = true;
            connection.abrupt_shutdown(Reason::NO_ERROR);
        }
        Poll::Ready(match ready!(connection.poll_accept(cx)) {
            Some(Ok((request, respond))) => {
                let (head, body) = request.into_parts();
                let (answering, note) = this.requests.take(head, IncomingBody::new(body));
                streams.take(Stream::new(answering, respond), note);
                ControlFlow::Continue(())
            }
            Some(Err(error)) => ControlFlow::Break(Err(Failed::Http2(error))),
            None if *is_lost => ControlFlow::Break(Err(Failed::Silent)),
            None => ControlFlow::Break(Ok(())),
        })
    }
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Http2(error) => error.fmt(f),
            Self::Silent => f.write_str("the peer did not answer a PING in time"),
        }
    }
}

impl Error for Failed {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Http2(error) => error.source(),
            Self::Silent => None,
        }
    }
}
