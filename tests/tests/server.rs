//! The server's own promises: panics, services, paths, and what a caller is never told.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod common;

use apibase::{CallError, Code, Context, DomainError, Server, Streamed};
use apibase_tests::protos::myservice::api::{MyServiceClient, MyServiceServer, MyServicer};
use apibase_tests::protos::myservice::{GetResourceRequest, ListResourcesRequest, Resource};
use common::{
    Answer, EchoRequest, EchoServiceServer, Running, Scripted, ask, count, frame, journal, post,
    reply, soon,
};
use futures_util::{StreamExt, stream};

const SECRET: &str = "hunter2";

#[tokio::test]
async fn a_panic_is_internal_on_its_call_and_the_connection_lives() {
    let server = Running::start(
        Scripted::new()
            .on_echo(|_, request| async move {
                assert!(request.payload != b"panic", "{SECRET}");
                Ok(reply(0, request.payload))
            })
            .on_count(|_, _| async { panic!("{SECRET}") })
            .on_collect(|_, _| async { panic!("{SECRET}") })
            .on_chat(|_, _| async { panic!("{SECRET}") }),
    )
    .await;
    let mut raw = server.raw().await;
    for (method, body) in [
        ("Echo", frame(&ask("panic"))),
        ("Count", frame(&count(1))),
        ("Collect", frame(&ask(""))),
        ("Chat", frame(&ask(""))),
    ] {
        says_nothing(&raw.call(post(method), [body]).await);
        raw.lives().await;
    }
}

#[tokio::test]
async fn a_panic_before_the_first_await_is_internal_too() {
    let server = Running::start(
        Scripted::new().on_ping(|_, ()| -> std::future::Ready<_> { panic!("{SECRET}") }),
    );
    let mut raw = server.await.raw().await;
    says_nothing(&raw.call(post("Ping"), [frame(&())]).await);
    raw.lives().await;
}

#[tokio::test]
async fn a_panic_in_mid_stream_is_internal_after_the_messages_before_it() {
    let server = Running::start(Scripted::new().on_count(|_, _| async {
        Ok(Streamed::new(stream::iter(0..3).map(|number| {
            assert!(number < 2, "{SECRET}");
            Ok(reply(number, ""))
        })))
    }));
    let mut raw = server.await.raw().await;
    let answer = raw.call(post("Count"), [frame(&count(3))]).await;
    assert_eq!(
        answer.messages::<common::EchoReply>(),
        [reply(0, ""), reply(1, "")]
    );
    says_nothing(&answer);
    raw.lives().await;
}

#[tokio::test]
async fn a_panic_in_mid_stream_drops_what_the_stream_held() {
    let (journal, mut entries) = journal();
    let server = Running::start(Scripted::new().on_count(move |_, _| {
        let dropped = journal.on_drop("dropped");
        std::future::ready(Ok(Streamed::new(stream::poll_fn(move |_| {
            let _held = &dropped;
            panic!("{SECRET}")
        }))))
    }));
    let client = server.await.client().await;
    let mut replies = client
        .count(&Context::background(), count(1))
        .await
        .unwrap();
    let error = soon(replies.message()).await.unwrap_err();
    assert_eq!(error.code(), Code::Internal);
    assert_eq!(entries.next().await, "dropped");
}

#[tokio::test]
async fn the_cause_of_an_error_is_not_sent() {
    let server =
        Running::start(Scripted::new().on_echo(|_, _| async {
            Err(DomainError::database("cannot read").with_source(SECRET))
        }));
    let answer = server
        .await
        .raw()
        .await
        .call(post("Echo"), [frame(&ask(""))])
        .await;
    assert_eq!(answer.code(), Code::Internal);
    assert!(!format!("{answer:?}").contains(SECRET));
}

#[tokio::test]
async fn a_status_of_any_size_reaches_its_caller_and_the_connection_lives() {
    let ctx = Context::background();
    let server = Running::start(Scripted::new().on_echo(|_, request| async move {
        if request.payload.is_empty() {
            return Ok(reply(0, ""));
        }
        Err(DomainError::not_found(String::from_utf8_lossy(
            &request.payload,
        )))
    }));
    let client = server.await.client().await;
    for size in [1_000, 10_000, 100_000, 1_000_000] {
        for word in ["a", "\u{e4}"] {
            let message = word.repeat(size);
            let error = client.echo(&ctx, ask(message)).await.unwrap_err();
            assert_eq!(error.code(), Code::NotFound, "{size} times {word}");
            assert!(error.to_string().starts_with(&word.repeat(500)), "{error}");
            client.echo(&ctx, ask("")).await.unwrap();
        }
    }
}

#[tokio::test]
async fn two_services_are_served_side_by_side() {
    let server = Server::new()
        .add_servicer(EchoServiceServer::new(Scripted::new()))
        .add_servicer(MyServiceServer::new(Resources));
    let server = Running::of(server).await;
    let ctx = Context::background();
    server.client().await.echo(&ctx, ask("a")).await.unwrap();
    let other = MyServiceClient::connect(server.target()).await.unwrap();
    let request = GetResourceRequest::default();
    let error = other.get_resource(&ctx, request).await.unwrap_err();
    assert!(matches!(
        error,
        CallError::Service(DomainError::NotFound(_))
    ));
}

#[tokio::test]
async fn the_same_service_twice_is_refused_by_name() {
    let server = Server::new()
        .port(0)
        .add_servicer(EchoServiceServer::new(Scripted::new()))
        .add_servicer(EchoServiceServer::new(Scripted::new()));
    let error = server.bind().await.unwrap_err();
    assert!(
        error
            .to_string()
            .contains("`echo.EchoService` was added twice"),
        "{error}"
    );
    assert!(!error.is_bind());
}

#[tokio::test]
async fn a_port_that_is_taken_is_refused_with_what_to_do() {
    let server = Running::start(Scripted::new()).await;
    let second = Server::new().host([127, 0, 0, 1]).port(server.addr.port());
    let error = second.bind().await.unwrap_err();
    assert!(error.is_bind());
    assert!(error.to_string().contains("GRPC__SERVER__PORT"), "{error}");
}

#[tokio::test]
async fn port_zero_takes_a_free_one_and_tells_it() {
    let server = Server::new().host([127, 0, 0, 1]).port(0);
    let bound = server.bind().await.unwrap();
    assert_ne!(bound.local_addr().port(), 0);
}

#[tokio::test]
async fn a_peer_is_known_by_its_address() {
    let scripted =
        Scripted::new().on_echo(|ctx, _| async move { Ok(reply(0, format!("{:?}", ctx.peer()))) });
    let server = Running::start(scripted).await;
    let answer = server
        .client()
        .await
        .echo(&Context::background(), ask(""))
        .await;
    let peer = String::from_utf8(answer.unwrap().payload).unwrap();
    assert!(peer.starts_with("Some(Tcp(127.0.0.1:"), "{peer}");
}

/// `INTERNAL`, and nothing of what the panic said.
fn says_nothing(answer: &Answer) {
    assert_eq!(answer.code(), Code::Internal, "{answer:?}");
    assert!(!format!("{answer:?}").contains(SECRET), "{answer:?}");
}

/// Has no resources.
struct Resources;

impl MyServicer for Resources {
    async fn get_resource(
        &self,
        _ctx: &Context,
        _request: GetResourceRequest,
    ) -> Result<Resource, DomainError> {
        Err(DomainError::not_found("there are none"))
    }

    async fn list_resources(
        &self,
        _ctx: &Context,
        _request: ListResourcesRequest,
    ) -> Result<Streamed<Resource, DomainError>, DomainError> {
        Ok(Streamed::new(stream::empty()))
    }
}

#[tokio::test]
async fn a_request_may_not_be_read_to_its_end() {
    let server = Running::start(
        Scripted::new().on_collect(|_, _| async { Err(DomainError::forbidden("no uploads")) }),
    );
    let client = server.await.client().await;
    let ctx = Context::background();
    for _ in 0..20 {
        let requests = stream::iter((0..100).map(|_| ask(vec![0; 16 * 1024])));
        let error = soon(client.collect(&ctx, requests)).await.unwrap_err();
        assert_eq!(error.code(), Code::PermissionDenied, "{error}");
    }
    let requests = stream::iter([EchoRequest::default()]);
    let replies = client.chat(&ctx, requests).await.unwrap();
    assert_eq!(replies.count().await, 1);
}
