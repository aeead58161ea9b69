//! Connections whose servers are asked for their health.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use h2::SendStream;
use h2::server::SendResponse;
use http::{HeaderMap, HeaderValue, Response};
use tokio::io::duplex;
use tokio::sync::{Notify, mpsc};
use tokio::time::timeout;

use super::{ChannelOptions, call, channel, settle};
use crate::client::channel::{Connecting, Connector, IoStream};

/// One call on a connection at once, beside the question for its health.
const STREAMS: u32 = 2;

/// Connections whose servers say what a test has them say, in the order in which they are made.
struct Asked(mpsc::UnboundedSender<Peer>);

/// The server of one connection.
struct Peer {
    /// Where it tells of its health.
    health: SendStream<Bytes>,
    goodbye: Arc<Notify>,
    calls: mpsc::UnboundedReceiver<SendResponse<Bytes>>,
}

impl Connector for Asked {
    fn connect<'a>(&'a self, _: &'a str) -> Connecting<'a> {
        let peers = self.0.clone();
        Box::pin(async {
            let (ours, theirs) = duplex(1 << 20);
            tokio::spawn(async move {
                let mut builder = h2::server::Builder::new();
                builder.max_concurrent_streams(STREAMS);
                let mut connection = builder.handshake(theirs).await.unwrap();
                let goodbye = Arc::new(Notify::new());
                let (called, mut calls) = {
                    let (called, calls) = mpsc::unbounded_channel();
                    (called, Some(calls))
                };
                loop {
                    let (request, mut respond) = tokio::select! {
                        Some(Ok(came)) = connection.accept() => came,
                        () = goodbye.notified() => {
                            connection.graceful_shutdown();
                            continue;
                        }
                        else => return,
                    };
                    if !request.uri().path().starts_with("/grpc.health.v1.Health/") {
                        called.send(respond).unwrap();
                        continue;
                    }
                    let peer = Peer {
                        health: respond.send_response(head(), false).unwrap(),
                        goodbye: Arc::clone(&goodbye),
                        calls: calls.take().unwrap(),
                    };
                    peers.send(peer).unwrap();
                }
            });
            Ok(Box::new(ours) as Box<dyn IoStream>)
        })
    }
}

fn head() -> Response<()> {
    let mut head = Response::new(());
    let grpc = HeaderValue::from_static("application/grpc");
    head.headers_mut().insert("content-type", grpc);
    head
}

impl Peer {
    /// Says that it is SERVING.
    fn serves(&mut self) {
        let serving = Bytes::from_static(b"\0\0\0\0\x02\x08\x01");
        self.health.send_data(serving, false).unwrap();
    }

    /// Answers the next call.
    async fn answer(&mut self) {
        let mut respond = self.calls.recv().await.unwrap();
        let mut head = head();
        let ok = HeaderMap::from_iter([(
            http::HeaderName::from_static("grpc-status"),
            HeaderValue::from_static("0"),
        )]);
        head.headers_mut().extend(ok);
        respond.send_response(head, true).unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_becomes_well_after_the_others_have_gone_takes_calls() {
    let (sender, mut peers) = mpsc::unbounded_channel();
    let options = ChannelOptions {
        connector: Some(Arc::new(Asked(sender))),
        health_check: Some(String::new()),
        max_connections: 2,
        ..ChannelOptions::default()
    };
    let channel = channel("a:1", options);
    let calling = || {
        let channel = channel.clone();
        tokio::spawn(async move { call(&channel).await })
    };
    let first = calling();
    let mut one = peers.recv().await.unwrap();
    one.serves();
    settle().await;
    // Of two calls one has no place, and a second connection is made for it.
    let second = calling();
    let mut other = peers.recv().await.unwrap();
    one.goodbye.notify_one();
    settle().await;
    one.answer().await;
    first.await.unwrap().by("a:1");
    other.serves();
    let answered = timeout(Duration::from_secs(5), other.answer()).await;
    answered.expect("no call comes");
    second.await.unwrap().by("a:1");
}
