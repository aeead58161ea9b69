//! Deadlines: sent, seen, passed on and kept, on both sides.
//!
//! Where the call stays in the process, time is virtual: it passes when nothing else is to do.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod common;

use std::convert::Infallible;
use std::future::{Ready, pending, ready};
use std::task::{Context as Task, Poll};
use std::time::Duration;

use apibase::{
    CallError, CallOptions, Code, Context, DomainError, FailureKind, Interceptors, Status, Streamed,
};
use bytes::Bytes;
use common::{
    EchoReply, EchoRequest, EchoServiceClient, EchoServiceServer, Journal, Running, Scripted, ask,
    count, frame, in_process, journal, post, reply, soon,
};
use futures_util::stream::BoxStream;
use futures_util::{StreamExt, stream};
use http_body_util::{BodyExt, Full, StreamBody};
use tokio::time::Instant;
use tower_service::Service;

/// Milliseconds that a call needs to reach its servicer: more of them where the machine is slow.
const AMPLE: [u64; 4] = [50, 500, 5_000, 20_000];

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test(start_paused = true)]
async fn what_remains_is_sent_and_seen() {
    let client = in_process(remaining());
    let ctx = Context::background();
    let seen = async |ctx: &Context, options: CallOptions| {
        let answer = client.with(options).echo(ctx, ask("")).await.unwrap();
        String::from_utf8(answer.payload).unwrap()
    };
    // What the settings give to a call whose proto says nothing.
    assert_eq!(seen(&ctx, CallOptions::new()).await, "Some(30s)");
    assert_eq!(seen(&ctx, CallOptions::new().no_deadline()).await, "None");
    let two = CallOptions::new().deadline(2 * SECOND);
    assert_eq!(seen(&ctx, two.clone()).await, "Some(2s)");
    assert_eq!(
        seen(&ctx.with_timeout(3 * SECOND), CallOptions::new()).await,
        "Some(3s)"
    );
    assert_eq!(
        seen(&ctx.with_timeout(3 * SECOND), two.clone()).await,
        "Some(2s)"
    );
    assert_eq!(seen(&ctx.with_timeout(SECOND), two).await, "Some(1s)");
}

#[tokio::test(start_paused = true)]
async fn what_remains_is_passed_on_to_the_next_hop() {
    let behind = in_process(remaining());
    let front = in_process(Scripted::new().on_echo(move |ctx, request| {
        let behind = behind.with(CallOptions::new().deadline(60 * SECOND));
        async move {
            tokio::time::sleep(Duration::from_millis(300)).await;
            let answer = behind.echo(&ctx, request).await;
            answer.map_err(|error| DomainError::external_service(error.to_string()))
        }
    }));
    let ctx = Context::background().with_timeout(2 * SECOND);
    let answer = front.echo(&ctx, ask("")).await.unwrap();
    assert_eq!(answer.payload, b"Some(1.7s)");
}

#[tokio::test]
async fn what_remains_is_passed_on_over_the_wire() {
    let behind = Running::start(remaining()).await.client().await;
    let front = Scripted::new().on_echo(move |ctx, request| {
        let behind = behind.with(CallOptions::new().no_deadline());
        async move {
            let answer = behind.echo(&ctx, request).await;
            answer.map_err(|error| DomainError::external_service(error.to_string()))
        }
    });
    let client = Running::start(front).await.client().await;
    let hour = 3600 * SECOND;
    let ctx = Context::background().with_timeout(hour);
    let client = client.with(CallOptions::new().no_deadline());
    let answer = client.echo(&ctx, ask("")).await.unwrap();
    let seen = String::from_utf8(answer.payload).unwrap();
    assert!(
        seen.starts_with("Some(35") && seen.ends_with("s)"),
        "{seen}"
    );
}

#[tokio::test]
async fn a_deadline_that_has_passed_sends_nothing() {
    let (journal, mut entries) = journal();
    let client = Running::start(hanging(&journal)).await.client().await;
    let ctx = Context::background().with_deadline(Instant::now());
    let check = |error: CallError<DomainError>| {
        assert!(error.is_timeout() && error.is_not_processed(), "{error:?}");
        assert_eq!(error.failure().unwrap().kind(), FailureKind::Deadline);
    };
    check(client.echo(&ctx, ask("")).await.unwrap_err());
    check(client.count(&ctx, count(1)).await.unwrap_err());
    check(client.collect(&ctx, stream::empty()).await.unwrap_err());
    check(client.chat(&ctx, stream::empty()).await.unwrap_err());
    let none = client.with(CallOptions::new().deadline(Duration::ZERO));
    check(
        none.echo(&Context::background(), ask(""))
            .await
            .unwrap_err(),
    );
    assert_eq!(entries.rest(), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn at_the_deadline_the_client_gives_up_and_the_servicer_is_dropped() {
    let (journal, mut entries) = journal();
    let client = in_process(hanging(&journal));
    let open = stream::pending::<EchoRequest>;
    let begun = Instant::now();
    let ctx = || Context::background().with_timeout(SECOND);
    let mut check = |error: CallError<DomainError>, seconds| {
        assert!(error.is_timeout() && !error.is_not_processed(), "{error:?}");
        assert_eq!(begun.elapsed(), seconds * SECOND);
        assert_eq!(entries.rest(), ["dropped"]);
    };
    check(client.echo(&ctx(), ask("")).await.unwrap_err(), 1);
    check(client.count(&ctx(), count(1)).await.unwrap_err(), 2);
    check(client.collect(&ctx(), open()).await.unwrap_err(), 3);
    check(client.chat(&ctx(), open()).await.unwrap_err(), 4);
}

#[tokio::test(start_paused = true)]
async fn at_the_deadline_a_stream_ends_after_what_was_sent() {
    let (journal, mut entries) = journal();
    let client = in_process(dripping(&journal));
    let ctx = Context::background().with_timeout(Duration::from_millis(2500));
    let mut replies = client.count(&ctx, count(9)).await.unwrap();
    for number in 0..2 {
        assert_eq!(replies.message().await.unwrap(), Some(reply(number, "")));
    }
    let error = replies.message().await.unwrap_err();
    assert!(error.is_timeout(), "{error:?}");
    assert_eq!(entries.rest(), ["dropped"]);
    assert_eq!(replies.message().await.unwrap(), None);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_never_pauses_meets_the_deadline_too() {
    let client = EchoServiceClient::new(Endless);
    let ctx = Context::background().with_timeout(SECOND);
    let mut replies = client.count(&ctx, count(0)).await.unwrap();
    for _ in 0..100 {
        replies.message().await.unwrap().unwrap();
    }
    tokio::time::advance(2 * SECOND).await;
    let rest: Vec<_> = replies.take(100).collect().await;
    assert!(rest.len() < 100, "it goes on");
    assert!(rest.last().unwrap().as_ref().unwrap_err().is_timeout());
}

#[tokio::test]
async fn at_the_deadline_the_client_gives_up_over_the_wire_too() {
    let (journal, mut entries) = journal();
    let client = Running::start(hanging(&journal)).await.client().await;
    let open = stream::pending::<EchoRequest>;
    let mut reached = 0;
    for millis in AMPLE {
        let ctx = Context::background().with_timeout(Duration::from_millis(millis));
        let error = soon(client.echo(&ctx, ask(""))).await.unwrap_err();
        assert!(error.is_timeout(), "{error:?}");
        let ctx = Context::background().with_timeout(Duration::from_millis(millis));
        let error = soon(client.collect(&ctx, open())).await.unwrap_err();
        assert!(error.is_timeout(), "{error:?}");
        reached += entries.rest().len();
        if reached >= 2 {
            return;
        }
    }
    panic!("the servicer was not dropped");
}

#[tokio::test(start_paused = true)]
async fn a_server_keeps_the_deadline_of_a_client_that_does_not() {
    let (journal, mut entries) = journal();
    let begun = Instant::now();
    for method in ["Echo", "Count", "Collect", "Chat"] {
        let answer = mounted(hanging(&journal), method, "1S", Full::from(frame(&ask("")))).await;
        assert_eq!(
            answer.headers().get("grpc-status").unwrap(),
            "4",
            "{method}"
        );
        assert_eq!(entries.rest(), ["dropped"]);
    }
    assert_eq!(begun.elapsed(), 4 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn a_server_keeps_the_deadline_in_mid_stream() {
    let (journal, mut entries) = journal();
    let body = Full::from(frame(&count(9)));
    let answer = mounted(dripping(&journal), "Count", "2500m", body).await;
    let body = answer.into_body().collect().await.unwrap();
    assert_eq!(body.trailers().unwrap().get("grpc-status").unwrap(), "4");
    let expected = [frame(&reply(0, "")), frame(&reply(1, ""))].concat();
    assert_eq!(body.to_bytes(), expected);
    assert_eq!(entries.rest(), ["dropped"]);
}

#[tokio::test(start_paused = true)]
async fn a_server_keeps_the_deadline_while_it_waits_for_the_request() {
    let begun = Instant::now();
    for method in ["Echo", "Collect"] {
        let never = StreamBody::new(stream::pending::<Frame>());
        let answer = mounted(Scripted::new(), method, "1S", never).await;
        assert_eq!(
            answer.headers().get("grpc-status").unwrap(),
            "4",
            "{method}"
        );
    }
    assert_eq!(begun.elapsed(), 2 * SECOND);
}

#[tokio::test]
async fn a_server_keeps_the_deadline_over_the_wire() {
    let (journal, mut entries) = journal();
    let server = Running::start(hanging(&journal)).await;
    let mut raw = server.raw().await;
    for millis in AMPLE {
        let head = |method| post(method).header("grpc-timeout", format!("{millis}m"));
        let answer = raw.call(head("Count"), [frame(&count(1))]).await;
        assert_eq!(answer.code(), Code::DeadlineExceeded);
        let (response, _open) = raw.open(head("Collect"), false).await;
        let answer = common::Answer::read(soon(response).await.unwrap()).await;
        assert_eq!(answer.code(), Code::DeadlineExceeded);
        // The servicer is dropped before its caller hears of the end.
        if entries.rest() == ["dropped", "dropped"] {
            return;
        }
    }
    panic!("the servicer was not dropped");
}

#[tokio::test]
async fn a_peer_that_reads_nothing_meets_the_deadline_too() {
    let (journal, mut entries) = journal();
    let scripted = Scripted::new().on_count(move |_, _| {
        let dropped = journal.on_drop("dropped");
        ready(Ok(Streamed::from_iter((0..).map(move |number| {
            let _held = &dropped;
            Ok(reply(number, vec![0; 1000]))
        }))))
    });
    let server = Running::start(scripted).await;
    let mut raw = server.raw().await;
    let head = post("Count").header("grpc-timeout", "500m");
    let (response, mut stream) = raw.open(head, false).await;
    stream.send_data(frame(&count(1)), true).unwrap();
    // Its window is closed once 64 KiB have come, and it never opens it.
    let _unread = soon(response).await.unwrap();
    assert_eq!(entries.next().await, "dropped");
    server.raw().await.lives().await;
}

#[tokio::test]
async fn a_deadline_of_nothing_never_reaches_the_servicer() {
    let (journal, mut entries) = journal();
    let server = Running::start(hanging(&journal)).await;
    let mut raw = server.raw().await;
    for timeout in ["0n", "0S", "00000000H"] {
        let head = post("Echo").header("grpc-timeout", timeout);
        let answer = raw.call(head, [frame(&ask(""))]).await;
        assert_eq!(answer.code(), Code::DeadlineExceeded);
    }
    assert_eq!(entries.rest(), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn work_that_is_detached_outlives_the_deadline() {
    let (journal, mut entries) = journal();
    let client = in_process(Scripted::new().on_echo(move |ctx, _| {
        let journal = journal.clone();
        let detached = ctx.detach();
        tokio::spawn(async move {
            tokio::time::sleep(5 * SECOND).await;
            assert_eq!(detached.remaining(), None);
            assert!(!detached.is_cancelled());
            journal.write("done");
        });
        pending()
    }));
    let ctx = Context::background().with_timeout(SECOND);
    assert!(client.echo(&ctx, ask("")).await.unwrap_err().is_timeout());
    assert_eq!(entries.next().await, "done");
}

/// Says what remains of the deadline.
fn remaining() -> Scripted {
    Scripted::new().on_echo(|ctx, _| async move { Ok(reply(0, format!("{:?}", ctx.remaining()))) })
}

/// Never answers.
fn hanging(journal: &Journal) -> Scripted {
    let hang = {
        let journal = journal.clone();
        move || {
            let dropped = journal.on_drop("dropped");
            async move {
                let _held = dropped;
                pending().await
            }
        }
    };
    let (echo, count, collect) = (hang.clone(), hang.clone(), hang.clone());
    Scripted::new()
        .on_echo(move |_, _| hold::<EchoReply>(echo()))
        .on_count(move |_, _| hold(count()))
        .on_collect(move |_, _| hold(collect()))
        .on_chat(move |_, _| hold(hang()))
}

async fn hold<T>(never: impl Future<Output = Infallible>) -> Result<T, DomainError> {
    match never.await {}
}

/// Answers with a reply every second.
fn dripping(journal: &Journal) -> Scripted {
    let journal = journal.clone();
    Scripted::new().on_count(move |_, _| {
        let dropped = journal.on_drop("dropped");
        let replies = stream::iter(0..).then(move |number| {
            let _held = &dropped;
            async move {
                tokio::time::sleep(SECOND).await;
                Ok(reply(number, ""))
            }
        });
        ready(Ok(Streamed::new(replies)))
    })
}

/// A transport to a server that sends replies as fast as they are read, and never stops.
#[derive(Clone)]
struct Endless;

impl Service<http::Request<tonic::body::Body>> for Endless {
    type Response = http::Response<StreamBody<BoxStream<'static, Frame>>>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Task<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: http::Request<tonic::body::Body>) -> Self::Future {
        let replies = stream::repeat_with(|| Ok(http_body::Frame::data(frame(&reply(0, "")))));
        let head = common::grpc_head();
        ready(Ok(head.map(|()| StreamBody::new(replies.boxed()))))
    }
}

type Frame = Result<http_body::Frame<Bytes>, Status>;

/// The answer of a service that is mounted to a client that waits for as long as it takes.
async fn mounted<B>(
    scripted: Scripted,
    method: &str,
    timeout: &str,
    body: B,
) -> http::Response<apibase::ReplyBody>
where
    B: http_body::Body<Data = Bytes, Error: Into<apibase::BoxError>> + Send + 'static,
{
    let service = EchoServiceServer::new(scripted).into_service(Interceptors::none());
    let head = post(method).header("grpc-timeout", timeout);
    service
        .unwrap()
        .call(head.body(body).unwrap())
        .await
        .unwrap()
}
