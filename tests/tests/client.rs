//! The client's own promises: connecting, connecting again, options and what a failure tells.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod common;

use std::time::Duration;

use apibase::{
    CallError, CallInfo, CallOptions, Code, Context, DomainError, FailureKind, Server, Target,
};
use common::{
    EchoReply, EchoServiceClient, EchoServiceServer, Nobody, Outcome, Running, Scripted, ask,
    count, journal, reply, soon,
};
use futures_util::{StreamExt, stream};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::time::{Instant, sleep, timeout};

#[tokio::test]
async fn connecting_to_nobody_is_an_error_that_says_so() {
    let nobody = Nobody::new();
    let target = nobody.target();
    let error = EchoServiceClient::connect(&target).await.unwrap_err();
    assert!(!error.is_target(), "another try may succeed");
    assert!(error.to_string().contains(&target), "{error}");
    assert!(
        error.to_string().to_lowercase().contains("refused"),
        "{error}"
    );
}

#[tokio::test]
async fn calling_nobody_is_a_transport_failure_that_was_not_processed() {
    let ctx = Context::background();
    let nobody = Nobody::new();
    let client = EchoServiceClient::connect_lazy(nobody.target()).unwrap();
    let unreached = |error: CallError<DomainError>| {
        assert!(
            error.is_transport() && error.is_not_processed(),
            "{error:?}"
        );
        assert!(!error.is_timeout() && !error.is_cancelled() && !error.is_circuit_open());
        assert_eq!(error.code(), Code::Unavailable);
        assert!(
            error.to_string().to_lowercase().contains("refused"),
            "{error}"
        );
    };
    unreached(client.echo(&ctx, ask("")).await.unwrap_err());
    unreached(client.count(&ctx, count(1)).await.unwrap_err());
    unreached(client.collect(&ctx, stream::pending()).await.unwrap_err());
    unreached(client.chat(&ctx, stream::pending()).await.unwrap_err());
}

/// A peer whose backlog is full: the kernel lets connections to it wait. Time is virtual from here on.
async fn mute_peer() -> Option<(String, TcpListener, Vec<TcpStream>)> {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(([127, 0, 0, 1], 0).into()).unwrap();
    let listener = socket.listen(1).unwrap();
    let addr = listener.local_addr().unwrap();
    let mut waiting = Vec::new();
    while let Ok(stream) = timeout(Duration::from_millis(300), TcpStream::connect(addr)).await {
        waiting.push(stream.unwrap());
        if waiting.len() > 64 {
            eprintln!("SKIPPED: this system's backlog is never full, so nothing waits");
            return None;
        }
    }
    tokio::time::pause();
    Some((format!("http://{addr}"), listener, waiting))
}

#[tokio::test]
async fn connecting_to_a_peer_that_does_not_answer_has_an_end() {
    let Some((target, _listener, _waiting)) = mute_peer().await else {
        return;
    };
    let error = soon(EchoServiceClient::connect(target)).await.unwrap_err();
    assert!(error.to_string().contains("timed out"), "{error}");
}

#[tokio::test]
async fn a_call_that_cannot_wait_leaves_connecting_to_the_next_one() {
    let Some((target, _listener, _waiting)) = mute_peer().await else {
        return;
    };
    let client = EchoServiceClient::connect_lazy(target).unwrap();
    let started = Instant::now();
    let hurried = Context::background().with_timeout(Duration::from_secs(15));
    let error = soon(client.echo(&hurried, ask("a"))).await.unwrap_err();
    assert!(error.is_timeout(), "{error}");
    // The attempt goes on: its 20 seconds have begun with the first call.
    let once = client.with(CallOptions::new().no_retry());
    let error = soon(once.echo(&Context::background(), ask("b"))).await;
    assert!(error.unwrap_err().is_not_processed());
    assert_eq!(started.elapsed().as_secs(), 20);
}

#[tokio::test]
async fn a_target_that_is_wrong_is_an_error_before_any_call() {
    for target in [
        "ftp://localhost:1",
        "http://localhost",
        "localhost",
        "http://localhost:1/path",
    ] {
        let error = EchoServiceClient::connect_lazy(target).unwrap_err();
        assert!(error.is_target(), "{target}: {error}");
        let error = EchoServiceClient::connect(target).await.unwrap_err();
        assert!(error.is_target(), "{target}: {error}");
    }
}

#[tokio::test]
async fn a_bare_target_made_insecure_is_plaintext() {
    let server = Running::start(Scripted::new()).await;
    let target = Target::new(server.addr.to_string()).insecure();
    let client = EchoServiceClient::connect(target).await.unwrap();
    client.echo(&Context::background(), ask("")).await.unwrap();
}

/// Calls until there is a connection: a client dials again after a while, whatever its calls.
async fn echo_once_connected(client: &EchoServiceClient) -> EchoReply {
    let ctx = Context::background();
    let called = async {
        loop {
            match client.echo(&ctx, ask("")).await {
                Ok(reply) => return reply,
                Err(error) => assert!(error.is_not_processed(), "{error:?}"),
            }
            sleep(Duration::from_millis(20)).await;
        }
    };
    soon(called).await
}

#[tokio::test]
async fn a_lazy_client_connects_when_it_calls() {
    let nobody = Nobody::new();
    let client = EchoServiceClient::connect_lazy(nobody.target()).unwrap();
    let ctx = Context::background();
    client.echo(&ctx, ask("")).await.unwrap_err();
    let server = Server::new().add_servicer(EchoServiceServer::new(Scripted::new()));
    let _server = Running::on(server, nobody.addr.port()).await;
    echo_once_connected(&client).await;
}

#[tokio::test]
async fn a_client_finds_a_server_that_was_started_anew() {
    let ctx = Context::background();
    let mut server = Running::start(Scripted::new()).await;
    let port = server.addr.port();
    let client = server.client().await;
    for _ in 0..3 {
        echo_once_connected(&client).await;
        soon(server.stop()).await.unwrap();
        let error = client.echo(&ctx, ask("")).await.unwrap_err();
        assert!(
            error.is_transport() && error.is_not_processed(),
            "{error:?}"
        );
        let again = Server::new().add_servicer(EchoServiceServer::new(Scripted::new()));
        server = Running::on(again, port).await;
    }
    echo_once_connected(&client).await;
}

#[tokio::test]
async fn a_call_made_while_the_server_drains_goes_to_the_one_that_took_its_port() {
    let ctx = Context::background();
    let (journal, mut entries) = journal();
    let scripted = Scripted::new().on_chat(move |_, requests| {
        journal.write("in");
        std::future::ready(Ok(apibase::Streamed::new(
            requests.map(|request| Ok(reply(1, request?.payload))),
        )))
    });
    let old = Running::start(scripted).await;
    let port = old.addr.port();
    let client = old.client().await;
    let (requests, receiver) = tokio::sync::mpsc::channel(1);
    let receiver = tokio_stream::wrappers::ReceiverStream::new(receiver);
    let mut replies = client.chat(&ctx, receiver).await.unwrap();
    assert_eq!(entries.next().await, "in");

    let stopping = old.stop();
    // The port is free once the old server has stopped to listen.
    let new = Scripted::new().on_echo(|_, _| async { Ok(reply(2, "")) });
    let mut new = Some(new);
    let _new = loop {
        let server = Server::new().host([127, 0, 0, 1]).port(port);
        match server.bind().await {
            Ok(probe) => {
                drop(probe);
                let service = EchoServiceServer::new(new.take().unwrap());
                break Running::on(Server::new().add_servicer(service), port).await;
            }
            Err(_) => tokio::task::yield_now().await,
        }
    };
    let answered = async {
        loop {
            // A call that crossed the server's farewell was answered by the old one.
            match echo_once_connected(&client).await.number {
                2 => break,
                _ => tokio::task::yield_now().await,
            }
        }
    };
    soon(answered).await;

    requests.send(ask("still there")).await.unwrap();
    let still = soon(replies.message()).await.unwrap().unwrap();
    assert_eq!(still, reply(1, "still there"));
    drop((requests, replies));
    soon(stopping).await.unwrap();
}

#[tokio::test]
async fn a_reply_over_the_limit_is_a_failure_and_the_connection_lives() {
    let ctx = Context::background();
    let client = Running::start(Scripted::new()).await.client().await;
    let small = client.with(CallOptions::new().max_message_size(1000));
    let error = small.echo(&ctx, ask(vec![0; 2000])).await.unwrap_err();
    assert_eq!(error.code(), Code::ResourceExhausted);
    assert_eq!(error.failure().unwrap().kind(), FailureKind::Decode);

    let requests = stream::iter([ask("a"), ask(vec![0; 2000]), ask("b")]);
    let mut replies = small.chat(&ctx, requests).await.unwrap();
    assert_eq!(replies.message().await.unwrap().unwrap().payload, b"a");
    let error = replies.message().await.unwrap_err();
    assert_eq!(error.code(), Code::ResourceExhausted);
    assert_eq!(replies.message().await.unwrap(), None);

    client.echo(&ctx, ask(vec![0; 2000])).await.unwrap();
}

#[tokio::test]
async fn a_larger_limit_lets_larger_messages_through() {
    const SIZE: usize = 5 * 1024 * 1024;
    let ctx = Context::background();
    let server = Running::with(Scripted::new(), |server| server.max_message_size(2 * SIZE));
    let client = server.await.client().await;
    let error = client.echo(&ctx, ask(vec![0; SIZE])).await.unwrap_err();
    assert_eq!(error.code(), Code::ResourceExhausted);
    let large = client.with(CallOptions::new().max_message_size(2 * SIZE));
    let answer = large.echo(&ctx, ask(vec![0; SIZE])).await.unwrap();
    assert_eq!(answer.payload.len(), SIZE);
}

#[tokio::test]
async fn options_belong_to_the_stub_that_has_them() {
    let ctx = Context::background();
    let scripted = Scripted::new().on_echo(|ctx, _| async move {
        let tenant = ctx.metadata().get("x-tenant");
        Ok(reply(
            0,
            tenant.map_or("none", |tenant| tenant.to_str().unwrap()),
        ))
    });
    let client = Running::start(scripted).await.client().await;
    let acme = client.with(CallOptions::new().metadata("x-tenant", "acme"));
    let payload =
        async |client: &EchoServiceClient| client.echo(&ctx, ask("")).await.unwrap().payload;
    assert_eq!(payload(&acme).await, b"acme");
    assert_eq!(payload(&client).await, b"none");
    assert_eq!(payload(&acme).await, b"acme");
    assert_eq!(payload(&acme.with(CallOptions::new())).await, b"none");
}

#[tokio::test]
async fn info_tells_of_the_last_call_only() {
    let ctx = Context::background();
    let scripted = Scripted::new().on_echo(|ctx, request| async move {
        if request.payload.is_empty() {
            ctx.response().set_header("x-empty", 1)?;
        }
        Ok(reply(0, ""))
    });
    let client = Running::start(scripted).await.client().await;
    let info = CallInfo::new();
    assert_eq!(info.attempts(), 0);
    let client = client.with(CallOptions::new().info(&info));
    client.echo(&ctx, ask("")).await.unwrap();
    assert!(info.headers().contains_key("x-empty"));
    assert_eq!(info.attempts(), 1);
    client.echo(&ctx, ask("full")).await.unwrap();
    assert!(!info.headers().contains_key("x-empty"));
    assert_eq!(info.attempts(), 1);
}

#[test]
fn a_calls_result_is_small() {
    assert!(size_of::<CallError<DomainError>>() <= 96);
    assert!(size_of::<Outcome<()>>() <= 96);
    assert!(size_of::<Outcome<EchoReply>>() <= 96);
}
