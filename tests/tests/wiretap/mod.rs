//! A peer's connection with somebody in the middle, who reads what the server says and keeps some of
//! it back.

#![allow(dead_code, reason = "each test file uses a part of it")]

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, copy, duplex, split};
use tokio::net::TcpStream;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::common::{RawClient, soon};

pub(crate) const SETTINGS: u8 = 4;
pub(crate) const PING: u8 = 6;
pub(crate) const GOAWAY: u8 = 7;

const MAX_CONCURRENT_STREAMS: u16 = 3;
const MAX_HEADER_LIST_SIZE: u16 = 6;

/// The first frames of HTTP/2 that a server said of a kind.
pub(crate) struct Heard(UnboundedReceiver<(u8, Vec<u8>)>);

/// A connection whose peer hears nothing of these kinds of frames, and what the server said.
pub(crate) async fn deaf_to(addr: SocketAddr, kinds: &'static [u8]) -> (RawClient, Heard) {
    let (stream, heard) = between(addr, kinds).await;
    (RawClient::over(stream).await, heard)
}

async fn between(addr: SocketAddr, kinds: &'static [u8]) -> (DuplexStream, Heard) {
    let server = TcpStream::connect(addr).await.unwrap();
    server.set_nodelay(true).unwrap();
    let (ours, theirs) = duplex(1 << 20);
    let (mut from_server, mut to_server) = server.into_split();
    let (mut from_peer, mut to_peer) = split(theirs);
    tokio::spawn(async move {
        let _ = copy(&mut from_peer, &mut to_server).await;
    });
    let (sender, receiver) = unbounded_channel();
    tokio::spawn(async move {
        let mut head = [0; 9];
        while from_server.read_exact(&mut head).await.is_ok() {
            let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
            let mut payload = vec![0; usize::try_from(length).unwrap()];
            from_server.read_exact(&mut payload).await.unwrap();
            let kind = head[3];
            if !kinds.contains(&kind) {
                let frame = [&head[..], &payload].concat();
                if to_peer.write_all(&frame).await.is_err() {
                    return;
                }
            }
            let _ = sender.send((kind, payload));
        }
        let _ = to_peer.shutdown().await;
    });
    (ours, Heard(receiver))
}

impl Heard {
    /// Waits for a frame of this kind, and gives what is in it.
    pub(crate) async fn next(&mut self, kind: u8) -> Vec<u8> {
        loop {
            let (heard, payload) = soon(self.0.recv()).await.unwrap();
            if heard == kind {
                return payload;
            }
        }
    }

    /// `SETTINGS_MAX_CONCURRENT_STREAMS` and `SETTINGS_MAX_HEADER_LIST_SIZE` as the server tells them.
    pub(crate) async fn limits(&mut self) -> (u32, u32) {
        let settings = self.next(SETTINGS).await;
        let value = |wanted: u16| {
            let (settings, _) = settings.as_chunks::<6>();
            let value = settings.iter().find_map(|&[high, low, a, b, c, d]| {
                (u16::from_be_bytes([high, low]) == wanted).then_some([a, b, c, d])
            });
            u32::from_be_bytes(value.unwrap())
        };
        (value(MAX_CONCURRENT_STREAMS), value(MAX_HEADER_LIST_SIZE))
    }
}
