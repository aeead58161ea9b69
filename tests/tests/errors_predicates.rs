//! What a caller can ask of a call that failed, whatever it failed by.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod common;

use std::future::pending;
use std::time::Duration;

use apibase::{
    CallError, CallOptions, Code, Context, DomainError, Failure, FailureKind, ServiceError, Status,
};
use apibase_tests::errors_basic::errors_basic::api::ShopError;
use apibase_tests::errors_calls::errors_calls::Stored;
use apibase_tests::errors_shared::errors_shared::api::SharedError;
use common::{
    Depot, Nobody, Parcel, ParcelError, ParcelServiceClient, RetryInfo, Running, Scripted, WAYS,
    When, any, ask, fail, failing_parcel, reply, rich, soon,
};
use tokio::sync::mpsc;

/// What is true of a call that failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Is {
    timeout: bool,
    retryable: bool,
    circuit_open: bool,
    not_processed: bool,
    transport: bool,
    cancelled: bool,
    delay: Option<Duration>,
}

const NOTHING: Is = Is {
    timeout: false,
    retryable: false,
    circuit_open: false,
    not_processed: false,
    transport: false,
    cancelled: false,
    delay: None,
};

const RETRYABLE: Is = Is {
    retryable: true,
    ..NOTHING
};

const TIMEOUT: Is = Is {
    timeout: true,
    ..NOTHING
};

const fn after(seconds: u64) -> Is {
    Is {
        delay: Some(Duration::from_secs(seconds)),
        ..RETRYABLE
    }
}

fn of<E: ServiceError>(error: &CallError<E>) -> Is {
    Is {
        timeout: error.is_timeout(),
        retryable: error.is_retryable(),
        circuit_open: error.is_circuit_open(),
        not_processed: error.is_not_processed(),
        transport: error.is_transport(),
        cancelled: error.is_cancelled(),
        delay: error.retry_delay(),
    }
}

/// A status with `grpc-retry-pushback-ms`.
fn pushed_back(mut status: Status, value: &str) -> Status {
    let metadata = status.metadata_mut();
    metadata.insert("grpc-retry-pushback-ms", value.parse().unwrap());
    status
}

/// A status with `RetryInfo`.
fn delayed(code: Code) -> Status {
    let delay = apibase::prost_types::Duration {
        seconds: 7,
        nanos: 0,
    };
    let info = RetryInfo {
        retry_delay: Some(delay),
    };
    rich(code, "later", vec![any(&info)])
}

fn answers() -> Vec<(ParcelError, Is)> {
    use DomainError as D;
    let seven = Duration::from_secs(7);
    let nine = [
        (D::validation("what"), NOTHING),
        (D::not_found("what"), NOTHING),
        (D::unauthorized("what"), NOTHING),
        (D::forbidden("what"), NOTHING),
        (D::conflict("what"), NOTHING),
        (D::rate_limit("what"), RETRYABLE),
        (D::external_service("what"), RETRYABLE),
        (D::database("what"), NOTHING),
        (D::timeout("what"), TIMEOUT),
        // Who is told when to come back may come back.
        (D::rate_limit("what").with_retry_delay(seven), after(7)),
        (D::conflict("what").with_retry_delay(seven), after(7)),
        // Unless it was tried again already.
        (D::external_service("what").already_retried(), NOTHING),
        (
            D::rate_limit("what")
                .with_retry_delay(seven)
                .already_retried(),
            Is {
                delay: Some(seven),
                ..NOTHING
            },
        ),
    ];
    let raw = [
        (Status::new(Code::Cancelled, ""), NOTHING),
        (Status::new(Code::Unknown, ""), NOTHING),
        (Status::new(Code::InvalidArgument, ""), NOTHING),
        (Status::new(Code::DeadlineExceeded, ""), TIMEOUT),
        (Status::new(Code::NotFound, ""), NOTHING),
        (Status::new(Code::AlreadyExists, ""), NOTHING),
        (Status::new(Code::PermissionDenied, ""), NOTHING),
        (Status::new(Code::ResourceExhausted, ""), NOTHING),
        (Status::new(Code::FailedPrecondition, ""), NOTHING),
        (Status::new(Code::Aborted, ""), NOTHING),
        (Status::new(Code::OutOfRange, ""), NOTHING),
        (Status::new(Code::Unimplemented, ""), NOTHING),
        (Status::new(Code::Internal, ""), NOTHING),
        (Status::new(Code::Unavailable, ""), RETRYABLE),
        (Status::new(Code::DataLoss, ""), NOTHING),
        (Status::new(Code::Unauthenticated, ""), NOTHING),
        (delayed(Code::Aborted), after(7)),
        (delayed(Code::Unavailable), after(7)),
        (pushed_back(Status::unavailable(""), "-1"), NOTHING),
        (pushed_back(Status::unavailable(""), "soon"), NOTHING),
        (pushed_back(Status::unavailable(""), "0"), after(0)),
        (pushed_back(Status::aborted(""), "7000"), after(7)),
        (
            pushed_back(delayed(Code::Aborted), "-1"),
            Is {
                delay: Some(seven),
                ..NOTHING
            },
        ),
    ];
    let text = String::new;
    let own = [
        (ParcelError::ParcelLost { id: text() }, NOTHING),
        (
            ParcelError::TooHeavy {
                weight: text(),
                limit: text(),
            },
            NOTHING,
        ),
        // Its row has a delay.
        (ParcelError::VanFull, after(2)),
        (ParcelError::VanBroken { plate: text() }, NOTHING),
        (ParcelError::Seized { officer: text() }, NOTHING),
    ];
    let nine = nine.map(|(error, is)| (error.into(), is));
    let raw = raw.map(|(status, is)| (status.into(), is));
    own.into_iter().chain(nine).chain(raw).collect()
}

#[tokio::test]
async fn what_is_true_of_an_answer_is_true_of_it_from_every_kind_of_call() {
    let answers = answers();
    let depot = answers
        .iter()
        .zip(0..)
        .fold(Depot::new(), |depot, ((error, _), number)| {
            depot.with(format!("error {number}"), error.clone())
        });
    let client = depot.start().await.parcels().await;
    for ((sent, is), number) in answers.iter().zip(0..) {
        for way in WAYS {
            let name = format!("error {number}");
            let error = fail(&client, &Context::background(), &name, way).await;
            assert_eq!(of(&error), *is, "{sent:?} by {} {}", way.0, way.1);
            assert_eq!(error.code(), sent.code(), "{sent:?}");
        }
    }
}

#[test]
#[allow(deprecated, reason = "one of the errors is")]
fn a_row_says_whether_and_when() {
    let text = String::new;
    let halves = |halves: u64| Is {
        delay: Some(Duration::from_millis(500 * halves)),
        ..RETRYABLE
    };
    for (error, is) in [
        (ShopError::ItemNotFound { item_id: text() }, NOTHING),
        (ShopError::ShopClosed, after(30)),
        (ShopError::Banned { since: text() }, NOTHING),
        (ShopError::Crowded, RETRYABLE),
        (ShopError::TillTaken { till: text() }, halves(3)),
        (
            ShopError::Moved { address: text() },
            Is {
                delay: Some(Duration::from_nanos(1)),
                ..RETRYABLE
            },
        ),
    ] {
        assert_eq!(of(&CallError::Service(error.clone())), is, "{error:?}");
    }
}

fn kind(error: &CallError<ParcelError>) -> FailureKind {
    error.failure().unwrap().kind()
}

#[tokio::test]
async fn nobody_listens() {
    let nobody = Nobody::new();
    let client = ParcelServiceClient::connect_lazy(nobody.target()).unwrap();
    let client = client.with(CallOptions::new().no_retry());
    let parcel = failing_parcel("", When::AtOnce);
    let error = soon(client.put(&Context::background(), parcel)).await;
    let error = error.unwrap_err();
    assert_eq!(kind(&error), FailureKind::Transport);
    let is = Is {
        not_processed: true,
        transport: true,
        ..RETRYABLE
    };
    assert_eq!(of(&error), is);
}

#[tokio::test]
async fn time_runs_out_here() {
    let slow = Running::start(Scripted::new().on_echo(|_, _| pending())).await;
    let client = slow.client().await;
    let options = CallOptions::new().deadline(Duration::from_millis(20));
    let echo = client
        .with(options)
        .echo(&Context::background(), ask(""))
        .await;
    let error = echo.unwrap_err();
    assert_eq!(error.failure().unwrap().kind(), FailureKind::Deadline);
    assert_eq!(of(&error), TIMEOUT);
}

/// A deadline that the server alone knows of.
#[tokio::test]
async fn time_runs_out_at_the_server() {
    let slow = Running::start(Scripted::new().on_echo(|_, _| pending())).await;
    let mut raw = slow.raw().await;
    let head = common::post("Echo").header("grpc-timeout", "20m");
    let answer = raw.call(head, [common::frame(&ask(""))]).await;
    let wire = answer.failed();
    assert_eq!(wire.code, Code::DeadlineExceeded);

    // What our client makes of this answer.
    let server = common::RawServer::start(move |_, mut response| {
        let mut head = http::Response::new(());
        *head.headers_mut() = answer.headers.clone();
        async move {
            response.send_response(head, true).unwrap();
        }
    });
    let client = server.await.client().await;
    let error = client
        .echo(&Context::background(), ask(""))
        .await
        .unwrap_err();
    assert_eq!(error.failure().unwrap().kind(), FailureKind::Status);
    assert_eq!(of(&error), TIMEOUT);
}

#[tokio::test]
async fn the_call_that_it_was_made_in_is_over() {
    let (contexts, mut context) = mpsc::unbounded_channel();
    let scripted = Scripted::new().on_echo(move |ctx, _| {
        contexts.send(ctx).unwrap();
        async { Ok(reply(0, "")) }
    });
    let client = Running::start(scripted).await.client().await;
    client.echo(&Context::background(), ask("")).await.unwrap();
    let over = context.recv().await.unwrap();
    soon(over.cancelled()).await;
    let error = client.echo(&over, ask("")).await.unwrap_err();
    assert_eq!(error.failure().unwrap().kind(), FailureKind::Cancelled);
    let is = Is {
        cancelled: true,
        not_processed: of(&error).not_processed,
        ..NOTHING
    };
    assert_eq!(of(&error), is);
}

/// Every call moves its result, the good ones too.
#[test]
fn results_are_small() {
    let text = size_of::<String>();
    assert_eq!(text, 24);
    assert_eq!(size_of::<CallError<DomainError>>(), 16);
    // As large as its longest list of metadata: one text, two, three.
    assert_eq!(size_of::<CallError<SharedError>>(), text);
    assert_eq!(size_of::<CallError<ParcelError>>(), 2 * text);
    assert_eq!(size_of::<CallError<ShopError>>(), 3 * text);
    // No larger than what it is where it is good, or by one text.
    assert_eq!(size_of::<Parcel>(), 48);
    assert_eq!(size_of::<Result<Parcel, CallError<ParcelError>>>(), 56);
    assert_eq!(
        size_of::<Result<Stored, CallError<ParcelError>>>(),
        2 * text
    );
    assert_eq!(size_of::<Result<Parcel, ParcelError>>(), 56);
    assert_eq!(size_of::<Box<Failure>>(), 8);
}
