//! The server's limits: the size of a message, and how many calls run at once.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod common;

use std::sync::Arc;

use apibase::{Code, Context, Interceptors, Refusal, Server, Streamed};
use common::{
    CollectReply, Entries, Running, Scripted, Seen, ask, count, frame_of, journal, post, recorder,
    reply, soon,
};
use futures_util::{StreamExt, future, stream};
use tokio::sync::{Barrier, Notify};

const LIMIT: usize = 1000;

#[tokio::test]
async fn a_request_over_the_limit_is_refused_and_the_connection_lives() {
    let ctx = Context::background();
    let server = Running::with(Scripted::new(), |server| server.max_message_size(LIMIT)).await;
    let client = server.client().await;
    // Two bytes of tag and length and two of the payload's own length stand before the payload.
    let most = LIMIT - 3;
    client.echo(&ctx, ask(vec![0; most])).await.unwrap();
    let error = client.echo(&ctx, ask(vec![0; most + 1])).await.unwrap_err();
    assert_eq!(error.code(), Code::ResourceExhausted);
    let error = client
        .echo(&ctx, ask(vec![0; 3_000_000]))
        .await
        .unwrap_err();
    assert_eq!(error.code(), Code::ResourceExhausted);
    client.echo(&ctx, ask("")).await.unwrap();
}

#[tokio::test]
async fn the_default_limit_is_four_mebibytes() {
    let server = Running::start(Scripted::new()).await;
    let mut raw = server.raw().await;
    let limit = 4 * 1024 * 1024;
    let over = frame_of(0, limit + 1, b"");
    let answer = raw.call(post("Echo"), [over]).await;
    assert_eq!(answer.code(), Code::ResourceExhausted);
    let at_it = frame_of(0, limit, b"");
    let answer = raw.call(post("Echo"), [at_it]).await;
    assert_eq!(
        answer.code(),
        Code::Internal,
        "it is taken, and then cut short"
    );
    raw.lives().await;
}

#[tokio::test]
async fn a_request_over_the_limit_in_mid_stream_ends_the_call() {
    let ctx = Context::background();
    let server = Running::with(Scripted::new(), |server| server.max_message_size(LIMIT)).await;
    let client = server.client().await;
    let requests = || stream::iter([ask("a"), ask(vec![0; LIMIT]), ask("b")]);
    let error = client.collect(&ctx, requests()).await.unwrap_err();
    assert_eq!(error.code(), Code::ResourceExhausted);

    let replies = client.chat(&ctx, requests()).await.unwrap();
    let replies: Vec<_> = replies.collect().await;
    let [Ok(first), Err(error)] = &replies[..] else {
        panic!("{replies:?}");
    };
    assert_eq!(*first, reply(0, "a"));
    assert_eq!(error.code(), Code::ResourceExhausted);
    client.echo(&ctx, ask("")).await.unwrap();
}

#[tokio::test]
async fn a_thousand_calls_run_at_the_same_time() {
    let together = Arc::new(Barrier::new(1000));
    let scripted = Scripted::new().on_echo(move |_, request| {
        let together = Arc::clone(&together);
        async move {
            together.wait().await;
            Ok(reply(0, request.payload))
        }
    });
    let server = Running::with(scripted, |server| server.max_concurrent_rpcs(1000)).await;
    let client = server.client().await;
    let ctx = Context::background();
    let calls = (0..1000_u32).map(|number| {
        let (client, ctx) = (client.clone(), ctx.clone());
        async move {
            let payload = number.to_be_bytes();
            assert_eq!(
                client.echo(&ctx, ask(payload)).await.unwrap().payload,
                payload
            );
        }
    });
    soon(future::join_all(calls)).await;
}

#[tokio::test]
async fn the_hundred_and_first_call_is_refused_at_once() {
    let ctx = Context::background();
    let (observer, mut recording) = recorder();
    let (scripted, mut entries, _open) = gated();
    let server = Running::with(scripted, |server| {
        server.interceptors(Interceptors::none().with_observer(observer))
    });
    let client = server.await.client().await;
    let calls: Vec<_> = (0..100).map(|_| spawn_echo(&client, "wait")).collect();
    for _ in 0..100 {
        assert_eq!(entries.next().await, "in");
        assert!(matches!(recording.next().await, Seen::Started(..)));
    }
    let error = soon(client.echo(&ctx, ask(""))).await.unwrap_err();
    assert_eq!(error.code(), Code::ResourceExhausted);
    assert!(error.to_string().contains("limit of 100"), "{error}");
    let path = "/echo.EchoService/Echo".to_owned();
    let refused = Seen::Refused(path, Refusal::Overloaded, Code::ResourceExhausted);
    assert_eq!(recording.next().await, refused);
    assert_eq!(recording.rest(), [], "a call that is refused never started");
    drop(calls);
}

#[tokio::test]
async fn in_a_flood_each_call_is_answered_or_refused() {
    let ctx = Context::background();
    let scripted = Scripted::new().on_echo(|_, request| async move {
        tokio::task::yield_now().await;
        Ok(reply(0, request.payload))
    });
    let client = Running::start(scripted).await.client().await;
    let calls = (0..2000).map(|_| client.echo(&ctx, ask("")));
    for outcome in soon(future::join_all(calls)).await {
        if let Err(error) = outcome {
            assert_eq!(error.code(), Code::ResourceExhausted, "{error}");
        }
    }
    answers_again(&client).await;
}

#[tokio::test]
async fn the_limit_holds_over_all_connections() {
    let ctx = Context::background();
    let (scripted, mut entries, open) = gated();
    let server = Running::with(scripted, |server| server.max_concurrent_rpcs(2)).await;
    let calls = [
        spawn_echo(&server.client().await, "wait"),
        spawn_echo(&server.client().await, "wait"),
    ];
    assert_eq!(entries.next().await, "in");
    assert_eq!(entries.next().await, "in");
    let third = server.client().await;
    let error = third.echo(&ctx, ask("")).await.unwrap_err();
    assert_eq!(error.code(), Code::ResourceExhausted);
    open.notify_waiters();
    for call in calls {
        soon(call).await.unwrap();
    }
    answers_again(&third).await;
}

#[tokio::test]
async fn a_stream_counts_until_it_has_ended_or_was_dropped() {
    let ctx = Context::background();
    let (journal, mut entries) = journal();
    let scripted = Scripted::new().on_count(move |_, request| {
        let dropped = journal.on_drop("dropped");
        let first = stream::once(async { Ok(reply(0, "")) });
        // One stream ends, the other doesn't.
        let rest = stream::poll_fn(move |_| {
            let _held = &dropped;
            match request.count {
                1 => std::task::Poll::Ready(None),
                _ => std::task::Poll::Pending,
            }
        });
        std::future::ready(Ok(Streamed::new(first.chain(rest))))
    });
    let server = Running::with(scripted, |server| server.max_concurrent_rpcs(1)).await;
    let client = server.client().await;

    let mut replies = client.count(&ctx, count(2)).await.unwrap();
    soon(replies.message()).await.unwrap().unwrap();
    let error = client.echo(&ctx, ask("")).await.unwrap_err();
    assert_eq!(error.code(), Code::ResourceExhausted);
    drop(replies);
    assert_eq!(entries.next().await, "dropped");
    answers_again(&client).await;

    let replies = client.count(&ctx, count(1)).await.unwrap();
    assert_eq!(replies.count().await, 1);
    answers_again(&client).await;
}

#[tokio::test]
async fn an_error_a_panic_and_a_refusal_free_their_permits() {
    let ctx = Context::background();
    let scripted = Scripted::new()
        .on_collect(|_, _| async { panic!("on purpose") })
        .on_count(|_, _| async { Err(apibase::DomainError::not_found("")) });
    let server = Running::with(scripted, |server| server.max_concurrent_rpcs(1)).await;
    let client = server.client().await;
    for _ in 0..3 {
        let error = client.collect(&ctx, stream::empty()).await;
        let error: Result<CollectReply, _> = error;
        assert_eq!(error.unwrap_err().code(), Code::Internal);
        answers_again(&client).await;
        let error = client.count(&ctx, count(1)).await.unwrap_err();
        assert_eq!(error.code(), Code::NotFound);
        answers_again(&client).await;
    }
}

#[tokio::test]
async fn a_limit_of_none_refuses_all() {
    let server = Server::new().max_concurrent_rpcs(0);
    let server = server.add_servicer(common::EchoServiceServer::new(Scripted::new()));
    let client = Running::of(server).await.client().await;
    let error = client.echo(&Context::background(), ask("")).await;
    assert_eq!(error.unwrap_err().code(), Code::ResourceExhausted);
}

/// An echo that waits for the gate to open, if it is asked to wait.
fn gated() -> (Scripted, Entries, Arc<Notify>) {
    let (journal, entries) = journal();
    let gate = Arc::new(Notify::new());
    let inner = Arc::clone(&gate);
    let scripted = Scripted::new().on_echo(move |_, request| {
        let (journal, gate) = (journal.clone(), Arc::clone(&inner));
        async move {
            if request.payload == b"wait" {
                let open = gate.notified();
                journal.write("in");
                open.await;
            }
            Ok(reply(0, ""))
        }
    });
    (scripted, entries, gate)
}

fn spawn_echo(
    client: &common::EchoServiceClient,
    payload: &'static str,
) -> tokio::task::JoinHandle<()> {
    let client = client.clone();
    tokio::spawn(async move {
        client
            .echo(&Context::background(), ask(payload))
            .await
            .unwrap();
    })
}

/// A permit is free a moment after its caller has heard of the end, so this asks until it is.
async fn answers_again(client: &common::EchoServiceClient) {
    let asking = async {
        while let Err(error) = client.echo(&Context::background(), ask("")).await {
            assert_eq!(error.code(), Code::ResourceExhausted, "{error}");
            tokio::task::yield_now().await;
        }
    };
    soon(asking).await;
}
