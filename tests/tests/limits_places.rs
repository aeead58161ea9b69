//! How many calls run at once: of a server, of a connection and of a method.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod common;
mod wiretap;

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use apibase::{CallOptions, Code, Context, DomainError, Interceptors, Refusal, Server, Streamed};
use common::{
    EchoServiceClient, EchoServiceServer, Entries, RawClient, RetryInfo, Running, Scripted, Seen,
    ask, count, frame, journal, post, post_to, recorder, reply, soon,
};
use futures_util::future::join_all;
use futures_util::{StreamExt, stream};
use h2::Reason;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use wiretap::SETTINGS;

const ECHO: &str = "/echo.EchoService/Echo";

/// An echo that says that it is in, and answers as its payload asks.
fn echo() -> (Scripted, Entries, Arc<Notify>) {
    let (journal, entries) = journal();
    let gate = Arc::new(Notify::new());
    let inner = Arc::clone(&gate);
    let scripted = Scripted::new().on_echo(move |_, request| {
        let (journal, gate) = (journal.clone(), Arc::clone(&inner));
        async move {
            match request.payload.as_slice() {
                b"wait" => {
                    let open = gate.notified();
                    journal.write("in");
                    open.await;
                }
                b"hang" => {
                    journal.write("in");
                    pending::<()>().await;
                }
                b"panic" => panic!("on purpose"),
                b"fail" => return Err(DomainError::not_found("")),
                _ => {}
            }
            Ok(reply(0, request.payload))
        }
    });
    (scripted, entries, gate)
}

/// One kind of limit, set to so many.
type Limit = fn(Server, usize) -> Server;

const OF_SERVER: Limit = |server, max| server.max_concurrent_rpcs(max);
const OF_METHOD: Limit = |server, max| server.max_concurrent_rpcs_of(ECHO, max);

fn spawn_echo(client: &EchoServiceClient, payload: &'static str) -> JoinHandle<()> {
    let client = client.clone();
    tokio::spawn(async move {
        let ctx = Context::background();
        client.echo(&ctx, ask(payload)).await.unwrap();
    })
}

/// A place is free a moment after its caller has heard of the end, so this asks until it is.
async fn answers_again(client: &EchoServiceClient) {
    let asking = async {
        while let Err(error) = client.echo(&Context::background(), ask("")).await {
            assert_eq!(error.code(), Code::ResourceExhausted, "{error}");
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    soon(asking).await;
}

#[tokio::test]
async fn one_more_is_refused_while_as_many_run_and_taken_when_one_has_ended() {
    for limit in [OF_SERVER, OF_METHOD] {
        let ctx = Context::background();
        let (scripted, mut entries, gate) = echo();
        let server = Running::with(scripted, |server| limit(server, 3)).await;
        // Over connections of their own: neither limit is a connection's.
        let mut calls = Vec::new();
        for _ in 0..3 {
            calls.push(spawn_echo(&server.client().await, "wait"));
            assert_eq!(entries.next().await, "in");
        }
        let client = server.client().await;
        for _ in 0..5 {
            let error = soon(client.echo(&ctx, ask(""))).await.unwrap_err();
            assert_eq!(error.code(), Code::ResourceExhausted);
            assert!(error.to_string().contains("limit of 3"), "{error}");
        }
        gate.notify_one();
        answers_again(&client).await;
        gate.notify_waiters();
        join_all(calls).await;
    }
}

#[tokio::test]
async fn however_a_call_ends_its_place_is_free() {
    for limit in [OF_SERVER, OF_METHOD] {
        let ctx = Context::background();
        let (scripted, mut entries, _gate) = echo();
        let server = Running::with(scripted, |server| limit(server, 1)).await;
        let client = server.client().await;
        for _ in 0..3 {
            client.echo(&ctx, ask("")).await.unwrap();
            answers_again(&client).await;

            let error = client.echo(&ctx, ask("panic")).await.unwrap_err();
            assert_eq!(error.code(), Code::Internal);
            answers_again(&client).await;

            let error = client.echo(&ctx, ask("fail")).await.unwrap_err();
            assert_eq!(error.code(), Code::NotFound);
            answers_again(&client).await;

            let hanging = spawn_echo(&client, "hang");
            assert_eq!(entries.next().await, "in");
            hanging.abort();
            answers_again(&client).await;

            let late = CallOptions::new().deadline(Duration::from_millis(500));
            let error = client.with(late).echo(&ctx, ask("hang")).await.unwrap_err();
            assert_eq!(error.code(), Code::DeadlineExceeded);
            assert_eq!(entries.next().await, "in");
            answers_again(&client).await;
        }
    }
}

#[tokio::test]
async fn a_stream_of_a_method_counts_until_it_was_dropped() {
    let ctx = Context::background();
    let scripted = Scripted::new().on_count(|_, _| {
        let replies = stream::once(async { Ok(reply(0, "")) }).chain(stream::pending());
        std::future::ready(Ok(Streamed::new(replies)))
    });
    let server = Running::with(scripted, |server| {
        server.max_concurrent_rpcs_of("/echo.EchoService/Count", 1)
    })
    .await;
    let client = server.client().await;
    let mut replies = client.count(&ctx, count(1)).await.unwrap();
    soon(replies.message()).await.unwrap().unwrap();
    let error = client.count(&ctx, count(1)).await.unwrap_err();
    assert_eq!(error.code(), Code::ResourceExhausted);
    client.echo(&ctx, ask("another method")).await.unwrap();
    drop(replies);
    let again = async {
        while client.count(&ctx, count(1)).await.is_err() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    soon(again).await;
}

#[tokio::test]
async fn a_method_of_no_places_is_closed_and_others_are_open() {
    let ctx = Context::background();
    let server = Running::with(Scripted::new(), |server| OF_METHOD(server, 0)).await;
    let client = server.client().await;
    let error = client.echo(&ctx, ask("")).await.unwrap_err();
    assert_eq!(error.code(), Code::ResourceExhausted);
    client.ping(&ctx, ()).await.unwrap();
}

#[tokio::test]
async fn a_limit_for_a_method_that_is_not_there_is_an_error_with_the_nearest() {
    let server = || {
        let echo = EchoServiceServer::new(Scripted::new());
        Server::new().port(0).add_servicer(echo)
    };
    for (path, said) in [
        (
            "/echo.EchoService/Ecko",
            "did you mean `/echo.EchoService/Echo`?",
        ),
        (
            "echo.EchoService/Echo",
            "did you mean `/echo.EchoService/Echo`?",
        ),
        ("Items", "give its path as `/package.Service/Method`"),
    ] {
        let limit = apibase::RateLimit::new(1, Duration::from_secs(1));
        for server in [
            server().max_concurrent_rpcs_of(path, 1),
            server().rate_limit_of(path, limit),
        ] {
            let error = server.bind().await.unwrap_err().to_string();
            assert!(error.contains(&format!("`{path}`")), "{error}");
            assert!(error.ends_with(said), "{error}");
        }
    }
}

#[tokio::test]
async fn who_is_refused_is_told_why_and_to_come_again_soon() {
    for (limit, said) in [
        (
            OF_SERVER,
            "the server is at its limit of 0 concurrent calls",
        ),
        (
            OF_METHOD,
            "the method is at its limit of 0 concurrent calls",
        ),
    ] {
        let (observer, mut recording) = recorder();
        let server = Running::with(Scripted::new(), |server| {
            let chain = Interceptors::none().with_observer(observer);
            limit(server, 0).interceptors(chain)
        })
        .await;
        let mut raw = server.raw().await;
        let head = post("Echo").header("x-correlation-id", "c-1");
        let failed = raw.call(head, [frame(&ask(""))]).await.failed();
        assert_eq!(failed.code, Code::ResourceExhausted);
        assert_eq!(failed.message, said);
        let info = failed.info();
        assert_eq!(
            (info.domain.as_str(), info.reason.as_str()),
            ("apibase", "OVERLOADED")
        );
        let delay = failed.find::<RetryInfo>().unwrap().retry_delay.unwrap();
        let millis = delay.nanos / 1_000_000;
        assert!(
            delay.seconds == 0 && (50..=150).contains(&millis),
            "{delay:?}"
        );
        assert_eq!(failed.pushback, Some(millis.to_string()));
        let request = failed.find::<common::RequestInfo>().unwrap();
        assert_eq!(request.request_id, "c-1");
        let refused = Seen::Refused(ECHO.to_owned(), Refusal::Overloaded, failed.code);
        assert_eq!(recording.next().await, refused);
        assert_eq!(recording.rest(), [], "once, and nothing started");
    }
}

#[tokio::test]
async fn those_who_are_refused_together_are_told_different_times() {
    let server = Running::with(Scripted::new(), |server| OF_SERVER(server, 0)).await;
    let client = server.client().await;
    let mut delays = Vec::new();
    for _ in 0..20 {
        let error = client.echo(&Context::background(), ask("")).await;
        delays.push(error.unwrap_err().retry_delay().unwrap());
    }
    delays.sort();
    delays.dedup();
    assert!(delays.len() > 5, "{delays:?}");
}

#[tokio::test]
async fn health_answers_where_nobody_else_does() {
    let server = Running::with(Scripted::new(), |server| {
        server
            .max_concurrent_rpcs(0)
            .max_concurrent_rpcs_per_connection(1)
    })
    .await;
    let mut raw = server.raw().await;
    let head = post("Echo");
    let answer = raw.call(head, [frame(&ask(""))]).await;
    assert_eq!(answer.code(), Code::ResourceExhausted);
    let check = post_to("/grpc.health.v1.Health/Check");
    let answer = raw.call(check, [frame(&())]).await;
    assert_eq!(answer.code(), Code::Ok);
}

#[tokio::test]
async fn a_peer_is_told_how_many_calls_its_connection_has() {
    for (max, told) in [(None, 200), (Some(7), 7), (Some(1000), 1000)] {
        let server = Running::with(Scripted::new(), |server| match max {
            Some(max) => server.max_concurrent_rpcs_per_connection(max),
            None => server,
        })
        .await;
        let (_peer, mut heard) = wiretap::deaf_to(server.addr, &[]).await;
        assert_eq!(heard.limits().await.0, told);
    }
}

/// Sends a call that waits, on this connection.
async fn open(raw: &mut RawClient, payload: &str) -> h2::client::ResponseFuture {
    let (response, mut body) = raw.open(post("Echo"), false).await;
    body.send_data(frame(&ask(payload)), true).unwrap();
    response
}

#[tokio::test]
async fn a_peer_that_does_not_keep_to_it_has_its_streams_refused() {
    let (scripted, mut entries, gate) = echo();
    let server = Running::with(scripted, |server| {
        server.max_concurrent_rpcs_per_connection(2)
    });
    let server = server.await;
    let (mut deaf, _heard) = wiretap::deaf_to(server.addr, &[SETTINGS]).await;
    let first = open(&mut deaf, "wait").await;
    let second = open(&mut deaf, "wait").await;
    for _ in 0..2 {
        assert_eq!(entries.next().await, "in");
    }
    let third = open(&mut deaf, "wait").await;
    let error = soon(third).await.unwrap_err();
    // Clients send such a call again by themselves: it was not processed.
    assert_eq!(error.reason(), Some(Reason::REFUSED_STREAM));
    server.raw().await.lives().await;

    gate.notify_waiters();
    for response in [first, second] {
        let answer = common::Answer::read(soon(response).await.unwrap()).await;
        assert_eq!(answer.code(), Code::Ok);
    }
    deaf.lives().await;
}

#[tokio::test]
async fn our_own_client_waits_for_a_place_on_its_connection() {
    let scripted = Scripted::new().on_echo(|_, request| async move {
        tokio::task::yield_now().await;
        Ok(reply(0, request.payload))
    });
    let server = Running::with(scripted, |server| {
        server.max_concurrent_rpcs_per_connection(2)
    });
    let client = server.await.client().await;
    let ctx = Context::background();
    let calls = (0..50).map(|_| client.echo(&ctx, ask("")));
    for outcome in soon(join_all(calls)).await {
        outcome.unwrap();
    }
}

#[tokio::test]
async fn who_cancels_and_calls_again_at_once_is_not_refused() {
    let (scripted, _entries, _gate) = echo();
    let server = Running::with(scripted, |server| {
        server.max_concurrent_rpcs_per_connection(1)
    });
    let mut raw = server.await.raw().await;
    raw.lives().await;
    for _ in 0..200 {
        let (response, mut body) = raw.open(post("Echo"), false).await;
        body.send_data(frame(&ask("hang")), true).unwrap();
        tokio::task::yield_now().await;
        body.send_reset(Reason::CANCEL);
        drop(response);
        let answer = raw.call(post("Echo"), [frame(&ask("after"))]).await;
        assert_eq!(answer.code(), Code::Ok, "{answer:?}");
    }
}
