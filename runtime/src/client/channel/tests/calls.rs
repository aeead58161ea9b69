//! What a call does to its connection, and the other way round.

use std::time::Duration;

use bytes::Bytes;
use futures_core::Stream;
use h2::Reason;
use http_body::Body as _;
use tokio::sync::mpsc;
use tokio::time::sleep;

use super::net::{Answers, Net};
use super::{Attempt, Transport, call, request, settle, unary};
use crate::client::requests::Requests as Held;
use crate::interceptors::{Flow, Tally};
use crate::mapper::Plain;

/// Requests by hand.
struct Requests(mpsc::Receiver<()>);

impl Stream for Requests {
    type Item = ();

    fn poll_next(
        mut self: std::pin::Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<()>> {
        self.0.poll_recv(cx)
    }
}

/// For requests that nobody counts.
fn uncounted() -> Tally {
    Tally::outgoing(None, Flow::Sent)
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_dropped_is_reset_before_and_after_its_head() {
    for answers in [Answers::Held, Answers::HeadThenHeld] {
        let net = Net::default();
        let server = net.serve("a:1", answers);
        let channel = net.channel("a:1");
        let calling = tokio::spawn({
            let channel = channel.clone();
            async move { call(&channel).await }
        });
        settle().await;
        assert_eq!(server.held(), 1);
        calling.abort();
        settle().await;
        assert_eq!(server.resets(), [Reason::CANCEL]);
        assert_eq!(server.connections(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_stream_of_requests_ends_with_its_call() {
    let net = Net::default();
    net.serve("a:1", Answers::AtOnce);
    let channel = net.channel("a:1");
    let (sender, receiver) = mpsc::channel(1);
    let held = Held::stream::<Plain<()>>(Requests(receiver), None, uncounted());
    let body = held.body();
    let calling = tokio::spawn(async move {
        let mut attempt = Attempt::first();
        channel.send(request(body), &mut attempt).await.map(|_| ())
    });
    sender.send(()).await.unwrap();
    settle().await;
    assert!(!sender.is_closed());
    calling.abort();
    settle().await;
    assert!(!sender.is_closed(), "another attempt may send it again");
    drop(held);
    assert!(sender.is_closed());
}

/// A stream with a fault of its own.
struct Panics;

impl Stream for Panics {
    type Item = ();

    fn poll_next(
        self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<()>> {
        panic!("as a test wants it")
    }
}

#[tokio::test(start_paused = true)]
async fn a_stream_of_requests_that_panics_ends_its_call() {
    let net = Net::default();
    let server = net.serve("a:1", Answers::Held);
    let channel = net.channel("a:1");
    let held = Held::stream::<Plain<()>>(Panics, None, uncounted());
    let mut attempt = Attempt::first();
    let send = channel.send(request(held.body()), &mut attempt);
    let sent = tokio::time::timeout(Duration::from_secs(1), send).await;
    sent.expect("it hangs").unwrap_err();
    settle().await;
    assert_eq!(server.held(), 0);
    assert_eq!(server.connections(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_stream_of_requests_is_answered_once_it_ends() {
    let net = Net::default();
    net.serve("a:1", Answers::AtOnce);
    let channel = net.channel("a:1");
    let (sender, receiver) = mpsc::channel(1);
    let held = Held::stream::<Plain<()>>(Requests(receiver), None, uncounted());
    let body = held.body();
    let calling = tokio::spawn(async move {
        let _held = held;
        let mut attempt = Attempt::first();
        let answer = channel.send(request(body), &mut attempt).await.unwrap();
        super::read(answer).await.unwrap()
    });
    for _ in 0..100 {
        sender.send(()).await.unwrap();
    }
    drop(sender);
    assert_eq!(calling.await.unwrap(), crate::Code::Ok);
}

#[tokio::test(start_paused = true)]
async fn a_channel_that_is_dropped_closes_its_connections_after_their_last_call() {
    let net = Net::default();
    let server = net.serve("a:1", Answers::HeadThenHeld);
    let channel = net.channel("a:1");
    let mut attempt = Attempt::first();
    let answer = channel.send(unary(), &mut attempt).await.unwrap();
    drop(channel);
    sleep(Duration::from_secs(5)).await;
    assert_eq!(server.connections(), 1, "a call is on it");
    server.release();
    assert_eq!(super::read(answer).await.unwrap(), crate::Code::Ok);
    settle().await;
    assert_eq!(server.connections(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_channel_that_is_dropped_leaves_no_task_behind() {
    let before = tokio::runtime::Handle::current()
        .metrics()
        .num_alive_tasks();
    let net = Net::default();
    net.serve("a:1", Answers::AtOnce);
    let channel = net.channel("a:1,b:1");
    for _ in 0..10 {
        call(&channel).await.by("a:1");
    }
    drop(channel);
    settle().await;
    let after = tokio::runtime::Handle::current()
        .metrics()
        .num_alive_tasks();
    assert_eq!(after, before);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_not_read_holds_back_its_server_alone() {
    let net = Net::default();
    net.serve("a:1", Answers::AtOnce);
    let channel = net.channel("a:1");
    let mut attempt = Attempt::first();
    let unread = channel.send(unary(), &mut attempt).await.unwrap();
    for _ in 0..1000 {
        call(&channel).await.by("a:1");
    }
    let mut body = unread.into_body();
    let first = std::future::poll_fn(|cx| std::pin::Pin::new(&mut body).poll_frame(cx)).await;
    let data = first.unwrap().unwrap().into_data().unwrap();
    assert_eq!(data, Bytes::from_static(b"\0\0\0\0\x01a"));
}
