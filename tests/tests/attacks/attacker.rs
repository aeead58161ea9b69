//! A peer that writes what it likes.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use apibase::prost::Message as _;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::ReadHalf;
use tokio::time::timeout;

use super::soon;
use super::wire::{self, ACK, DATA, GOAWAY, HEADERS, PING, PREFACE, RST_STREAM, SETTINGS};
use crate::common::{ask, reply};

/// How long a write that gets stuck is tried.
const LITTLE: Duration = Duration::from_millis(20);

/// One connection of an attacker.
pub(crate) struct Attacker {
    stream: TcpStream,
}

/// A frame that came.
#[derive(Debug)]
pub(crate) struct Frame {
    pub(crate) kind: u8,
    pub(crate) flags: u8,
    pub(crate) stream: u32,
    pub(crate) payload: Vec<u8>,
}

/// What became of a flood.
#[derive(Debug, Default)]
pub(crate) struct Flood {
    /// All of it was written, and the connection is still there.
    pub(crate) is_whole: bool,
    pub(crate) pongs: usize,
    pub(crate) acks: usize,
    pub(crate) resets: usize,
    /// The code of a GOAWAY.
    pub(crate) goaway: Option<u32>,
}

impl Attacker {
    /// Connects, and does what every client does first.
    pub(crate) async fn connect(addr: SocketAddr) -> Self {
        Self::connect_with(addr, &[]).await
    }

    /// The same, with these settings.
    pub(crate) async fn connect_with(addr: SocketAddr, settings: &[(u16, u32)]) -> Self {
        let mut attacker = Self::silent(addr).await;
        let start = [PREFACE, &wire::settings(settings), &wire::settings_ack()].concat();
        attacker.send(&start).await.unwrap();
        attacker
    }

    /// Connects and says nothing.
    pub(crate) async fn silent(addr: SocketAddr) -> Self {
        let stream = soon(TcpStream::connect(addr)).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream }
    }

    pub(crate) async fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        soon(self.stream.write_all(bytes)).await
    }

    /// The next frame; none once the connection is closed.
    pub(crate) async fn frame(&mut self) -> Option<Frame> {
        soon(read_frame(&mut self.stream.split().0)).await.ok()
    }

    /// Waits until the server closes the connection, and returns the code of its GOAWAY.
    pub(crate) async fn cut_off(&mut self) -> Option<u32> {
        let mut goaway = None;
        while let Some(frame) = self.frame().await {
            if frame.kind == GOAWAY {
                goaway = Some(frame.number(4));
            }
        }
        goaway
    }

    /// Waits until the server resets this stream, and returns with what code.
    pub(crate) async fn is_reset(&mut self, stream: u32) -> u32 {
        loop {
            let frame = self.frame().await.expect("the connection is closed");
            if frame.kind == RST_STREAM && frame.stream == stream {
                return frame.number(0);
            }
        }
    }

    /// Waits until this stream has ended, in any way, or the connection has.
    pub(crate) async fn ends(&mut self, stream: u32) {
        while let Some(frame) = self.frame().await {
            let is_last = frame.kind == RST_STREAM
                || matches!(frame.kind, DATA | HEADERS) && frame.flags & wire::END_STREAM != 0;
            if frame.stream == stream && is_last {
                return;
            }
        }
    }

    /// Waits until the answer on this stream has ended, and returns the bytes of its body.
    pub(crate) async fn answer(&mut self, stream: u32) -> Vec<u8> {
        let mut body = Vec::new();
        loop {
            let frame = self.frame().await.expect("the connection is closed");
            if frame.stream != stream {
                continue;
            }
            match frame.kind {
                DATA => body.extend(&frame.payload),
                RST_STREAM => panic!("reset with {}", frame.number(0)),
                _ => {}
            }
            if matches!(frame.kind, DATA | HEADERS) && frame.flags & wire::END_STREAM != 0 {
                return body;
            }
        }
    }

    /// Calls `Echo` as one should, and gets what one should.
    pub(crate) async fn lives(&mut self, stream: u32) {
        let call = wire::call(stream, "Echo", &ask("alive").encode_to_vec());
        self.send(&call).await.unwrap();
        let expected = wire::grpc(&reply(0, "alive").encode_to_vec());
        assert_eq!(self.answer(stream).await, expected);
    }

    /// Writes this so often, or until the connection is closed; reads what comes meanwhile.
    pub(crate) async fn flood(&mut self, piece: &[u8], times: usize) -> Flood {
        self.flood_each(times, |_| piece.to_vec()).await
    }

    /// Writes these pieces, or as many as are taken; reads what comes meanwhile.
    pub(crate) async fn flood_each(
        &mut self,
        times: usize,
        mut piece: impl FnMut(usize) -> Vec<u8>,
    ) -> Flood {
        let (mut read, mut write) = self.stream.split();
        let mut flood = Flood::default();
        let writing = async {
            for number in 0..times {
                if write.write_all(&piece(number)).await.is_err() {
                    return;
                }
            }
            // What comes back says that all that was written before has been read.
            let _ = write.write_all(&wire::frame(PING, 0, 0, b"the end.")).await;
        };
        let reading = async {
            while let Ok(frame) = read_frame(&mut read).await {
                match (frame.kind, frame.flags & ACK != 0) {
                    (PING, true) if frame.payload == b"the end." => {
                        flood.is_whole = true;
                        return;
                    }
                    (PING, true) => flood.pongs += 1,
                    (SETTINGS, true) => flood.acks += 1,
                    (RST_STREAM, _) => flood.resets += 1,
                    (GOAWAY, _) => flood.goaway = Some(frame.number(4)),
                    _ => {}
                }
            }
        };
        soon(async { tokio::join!(writing, reading) }).await;
        flood
    }

    /// Writes this until nothing is taken for a while, and reads nothing meanwhile; gives up after so
    /// many times. Whether it got stuck.
    pub(crate) async fn flood_unread(&mut self, piece: &[u8], times: usize) -> bool {
        for _ in 0..times {
            let writing = self.stream.write_all(piece);
            match timeout(super::arena::A_WHILE, writing).await {
                Ok(Ok(())) => {}
                Ok(Err(_)) => return false,
                Err(_) => return true,
            }
        }
        false
    }

    /// Waits until the server has closed the connection, without reading from it.
    pub(crate) async fn is_closed(&mut self) {
        let closed = async {
            while let Ok(Ok(())) | Err(_) = timeout(LITTLE, self.stream.write_all(&[0; 9])).await {
                tokio::time::sleep(LITTLE).await;
            }
        };
        soon(closed).await;
    }

    /// Closes the connection by a RST of TCP, as the kernel does for a process that was killed with
    /// something unread.
    pub(crate) fn die(self) {
        self.stream.set_zero_linger().unwrap();
    }

    /// The socket itself.
    pub(crate) fn stream(&mut self) -> &mut TcpStream {
        &mut self.stream
    }
}

impl Frame {
    /// Four bytes of the payload, as a number without its first bit.
    pub(crate) fn number(&self, at: usize) -> u32 {
        let bytes = self.payload[at..at + 4].try_into().unwrap();
        u32::from_be_bytes(bytes) & 0x7fff_ffff
    }
}

async fn read_frame(stream: &mut ReadHalf<'_>) -> io::Result<Frame> {
    let mut head = [0; 9];
    stream.read_exact(&mut head).await?;
    let [a, b, c, kind, flags, rest @ ..] = head;
    let length = u32::from_be_bytes([0, a, b, c]);
    let mut payload = vec![0; usize::try_from(length).unwrap()];
    stream.read_exact(&mut payload).await?;
    Ok(Frame {
        kind,
        flags,
        stream: u32::from_be_bytes(rest) & 0x7fff_ffff,
        payload,
    })
}
