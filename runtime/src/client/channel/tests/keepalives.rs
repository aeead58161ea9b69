//! Pings: when, and what becomes of a server that doesn't answer.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep};

use super::{Attempt, ChannelOptions, Transport, channel, settle, unary};
use crate::Code;
use crate::client::channel::{Connecting, Connector, IoStream};
use crate::client::{Channel, Reached};

const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GOAWAY: u8 = 7;

/// Servers that write frames by hand, each to be found where it was connected to.
struct ByHand(mpsc::UnboundedSender<Peer>);

struct Peer {
    stream: DuplexStream,
    at: Instant,
}

impl Connector for ByHand {
    fn connect<'a>(&'a self, _: &'a str) -> Connecting<'a> {
        Box::pin(async {
            let (ours, theirs) = duplex(1 << 20);
            let mut peer = Peer {
                stream: theirs,
                at: Instant::now(),
            };
            peer.stream.read_exact(&mut [0; 0]).await?;
            peer.write(SETTINGS, 0, &[]).await;
            let _ = self.0.send(peer);
            Ok(Box::new(ours) as Box<dyn IoStream>)
        })
    }
}

impl Peer {
    async fn write(&mut self, kind: u8, flags: u8, payload: &[u8]) {
        let length = u8::try_from(payload.len()).unwrap();
        let head = [0, 0, length, kind, flags, 0, 0, 0, 0];
        self.stream
            .write_all(&[&head[..], payload].concat())
            .await
            .unwrap();
    }

    /// The next ping, and when it came; None when the client has closed.
    async fn ping(&mut self) -> Option<([u8; 8], Duration)> {
        loop {
            let mut head = [0; 9];
            self.stream.read_exact(&mut head).await.ok()?;
            if head[..3] == *b"PRI" {
                self.stream.read_exact(&mut [0; 15]).await.ok()?;
                continue;
            }
            let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
            let mut payload = vec![0; length as usize];
            self.stream.read_exact(&mut payload).await.ok()?;
            if head[3] == PING && head[4] == 0 {
                return Some((payload.try_into().unwrap(), self.at.elapsed()));
            }
        }
    }

    async fn pong(&mut self, ping: [u8; 8]) {
        self.write(PING, 1, &ping).await;
    }
}

/// A channel with a call on it that is never answered.
async fn called(options: ChannelOptions) -> (Channel, mpsc::UnboundedReceiver<Peer>, Call) {
    let (sender, receiver) = mpsc::unbounded_channel();
    let options = ChannelOptions {
        connector: Some(std::sync::Arc::new(ByHand(sender))),
        ..options
    };
    let channel = channel("a:1", options);
    let call = tokio::spawn({
        let channel = channel.clone();
        async move {
            let mut attempt = Attempt::first();
            let result = channel.send(unary(), &mut attempt).await;
            (result.map(|_| ()), attempt.reached())
        }
    });
    settle().await;
    (channel, receiver, call)
}

type Call = tokio::task::JoinHandle<(Result<(), crate::client::TransportError>, Reached)>;

#[tokio::test(start_paused = true)]
async fn rule_28_a_server_that_does_not_answer_pings_loses_its_calls() {
    let (_channel, mut peers, call) = called(ChannelOptions::default()).await;
    let mut peer = peers.recv().await.unwrap();
    let (ping, at) = peer.ping().await.unwrap();
    assert_eq!(at.as_secs(), 10);
    // What it says counts from when it says it, a pong too.
    sleep(Duration::from_secs(2)).await;
    peer.pong(ping).await;
    let (ping, at) = peer.ping().await.unwrap();
    assert_eq!(at.as_secs(), 22);
    peer.pong(ping).await;
    sleep(Duration::from_secs(9)).await;
    peer.write(SETTINGS, 0, &[]).await;
    let (_, at) = peer.ping().await.unwrap();
    assert_eq!(at.as_secs(), 41);
    let (result, reached) = call.await.unwrap();
    let error = result.unwrap_err();
    assert_eq!(error.code(), Code::Unavailable);
    assert!(error.to_string().contains("keepalive"), "{error}");
    assert!(error.event().is_some());
    assert_eq!(reached, Reached::Sent);
    assert_eq!(peer.at.elapsed().as_secs(), 46);
    assert!(peer.ping().await.is_none(), "the connection is closed");
    assert!(peers.recv().await.is_some(), "there is a new one");
}

#[tokio::test(start_paused = true)]
async fn rule_28_nobody_is_pinged_without_a_call() {
    let (_channel, mut peers, call) = called(ChannelOptions::default()).await;
    let mut peer = peers.recv().await.unwrap();
    call.abort();
    let pinged = tokio::time::timeout(Duration::from_secs(3600), peer.ping()).await;
    assert!(pinged.is_err());

    let options = ChannelOptions {
        keepalive_while_idle: true,
        ..ChannelOptions::default()
    };
    let (_channel, mut peers, call) = called(options).await;
    let mut peer = peers.recv().await.unwrap();
    call.abort();
    assert!(peer.ping().await.is_some());
}

#[tokio::test(start_paused = true)]
async fn rule_28_too_many_pings_doubles_the_interval() {
    let (channel, mut peers, _call) = called(ChannelOptions::default()).await;
    for expected in [10, 20, 40] {
        let mut peer = peers.recv().await.unwrap();
        let mut attempt = Attempt::first();
        let call = channel.send(unary(), &mut attempt);
        tokio::pin!(call);
        let pinged = tokio::select! {
            pinged = peer.ping() => pinged,
            _ = &mut call => panic!("nobody answers"),
        };
        let (_, at) = pinged.unwrap();
        assert_eq!(at.as_secs(), expected);
        let goodbye = b"\0\0\0\0\0\0\0\x0btoo_many_pings";
        peer.write(GOAWAY, 0, goodbye).await;
        drop(peer);
        let _ = call.await;
        sleep(Duration::from_millis(1)).await;
    }
}
