//! Calls that are made where there is no tokio runtime: an error that says so, where tokio would panic.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod common;

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::pin::pin;
use std::task::{Context as Task, Poll, Waker};
use std::time::Duration;

use apibase::{
    BoxError, CallError, CallOptions, ClientFactory, Code, Context, Credentials, DomainError,
    FailureKind, HedgingPolicy, RetryPolicy,
};
use bytes::Bytes;
use common::{EchoServiceClient, ask, count};
use futures_util::stream;
use http_body_util::Empty;

/// Polls it once, which is enough for what waits for nothing.
fn at_once<R>(call: impl Future<Output = R>) -> R {
    match pin!(call).poll(&mut Task::from_waker(Waker::noop())) {
        Poll::Ready(result) => result,
        Poll::Pending => panic!("it waits"),
    }
}

/// A transport that needs no runtime: all calls are UNAVAILABLE.
#[derive(Clone)]
struct Down;

impl<B> tower_service::Service<http::Request<B>> for Down {
    type Response = http::Response<Empty<Bytes>>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Task<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: http::Request<B>) -> Self::Future {
        let head = http::Response::builder()
            .header("content-type", "application/grpc")
            .header("grpc-status", "14");
        ready(Ok(head.body(Empty::new()).unwrap()))
    }
}

#[track_caller]
fn refused<R>(result: Result<R, CallError<DomainError>>) {
    let error = result.err().unwrap();
    let failure = error.failure().unwrap();
    assert_eq!(failure.kind(), FailureKind::Runtime, "{failure}");
    assert_eq!(failure.status().code(), Code::Internal);
    let said = failure.to_string();
    assert!(said.contains("made outside of a tokio runtime"), "{said}");
    assert!(said.contains("make it within one"), "{said}");
    assert!(failure.is_not_processed() && failure.attempts() == 0);
    assert!(!failure.is_retryable() && !failure.is_unreachable());
}

#[test]
fn a_call_outside_of_a_runtime_says_so() {
    let ctx = Context::background();
    let channel = EchoServiceClient::connect_lazy("http://127.0.0.1:1").unwrap();
    refused(at_once(channel.echo(&ctx, ask(""))));
    refused(at_once(channel.count(&ctx, count(1))));
    refused(at_once(channel.collect(&ctx, stream::pending())));
    refused(at_once(channel.chat(&ctx, stream::pending())));
    // What has no deadline needs connections all the same.
    let endless = channel.with(CallOptions::new().no_deadline());
    refused(at_once(endless.echo(&ctx, ask(""))));
    // Within one, it is the same channel that finds out that nobody is there.
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let once = channel.with(CallOptions::new().no_retry());
    let error = runtime.block_on(once.echo(&ctx, ask(""))).unwrap_err();
    assert_eq!(error.code(), Code::Unavailable, "{error}");
}

#[test]
fn connecting_outside_of_a_runtime_says_so() {
    let connecting = EchoServiceClient::connect("http://127.0.0.1:1");
    let said = at_once(connecting).unwrap_err().to_string();
    assert!(said.contains("made outside of a tokio runtime"), "{said}");
}

#[test]
fn what_waits_in_a_call_needs_a_runtime_over_any_transport() {
    let ctx = Context::background();
    let client = EchoServiceClient::new(Down);
    let with = |options: CallOptions| client.with(options.no_deadline());
    refused(at_once(client.echo(&ctx, ask(""))));
    refused(at_once(
        with(CallOptions::new()).echo(&ctx.with_timeout(Duration::from_secs(1)), ask("")),
    ));
    let hedged = HedgingPolicy::up_to(2, Duration::from_secs(1));
    refused(at_once(
        with(CallOptions::new().hedging(hedged)).echo(&ctx, ask("")),
    ));
    let limited = RetryPolicy::up_to(2).attempt_timeout(Duration::from_secs(1));
    refused(at_once(
        with(CallOptions::new().retry(limited)).echo(&ctx, ask("")),
    ));
}

#[test]
fn a_call_that_would_wait_for_its_next_attempt_ends_with_the_last() {
    let retried = CallOptions::new().retry(RetryPolicy::up_to(3));
    let client = EchoServiceClient::new(Down).with(retried.no_deadline());
    let error = at_once(client.echo(&Context::background(), ask(""))).unwrap_err();
    assert_eq!(error.code(), Code::Unavailable);
    assert_eq!(error.failure().unwrap().attempts(), 1);
}

#[test]
fn a_token_is_not_fetched_outside_of_a_runtime() {
    let credentials = Credentials::from_fn(async || Ok::<_, BoxError>("hunter2"));
    let clients = ClientFactory::new()
        .no_default_timeout()
        .credentials(credentials.allow_plaintext());
    let client = EchoServiceClient::new(clients.over("down", Down));
    for _ in 0..2 {
        let error = at_once(client.echo(&Context::background(), ask(""))).unwrap_err();
        let failure = error.failure().unwrap();
        assert_eq!(failure.kind(), FailureKind::Credentials, "{failure}");
        assert_eq!(failure.status().code(), Code::Internal);
        let said = failure.to_string();
        assert!(said.contains("outside of a tokio runtime"), "{said}");
    }
}
