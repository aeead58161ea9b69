//! [`Watched`]: a connection's bytes, with a look at which frames the server sends.
//!
//! h2 tells of neither the server's SETTINGS nor its first GOAWAY, and of that only to those who try
//! to send. Both matter: a connection is good once SETTINGS came, and none to call on after GOAWAY.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::line::Line;
use super::options::IoStream;

const HEAD: u32 = 9;
const SETTINGS: u8 = 4;
const GOAWAY: u8 = 7;

/// The bytes of a connection. What is seen among them is told to its [`Line`].
pub(super) struct Watched {
    io: Box<dyn IoStream>,
    frames: Frames,
    line: Arc<Line>,
}

/// Where in which frame the bytes are (RFC 9113, 4.1).
#[derive(Debug, Default)]
struct Frames {
    head: u128,
    head_bytes: u32,
    kind: u8,
    /// How much of the payload is still to come.
    left: usize,
    /// The first eight bytes of a GOAWAY's: the last stream and the error code.
    start: u64,
    start_bytes: usize,
    seen: bool,
}

impl Watched {
    pub(super) fn new(io: Box<dyn IoStream>, line: Arc<Line>) -> Self {
        Self {
            io,
            frames: Frames::default(),
            line,
        }
    }

    /// The connection is over when its bytes are.
    fn note<T>(&self, result: io::Result<T>) -> io::Result<T> {
        if result.is_err() {
            self.line.end();
        }
        result
    }
}

impl Frames {
    fn read(&mut self, mut bytes: &[u8], line: &Line) {
        while !bytes.is_empty() {
            if self.head_bytes == HEAD {
                let (payload, rest) = bytes.split_at(self.left.min(bytes.len()));
                if self.kind == GOAWAY {
                    let wanted = 8_usize.saturating_sub(self.start_bytes);
                    for byte in payload.iter().take(wanted) {
                        self.start = self.start << 8 | u64::from(*byte);
                        self.start_bytes += 1;
                    }
                }
                self.left -= payload.len();
                bytes = rest;
            } else {
                let wanted = (HEAD - self.head_bytes) as usize;
                let (head, rest) = bytes.split_at(wanted.min(bytes.len()));
                for byte in head {
                    self.head = self.head << 8 | u128::from(*byte);
                    self.head_bytes += 1;
                }
                bytes = rest;
                if self.head_bytes < HEAD {
                    return;
                }
                // Three bytes of length and one of kind, then flags and stream.
                let [.., a, b, c, kind] = (self.head >> 40).to_be_bytes();
                self.kind = kind;
                self.left = u32::from_be_bytes([0, a, b, c]) as usize;
                if !std::mem::replace(&mut self.seen, true) && kind != SETTINGS {
                    line.settle_as_alien();
                }
            }
            if self.left == 0 {
                self.end(line);
            }
        }
    }

    /// A frame was read whole.
    fn end(&mut self, line: &Line) {
        match self.kind {
            SETTINGS => line.settle(),
            GOAWAY => {
                let code = self.start & u64::from(u32::MAX);
                line.say_goodbye(code == u64::from(u32::from(h2::Reason::ENHANCE_YOUR_CALM)));
            }
            _ => {}
        }
        self.head = 0;
        self.head_bytes = 0;
        self.start = 0;
        self.start_bytes = 0;
    }
}

impl AsyncRead for Watched {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        let before = buffer.filled().len();
        let room = buffer.remaining();
        let result = ready!(Pin::new(&mut this.io).poll_read(cx, buffer));
        this.note(result)?;
        let read = buffer.filled().get(before..).unwrap_or_default();
        if read.is_empty() {
            // The server has closed; calls should not find that out by failing.
            if room > 0 {
                this.line.end();
            }
        } else {
            this.line.hear();
            this.frames.read(read, &this.line);
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Watched {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let result = ready!(Pin::new(&mut self.io).poll_write(cx, bytes));
        Poll::Ready(self.note(result))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let result = ready!(Pin::new(&mut self.io).poll_write_vectored(cx, slices));
        Poll::Ready(self.note(result))
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let result = ready!(Pin::new(&mut self.io).poll_flush(cx));
        Poll::Ready(self.note(result))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::channel::queue::Queue;
    use tokio::sync::Notify;

    fn line() -> Line {
        Line::new(Arc::new(Notify::new()), Arc::new(Queue::new(1)))
    }

    fn frame(kind: u8, payload: &[u8]) -> Vec<u8> {
        let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
        let head = [length[1], length[2], length[3], kind, 0, 0, 0, 0, 0];
        [&head[..], payload].concat()
    }

    #[test]
    fn frames_are_seen_however_they_are_cut() {
        let bytes = [
            frame(SETTINGS, &[0; 6]),
            frame(SETTINGS, &[]),
            frame(6, &[7; 8]),
            frame(GOAWAY, b"\0\0\0\x01\0\0\0\x0btoo_many_pings"),
        ]
        .concat();
        for size in 1..=bytes.len() {
            let line = line();
            let mut frames = Frames::default();
            let goodbye_from = bytes.len();
            let mut read = 0;
            for part in bytes.chunks(size) {
                frames.read(part, &line);
                read += part.len();
                assert_eq!(line.is_settled(), read >= 15, "{size}");
                assert_eq!(line.is_open(), read < goodbye_from, "{size}");
            }
            assert!(line.is_too_chatty() && !line.is_alien());
        }
    }

    #[test]
    fn a_goodbye_without_a_reason_is_none_to_be_calm() {
        let line = line();
        Frames::default().read(&frame(GOAWAY, &[0; 8]), &line);
        assert!(!line.is_open() && !line.is_too_chatty());
    }

    #[test]
    fn what_begins_otherwise_is_not_http2() {
        let line = line();
        Frames::default().read(b"HTTP/1.1 400 Bad Request\r\n\r\n", &line);
        assert!(line.is_alien() && !line.is_settled());
    }
}
