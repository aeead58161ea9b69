//! A generated service mounted in tonic's server and in an axum router, called by our client and by
//! tonic's.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod common;

use std::net::SocketAddr;

use apibase::{CallError, Code, Context, DomainError, Interceptors, Status};
use apibase_tests::tonic_echo::echo::echo_service_client as tonics;
use common::{
    CollectReply, CountRequest, EchoServiceClient, EchoServiceServer, Scripted, ask, count, frame,
    post, reply,
};
use futures_util::{StreamExt, TryStreamExt, stream};
use http_body_util::StreamBody;
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::transport::{Channel, Server};
use tower_service::Service;

/// The echo service in tonic's own server.
async fn in_tonic(scripted: Scripted) -> SocketAddr {
    let service = EchoServiceServer::new(scripted).into_service(Interceptors::none());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let server = Server::builder().add_service(service.unwrap());
    tokio::spawn(server.serve_with_incoming(TcpListenerStream::new(listener)));
    addr
}

/// The echo service in an axum router, beside a route of its own.
async fn in_axum(scripted: Scripted) -> SocketAddr {
    let service = EchoServiceServer::new(scripted).into_service(Interceptors::none());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let router = axum::Router::new()
        .route_service("/echo.EchoService/{*method}", service.unwrap())
        .fallback(|| async { "not gRPC" });
    tokio::spawn(async move { axum::serve(listener, router).await });
    addr
}

/// All four kinds, with our client.
async fn ours(addr: SocketAddr) {
    let ctx = Context::background();
    let client = EchoServiceClient::connect(format!("http://{addr}"))
        .await
        .unwrap();
    assert_eq!(client.echo(&ctx, ask("a")).await.unwrap(), reply(0, "a"));
    client.ping(&ctx, ()).await.unwrap();
    let replies = client.count(&ctx, count(3)).await.unwrap();
    assert_eq!(replies.try_collect::<Vec<_>>().await.unwrap().len(), 3);
    let requests = || stream::iter(["a", "b"].map(ask));
    let collected = client.collect(&ctx, requests()).await.unwrap();
    assert_eq!(collected, both());
    let replies = client.chat(&ctx, requests()).await.unwrap();
    let replies: Vec<_> = replies.try_collect().await.unwrap();
    assert_eq!(replies, [reply(0, "a"), reply(1, "b")]);
    for requests in [0, 1] {
        let requests = stream::iter((0..requests).map(|_| ask("")));
        client.collect(&ctx, requests).await.unwrap();
    }

    let replies = client.count(&ctx, failing()).await.unwrap();
    let replies: Vec<_> = replies.collect().await;
    let [
        Ok(_),
        Ok(_),
        Err(CallError::Service(DomainError::NotFound(fault))),
    ] = &replies[..]
    else {
        panic!("{replies:?}");
    };
    assert_eq!(fault.message(), "no more");
}

/// All four kinds, with tonic's client.
async fn tonics(addr: SocketAddr) {
    let channel = Channel::from_shared(format!("http://{addr}")).unwrap();
    let mut client = tonics::EchoServiceClient::new(channel.connect().await.unwrap());
    let answer = client.echo(ask("a")).await.unwrap().into_inner();
    assert_eq!(answer, reply(0, "a"));
    client.ping(()).await.unwrap();
    let replies = client.count(count(3)).await.unwrap().into_inner();
    assert_eq!(replies.try_collect::<Vec<_>>().await.unwrap().len(), 3);
    let requests = || stream::iter(["a", "b"].map(ask));
    let collected = client.collect(requests()).await.unwrap().into_inner();
    assert_eq!(collected, both());
    let replies = client.chat(requests()).await.unwrap().into_inner();
    let replies: Vec<_> = replies.try_collect().await.unwrap();
    assert_eq!(replies, [reply(0, "a"), reply(1, "b")]);

    let replies = client.count(failing()).await.unwrap().into_inner();
    let replies: Vec<_> = replies.collect().await;
    let [Ok(_), Ok(_), Err(status)] = &replies[..] else {
        panic!("{replies:?}");
    };
    assert_eq!(
        (status.code(), status.message()),
        (Code::NotFound, "no more")
    );
    assert!(!status.details().is_empty());
}

#[tokio::test]
async fn mounted_in_tonic_it_answers_our_client() {
    ours(in_tonic(Scripted::new()).await).await;
}

#[tokio::test]
async fn mounted_in_tonic_it_answers_tonics_client() {
    tonics(in_tonic(Scripted::new()).await).await;
}

#[tokio::test]
async fn mounted_in_axum_it_answers_our_client() {
    ours(in_axum(Scripted::new()).await).await;
}

#[tokio::test]
async fn mounted_in_axum_it_answers_tonics_client() {
    tonics(in_axum(Scripted::new()).await).await;
}

#[tokio::test]
async fn on_our_own_server_it_answers_tonics_client() {
    tonics(common::Running::start(Scripted::new()).await.addr).await;
}

#[tokio::test]
async fn mounted_it_keeps_what_it_promises() {
    for addr in [in_tonic(panicking()).await, in_axum(panicking()).await] {
        let mut raw = common::RawClient::connect(addr).await;
        let answer = raw.call(post("Collect"), [frame(&ask(""))]).await;
        assert_eq!(answer.code(), Code::Internal);
        assert!(!format!("{answer:?}").contains("hunter2"), "{answer:?}");
        let answer = raw.call(post("Nowhere"), [frame(&ask(""))]).await;
        assert_eq!(answer.code(), Code::Unimplemented);
        let answer = raw.call(post("Echo"), [common::frame_of(2, 0, b"")]).await;
        assert_eq!(answer.code(), Code::Internal);
        let head = post("Echo").header("grpc-timeout", "0n");
        let answer = raw.call(head, [frame(&ask(""))]).await;
        assert_eq!(answer.code(), Code::DeadlineExceeded);
        raw.lives().await;
    }
}

#[tokio::test]
async fn tonics_client_calls_a_mounted_service_in_the_process() {
    let service = EchoServiceServer::new(Scripted::new()).into_service(Interceptors::none());
    let mut client = tonics::EchoServiceClient::new(service.unwrap());
    let answer = client.echo(ask("a")).await.unwrap().into_inner();
    assert_eq!(answer, reply(0, "a"));
    // A body of tonic's client doesn't say when it ends, and is taken at its word.
    let requests = stream::iter(["a", "b"].map(ask));
    let collected = client.collect(requests).await.unwrap().into_inner();
    assert_eq!(collected, both());
}

#[tokio::test]
async fn a_body_that_does_not_say_its_end_may_not_end_in_the_middle_of_a_message() {
    let whole = frame(&ask("a message"));
    for method in ["Echo", "Collect"] {
        for length in 1..whole.len() {
            let piece = http_body::Frame::data(whole.slice(..length));
            let body = StreamBody::new(stream::iter([Ok::<_, Status>(piece)]));
            let service = EchoServiceServer::new(Scripted::new());
            let mut service = service.into_service(Interceptors::none()).unwrap();
            let answer = service
                .call(post(method).body(body).unwrap())
                .await
                .unwrap();
            let status = answer.headers().get("grpc-status").unwrap();
            assert_ne!(status, "0", "{method}, {length} bytes");
        }
    }
}

#[tokio::test]
async fn a_mounted_service_has_tonics_name() {
    fn name<S: tonic::server::NamedService>(_: &S) -> &'static str {
        S::NAME
    }
    let service = EchoServiceServer::new(Scripted::new()).into_service(Interceptors::none());
    assert_eq!(name(&service.unwrap()), "echo.EchoService");
}

fn panicking() -> Scripted {
    Scripted::new().on_collect(|_, _| async { panic!("hunter2") })
}

fn both() -> CollectReply {
    CollectReply {
        count: 2,
        payloads: b"ab".to_vec(),
    }
}

/// Two replies, and an error.
fn failing() -> CountRequest {
    CountRequest {
        fail_after: Some(2),
        ..count(9)
    }
}
