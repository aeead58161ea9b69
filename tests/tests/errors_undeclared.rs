//! A method's `errors` are its contract: a reason that isn't among them is counted and logged, and its
//! caller gets it all the same.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod common;

use std::fmt::Debug;

use apibase::{
    CallError, Code, Context, DomainError, ERROR_STATUS_TABLE, ErrorRow, Interceptors, Kind,
    Method, ServiceError, Status,
};
use apibase_tests::errors_calls::errors_calls::api::parcel_service;
use common::{Depot, Log, ParcelError, Seen, WAYS, fail, log, recorder, sample};

/// What the proto says that each method fails with.
fn declared(method: &str) -> &'static [&'static str] {
    match method {
        "Put" => &["PARCEL_LOST", "TOO_HEAVY"],
        "Unpack" => &["PARCEL_LOST"],
        "PutAll" => &["TOO_HEAVY"],
        _ => &[],
    }
}

/// Whether a method that fails so keeps its contract.
fn may_fail(method: &str, row: &ErrorRow) -> bool {
    let declared = declared(method);
    // Who declares nothing may fail with everything.
    declared.is_empty() || declared.contains(&row.reason)
}

fn depot() -> Depot {
    let rows = ParcelError::TABLE.rows().iter();
    rows.fold(Depot::new(), |depot, row| {
        depot.with(row.reason, sample::<ParcelError>(row))
    })
}

/// The lines about contracts.
fn warnings(log: &Log) -> Vec<String> {
    let mut lines = log.own_lines();
    lines.retain(|line| line.contains("does not declare"));
    lines
}

fn text(error: impl Debug) -> String {
    format!("{error:?}")
}

#[test]
fn the_methods_have_the_errors_of_their_proto() {
    for method in parcel_service::METHODS {
        let errors = declared(method.name());
        assert_eq!(method.declared_errors(), errors, "{method}");
    }
}

#[tokio::test]
async fn an_undeclared_reason_is_heard_and_logged_once_and_reaches_its_caller() {
    let (observer, mut seen) = recorder();
    let chain = Interceptors::none().with_observer(observer);
    let client = depot().start_with(chain).await.parcels().await;
    let ctx = Context::background();
    let mut undeclared = 0;
    for row in ParcelError::TABLE.rows() {
        for (method, when) in WAYS {
            let how = format!("{} by {method} {when}", row.reason);
            let log = log();
            let error = fail(&client, &ctx, row.reason, (method, when)).await;
            let CallError::Service(error) = error else {
                panic!("{how}: {error:?}");
            };
            if row.code != Code::Internal {
                assert_eq!(text(&error), text(sample::<ParcelError>(row)), "{how}");
            }

            assert!(matches!(seen.next().await, Seen::Started(..)), "{how}");
            if !may_fail(method, row) {
                undeclared += 1;
                let heard = seen.next().await;
                assert_eq!(
                    text(heard),
                    format!("Undeclared({method:?}, {:?})", row.reason)
                );
            }
            let ended = seen.next().await;
            assert!(
                matches!(ended, Seen::Ended(_, _, code) if code == row.code),
                "{how}"
            );
            assert_eq!(seen.rest(), [], "{how}");

            let warnings = warnings(&log);
            assert_eq!(warnings.len(), usize::from(!may_fail(method, row)), "{how}");
            for line in warnings {
                assert!(line.contains(" WARN "), "{line}");
                assert!(line.contains(&format!("ParcelService/{method}")), "{line}");
                assert!(line.contains(row.reason), "{line}");
            }
        }
    }
    // Three reasons of five by `Put`, and four by the three ways of `Unpack` and the two of `PutAll`.
    assert_eq!(undeclared, 3 + 3 * 4 + 2 * 4);
}

#[tokio::test]
async fn the_nine_and_raw_statuses_need_not_be_declared() {
    let mut depot = Depot::new();
    for row in ERROR_STATUS_TABLE.rows() {
        depot = depot.with(row.reason, sample::<DomainError>(row));
    }
    for code in 1..=16 {
        let raw = Status::new(Code::from(code), "raw");
        depot = depot.with(format!("raw {code}"), raw);
    }
    let (observer, mut seen) = recorder();
    let chain = Interceptors::none().with_observer(observer);
    let client = depot.start_with(chain).await.parcels().await;
    let log = log();
    let nine = ERROR_STATUS_TABLE.rows().iter();
    let names = nine.map(|row| row.reason.to_owned());
    let ctx = Context::background();
    for name in names.chain((1..=16).map(|code| format!("raw {code}"))) {
        for way in WAYS {
            fail(&client, &ctx, &name, way).await;
        }
    }
    for _ in 0..WAYS.len() * (9 + 16) {
        assert!(matches!(seen.next().await, Seen::Started(..)));
        assert!(matches!(seen.next().await, Seen::Ended(..)));
    }
    assert_eq!(seen.rest(), []);
    assert_eq!(warnings(&log), [""; 0]);
}

#[test]
fn a_method_by_hand_declares_what_it_is_told() {
    let method = Method::bidi("/a.B/C").errors(&["ONE", "TWO"]);
    assert_eq!(method.kind(), Kind::Bidi);
    assert_eq!(method.declared_errors(), ["ONE", "TWO"]);
}
