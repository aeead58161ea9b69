//! How a server stops: softly, hard, or because it was dropped.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod common;

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use apibase::{Context, Server, Streamed};
use common::{
    EchoServiceClient, EchoServiceServer, Journal, RawClient, Running, Scripted, ask, count, frame,
    journal, log, post, reply, soon,
};
use futures_util::{FutureExt, StreamExt, stream};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Notify;

/// Longer than any test takes: what ends sooner didn't wait for it.
const LONG: Duration = Duration::from_secs(3600);

/// Passes at once.
const SHORT: Duration = Duration::from_millis(20);

#[tokio::test]
async fn a_call_that_runs_is_completed_and_who_connects_is_refused() {
    let (journal, mut entries) = journal();
    let open = Arc::new(Notify::new());
    let gate = Arc::clone(&open);
    let scripted = Scripted::new().on_echo(move |_, _| {
        let gate = Arc::clone(&gate);
        journal.write("in");
        async move {
            gate.notified().await;
            Ok(reply(7, ""))
        }
    });
    let server = Running::with(scripted, |server| server.grace(LONG)).await;
    let (addr, target) = (server.addr, server.target());
    let client = server.client().await;
    let call = tokio::spawn(async move { client.echo(&Context::background(), ask("")).await });
    assert_eq!(entries.next().await, "in");

    let mut stopping = server.stop();
    let refused = async {
        while TcpStream::connect(addr).await.is_ok() {
            tokio::task::yield_now().await;
        }
    };
    soon(refused).await;
    EchoServiceClient::connect(target).await.unwrap_err();
    assert!(
        (&mut stopping).now_or_never().is_none(),
        "a call still runs"
    );

    open.notify_one();
    assert_eq!(soon(call).await.unwrap().unwrap(), reply(7, ""));
    soon(stopping).await.unwrap();
}

#[tokio::test]
async fn a_stream_that_runs_is_completed() {
    let server = Running::with(Scripted::new(), |server| server.grace(LONG)).await;
    let client = server.client().await;
    let (requests, receiver) = tokio::sync::mpsc::channel(1);
    let requests_of_call = tokio_stream::wrappers::ReceiverStream::new(receiver);
    let ctx = Context::background();
    let mut replies = client.chat(&ctx, requests_of_call).await.unwrap();
    let stopping = server.stop();
    for payload in ["a", "b"] {
        requests.send(ask(payload)).await.unwrap();
        let answer = soon(replies.message()).await.unwrap().unwrap();
        assert_eq!(answer.payload, payload.as_bytes());
    }
    drop(requests);
    assert_eq!(soon(replies.message()).await.unwrap(), None);
    soon(stopping).await.unwrap();
}

#[tokio::test]
async fn connections_without_calls_hold_nothing_up() {
    let server = Running::with(Scripted::new(), |server| server.grace(LONG)).await;
    let client = server.client().await;
    client.echo(&Context::background(), ask("")).await.unwrap();
    let mut raw = server.raw().await;
    raw.lives().await;
    soon(server.stop()).await.unwrap();
}

#[tokio::test]
async fn a_handler_that_hangs_is_cut_off_after_the_grace() {
    let (journal, mut entries) = journal();
    let server = Running::with(hanging(&journal), |server| server.grace(SHORT)).await;
    let client = server.client().await;
    let call = tokio::spawn(async move { client.echo(&Context::background(), ask("")).await });
    assert_eq!(entries.next().await, "in");
    soon(server.stop()).await.unwrap();
    assert_eq!(entries.next().await, "dropped");
    let error = soon(call).await.unwrap().unwrap_err();
    assert!(error.is_transport(), "{error:?}");
}

#[tokio::test]
async fn an_open_stream_is_cut_off_after_the_grace() {
    let (journal, mut entries) = journal();
    let server = Running::with(hanging(&journal), |server| server.grace(SHORT)).await;
    let client = server.client().await;
    let ctx = Context::background();
    let mut replies = client.count(&ctx, count(1)).await.unwrap();
    assert_eq!(soon(replies.message()).await.unwrap(), Some(reply(0, "")));
    soon(server.stop()).await.unwrap();
    assert_eq!(entries.next().await, "dropped");
    let error = soon(replies.message()).await.unwrap_err();
    assert!(error.is_transport(), "{error:?}");
}

#[tokio::test]
async fn a_peer_that_reads_nothing_is_cut_off_after_the_grace() {
    let (journal, mut entries) = journal();
    let scripted = Scripted::new().on_count(move |_, _| {
        let dropped = journal.on_drop("dropped");
        std::future::ready(Ok(Streamed::from_iter((0..).map(move |number| {
            let _held = &dropped;
            Ok(reply(number, vec![0; 1000]))
        }))))
    });
    let server = Running::with(scripted, |server| server.grace(SHORT)).await;
    let mut raw = server.raw().await;
    let (response, mut stream) = raw.open(post("Count"), false).await;
    stream.send_data(frame(&count(1)), true).unwrap();
    let _unread = soon(response).await.unwrap();
    soon(server.stop()).await.unwrap();
    assert_eq!(entries.next().await, "dropped");
}

#[tokio::test]
async fn a_peer_that_sends_no_preface_is_cut_off_after_the_grace() {
    let server = Running::with(Scripted::new(), |server| server.grace(SHORT)).await;
    let mut silent = TcpStream::connect(server.addr).await.unwrap();
    let mut half = TcpStream::connect(server.addr).await.unwrap();
    half.write_all(b"PRI * HT").await.unwrap();
    // Both were accepted before this one is answered.
    server.raw().await.lives().await;
    soon(server.stop()).await.unwrap();
    let mut rest = Vec::new();
    let _ = soon(silent.read_to_end(&mut rest)).await;
    let _ = soon(half.read_to_end(&mut rest)).await;
}

#[tokio::test]
async fn without_any_grace_it_stops_at_once() {
    let (journal, mut entries) = journal();
    let server = Running::with(hanging(&journal), |server| server.grace(Duration::ZERO)).await;
    let client = server.client().await;
    let call = tokio::spawn(async move { client.echo(&Context::background(), ask("")).await });
    assert_eq!(entries.next().await, "in");
    soon(server.stop()).await.unwrap();
    assert_eq!(entries.next().await, "dropped");
    soon(call).await.unwrap().unwrap_err();
}

#[tokio::test]
async fn dropping_what_serves_stops_all_of_it() {
    let (journal, mut entries) = journal();
    let server = Running::with(hanging(&journal), |server| server.grace(LONG)).await;
    let addr = server.addr;
    let client = server.client().await;
    let call = tokio::spawn(async move { client.echo(&Context::background(), ask("")).await });
    assert_eq!(entries.next().await, "in");
    let _idle = RawClient::connect(addr).await;
    server.serving.abort();
    assert_eq!(entries.next().await, "dropped");
    soon(call).await.unwrap().unwrap_err();
    let refused = async {
        while TcpStream::connect(addr).await.is_ok() {
            tokio::task::yield_now().await;
        }
    };
    soon(refused).await;
}

#[tokio::test]
async fn a_signal_that_is_there_already_stops_before_the_first_call() {
    let server = Server::new()
        .host([127, 0, 0, 1])
        .port(0)
        .add_servicer(EchoServiceServer::new(Scripted::new()));
    soon(server.serve_until(async {})).await.unwrap();
}

#[tokio::test]
async fn the_port_is_free_when_it_has_stopped() {
    let server = Running::start(Scripted::new()).await;
    let port = server.addr.port();
    let client = server.client().await;
    client.echo(&Context::background(), ask("")).await.unwrap();
    soon(server.stop()).await.unwrap();
    let again = Server::new().host([127, 0, 0, 1]).port(port);
    assert_eq!(again.bind().await.unwrap().local_addr().port(), port);
}

/// Hangs before its reply, or after the first of a stream.
fn hanging(journal: &Journal) -> Scripted {
    let (on_echo, on_count) = (journal.clone(), journal.clone());
    Scripted::new()
        .on_echo(move |_, _| {
            let dropped = on_echo.on_drop("dropped");
            on_echo.write("in");
            async move {
                let _held = dropped;
                pending().await
            }
        })
        .on_count(move |_, _| {
            let dropped = on_count.on_drop("dropped");
            let first = stream::once(async { Ok(reply(0, "")) });
            let rest = stream::poll_fn(move |_| {
                let _held = &dropped;
                std::task::Poll::Pending
            });
            std::future::ready(Ok(Streamed::new(first.chain(rest))))
        })
}

#[tokio::test]
async fn what_holds_it_up_is_named_in_the_log() {
    let (journal, mut entries) = journal();
    let server = Running::with(hanging(&journal), |server| server.grace(SHORT)).await;
    let log = log();
    let client = server.client().await;
    let ctx = Context::background().with_correlation_id("held-up");
    let call = tokio::spawn(async move { client.echo(&ctx, ask("")).await });
    let _ = soon(entries.next()).await;
    soon(server.stop()).await.unwrap();
    soon(call).await.unwrap().unwrap_err();
    let lines = log.lines();
    let of_call: Vec<_> = lines
        .iter()
        .filter(|line| line.contains("a call is cut off"))
        .collect();
    let [line] = of_call[..] else {
        panic!("not one line: {lines:#?}");
    };
    for part in ["/echo.EchoService/Echo", "held-up", "Working"] {
        assert!(line.contains(part), "{line}");
    }
}
