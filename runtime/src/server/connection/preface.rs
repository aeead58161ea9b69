//! The first bytes of a connection: HTTP/2, and soon.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};
use tokio::time::timeout;

/// How long the preface is, in bytes.
pub(super) const LENGTH: usize = 24;

/// What a client sends first (RFC 9113, section 3.4).
const PREFACE: [u8; LENGTH] = *b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Reads the preface, and gives the connection back as if nobody had.
///
/// h2 waits for it for ever: who connects and says nothing would hold a descriptor and hold up the
/// end of the server.
///
/// # Errors
///
/// When it isn't there in time, or is something else: HTTP/1 for example.
pub(super) async fn expect<IO>(mut io: IO, within: Duration) -> io::Result<Rewound<IO>>
where
    IO: AsyncRead + Unpin,
{
    let read = timeout(within, read(&mut io)).await;
    read.map_err(|_| io::Error::new(io::ErrorKind::TimedOut, "no HTTP/2 preface in time"))??;
    Ok(Rewound { read: 0, io })
}

/// Byte by byte as they come: a wrong first one is enough to know.
async fn read<IO: AsyncRead + Unpin>(io: &mut IO) -> io::Result<()> {
    let mut rest = PREFACE.as_slice();
    let mut buffer = [0; PREFACE.len()];
    while !rest.is_empty() {
        let Some(room) = buffer.get_mut(..rest.len()) else {
            break;
        };
        let count = io.read(room).await?;
        let read = room.get(..count).unwrap_or_default();
        if read.is_empty() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        rest = rest
            .strip_prefix(read)
            .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "what came is not HTTP/2"))?;
    }
    Ok(())
}

/// A connection whose preface is still to be read.
#[derive(Debug)]
pub(super) struct Rewound<IO> {
    /// How much of the preface was read again.
    read: usize,
    io: IO,
}

impl<IO: AsyncRead + Unpin> AsyncRead for Rewound<IO> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let rest = PREFACE.get(this.read..).unwrap_or_default();
        if rest.is_empty() {
            return Pin::new(&mut this.io).poll_read(cx, buffer);
        }
        let count = rest.len().min(buffer.remaining());
        buffer.put_slice(rest.get(..count).unwrap_or_default());
        this.read += count;
        Poll::Ready(Ok(()))
    }
}

impl<IO: AsyncWrite + Unpin> AsyncWrite for Rewound<IO> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().io).poll_write(cx, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().io).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().io).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().io).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncWriteExt, duplex};

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[tokio::test]
    async fn the_preface_is_read_again_in_pieces_of_any_size() {
        let (mut peer, io) = duplex(64);
        peer.write_all(&PREFACE).await.unwrap();
        peer.write_all(b"frames").await.unwrap();
        drop(peer);
        let mut io = expect(io, SECOND).await.unwrap();
        let mut piece = [0; 5];
        let mut all = Vec::new();
        loop {
            match io.read(&mut piece).await.unwrap() {
                0 => break,
                count => all.extend_from_slice(&piece[..count]),
            }
        }
        assert_eq!(all, [&PREFACE[..], b"frames"].concat());
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_comes_byte_by_byte_has_to_be_there_in_time() {
        let (mut peer, io) = duplex(64);
        let slow = tokio::spawn(async move {
            for byte in PREFACE {
                tokio::time::sleep(SECOND / 10).await;
                if peer.write_all(&[byte]).await.is_err() {
                    break;
                }
            }
        });
        let error = expect(io, SECOND).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        slow.await.unwrap();
    }

    #[tokio::test]
    async fn something_else_is_refused_at_its_first_byte() {
        let (mut peer, io) = duplex(64);
        peer.write_all(b"G").await.unwrap();
        let error = expect(io, SECOND).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
    }

    #[tokio::test]
    async fn an_early_end_is_one() {
        let (mut peer, io) = duplex(64);
        peer.write_all(b"PRI *").await.unwrap();
        drop(peer);
        let error = expect(io, SECOND).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
    }
}
