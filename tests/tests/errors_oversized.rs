//! Errors that are too large for trailers: what is left of them fits, says what it was, and the log
//! says what was left out.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod common;
mod oversized;

use std::collections::HashMap;
use std::time::Duration;

use apibase::prost_types::Any;
use apibase::{Code, DomainError, ErrorPolicy, MetadataMap, Status};
use common::{
    BadRequest, DebugInfo, ErrorInfo, FieldViolation, Log, OnTheWire, ParcelError, RequestInfo,
    any, error_info, log, rich,
};
use oversized::{Failing, Peer, foreign, reason};

/// Both answers to a call that fails with `error`, and the log.
async fn answers(error: impl Into<ParcelError>) -> ([OnTheWire; 2], Log) {
    let failing = Failing {
        error: error.into(),
        trailers: Vec::new(),
    };
    let mut peer = Peer::start(ErrorPolicy::new()).await;
    let log = log();
    (peer.fail(failing).await, log)
}

fn is(wire: &OnTheWire, code: Code, domain: &str, name: &str) {
    assert_eq!(reason(wire), (code, domain.to_owned(), name.to_owned()));
}

/// The log says for each of the two calls that this was left out, and nothing else.
fn left_out(log: &Log, what: &[&str]) {
    let lines = log.own_lines();
    for method in ["ParcelService/Put", "ParcelService/Unpack"] {
        let of_call = |line: &&String| line.contains(method) && line.contains("left_out=");
        let lines: Vec<_> = lines.iter().filter(of_call).collect();
        let said: Vec<_> = lines
            .iter()
            .flat_map(|line| {
                assert!(line.contains(" WARN "), "{line}");
                let (_, said) = line.split_once("left_out=\"").unwrap();
                said.split_once('"').unwrap().0.split(", ")
            })
            .collect();
        assert_eq!(said, what, "{lines:?}");
    }
}

#[tokio::test]
async fn a_message_of_5_megabytes_is_cut() {
    for text in ["a", "\u{e4}", "%", "\u{1f4e6}"] {
        let message = text.repeat(5_000_000 / text.len());
        let (answers, log) = answers(DomainError::not_found(message)).await;
        for wire in answers {
            is(&wire, Code::NotFound, "apibase", "NOT_FOUND");
            assert!(wire.message.len() > 1000, "{}", wire.message);
            assert!(wire.message.chars().all(|char| text.contains(char)));
            assert_eq!(wire.detail.unwrap().message, wire.message);
        }
        left_out(&log, &["the end of the message"]);
    }
}

#[tokio::test]
async fn a_raw_message_of_5_megabytes_is_cut() {
    let message = "\u{e4}".repeat(2_500_000);
    let (answers, log) = answers(Status::new(Code::Aborted, message)).await;
    for wire in answers {
        assert_eq!(wire.code, Code::Aborted);
        assert!(wire.message.len() > 1000, "{}", wire.message);
    }
    left_out(&log, &["the end of the message"]);
}

#[tokio::test]
async fn of_100_000_violations_the_first_are_sent() {
    for (field, description) in [
        ("items[].price", "is negative"),
        ("f", ""),
        ("", ""),
        ("", "\u{e4}"),
    ] {
        let mut error = DomainError::validation("wrong");
        for _ in 0..100_000 {
            error = error.with_violation(field, description);
        }
        let (answers, log) = answers(error).await;
        for wire in answers {
            is(&wire, Code::InvalidArgument, "apibase", "VALIDATION");
            let request: BadRequest = wire.find().unwrap();
            assert!(
                request.field_violations.len() > 50,
                "{}",
                request.field_violations.len()
            );
            let first = &request.field_violations[0];
            assert_eq!((&*first.field, &*first.description), (field, description));
            assert_eq!(wire.detail.unwrap().field, field);
        }
        left_out(&log, &["violations"]);
    }
}

#[tokio::test]
async fn metadata_of_100_kilobytes_is_left_out_and_the_reason_stays() {
    let large = || "a".repeat(100_000);
    let (answers, log) = answers(ParcelError::TooHeavy {
        weight: large(),
        limit: large(),
    })
    .await;
    for wire in answers {
        is(
            &wire,
            Code::FailedPrecondition,
            "parcels.example.com",
            "TOO_HEAVY",
        );
        assert_eq!(wire.info().metadata, HashMap::new());
        assert!(wire.message.starts_with("aaaa"));
        assert_eq!(wire.detail, None);
    }
    let what = [
        "the end of the message",
        "the status's metadata",
        "the metadata of ErrorInfo",
    ];
    left_out(&log, &what);
}

#[tokio::test]
async fn own_trailers_go_before_the_reason_and_after_the_violations() {
    let mut peer = Peer::start(ErrorPolicy::new()).await;
    let cases: [(usize, usize, &[&str]); 5] = [
        (0, 7000, &[]),
        (100, 6000, &["violations"]),
        (100, 7900, &["violations", "the servicer's metadata"]),
        (0, 8191, &["the servicer's metadata"]),
        (0, 1_000_000, &["the servicer's metadata"]),
    ];
    for (violations, own, what) in cases {
        let mut error = DomainError::validation("wrong");
        for _ in 0..violations {
            error = error.with_violation("items[].price", "is negative");
        }
        let log = log();
        let failing = Failing {
            error: error.with_retry_delay(Duration::from_secs(1)).into(),
            trailers: vec![("x-own".to_owned(), "a".repeat(own))],
        };
        for wire in peer.fail(failing).await {
            is(&wire, Code::InvalidArgument, "apibase", "VALIDATION");
            assert_eq!(wire.pushback.as_deref(), Some("1000"));
        }
        left_out(&log, what);
    }
}

// Statuses of others, which are sent as they are where they fit.

fn info(size: usize) -> Any {
    let value = "a".repeat(size);
    any(&error_info("d.example.com", "A_REASON", &[("key", &value)]))
}

/// Details of about 1 MB, all with a reason, and what is left out of them.
fn megabytes() -> Vec<(&'static [&'static str], Vec<Any>)> {
    const OTHERS: &str = "details of other types";
    const VALUES: &str = "the metadata of ErrorInfo";

    let violation = |number: usize| FieldViolation {
        field: format!("items[{number}]"),
        description: "\u{e4}".to_owned(),
    };
    let violations = |count| BadRequest {
        field_violations: (0..count).map(violation).collect(),
    };
    let metadata = (0..50_000).map(|number| (format!("key{number}"), "value".to_owned()));
    let many = ErrorInfo {
        metadata: metadata.collect(),
        ..error_info("d.example.com", "A_REASON", &[])
    };
    let debug = DebugInfo {
        stack_entries: vec!["a cause".to_owned(); 100_000],
        detail: String::new(),
    };
    let call = RequestInfo {
        request_id: "a".repeat(1_000_000),
        serving_data: String::new(),
    };
    let beside = |detail: Any, count| [vec![info(1)], vec![detail; count]].concat();
    vec![
        (&[OTHERS], vec![foreign(1_000_000), info(1)]),
        (&[OTHERS], beside(foreign(0), 25_000)),
        // Of each type, the first is what readers take for ours.
        (&[OTHERS], beside(info(1), 25_000)),
        (&[OTHERS], beside(any(&violations(1)), 25_000)),
        (&["DebugInfo"], beside(any(&debug), 1)),
        (&["DebugInfo"], beside(any(&DebugInfo::default()), 25_000)),
        (&["violations"], beside(any(&violations(50_000)), 1)),
        (&[VALUES], vec![info(1_000_000)]),
        (&[VALUES], vec![any(&many)]),
        (&[VALUES, "RequestInfo"], beside(any(&call), 1)),
    ]
}

#[tokio::test]
async fn details_of_a_megabyte_are_left_out_and_the_reason_stays() {
    for (what, details) in megabytes() {
        let raw = rich(Code::Aborted, "race", details);
        let (answers, log) = answers(raw).await;
        for wire in answers {
            is(&wire, Code::Aborted, "d.example.com", "A_REASON");
            assert_eq!(wire.message, "race");
        }
        left_out(&log, what);
    }
}

/// Of an error that another server redacted, the id is all that its caller has.
#[tokio::test]
async fn the_id_of_an_error_stays_where_other_metadata_is_left_out() {
    let large = "a".repeat(100_000);
    let metadata = [("key", &*large), ("error_id", "id-7")];
    let info = error_info("d.example.com", "A_REASON", &metadata);
    let (answers, log) = answers(rich(Code::Aborted, "race", vec![any(&info)])).await;
    for wire in answers {
        let metadata = [("error_id".to_owned(), "id-7".to_owned())];
        assert_eq!(wire.info().metadata, metadata.into());
    }
    left_out(&log, &["the metadata of ErrorInfo"]);
}

#[tokio::test]
async fn a_reason_that_is_itself_too_long_is_left_out() {
    let long = "A".repeat(1_000_000);
    for info in [
        error_info("d.example.com", &long, &[]),
        error_info(&long, "A_REASON", &[]),
    ] {
        let (answers, log) = answers(rich(Code::Aborted, "race", vec![any(&info)])).await;
        for wire in answers {
            assert_eq!((wire.code, &*wire.message), (Code::Aborted, "race"));
        }
        left_out(&log, &["ErrorInfo"]);
    }
}

#[tokio::test]
async fn details_of_a_megabyte_that_are_no_status_are_left_out() {
    for byte in [0, 0xff, b'a'] {
        let raw = Status::with_details(Code::Aborted, "race", vec![byte; 1_000_000].into());
        let (answers, log) = answers(raw).await;
        for wire in answers {
            assert_eq!((wire.code, &*wire.message), (Code::Aborted, "race"));
        }
        left_out(&log, &["details that do not decode"]);
    }
}

#[tokio::test]
async fn metadata_of_a_raw_status_is_left_out_where_it_does_not_fit() {
    for (name, size) in [("x-large", 1_000_000), ("grpc-retry-pushback-ms", 9000)] {
        let mut raw = rich(Code::Aborted, "race", vec![info(1)]);
        let value = "1".repeat(size).parse().unwrap();
        raw.metadata_mut().insert(name, value);
        let (answers, log) = answers(raw).await;
        for wire in answers {
            is(&wire, Code::Aborted, "d.example.com", "A_REASON");
        }
        left_out(&log, &["the status's metadata"]);
    }
}

/// What HTTP says of a message's length or connection makes a peer reset the call.
#[tokio::test]
async fn metadata_of_a_raw_status_cannot_break_the_protocol() {
    let mut raw = rich(Code::Aborted, "race", vec![info(1)]);
    let mut metadata = MetadataMap::new();
    for (name, value) in [
        ("content-length", "7"),
        ("connection", "close"),
        ("transfer-encoding", "chunked"),
        ("content-type", "text/plain"),
        ("grpc-status", "0"),
        ("grpc-encoding", "gzip"),
        ("x-said", "yes"),
    ] {
        metadata.insert(name, value.parse().unwrap());
    }
    *raw.metadata_mut() = metadata;
    let (answers, _) = answers(raw).await;
    for wire in answers {
        is(&wire, Code::Aborted, "d.example.com", "A_REASON");
        assert_eq!(wire.trailers["x-said"], "yes");
    }
}
