//! Generated fakes: they answer as a test says, and remember what they were asked.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::time::Duration;

use apibase::testing::{Fault, Faults, InProcess, SeenAttempt};
use apibase::{
    CallError, CallOptions, Code, Context, DomainError, Server, Streamed, TypedMetadata,
};
use futures_util::{StreamExt, TryStreamExt, stream};
use tokio::time::{Instant, sleep};
use uuid::Uuid;

apibase::include_fakes!("errors_calls/fakes.rs", apibase_tests::errors_calls);

use fakes::errors_calls::Stored;
use fakes::errors_calls::api::{
    FakeParcelService, InProcessParcelService as _, Parcel, ParcelError, ParcelServiceClient,
    ParcelServiceServer, parcel_service,
};

type Client = ParcelServiceClient<InProcess>;

fn parcel(weight: u32) -> Parcel {
    Parcel {
        id: Uuid::from_u128(7),
        weight,
        fails: String::new(),
    }
}

fn lost() -> ParcelError {
    ParcelError::ParcelLost { id: "7".to_owned() }
}

fn fake() -> (FakeParcelService, Client) {
    let fake = FakeParcelService::new();
    (fake.clone(), ParcelServiceClient::in_process(fake))
}

async fn put(client: &Client) -> Result<u32, CallError<ParcelError>> {
    let put = client.put(&Context::background(), parcel(1)).await;
    put.map(|parcel| parcel.weight)
}

#[tokio::test]
async fn a_method_that_was_told_nothing_is_unimplemented_and_says_so() {
    let (fake, client) = fake();
    let error = put(&client).await.unwrap_err();
    assert_eq!(error.code(), Code::Unimplemented);
    let said = error.to_string();
    assert!(said.contains("`/errors_calls.ParcelService/Put`"), "{said}");
    assert_eq!(fake.put().count(), 1, "it is remembered all the same");
}

#[tokio::test]
async fn what_it_returns_it_returns_to_every_call() {
    let (fake, client) = fake();
    fake.put().returns(parcel(5));
    for _ in 0..3 {
        assert_eq!(put(&client).await.unwrap(), 5);
    }
    fake.put().returns(parcel(6));
    assert_eq!(put(&client).await.unwrap(), 6);
}

#[tokio::test]
async fn what_is_said_once_comes_in_its_order_and_before_the_rest() {
    let (fake, client) = fake();
    fake.put()
        .returns(parcel(9))
        .returns_once(parcel(1))
        .fails_once(lost())
        .with_once(|_, request| async move { Ok(parcel(request.weight + 41)) });
    assert_eq!(fake.put().unused(), 3);
    assert_eq!(put(&client).await.unwrap(), 1);
    assert!(matches!(
        put(&client).await,
        Err(CallError::Service(ParcelError::ParcelLost { id })) if id == "7"
    ));
    assert_eq!(put(&client).await.unwrap(), 42);
    assert_eq!(put(&client).await.unwrap(), 9);
    assert_eq!((fake.put().unused(), fake.put().count()), (0, 4));
}

#[tokio::test]
async fn it_fails_with_what_is_declared_and_what_every_service_has() {
    let (fake, client) = fake();
    fake.put()
        .fails_once(ParcelError::TooHeavy {
            weight: "9".to_owned(),
            limit: "8".to_owned(),
        })
        .fails(DomainError::rate_limit("slower").with_retry_delay(Duration::from_secs(3)));
    let Err(CallError::Service(ParcelError::TooHeavy { weight, limit })) = put(&client).await
    else {
        panic!("too heavy");
    };
    assert_eq!((weight.as_str(), limit.as_str()), ("9", "8"));
    let error = put(&client).await.unwrap_err();
    assert_eq!(error.code(), Code::ResourceExhausted);
    assert_eq!(error.retry_delay(), Some(Duration::from_secs(3)));
}

#[test]
#[should_panic(
    expected = "`/errors_calls.ParcelService/Put` fails with `VAN_FULL`, and declares \
                           `PARCEL_LOST`, `TOO_HEAVY` alone: add it to the method's `errors`"
)]
fn an_undeclared_error_is_refused_where_it_is_said() {
    FakeParcelService::new().put().fails(ParcelError::VanFull);
}

#[test]
#[should_panic(expected = "`/errors_calls.ParcelService/Unpack` fails with `VAN_FULL`")]
fn an_undeclared_error_after_replies_is_refused_where_it_is_said() {
    let fake = FakeParcelService::new();
    fake.unpack()
        .fails_after_once([parcel(1)], ParcelError::VanFull);
}

#[tokio::test]
#[should_panic(expected = "`/errors_calls.ParcelService/Put` fails with `VAN_FULL`")]
async fn an_undeclared_error_of_a_function_fails_the_call() {
    let (fake, client) = fake();
    fake.put().with(|_, _| async { Err(ParcelError::VanFull) });
    let _ = put(&client).await;
}

#[tokio::test]
async fn a_method_that_declares_nothing_fails_with_everything() {
    let (fake, client) = fake();
    fake.weigh().fails(ParcelError::VanFull);
    let error = client.weigh(&Context::background(), stream::empty()).await;
    assert!(matches!(
        error,
        Err(CallError::Service(ParcelError::VanFull))
    ));
}

#[tokio::test]
async fn calls_are_remembered_with_their_context() {
    let (fake, client) = fake();
    fake.put().returns(parcel(1));
    let ctx = Context::background()
        .with_correlation_id("the-id")
        .with_timeout(Duration::from_secs(9));
    let with = client.with(CallOptions::new().metadata("x-who", "me"));
    with.put(&ctx, parcel(3)).await.unwrap();
    let calls = fake.put().calls();
    assert_eq!(calls.len(), 1);
    assert_eq!(calls[0].request(), &parcel(3));
    let context = calls[0].context();
    assert_eq!(context.correlation_id(), Some("the-id"));
    assert_eq!(
        context.metadata().text("x-who").unwrap(),
        Some("me".to_owned())
    );
    assert!(context.remaining().unwrap() <= Duration::from_secs(9));
    assert!(fake.unpack().calls().is_empty());
}

#[tokio::test]
async fn a_stream_of_replies_ends_well_or_with_an_error() {
    let (fake, client) = fake();
    let ctx = Context::background();
    fake.unpack()
        .returns_once((1..=3).map(parcel))
        .fails_after_once([parcel(4)], lost())
        .fails_once(lost())
        .returns([parcel(5)]);
    let replies = client.unpack(&ctx, parcel(0)).await.unwrap();
    let weights: Vec<_> = replies
        .map_ok(|parcel| parcel.weight)
        .try_collect()
        .await
        .unwrap();
    assert_eq!(weights, [1, 2, 3]);

    let replies = client.unpack(&ctx, parcel(0)).await.unwrap();
    let replies: Vec<_> = replies.collect().await;
    assert!(matches!(
        &replies[..],
        [
            Ok(_),
            Err(CallError::Service(ParcelError::ParcelLost { .. }))
        ]
    ));

    let refused = client.unpack(&ctx, parcel(0)).await.map(|_| ());
    assert!(matches!(
        refused,
        Err(CallError::Service(ParcelError::ParcelLost { .. }))
    ));
    for _ in 0..2 {
        let replies = client.unpack(&ctx, parcel(0)).await.unwrap();
        assert_eq!(replies.count().await, 1);
    }
    assert_eq!(fake.unpack().count(), 5);
}

#[tokio::test]
async fn a_stream_of_requests_is_read_and_remembered() {
    let (fake, client) = fake();
    let ctx = Context::background();
    fake.put_all().returns(Stored::default());
    fake.weigh().returns([parcel(9)]);
    let requests = || stream::iter((1..=3).map(parcel));
    client.put_all(&ctx, requests()).await.unwrap();
    let replies = client.weigh(&ctx, requests()).await.unwrap();
    assert_eq!(replies.count().await, 1);
    let three: Vec<_> = (1..=3).map(parcel).collect();
    assert_eq!(fake.put_all().calls()[0].requests(), three);
    assert_eq!(fake.weigh().calls()[0].requests(), three);
}

#[tokio::test]
async fn an_error_comes_before_the_requests_are_read() {
    let (fake, client) = fake();
    let heavy = ParcelError::TooHeavy {
        weight: String::new(),
        limit: String::new(),
    };
    fake.put_all().fails(heavy);
    let endless = stream::repeat_with(|| parcel(1));
    let error = client.put_all(&Context::background(), endless).await;
    assert_eq!(error.unwrap_err().code(), Code::FailedPrecondition);
    assert!(fake.put_all().calls()[0].requests().is_empty());
}

#[tokio::test]
async fn a_function_reads_its_requests_as_they_come() {
    let (fake, client) = fake();
    fake.weigh().with(|_, requests| async move {
        Ok(Streamed::new(requests.map(|request| {
            let request = request?;
            Ok(parcel(request.weight * 2))
        })))
    });
    let requests = stream::iter((1..=3).map(parcel));
    let replies = client
        .weigh(&Context::background(), requests)
        .await
        .unwrap();
    let weights: Vec<_> = replies
        .map_ok(|parcel| parcel.weight)
        .try_collect()
        .await
        .unwrap();
    assert_eq!(weights, [2, 4, 6]);
}

#[tokio::test]
async fn a_function_hears_who_has_gone() {
    let (fake, client) = fake();
    fake.put().with(|_, _| async {
        sleep(Duration::from_secs(3600)).await;
        Ok(parcel(1))
    });
    let call = tokio::spawn(async move { put(&client).await });
    while fake.put().count() == 0 {
        tokio::task::yield_now().await;
    }
    let calls = fake.put().calls();
    assert!(!calls[0].context().is_cancelled());
    call.abort();
    let gone = tokio::time::timeout(Duration::from_secs(60), calls[0].context().cancelled());
    gone.await.unwrap();
}

/// The example of the docs of `apibase::testing`.
#[tokio::test(start_paused = true)]
async fn an_idempotent_call_is_tried_again_until_it_is_answered() {
    // What the server answers, and what goes wrong on the way to it.
    let parcels = FakeParcelService::new();
    parcels.put().returns(parcel(1));
    let faults = Faults::new(InProcess::new(ParcelServiceServer::new(parcels.clone())));
    faults
        .next(Fault::lost())
        .next(Fault::code(Code::Unavailable));
    let client = ParcelServiceClient::new(faults.clone());

    let started = Instant::now();
    client.put(&Context::background(), parcel(1)).await.unwrap();
    // The waits are 1 and 2 seconds, give or take a fifth.
    let waited = started.elapsed();
    assert!(waited >= Duration::from_millis(2400) && waited <= Duration::from_millis(3610));
    let attempts = faults.seen();
    let previous: Vec<_> = attempts
        .iter()
        .map(SeenAttempt::previous_attempts)
        .collect();
    assert_eq!(previous, [None, Some(1), Some(2)]);
    assert_eq!(parcels.put().count(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_not_idempotent_is_not_tried_again() {
    let parcels = FakeParcelService::new();
    let faults = Faults::new(InProcess::new(ParcelServiceServer::new(parcels.clone())));
    faults.next(Fault::lost());
    let client = ParcelServiceClient::new(faults.clone());
    let requests = stream::iter([parcel(1)]);
    let error = client.put_all(&Context::background(), requests).await;
    assert_eq!(error.unwrap_err().code(), Code::Unavailable);
    assert_eq!(
        (faults.counts().attempts, parcels.put_all().count()),
        (1, 0)
    );
}

#[tokio::test(start_paused = true)]
async fn a_slow_server_is_given_up_at_the_deadline() {
    let parcels = FakeParcelService::new();
    parcels.put().returns(parcel(1));
    let faults = Faults::new(InProcess::new(ParcelServiceServer::new(parcels.clone())));
    faults.next(Fault::silence());
    let client = ParcelServiceClient::new(faults.clone());

    let started = Instant::now();
    let ctx = Context::background().with_timeout(Duration::from_secs(20));
    let error = client.put(&ctx, parcel(1)).await.unwrap_err();
    assert!(error.is_timeout());
    assert_eq!(started.elapsed(), Duration::from_secs(20));
    assert_eq!(parcels.put().count(), 0);

    client.put(&Context::background(), parcel(1)).await.unwrap();
    assert_eq!(faults.counts().attempts, 2);
}

#[tokio::test]
async fn it_is_served_over_a_socket_as_any_servicer_is() {
    let fake = FakeParcelService::new();
    fake.put().fails_once(lost()).returns(parcel(5));
    let server = Server::new().add_servicer(ParcelServiceServer::new(fake.clone()));
    let bound = server
        .host(std::net::Ipv4Addr::LOCALHOST)
        .port(0)
        .bind()
        .await
        .unwrap();
    let target = format!("http://{}", bound.local_addr());
    tokio::spawn(bound.serve_until(std::future::pending()));
    let client = ParcelServiceClient::connect(target).await.unwrap();
    let ctx = Context::background();
    assert!(client.put(&ctx, parcel(1)).await.is_err());
    assert_eq!(client.put(&ctx, parcel(1)).await.unwrap().weight, 5);
    assert_eq!(fake.put().count(), 2);
}

#[test]
fn it_shows_its_methods_and_nothing_that_it_was_asked() {
    let fake = FakeParcelService::default();
    fake.put().returns(parcel(5));
    let shown = format!("{fake:?}");
    assert!(shown.contains(parcel_service::PUT.path()), "{shown}");
    assert!(!shown.contains("weight"), "{shown}");
}
