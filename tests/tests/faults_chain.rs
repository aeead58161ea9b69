//! Three services in a row, of which the last one is down: each hop has a policy of four attempts, and
//! all of them together make no more than one hop may.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod common;
mod unreliable;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::time::Duration;

use apibase::{CallError, Caller, Code, Context, DomainError, Method, RetryPolicy, Transport};
use common::{EchoReply, Outcome, Scripted, ask};
use unreliable::{Fault, Unreliable};

const ATTEMPTS: u32 = 4;

static METHODS: [Method; 1] = [Method::unary("/echo.EchoService/Echo")
    .no_side_effects()
    .deadline(Duration::from_secs(20))
    .retry(RetryPolicy::up_to(ATTEMPTS).initial_backoff(Duration::from_millis(100)))];

/// How a service tells its caller that the one behind it has failed.
type Tell = fn(CallError<DomainError>) -> DomainError;

/// As the guide has it: what the service behind declares is passed on, anything else is upstream's.
fn pass_on(error: CallError<DomainError>) -> DomainError {
    match error.into_service() {
        Ok(error) => error,
        Err(failure) => DomainError::upstream(*failure),
    }
}

/// A service that asks the one behind it, and how often it was asked.
fn relay<T: Transport>(behind: Caller<T>, tell: Tell) -> (Caller<Unreliable>, Arc<AtomicU32>) {
    let asked = Arc::new(AtomicU32::new(0));
    let count = Arc::clone(&asked);
    let scripted = Scripted::new().on_echo(move |ctx, request| {
        let behind = behind.clone();
        async move { behind.unary(&ctx, &METHODS[0], request).await.map_err(tell) }
    });
    let draw = move || {
        count.fetch_add(1, SeqCst);
        None
    };
    (
        Caller::new(Unreliable::new(scripted, draw), &METHODS),
        asked,
    )
}

/// The service at the end, and how often it was asked.
fn down(scripted: Scripted, fault: Option<Fault>) -> (Caller<Unreliable>, Arc<AtomicU32>) {
    let asked = Arc::new(AtomicU32::new(0));
    let count = Arc::clone(&asked);
    let draw = move || {
        count.fetch_add(1, SeqCst);
        fault
    };
    (
        Caller::new(Unreliable::new(scripted, draw), &METHODS),
        asked,
    )
}

/// Calls the first of three services; how often each was asked.
async fn call((third, asked_third): (Caller<Unreliable>, Arc<AtomicU32>)) -> [u32; 3] {
    let (second, asked_second) = relay(third, pass_on);
    let (first, asked_first) = relay(second, pass_on);
    let ctx = Context::background();
    let outcome: Outcome<EchoReply> = first.unary(&ctx, &METHODS[0], ask("")).await;
    let error = outcome.unwrap_err();
    assert_eq!(error.code(), Code::Unavailable, "{error:?}");
    assert!(!error.is_retryable(), "nor shall anybody else: {error:?}");
    [asked_first, asked_second, asked_third].map(|asked| asked.load(SeqCst))
}

#[tokio::test(start_paused = true)]
async fn where_nobody_listens_the_last_hop_alone_tries_again() {
    let asked = call(down(Scripted::new(), Some(Fault::NoConnection))).await;
    assert_eq!(asked, [1, 1, ATTEMPTS]);
}

#[tokio::test(start_paused = true)]
async fn where_connections_break_the_last_hop_alone_tries_again() {
    let asked = call(down(Scripted::new(), Some(Fault::Lost))).await;
    assert_eq!(asked, [1, 1, ATTEMPTS]);
}

#[tokio::test(start_paused = true)]
async fn where_a_proxy_answers_unavailable_the_last_hop_alone_tries_again() {
    let asked = call(down(
        Scripted::new(),
        Some(Fault::Status(Code::Unavailable)),
    ))
    .await;
    assert_eq!(asked, [1, 1, ATTEMPTS]);
}

#[tokio::test(start_paused = true)]
async fn where_the_service_itself_answers_unavailable_the_last_hop_alone_tries_again() {
    let scripted = Scripted::new()
        .on_echo(|_, _| async { Err(DomainError::external_service("the store is down")) });
    assert_eq!(call(down(scripted, None)).await, [1, 1, ATTEMPTS]);
}

#[tokio::test(start_paused = true)]
async fn a_service_that_says_that_it_has_retried_is_asked_once_on_every_hop() {
    let scripted = Scripted::new().on_echo(|_, _| async {
        Err(DomainError::external_service("the store is down").already_retried())
    });
    assert_eq!(call(down(scripted, None)).await, [1, 1, 1]);
}
