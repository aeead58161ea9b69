//! A caller that goes away: its servicer is dropped, and half an upload is never a whole one.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod common;

use std::future::pending;

use apibase::{Context, DomainError, Inbound, Interceptors, StreamSender, Streamed};
use common::{
    EchoReply, EchoRequest, EchoServiceServer, Entries, Journal, RawClient, Running, Scripted, ask,
    count, frame, journal, post, reply, soon,
};
use futures_util::{FutureExt, StreamExt, stream};
use tokio_stream::wrappers::{ReceiverStream, TcpListenerStream};

#[tokio::test]
async fn a_cancelled_call_of_each_kind_drops_its_servicer() {
    let ctx = Context::background();
    let (journal, mut entries) = journal();
    let client = Running::start(hanging(&journal)).await.client().await;
    let open = stream::pending::<EchoRequest>;

    cancelled(client.echo(&ctx, ask("")), &mut entries).await;
    cancelled(client.count(&ctx, count(1)), &mut entries).await;
    cancelled(client.collect(&ctx, open()), &mut entries).await;
    cancelled(client.chat(&ctx, open()), &mut entries).await;
    cancelled(client.collect(&ctx, stream::empty()), &mut entries).await;
}

#[tokio::test]
async fn dropping_replies_drops_the_stream_behind_them() {
    let ctx = Context::background();
    let (journal, mut entries) = journal();
    let scripted = Scripted::new()
        .on_count({
            let journal = journal.clone();
            move |_, _| std::future::ready(Ok(one_and_no_more(&journal)))
        })
        .on_chat(move |_, _| std::future::ready(Ok(one_and_no_more(&journal))));
    let client = Running::start(scripted).await.client().await;

    let mut replies = client.count(&ctx, count(1)).await.unwrap();
    soon(replies.message()).await.unwrap().unwrap();
    assert_eq!(entries.rest(), [""; 0]);
    drop(replies);
    assert_eq!(entries.next().await, "dropped");

    // The requests are still open, and that must not hold the call.
    let open = stream::pending::<EchoRequest>();
    let mut replies = client.chat(&ctx, open).await.unwrap();
    soon(replies.message()).await.unwrap().unwrap();
    drop(replies);
    assert_eq!(entries.next().await, "dropped");
}

#[tokio::test]
async fn dropping_replies_drops_the_callers_requests() {
    let ctx = Context::background();
    let (journal, mut entries) = journal();
    let client = Running::start(Scripted::new()).await.client().await;
    let dropped = journal.on_drop("requests dropped");
    let requests = stream::once(async { ask("one") }).chain(stream::poll_fn(move |_| {
        let _held = &dropped;
        std::task::Poll::Pending
    }));
    let mut replies = client.chat(&ctx, requests).await.unwrap();
    soon(replies.message()).await.unwrap().unwrap();
    drop(replies);
    assert_eq!(entries.next().await, "requests dropped");
}

#[tokio::test]
async fn a_storm_of_cancels_leaves_the_connections_other_calls_alone() {
    let ctx = Context::background();
    let (journal, _entries) = journal();
    let scripted = hanging(&journal).on_chat(|_, requests| async {
        Ok(Streamed::new(
            requests.map(|request| Ok(reply(0, request?.payload))),
        ))
    });
    let client = Running::start(scripted).await.client().await;
    let (requests, receiver) = tokio::sync::mpsc::channel(1);
    let mut replies = client
        .chat(&ctx, ReceiverStream::new(receiver))
        .await
        .unwrap();
    for round in 0..20 {
        let calls: Vec<_> = (0..150)
            .map(|_| {
                let (client, ctx) = (client.clone(), ctx.clone());
                tokio::spawn(async move { client.echo(&ctx, ask("")).await })
            })
            .collect();
        // The calls are given up while they are made, sent, seen or begun.
        for _ in 0..round {
            tokio::task::yield_now().await;
        }
        for call in calls {
            call.abort();
        }
        requests.send(ask([round])).await.unwrap();
        let answer = soon(replies.message()).await.unwrap().unwrap();
        assert_eq!(answer.payload, [round]);
    }
}

#[tokio::test]
async fn half_an_upload_is_never_a_whole_one() {
    let ctx = Context::background();
    let (journal, mut entries) = journal();
    let server = Running::start(committing(&journal)).await;
    let client = server.client().await;
    for _ in 0..20 {
        let (requests, receiver) = tokio::sync::mpsc::channel(1);
        let call = tokio::spawn({
            let (client, ctx) = (client.clone(), ctx.clone());
            async move { client.collect(&ctx, ReceiverStream::new(receiver)).await }
        });
        requests.send(ask("half")).await.unwrap();
        assert_eq!(entries.next().await, "read half");
        call.abort();
        assert_eq!(entries.next().await, "dropped");
    }
    assert_eq!(entries.rest(), [""; 0]);
}

#[tokio::test]
async fn no_reset_of_any_reason_ends_an_upload_cleanly() {
    let (journal, mut entries) = journal();
    let server = Running::start(committing(&journal)).await;
    let mut raw = server.raw().await;
    resets(&mut raw, &mut entries, &["dropped"]).await;
    raw.lives().await;
}

#[tokio::test]
async fn a_connection_that_breaks_drops_its_servicers() {
    let (journal, mut entries) = journal();
    let server = Running::start(committing(&journal)).await;
    let connection = tokio::net::TcpStream::connect(server.addr).await.unwrap();
    let (mut requests, connection) = h2::client::handshake(connection).await.unwrap();
    let connection = tokio::spawn(connection);
    let head = post("Collect").body(()).unwrap();
    let (_response, mut stream) = requests.send_request(head, false).unwrap();
    stream.send_data(frame(&ask("half")), false).unwrap();
    assert_eq!(entries.next().await, "read half");
    connection.abort();
    assert_eq!(entries.next().await, "dropped");
    assert_eq!(entries.rest(), [""; 0]);
}

#[tokio::test]
async fn a_spawned_reader_of_a_cancelled_upload_gets_an_error() {
    let (journal, mut entries) = journal();
    let scripted = Scripted::new().on_chat(move |_, mut requests| {
        let journal = journal.clone();
        let (replies, streamed) = Streamed::channel(1);
        tokio::spawn(async move {
            let entry = read(&mut requests, &journal).await;
            journal.write(entry);
            drop::<StreamSender<EchoReply, DomainError>>(replies);
        });
        std::future::ready(Ok(streamed))
    });
    let server = Running::start(scripted).await;
    let mut raw = server.raw().await;
    let (response, mut stream) = raw.open(post("Chat"), false).await;
    stream.send_data(frame(&ask("half")), false).unwrap();
    assert_eq!(entries.next().await, "read half");
    stream.send_reset(h2::Reason::CANCEL);
    drop(response);
    assert_eq!(entries.next().await, "Cancelled");
}

#[tokio::test]
async fn mounted_in_tonic_half_an_upload_is_an_error_or_a_drop() {
    let (journal, mut entries) = journal();
    let service = EchoServiceServer::new(committing(&journal)).into_service(Interceptors::none());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let server = tonic::transport::Server::builder().add_service(service.unwrap());
    tokio::spawn(server.serve_with_incoming(TcpListenerStream::new(listener)));
    let mut raw = RawClient::connect(addr).await;
    resets(&mut raw, &mut entries, &["dropped", "Cancelled"]).await;
}

#[tokio::test]
async fn mounted_in_axum_half_an_upload_is_an_error_or_a_drop() {
    let (journal, mut entries) = journal();
    let service = EchoServiceServer::new(committing(&journal)).into_service(Interceptors::none());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let router = axum::Router::new().route_service("/echo.EchoService/{*rest}", service.unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    let mut raw = RawClient::connect(addr).await;
    resets(&mut raw, &mut entries, &["dropped", "Cancelled"]).await;
}

#[tokio::test]
async fn what_a_servicer_spawned_hears_of_the_end() {
    let ctx = Context::background();
    let (journal, mut entries) = journal();
    let scripted = Scripted::new().on_echo(move |ctx, _| {
        let journal = journal.clone();
        tokio::spawn({
            let (ctx, detached) = (ctx.clone(), ctx.detach());
            async move {
                journal.write("spawned");
                ctx.cancelled().await;
                assert!(ctx.is_cancelled());
                assert!(!detached.is_cancelled());
                assert_eq!(detached.cancelled().now_or_never(), None);
                journal.write("over");
            }
        });
        pending()
    });
    let client = Running::start(scripted).await.client().await;
    let call = tokio::spawn(async move { client.echo(&ctx, ask("")).await });
    assert_eq!(entries.next().await, "spawned");
    call.abort();
    assert_eq!(entries.next().await, "over");
}

#[tokio::test]
async fn an_answered_call_is_over_too() {
    let ctx = Context::background();
    let (journal, mut entries) = journal();
    let scripted = Scripted::new().on_echo(move |ctx, _| {
        let journal = journal.clone();
        tokio::spawn(async move {
            ctx.cancelled().await;
            journal.write("over");
        });
        async { Ok(reply(0, "")) }
    });
    let client = Running::start(scripted).await.client().await;
    client.echo(&ctx, ask("")).await.unwrap();
    assert_eq!(entries.next().await, "over");
}

#[tokio::test]
async fn a_call_ends_with_the_call_that_it_is_made_in() {
    let ctx = Context::background();
    let (journal, mut entries) = journal();
    let behind = Running::start(hanging(&journal)).await.client().await;
    let front = Scripted::new().on_echo(move |ctx, request| {
        let (behind, journal) = (behind.clone(), journal.clone());
        // Spawned, so that it isn't dropped with the servicer: the context alone can end it.
        tokio::spawn(async move {
            let error = behind.echo(&ctx, request).await.unwrap_err();
            assert!(error.is_cancelled());
            journal.write("the call behind failed");
        });
        pending()
    });
    let client = Running::start(front).await.client().await;
    let call = tokio::spawn(async move { client.echo(&ctx, ask("")).await });
    assert_eq!(entries.next().await, "started");
    call.abort();
    let mut ends = [entries.next().await, entries.next().await];
    ends.sort();
    assert_eq!(ends, ["dropped", "the call behind failed"]);
}

/// Starts a call, waits for its servicer to be in it, drops it, and waits for the servicer's end.
async fn cancelled(call: impl Future, entries: &mut Entries) {
    let mut call = Box::pin(call);
    tokio::select! {
        _ = &mut call => panic!("the call ended"),
        entry = entries.next() => assert_eq!(entry, "started"),
    }
    assert_eq!(entries.rest(), [""; 0]);
    drop(call);
    assert_eq!(entries.next().await, "dropped");
}

/// Starts uploads and resets them for every reason that a peer could have: while they are read, and
/// together with what there was to read. Those that were being read end in one of `ends`.
async fn resets(raw: &mut RawClient, entries: &mut Entries, ends: &[&str]) {
    for reason in [
        h2::Reason::NO_ERROR,
        h2::Reason::CANCEL,
        h2::Reason::INTERNAL_ERROR,
        h2::Reason::REFUSED_STREAM,
    ] {
        let (response, mut stream) = raw.open(post("Collect"), false).await;
        stream.send_data(frame(&ask("half")), false).unwrap();
        assert_eq!(entries.next().await, "read half");
        stream.send_reset(reason);
        drop(response);
        let end = entries.next().await;
        assert!(ends.contains(&end.as_str()), "{reason:?}: {end}");

        // At once, so that the upload may never be begun.
        let (response, mut stream) = raw.open(post("Collect"), false).await;
        stream.send_data(frame(&ask("half")), false).unwrap();
        stream.send_reset(reason);
        drop(response);
        raw.lives().await;
        let rest = entries.rest();
        assert!(
            !rest.iter().any(|entry| entry == "committed"),
            "{reason:?}: {rest:?}"
        );
    }
}

/// Starts, and hangs, in all four kinds; client streams while they wait for a request, unless there
/// is none.
fn hanging(journal: &Journal) -> Scripted {
    let hang = {
        let journal = journal.clone();
        move || {
            let dropped = journal.on_drop("dropped");
            journal.write("started");
            async move {
                let _held = dropped;
                pending::<()>().await;
            }
        }
    };
    let (on_echo, on_count, journal) = (hang.clone(), hang, journal.clone());
    let on_chat = journal.clone();
    Scripted::new()
        .on_echo(move |_, _| on_echo().map(|()| Ok(EchoReply::default())))
        .on_count(move |_, _| on_count().map(|()| Ok(Streamed::new(stream::empty()))))
        .on_collect(move |_, requests| wait_for_request(journal.clone(), requests))
        .on_chat(move |_, requests| wait_for_request(on_chat.clone(), requests))
}

async fn wait_for_request<T>(
    journal: Journal,
    mut requests: Inbound<EchoRequest>,
) -> Result<T, DomainError> {
    let _dropped = journal.on_drop("dropped");
    journal.write("started");
    if requests.message().await?.is_some() {
        journal.write("a request");
    }
    pending().await
}

/// Reads an upload and commits it at its end.
fn committing(journal: &Journal) -> Scripted {
    let journal = journal.clone();
    Scripted::new().on_collect(move |_, mut requests| {
        let journal = journal.clone();
        async move {
            let dropped = journal.on_drop("dropped");
            let entry = read(&mut requests, &journal).await;
            dropped.disarm();
            journal.write(entry);
            Ok(Default::default())
        }
    })
}

/// How the upload ended.
async fn read(requests: &mut Inbound<EchoRequest>, journal: &Journal) -> String {
    loop {
        match requests.message().await {
            Ok(Some(_)) => journal.write("read half"),
            Ok(None) => return "committed".to_owned(),
            Err(error) => return format!("{:?}", error.code()),
        }
    }
}

fn one_and_no_more(journal: &Journal) -> Streamed<EchoReply, DomainError> {
    let dropped = journal.on_drop("dropped");
    Streamed::new(
        stream::once(async { Ok(reply(0, "")) }).chain(stream::poll_fn(move |_| {
            let _held = &dropped;
            std::task::Poll::Pending
        })),
    )
}
