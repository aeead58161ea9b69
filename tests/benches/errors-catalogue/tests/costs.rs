//! What errors cost, in allocations; instructions are counted by `scripts/bench-errors`. And that what
//! is compared is the same.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use bench_harness::{Answer, CORRELATION_ID, Counting};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

#[test]
fn a_call_that_goes_well_allocates_nothing_more_for_its_errors() {
    let (catalogue, answer) = bench_errors_catalogue::served("hammer");
    let (never, same) = bench_errors_never::served("hammer");
    assert!(catalogue > 0);
    assert_eq!(catalogue, never);
    assert_eq!(answer.data, same.data);
    assert_eq!(answer.trailers.unwrap()["grpc-status"], "0");
}

#[test]
fn a_clients_call_that_goes_well_allocates_nothing_more_for_its_errors() {
    // The first call of all makes what all others share.
    bench_errors_catalogue::called();
    let catalogue = bench_errors_catalogue::called();
    assert!(catalogue > 0);
    assert_eq!(catalogue, bench_errors_never::called());
}

#[test]
fn a_call_that_fails_allocates_no_more_than_a_bare_status() {
    let (catalogue, _) = bench_errors_catalogue::served("fail");
    let (tonic, _) = bench_errors_tonic::served();
    let (bare, _) = bench_errors_tonic::written();
    println!("catalogue {catalogue}, tonic's server {tonic}, a bare status {bare}");
    assert!(catalogue <= bare.min(tonic), "{catalogue}: {tonic}, {bare}");
}

#[test]
fn both_sides_say_the_same_of_a_failure() {
    let (_, catalogue) = bench_errors_catalogue::served("fail");
    let (_, tonic) = bench_errors_tonic::served();
    let (_, bare) = bench_errors_tonic::written();
    let said = said(&catalogue);
    assert_eq!(said, self::said(&tonic));
    assert_eq!(said, self::said(&bare));
    assert_eq!(said.headers.len(), 2);
    let details = decoded(&catalogue, "grpc-status-details-bin");
    let details = String::from_utf8_lossy(&details);
    assert!(details.contains("ErrorInfo") && details.contains(CORRELATION_ID));
}

#[test]
fn a_redacted_failure_has_no_values() {
    let (_, answer) = bench_errors_catalogue::served("redacted");
    let said = said(&answer);
    assert!(said.headers.contains(&"grpc-status: 13".to_owned()));
    for name in BINARY {
        let details = decoded(&answer, name);
        assert!(!String::from_utf8_lossy(&details).contains("lower"));
    }
}

/// What callers are told.
#[derive(Debug, PartialEq)]
struct Said {
    headers: Vec<String>,
    /// Their bytes in order: those of maps come in any.
    details: Vec<Vec<u8>>,
}

fn said(answer: &Answer) -> Said {
    assert!(answer.data.is_none() && answer.trailers.is_none());
    assert_eq!(answer.headers.len(), 5, "{:?}", answer.headers);
    let text = |name| format!("{name}: {}", answer.headers[name].to_str().unwrap());
    let sorted = |name| {
        let mut bytes = decoded(answer, name);
        bytes.sort_unstable();
        bytes
    };
    Said {
        headers: ["grpc-status", "grpc-message"].map(text).into(),
        details: BINARY.map(sorted).into(),
    }
}

const BINARY: [&str; 2] = ["grpc-status-details-bin", "error-detail-bin"];

fn decoded(answer: &Answer, name: &str) -> Vec<u8> {
    STANDARD_NO_PAD.decode(&answer.headers[name]).unwrap()
}
