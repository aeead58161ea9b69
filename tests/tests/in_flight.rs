//! The calls that run, for whoever asks.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod common;

use std::sync::Arc;
use std::time::Duration;

use apibase::{Context, Peer, Phase, Server, Streamed};
use common::{EchoServiceClient, EchoServiceServer, Scripted, ask, count, journal, reply, soon};
use futures_util::{StreamExt, stream};
use tokio::sync::Notify;

#[tokio::test]
async fn calls_are_listed_until_their_last_trailer() {
    let (journal, mut entries) = journal();
    let open = Arc::new(Notify::new());
    let gate = Arc::clone(&open);
    let scripted = Scripted::new()
        .on_echo(move |_, _| {
            let gate = Arc::clone(&gate);
            journal.write("in");
            async move {
                gate.notified().await;
                Ok(reply(7, ""))
            }
        })
        .on_count(|_, _| async {
            let endless = stream::iter([Ok(reply(1, ""))]).chain(stream::pending());
            Ok(Streamed::new(endless))
        });
    let bound = Server::new()
        .host([127, 0, 0, 1])
        .port(0)
        .add_servicer(EchoServiceServer::new(scripted))
        .bind()
        .await
        .unwrap();
    let handle = bound.handle();
    let target = format!("http://{}", bound.local_addr());
    let serving = tokio::spawn(bound.serve_until(std::future::pending()));
    let client = EchoServiceClient::connect(target).await.unwrap();
    assert!(handle.calls().is_empty());

    let ctx = Context::background()
        .with_correlation_id("c-1")
        .with_timeout(Duration::from_secs(60));
    let mut replies = client.count(&ctx, count(1)).await.unwrap();
    assert!(soon(replies.message()).await.unwrap().is_some());
    let calling = client.clone();
    let unary = tokio::spawn(async move { calling.echo(&Context::background(), ask("")).await });
    assert_eq!(soon(entries.next()).await, "in");

    let calls = handle.calls();
    let seen: Vec<_> = calls
        .iter()
        .map(|call| {
            (
                call.method.name(),
                call.phase,
                call.correlation_id.as_deref(),
            )
        })
        .collect();
    let expected = [
        ("Count", Phase::Replying, Some("c-1")),
        ("Echo", Phase::Working, None),
    ];
    assert_eq!(seen, expected);
    assert!(
        calls
            .iter()
            .all(|call| matches!(call.peer, Some(Peer::Tcp(_))))
    );
    let remaining = calls.first().unwrap().remaining.unwrap();
    assert!(remaining <= Duration::from_secs(60) && remaining > Duration::from_secs(1));

    open.notify_one();
    soon(unary).await.unwrap().unwrap();
    drop(replies);
    let empty = async {
        while !handle.calls().is_empty() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    soon(empty).await;
    serving.abort();
}
