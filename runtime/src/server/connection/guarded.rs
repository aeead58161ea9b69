//! [`Guarded`]: a connection whose peer may neither flood nor stall it.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep};

use super::chatter::Chatter;
use super::http2::Heard;
use super::preface::Rewound;
use crate::context::Peer;
use crate::server::socket::Socket;

/// How much is read before others have their turn. h2 reads on while there is more: without a bound
/// of ours, tokio's, 128 reads, lets one peer keep its thread busy for many milliseconds.
const TURN: usize = 64 * 1024;

/// A connection on which a flood of frames that do nothing ends, long runs of input are split, and
/// a peer that takes nothing is given up.
#[derive(Debug)]
pub(super) struct Guarded<IO = Rewound<Socket>> {
    io: IO,
    peer: Peer,
    chatter: Chatter,
    /// How much was read in this turn.
    read: usize,
    stall: Stall,
    /// Hears of all that is read; None where nobody wants to know.
    heard: Option<Arc<Heard>>,
}

/// How long the peer has taken nothing.
///
/// Keepalive can't close such a connection: h2 waits until its GOAWAY is written.
#[derive(Debug)]
struct Stall {
    /// None: for as long as it likes.
    limit: Option<Duration>,
    is_stalled: bool,
    // Made when the first write has to wait, and kept.
    sleep: Option<Pin<Box<Sleep>>>,
}

impl<IO> Guarded<IO> {
    /// Guards a connection that starts with a preface of so many bytes, and whose peer may take nothing
    /// for as long as `stall` says.
    pub(super) fn new(io: IO, peer: Peer, preface: usize, stall: Option<Duration>) -> Self {
        Self {
            io,
            peer,
            chatter: Chatter::after(preface),
            read: 0,
            stall: Stall {
                limit: stall,
                is_stalled: false,
                sleep: None,
            },
            heard: None,
        }
    }

    /// The same, and what is read is noted there.
    pub(super) fn heard_by(mut self, heard: Option<Arc<Heard>>) -> Self {
        self.heard = heard;
        self
    }

    /// What came of a write of so many bytes.
    fn wrote(
        &mut self,
        cx: &mut Context<'_>,
        written: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        if let Poll::Ready(Ok(count)) = &written {
            self.chatter.say(*count);
        }
        self.checked(cx, written)
    }

    /// What came of a write, or an error once none has come to anything for too long.
    fn checked<T>(
        &mut self,
        cx: &mut Context<'_>,
        written: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.stall.is_stalled = false;
            return written;
        }
        self.stall.poll(cx).map(|limit| {
            let peer = &self.peer;
            tracing::info!(
                ?peer,
                ?limit,
                "a connection was cut off: its peer takes nothing"
            );
            let message = "the peer takes nothing of what it is sent";
            Err(io::Error::new(io::ErrorKind::TimedOut, message))
        })
    }
}

impl Stall {
    /// A write has to wait: ready once that has lasted too long.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Duration> {
        let Some(limit) = self.limit else {
            return Poll::Pending;
        };
        let sleep = self.sleep.get_or_insert_with(|| Box::pin(sleep(limit)));
        if !self.is_stalled {
            self.is_stalled = true;
            if let Some(end) = Instant::now().checked_add(limit) {
                sleep.as_mut().reset(end);
            }
        }
        sleep.as_mut().poll(cx).map(|()| limit)
    }
}

impl<IO: AsyncRead + Unpin> AsyncRead for Guarded<IO> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.read >= TURN {
            this.read = 0;
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let before = buffer.filled().len();
        let polled = Pin::new(&mut this.io).poll_read(cx, buffer);
        if polled.is_pending() {
            this.read = 0;
            return Poll::Pending;
        }
        let came = buffer.filled().get(before..).unwrap_or_default();
        this.read += came.len();
        let Ok(is_heard) = this.chatter.hear(came) else {
            let peer = &this.peer;
            tracing::info!(
                ?peer,
                "a connection was cut off: its peer floods it with PING, SETTINGS and the like"
            );
            let message = "a flood of frames that do nothing";
            return Poll::Ready(Err(io::Error::new(io::ErrorKind::InvalidData, message)));
        };
        if is_heard && let Some(heard) = &this.heard {
            heard.now();
        }
        polled
    }
}

impl<IO: AsyncWrite + Unpin> AsyncWrite for Guarded<IO> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.io).poll_write(cx, bytes);
        this.wrote(cx, written)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let flushed = Pin::new(&mut this.io).poll_flush(cx);
        this.checked(cx, flushed)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let shut = Pin::new(&mut this.io).poll_shutdown(cx);
        this.checked(cx, shut)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.io).poll_write_vectored(cx, slices);
        this.wrote(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    use super::*;

    const LIMIT: Duration = Duration::from_secs(20);

    #[tokio::test(start_paused = true)]
    async fn who_takes_nothing_is_given_up_and_who_takes_little_is_not() {
        let (mut peer, io) = duplex(16);
        let mut io = Guarded::new(io, Peer::Unix, 0, Some(LIMIT));
        let started = Instant::now();
        let slow = tokio::spawn(async move {
            for _ in 0..10 {
                sleep(LIMIT / 2).await;
                peer.read_u8().await.unwrap();
            }
            // Stays, and takes no more.
            std::future::pending::<()>().await;
        });
        let error = io.write_all(&[7; 100]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert_eq!(started.elapsed(), LIMIT * 6);
        slow.abort();
    }

    #[tokio::test(start_paused = true)]
    async fn without_a_limit_one_may_take_nothing_for_ever() {
        let (_peer, io) = duplex(16);
        let mut io = Guarded::new(io, Peer::Unix, 0, None);
        let writing = io.write_all(&[7; 100]);
        let waited = tokio::time::timeout(Duration::from_secs(86_400), writing).await;
        waited.unwrap_err();
    }

    #[tokio::test]
    async fn others_have_their_turn_in_a_long_run_of_input() {
        let (mut peer, io) = duplex(4 * TURN);
        // One frame after the other, of a stream's data.
        let frame = [&[0, 0x40, 0, 0, 0, 0, 0, 0, 1][..], &[7; 0x4000]].concat();
        for _ in 0..8 {
            peer.write_all(&frame).await.unwrap();
        }
        let mut io = Guarded::new(io, Peer::Unix, 0, None);
        let mut piece = [0; 8 * 1024];
        let (mut left, mut turns) = (8 * frame.len(), 1);
        std::future::poll_fn(|cx| {
            while left > 0 {
                let mut buffer = ReadBuf::new(&mut piece);
                if Pin::new(&mut io).poll_read(cx, &mut buffer)?.is_pending() {
                    turns += 1;
                    return Poll::Pending;
                }
                left -= buffer.filled().len();
            }
            Poll::Ready(io::Result::Ok(()))
        })
        .await
        .unwrap();
        assert_eq!(turns, 3, "128 KiB and some heads");
    }

    #[tokio::test]
    async fn a_flood_of_pings_is_an_error() {
        let (mut peer, io) = duplex(1024);
        let flood = tokio::spawn(async move {
            let ping = [0, 0, 8, 6, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1];
            while peer.write_all(&ping).await.is_ok() {}
        });
        let mut io = Guarded::new(io, Peer::Unix, 0, None);
        let mut piece = [0; 1000];
        let error = loop {
            if let Err(error) = io.read(&mut piece).await {
                break error;
            }
        };
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
        drop(io);
        flood.await.unwrap();
    }
}
