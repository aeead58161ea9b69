//! What a servicer fails with is what its caller gets: every error, by every kind of call, before the
//! first reply and after it.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod common;

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::time::Duration;

use apibase::codegen::Transport;
use apibase::{
    CallError, Code, Context, DomainError, ERROR_STATUS_TABLE, FailureKind, Interceptors,
    ServiceError, Status,
};
use common::{
    Depot, ParcelError, ParcelServiceClient, ParcelServiceServer, WAYS, any, error_info, fail,
    once, rich, sample,
};

/// Every error that the service can have, by a name.
fn all_errors() -> Vec<(String, ParcelError)> {
    let own = ParcelError::TABLE.rows().iter();
    let own = own.map(|row| (row.reason.to_owned(), sample(row)));
    let nine = all_nine().map(|error| (error.row().unwrap().class.to_owned(), error.into()));
    let raw = raw_statuses().map(|status| (format!("raw {:?}", status.code()), status.into()));
    own.chain(nine).chain(raw).collect()
}

/// Each of the nine, with all that they can say.
fn all_nine() -> impl Iterator<Item = DomainError> {
    let nine: [fn(String) -> DomainError; 9] = [
        DomainError::validation,
        DomainError::not_found,
        DomainError::unauthorized,
        DomainError::forbidden,
        DomainError::conflict,
        DomainError::rate_limit,
        DomainError::external_service,
        DomainError::database,
        DomainError::timeout,
    ];
    let nine = nine.into_iter().zip(0..);
    nine.map(|(make, number)| {
        make(format!("what {number}: \u{fc}\n100%"))
            .with_violation("items[3].price", "is negative")
            .with_violation("", "is \u{fc}")
            .with_retry_delay(Duration::new(number, 1_500_000))
    })
}

/// A status of every code, with details that nobody knows.
fn raw_statuses() -> impl Iterator<Item = Status> {
    (1..=16).map(|code| {
        let info = error_info("elsewhere.example.com", "NEVER_HEARD_OF", &[("a", "b")]);
        rich(Code::from(code), &format!("raw {code}"), vec![any(&info)])
    })
}

fn depot() -> Depot {
    let errors = all_errors().into_iter();
    errors.fold(Depot::new(), |depot, (name, error)| depot.with(name, error))
}

/// Asserts that a call failed by `sent`, or by what its caller is told of it.
fn came_back(sent: &ParcelError, got: &CallError<ParcelError>, how: &str) {
    assert_eq!(got.code(), sent.code(), "{how}");
    let is_internal = matches!(sent.code(), Code::Internal | Code::Unknown);
    let Some(row) = sent.row() else {
        let failure = got.failure().unwrap();
        assert_eq!(failure.kind(), FailureKind::Status, "{how}");
        let ParcelError::Domain(DomainError::Status(raw)) = sent else {
            panic!("{how}: {sent:?}");
        };
        if is_internal {
            assert!(failure.details().error_id().is_some(), "{how}: {got:?}");
            return;
        }
        assert_eq!(failure.status().message(), raw.message(), "{how}");
        assert_eq!(failure.status().details(), raw.details(), "{how}");
        return;
    };
    let CallError::Service(got) = got else {
        panic!("{how}: {got:?}");
    };
    if !(is_internal || row.redacted) {
        assert_eq!(format!("{got:?}"), format!("{sent:?}"), "{how}");
        return;
    }
    // What it was, and nothing of what was in it.
    match got {
        ParcelError::Domain(error) => {
            let fault = error.fault().unwrap();
            assert!(
                fault.message().starts_with("the call failed; "),
                "{how}: {got:?}"
            );
            assert!(fault.violations().is_empty(), "{how}: {got:?}");
            assert_eq!(error.row(), Some(row), "{how}");
        }
        own => {
            let empty = ParcelError::from_reason(row.reason, &mut Default::default());
            assert_eq!(format!("{own:?}"), format!("{:?}", empty.unwrap()), "{how}");
        }
    }
}

async fn every_error_comes_back<T: Transport>(client: &ParcelServiceClient<T>) {
    let ctx = Context::background();
    for (name, sent) in all_errors() {
        for (method, when) in WAYS {
            let got = fail(client, &ctx, &name, (method, when)).await;
            came_back(&sent, &got, &format!("{name} by {method} {when}"));
        }
    }
}

#[tokio::test]
async fn every_error_comes_back_from_every_kind_of_call() {
    let server = depot().start().await;
    every_error_comes_back(&server.parcels().await).await;
}

#[tokio::test]
async fn every_error_comes_back_without_sockets() {
    let service = ParcelServiceServer::new(depot()).into_service(Interceptors::none());
    let service = once().over("in process", service.unwrap());
    every_error_comes_back(&ParcelServiceClient::new(service)).await;
}

#[test]
fn all_errors_are_all_rows_and_all_codes() {
    let errors = all_errors();
    let rows = |table: &apibase::ErrorTable| -> BTreeSet<&str> {
        table.rows().iter().map(|row| row.reason).collect()
    };
    let mut reasons = rows(ParcelError::TABLE);
    reasons.extend(rows(&ERROR_STATUS_TABLE));
    let rows = errors.iter().filter_map(|(_, error)| error.row());
    assert_eq!(rows.map(|row| row.reason).collect::<BTreeSet<_>>(), reasons);

    let raw = errors.iter().filter(|(_, error)| error.row().is_none());
    let codes: BTreeSet<_> = raw.map(|(_, error)| error.code() as i32).collect();
    assert_eq!(codes, (1..=16).collect());
}

/// A sample is made by reading, so this is the one place where what is read is compared with what a
/// person wrote.
#[test]
fn samples_are_what_one_would_write() {
    fn written(error: &ParcelError) -> ParcelError {
        use ParcelError as E;
        let of = |reason: &str, key: &str| format!("{key} of {reason}: \u{fc} {{}} 100%");
        match error {
            E::ParcelLost { .. } => E::ParcelLost {
                id: of("PARCEL_LOST", "id"),
            },
            E::TooHeavy { .. } => E::TooHeavy {
                weight: of("TOO_HEAVY", "weight"),
                limit: of("TOO_HEAVY", "limit"),
            },
            E::VanFull => E::VanFull,
            E::VanBroken { .. } => E::VanBroken {
                plate: of("VAN_BROKEN", "plate"),
            },
            E::Seized { .. } => E::Seized {
                officer: of("SEIZED", "officer"),
            },
            E::Domain(error) => E::Domain(error.clone()),
        }
    }
    fn text(error: impl Debug) -> String {
        format!("{error:?}")
    }
    for row in ParcelError::TABLE.rows() {
        let sample = sample::<ParcelError>(row);
        assert_eq!(text(&sample), text(written(&sample)));
    }
}
