//! For development: a server can be told to show its callers what it keeps to itself otherwise.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod common;
mod redaction;

use apibase::{DomainError, ErrorPolicy, Interceptors};
use common::{
    BadRequest, DebugInfo, Depot, RawClient, Secrets, WAYS, When, log_of_all, post_parcel,
};
use redaction::{FAILURES, PANICS, causes};

/// A peer of a server that shows all.
async fn shown(depot: Depot) -> RawClient {
    let policy = ErrorPolicy::new().with_details();
    let chain = Interceptors::none().with_errors(policy);
    depot.start_with(chain).await.raw().await
}

#[tokio::test]
async fn callers_see_errors_whole() {
    for (name, make) in FAILURES {
        let mut secrets = Secrets::new();
        let depot = Depot::new().with("fails", make(&mut secrets));
        let mut raw = shown(depot).await;
        for way in WAYS {
            let how = format!("{name} by {} {}", way.0, way.1);
            let log = log_of_all();
            let answer = raw.fail(post_parcel(way.0), "fails", way).await;
            secrets.are_in(&answer, &how);
            let wire = answer.failed();
            // The log is the same as ever.
            let id = wire.info().metadata.remove("error_id").unwrap();
            secrets.are_logged(&log, &id, way.0, &how);
        }
    }
}

#[tokio::test]
async fn the_causes_are_in_debug_info_in_their_order() {
    let mut secrets = Secrets::new();
    let causes = causes(&mut secrets);
    let texts: Vec<_> = std::iter::successors(Some(&causes), |cause| cause.source.as_deref())
        .map(|cause| cause.text.clone())
        .collect();
    assert_eq!(texts.len(), 3);
    let depot = Depot::new()
        .with(
            "internal",
            DomainError::database("what").with_violation("a", "b"),
        )
        .with("public", DomainError::not_found("what").with_source(causes));
    let mut raw = shown(depot).await;

    let way = ("Put", When::AtOnce);
    let answer = raw.fail(post_parcel("Put"), "public", way).await;
    let wire = answer.failed();
    assert_eq!(wire.message, "what");
    assert_eq!(wire.find::<DebugInfo>().unwrap().stack_entries, texts);
    assert!(!wire.info().metadata.contains_key("error_id"));

    let answer = raw.fail(post_parcel("Put"), "internal", way).await;
    let wire = answer.failed();
    assert_eq!(wire.find::<DebugInfo>(), None);
    assert_eq!(wire.find::<BadRequest>().unwrap().field_violations.len(), 1);
}

/// What a panic says can be anything, so it stays in the process even then.
#[tokio::test]
async fn a_panic_says_nothing_all_the_same() {
    for (name, make) in PANICS {
        let mut secrets = Secrets::new();
        let panics = make(&mut secrets);
        let depot = Depot::new().making("fails", move || {
            panics();
            unreachable!()
        });
        let mut raw = shown(depot).await;
        for way in WAYS {
            let answer = raw.fail(post_parcel(way.0), "fails", way).await;
            answer.failed().error_id();
            secrets.are_not_in(&answer, name);
        }
    }
}
