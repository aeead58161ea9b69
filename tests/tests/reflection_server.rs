//! Server reflection on a real server: over its sockets, and when it stops.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod common;
mod reflection_client;

use std::time::Duration;

use apibase::codegen::Service;
use apibase::{
    CallError, Channel, Code, DomainError, Failure, Reflection, ReflectionV1, ReflectionV1Alpha,
    Server,
};
use apibase_tests::tonic_echo::echo::api::FILE_DESCRIPTOR_SET;
use bytes::Bytes;
use common::{EchoServiceServer, RawClient, Running, Scripted, frame, frame_of, post_to, soon};
use futures_util::{StreamExt, stream};
use reflection_client::{
    Responses, ServerReflectionResponse, file, file_in, open, request, services, symbol,
};

const PATHS: [&str; 2] = [
    "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
    "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
];

/// Longer than any test takes.
const LONG: Duration = Duration::from_secs(600);

/// What a server does at its start.
fn reflection() -> (Reflection, EchoServiceServer<Scripted>) {
    let echo = EchoServiceServer::new(Scripted::new());
    (Reflection::new().describe(&echo).unwrap(), echo)
}

fn serving(reflection: &Reflection, echo: EchoServiceServer<Scripted>) -> Server {
    Server::new()
        .grace(LONG)
        .add_servicer(echo)
        .add_servicer(reflection.v1())
        .add_servicer(reflection.v1alpha())
}

async fn start() -> (Reflection, Running) {
    let (reflection, echo) = reflection();
    let running = Running::of(serving(&reflection, echo)).await;
    (reflection, running)
}

/// A stream that stays open after one request, and its first response.
async fn stay<S: Service>(running: &Running) -> Responses {
    let channel = Channel::connect(running.target()).await.unwrap();
    let requests = stream::iter([request(services())]).chain(stream::pending());
    let mut responses = soon(open::<S>(channel, requests)).await.unwrap();
    let first = soon(responses.message()).await.unwrap().unwrap();
    assert_eq!(first.message_response.unwrap().services().len(), 3);
    responses
}

/// The failure that a stream ends with.
async fn end(mut responses: Responses) -> Failure {
    match soon(responses.message()).await {
        Err(CallError::Failed(failure)) => *failure,
        Err(CallError::Service(DomainError::Status(status))) => panic!("{status:?}"),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_raw_peer_is_answered_in_both_versions() {
    let (_, running) = start().await;
    let mut raw = running.raw().await;
    for path in PATHS {
        let requests = [
            services(),
            symbol("echo.EchoService.Chat"),
            file("no.proto"),
        ];
        let body = requests.map(|ask| frame(&request(ask)));
        let answer = raw.call(post_to(path), body).await;
        assert_eq!(answer.code(), Code::Ok);
        let responses = answer.messages::<ServerReflectionResponse>();
        let [first, second, third] = &responses[..] else {
            panic!("{responses:?}");
        };
        let answer =
            |response: &ServerReflectionResponse| response.message_response.clone().unwrap();
        assert_eq!(
            answer(first).services(),
            [
                "echo.EchoService",
                "grpc.reflection.v1.ServerReflection",
                "grpc.reflection.v1alpha.ServerReflection",
            ]
        );
        let files = answer(second);
        assert_eq!(
            files.files()[0],
            file_in(FILE_DESCRIPTOR_SET, &files.names()[0])
        );
        assert_eq!(answer(third).code(), Code::NotFound as i32);
    }
    // The connection is as good as before.
    raw.lives().await;
}

#[tokio::test]
async fn a_request_that_does_not_decode_ends_its_stream_alone() {
    let (_, running) = start().await;
    let mut raw = running.raw().await;
    let body = [
        frame(&request(services())),
        frame_of(0, 2, b"\x0a\xff"),
        frame(&request(services())),
    ];
    let answer = raw.call(post_to(PATHS[0]), body).await;
    assert_eq!(answer.code(), Code::Internal);
    assert_eq!(answer.messages::<ServerReflectionResponse>().len(), 1);
    raw.lives().await;
}

#[tokio::test]
async fn another_method_is_unimplemented() {
    let (_, running) = start().await;
    let path = "/grpc.reflection.v1.ServerReflection/Other";
    let answer = running
        .raw()
        .await
        .call(post_to(path), [Bytes::new()])
        .await;
    assert_eq!(answer.code(), Code::Unimplemented);
}

#[tokio::test]
async fn streams_that_are_open_end_when_it_shuts_down() {
    let (reflection, running) = start().await;
    let streams = [
        stay::<ReflectionV1>(&running).await,
        stay::<ReflectionV1Alpha>(&running).await,
    ];
    reflection.clone().shut_down();
    for responses in streams {
        let failure = end(responses).await;
        assert_eq!(failure.status().code(), Code::Unavailable);
        assert_eq!(failure.status().message(), "the server is shutting down");
        assert_eq!(failure.details().reason, "DRAINING");
    }
}

#[tokio::test]
async fn a_stream_that_comes_after_it_has_shut_down_ends_at_once() {
    let (reflection, running) = start().await;
    reflection.shut_down();
    let mut raw = running.raw().await;
    for path in PATHS {
        let answer = raw.call(post_to(path), [frame(&request(services()))]).await;
        assert_eq!(answer.code(), Code::Unavailable);
        assert!(answer.body.is_empty());
    }
    // It was not the server.
    raw.lives().await;
}

#[tokio::test]
async fn a_server_does_not_wait_for_streams_that_were_shut_down() {
    let (reflection, running) = start().await;
    let _responses = stay::<ReflectionV1>(&running).await;
    reflection.shut_down();
    // Its grace is longer than this waits.
    soon(running.stop()).await.unwrap();
}

#[tokio::test]
async fn streams_go_on_when_the_reflection_that_made_them_is_dropped() {
    let (reflection, running) = start().await;
    drop(reflection);
    let mut responses = stay::<ReflectionV1>(&running).await;
    let more = tokio::time::timeout(Duration::from_millis(50), responses.message()).await;
    more.unwrap_err();
}

#[tokio::test]
async fn a_caller_who_keeps_asking_hears_of_the_end_too() {
    let (reflection, running) = start().await;
    let channel = Channel::connect(running.target()).await.unwrap();
    let requests = stream::repeat_with(|| request(services()));
    let mut responses = soon(open::<ReflectionV1>(channel, requests)).await.unwrap();
    for _ in 0..100 {
        soon(responses.message()).await.unwrap().unwrap();
    }
    reflection.shut_down();
    let ended = async { while let Ok(Some(_)) = responses.message().await {} };
    soon(ended).await;
    RawClient::connect(running.addr).await.lives().await;
}
