//! What calls in the process have that those over a socket don't: virtual time, and a contract that is
//! held.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod common;
mod ledger;

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use apibase::testing::InProcess;
use apibase::{CallError, CallOptions, Code, Context, DomainError, Interceptors, Side};
use apibase_tests::tonic_echo::echo::api::EchoServicer as _;
use common::{
    Depot, EchoServiceClient, EchoServiceServer, ParcelError, ParcelServiceClient,
    ParcelServiceServer, Scripted, Seen, When, ask, failing_parcel, recorder, reply,
};
use futures_util::FutureExt;
use ledger::{LedgerServiceClient, LedgerServiceServer, ledger, part};
use tokio::time::{Instant, sleep, timeout};

const HOUR: Duration = Duration::from_secs(3600);

/// A client whose calls have as long as their contexts leave them.
fn echo(scripted: Scripted) -> EchoServiceClient<InProcess> {
    let client = EchoServiceClient::new(InProcess::new(EchoServiceServer::new(scripted)));
    client.with(CallOptions::new().no_deadline())
}

#[tokio::test(start_paused = true)]
async fn an_hour_of_a_servicer_takes_no_time() {
    let client = echo(Scripted::new().on_echo(|_, request| async {
        sleep(HOUR).await;
        Ok(reply(0, request.payload))
    }));
    let (started, clock) = (Instant::now(), std::time::Instant::now());
    let answer = client.echo(&Context::background(), ask("a")).await;
    assert_eq!(answer.unwrap(), reply(0, "a"));
    assert_eq!(started.elapsed(), HOUR);
    assert!(clock.elapsed() < HOUR / 60);
}

#[tokio::test(start_paused = true)]
async fn a_deadline_passes_when_the_clock_says_so() {
    let client = echo(Scripted::new().on_echo(|_, _| async {
        sleep(HOUR).await;
        Err(DomainError::conflict("too late"))
    }));
    let ctx = Context::background().with_timeout(HOUR / 2);
    let started = Instant::now();
    let error = client.echo(&ctx, ask("")).await.unwrap_err();
    assert_eq!(error.code(), Code::DeadlineExceeded);
    assert_eq!(started.elapsed(), HOUR / 2);
}

#[tokio::test(start_paused = true)]
async fn a_detached_call_is_finished_though_its_caller_has_gone() {
    let (ledger, mut book) = ledger();
    let service = InProcess::new(LedgerServiceServer::new(ledger));
    let client = LedgerServiceClient::new(service);
    let ctx = Context::background();
    let impatient = timeout(Duration::from_secs(1), client.keep(&ctx, part("a")));
    impatient.await.unwrap_err();
    assert_eq!(book.entries.next().await, "in");
    assert_eq!(book.entries.next().await, "gone");
    book.gate.notify_one();
    assert_eq!(book.entries.next().await, "kept");
    assert_eq!(book.kept(), 1);
}

/// Without any client: what a servicer is given is what a test can make.
#[tokio::test]
async fn a_servicer_is_called_with_a_context_that_a_test_makes() {
    let servicer = Scripted::new().on_echo(|ctx, request| async move {
        assert_eq!(ctx.correlation_id(), Some("the-id"));
        assert!(ctx.remaining().is_some());
        Ok(reply(7, request.payload))
    });
    let ctx = Context::background()
        .with_correlation_id("the-id")
        .with_timeout(HOUR);
    let answer = servicer.echo(&ctx, ask("a")).await.unwrap();
    assert_eq!(answer, reply(7, "a"));
}

#[tokio::test]
async fn interceptors_stand_around_the_calls() {
    let (observer, mut seen) = recorder();
    let chain = Interceptors::none().with_observer(observer);
    let service = EchoServiceServer::new(Scripted::new());
    let client = EchoServiceClient::new(InProcess::behind(chain, service).unwrap());
    client.echo(&Context::background(), ask("")).await.unwrap();
    assert_eq!(seen.next().await, Seen::Started(Side::Server, "Echo"));
    let ended = Seen::Ended(Side::Server, "Echo", Code::Ok);
    assert_eq!(seen.next().await, ended);
}

fn parcels() -> ParcelServiceClient<InProcess> {
    let depot = Depot::new()
        .with("lost", ParcelError::ParcelLost { id: "7".into() })
        .with("full", ParcelError::VanFull)
        .with("conflict", DomainError::conflict("taken"));
    ParcelServiceClient::new(InProcess::new(ParcelServiceServer::new(depot)))
}

#[tokio::test]
async fn declared_errors_and_those_of_every_service_are_answers() {
    let (client, ctx) = (parcels(), Context::background());
    let lost = client.put(&ctx, failing_parcel("lost", When::AtOnce)).await;
    assert!(matches!(
        lost,
        Err(CallError::Service(ParcelError::ParcelLost { id })) if id == "7"
    ));
    let conflict = failing_parcel("conflict", When::AtOnce);
    let conflict = client.put(&ctx, conflict).await.unwrap_err();
    assert_eq!(conflict.code(), Code::AlreadyExists);
}

#[tokio::test]
#[should_panic(
    expected = "`/errors_calls.ParcelService/Put` fails with `VAN_FULL`, and declares \
                           `PARCEL_LOST`, `TOO_HEAVY` alone"
)]
async fn an_undeclared_error_fails_the_test() {
    let (client, ctx) = (parcels(), Context::background());
    let _ = client.put(&ctx, failing_parcel("full", When::AtOnce)).await;
}

#[tokio::test]
#[should_panic(expected = "`/errors_calls.ParcelService/Unpack` fails with `VAN_FULL`")]
async fn an_undeclared_error_in_mid_stream_fails_the_test() {
    let (client, ctx) = (parcels(), Context::background());
    let request = failing_parcel("full", When::Later);
    if let Ok(mut replies) = client.unpack(&ctx, request).await {
        while let Ok(Some(_)) = replies.message().await {}
    }
}

#[tokio::test]
async fn after_an_undeclared_error_every_call_fails_the_test() {
    let (client, ctx) = (parcels(), Context::background());
    let full = failing_parcel("full", When::AtOnce);
    for parcel in [full, failing_parcel("", When::AtOnce)] {
        let call = AssertUnwindSafe(client.put(&ctx, parcel));
        let panic = call.catch_unwind().await.unwrap_err();
        let said = panic.downcast_ref::<String>().unwrap();
        assert!(said.contains("VAN_FULL"), "{said}");
    }
}

#[tokio::test]
async fn a_method_that_declares_nothing_may_fail_with_everything() {
    let (client, ctx) = (parcels(), Context::background());
    let request = failing_parcel("full", When::AtOnce);
    let requests = futures_util::stream::iter([request]);
    let error = client.weigh(&ctx, requests).await.unwrap_err();
    assert!(
        matches!(error, CallError::Service(ParcelError::VanFull)),
        "{error:?}"
    );
}
