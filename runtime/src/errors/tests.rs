//! What goes out and what comes back.

use std::time::Duration;

use prost::{Message, Name};

use super::google::{ErrorInfo, RichStatus};
use super::*;
use crate::{Code, Context, Failure, Status};

fn any<M: Message + Name>(message: &M) -> prost_types::Any {
    prost_types::Any {
        type_url: M::type_url(),
        value: message.encode_to_vec(),
    }
}

fn rich(code: Code, details: Vec<prost_types::Any>) -> Status {
    let rich = RichStatus {
        code: code as i32,
        message: "what".to_owned(),
        details,
    };
    Status::with_details(code, "what", rich.encode_to_vec().into())
}

fn info(domain: &str, reason: &str) -> ErrorInfo {
    ErrorInfo {
        reason: reason.to_owned(),
        domain: domain.to_owned(),
        ..ErrorInfo::default()
    }
}

fn all_nine() -> impl Iterator<Item = (DomainError, &'static ErrorRow)> {
    let rows = ERROR_STATUS_TABLE.rows().iter().enumerate();
    rows.map(|(index, row)| {
        (
            DomainError::from_row(index, Fault::new("what")).unwrap(),
            row,
        )
    })
}

#[test]
fn every_kind_survives_the_wire() {
    for (error, row) in all_nine() {
        let error = error
            .with_violation("a.b", "is wrong")
            .with_retry_delay(Duration::from_millis(1500));
        assert_eq!(error.row(), Some(row));
        let status = error.into_status();
        assert_eq!(status.code(), row.code);
        let back = DomainError::from_status(status).unwrap();
        assert_eq!(back.row(), Some(row));
        let fault = back.fault().unwrap();
        assert_eq!(fault.retry_delay(), Some(Duration::from_millis(1500)));
        if row.code == Code::Internal {
            assert!(
                fault.violations().is_empty(),
                "what is redacted has no violations"
            );
        } else {
            assert_eq!(fault.violations().len(), 1);
            assert_eq!(back.message(), "what");
        }
    }
}

#[test]
fn a_source_stays_in_the_process() {
    for (error, row) in all_nine() {
        let status = error.with_source("password=hunter2").into_status();
        let mut headers = http::HeaderMap::new();
        crate::wire::status::write(&status, &mut headers);
        let details = String::from_utf8_lossy(status.details()).into_owned();
        assert!(
            !format!("{headers:?}{details}{status:?}").contains("hunter2"),
            "{}",
            row.reason
        );
    }
}

#[test]
fn what_is_internal_is_a_fixed_text_with_an_id() {
    let secret = "relation users, password hunter2";
    for error in [
        DomainError::database(secret).with_violation("hunter2", "hunter2"),
        DomainError::from(Status::internal(secret)),
        DomainError::from(Status::unknown(secret)),
        DomainError::from(Status::with_details(Code::Internal, "", secret.into())),
    ] {
        let code = error.code();
        let status = error.into_status();
        assert_eq!(status.code(), code);
        let details = ErrorDetails::of(&status);
        let id = details.error_id().unwrap();
        assert_eq!(id.len(), 32);
        assert_eq!(
            status.message(),
            format!("the call failed; the server's log has why, under the error id {id}")
        );
        let all = format!("{status:?}{}", String::from_utf8_lossy(status.details()));
        assert!(!all.contains("hunter2"), "{all}");
    }
}

#[test]
fn two_errors_have_two_ids() {
    let id = || {
        ErrorDetails::of(&DomainError::database("").into_status())
            .error_id()
            .unwrap()
            .to_owned()
    };
    assert_ne!(id(), id());
}

#[test]
fn a_raw_status_goes_through_unchanged() {
    let mut raw = Status::with_details(Code::Aborted, "version race", vec![1, 2].into());
    raw.metadata_mut().insert("x-version", 7.into());
    let status = DomainError::from(raw).into_status();
    assert_eq!(
        (status.code(), status.message()),
        (Code::Aborted, "version race")
    );
    assert_eq!(
        (status.details(), status.metadata().len()),
        (&[1, 2][..], 1)
    );
    assert!(DomainError::from_status(status).is_err());
}

#[test]
fn decoding_goes_by_domain_and_reason_and_never_by_the_code() {
    let read = |domain, reason| {
        let status = rich(Code::Ok, vec![any(&info(domain, reason))]);
        DomainError::from_status(status).ok()
    };
    assert!(matches!(
        read("apibase", "CONFLICT"),
        Some(DomainError::Conflict(_))
    ));
    assert!(read("elsewhere", "CONFLICT").is_none());
    assert!(read("apibase", "ALREADY_EXISTS").is_none());
}

#[test]
fn what_nobody_knows_is_kept_whole() {
    let status = rich(
        Code::NotFound,
        vec![any(&info("newer.example.com", "NEWER"))],
    );
    let bytes = status.details().to_vec();
    let status = DomainError::from_status(status).unwrap_err();
    assert_eq!(status.details(), bytes);
    assert_eq!(
        ErrorDetails::of(&status).reason(),
        Some(("newer.example.com", "NEWER"))
    );
}

#[test]
fn of_two_details_of_a_type_the_first_counts_and_the_other_is_kept() {
    let other = prost_types::Any {
        type_url: "type.googleapis.com/google.rpc.Help".to_owned(),
        value: vec![1],
    };
    let first = any(&info("apibase", "NOT_FOUND"));
    let second = any(&info("apibase", "CONFLICT"));
    let status = rich(Code::NotFound, vec![other.clone(), first, second.clone()]);
    let details = ErrorDetails::of(&status);
    assert_eq!(details.reason(), Some(("apibase", "NOT_FOUND")));
    assert_eq!(details.others, [other, second]);
}

#[test]
fn details_that_do_not_decode_are_none() {
    let status = Status::with_details(Code::NotFound, "", vec![0xff; 9].into());
    assert_eq!(ErrorDetails::of(&status), ErrorDetails::default());
    let junk = prost_types::Any {
        type_url: ErrorInfo::URL.to_owned(),
        value: vec![0xff; 9],
    };
    let details = ErrorDetails::of(&rich(Code::NotFound, vec![junk.clone()]));
    assert_eq!(details.reason(), None);
    assert_eq!(details.others, [junk]);
}

#[test]
fn a_delay_is_told_to_people_and_to_clients() {
    let status = DomainError::rate_limit("slow down")
        .with_retry_delay(Duration::from_millis(2500))
        .into_status();
    assert_eq!(
        status.metadata().get("grpc-retry-pushback-ms").unwrap(),
        "2500"
    );
    let details = ErrorDetails::of(&status);
    assert_eq!(details.retry_delay, Some(Duration::from_millis(2500)));
    assert!(!details.already_retried);
}

#[test]
fn who_has_retried_says_so_and_the_next_one_hears_it() {
    let status = DomainError::external_service("down")
        .already_retried()
        .into_status();
    assert_eq!(
        status.metadata().get("grpc-retry-pushback-ms").unwrap(),
        "-1"
    );
    let back = DomainError::from_status(status).unwrap();
    assert!(back.fault().unwrap().is_already_retried());
    // And the hop after that.
    let again = back.into_status();
    assert_eq!(
        again.metadata().get("grpc-retry-pushback-ms").unwrap(),
        "-1"
    );
}

#[test]
fn a_pushback_that_is_no_delay_says_not_to_retry() {
    for (value, already_retried) in [("0", false), ("15", false), ("-1", true), ("soon", true)] {
        let mut status = Status::unavailable("");
        status
            .metadata_mut()
            .insert("grpc-retry-pushback-ms", value.parse().unwrap());
        let details = ErrorDetails::of(&status);
        assert_eq!(details.already_retried, already_retried, "{value}");
        let delay = value.parse().ok().map(Duration::from_millis);
        assert_eq!(details.retry_delay, delay, "{value}");
    }
}

#[test]
fn a_row_can_be_overridden_and_is_decoded_all_the_same() {
    static METHOD: &crate::Method = &crate::Method::unary("/t.T/T");
    let chain = crate::Interceptors::none().with_errors(
        ErrorPolicy::new()
            .with_code(DOMAIN, "CONFLICT", Code::Aborted)
            .with_redacted(DOMAIN, "FORBIDDEN"),
    );
    let call = Context::incoming(
        METHOD,
        None,
        tonic::metadata::MetadataMap::new(),
        None,
        chain.of(crate::Side::Server, METHOD).unwrap(),
    );
    let status = status(&DomainError::conflict("version 3 is gone"), &call);
    assert_eq!(status.code(), Code::Aborted);
    assert!(matches!(
        DomainError::from_status(status),
        Ok(DomainError::Conflict(_))
    ));
    let status = super::status(&DomainError::forbidden("not on the list of hunter2"), &call);
    assert_eq!(status.code(), Code::PermissionDenied);
    assert!(!status.message().contains("hunter2"));
    let response = ErrorResponse::new(&DomainError::conflict(""), &call);
    assert_eq!(response.http_status, 409);
}

#[test]
fn an_upstream_failure_keeps_its_words_to_itself() {
    let status = Status::unavailable("10.0.0.7 refused");
    let failure = |status: Status| Failure::for_tests(status);
    let error = DomainError::upstream(failure(status.clone()));
    assert!(matches!(error, DomainError::ExternalService(_)));
    assert!(
        std::error::Error::source(&error)
            .unwrap()
            .to_string()
            .contains("10.0.0.7")
    );
    assert!(!format!("{:?}", error.into_status()).contains("10.0.0.7"));

    let mut retried = status;
    retried
        .metadata_mut()
        .insert("grpc-retry-pushback-ms", "-1".parse().unwrap());
    let error = DomainError::upstream(failure(retried));
    assert!(error.fault().unwrap().is_already_retried());

    let error = DomainError::upstream(failure(Status::internal("a bug")));
    assert!(
        error.fault().unwrap().is_already_retried(),
        "it would fail again"
    );

    let error = DomainError::upstream(failure(
        DomainError::rate_limit("slow")
            .with_retry_delay(Duration::from_secs(2))
            .into_status(),
    ));
    assert_eq!(
        error.fault().unwrap().retry_delay(),
        Some(Duration::from_secs(2))
    );
    assert!(!error.fault().unwrap().is_already_retried());

    let error = DomainError::upstream(failure(Status::deadline_exceeded("")));
    assert!(matches!(error, DomainError::Timeout(_)));
}

#[test]
fn a_response_has_a_detail_for_each_wrong_field() {
    let error = DomainError::validation("2 are wrong")
        .with_violation("sku", "is empty")
        .with_violation("price", "is negative");
    let response = ErrorResponse::new(&error, &Context::background());
    assert_eq!(response.http_status, 400);
    let fields: Vec<_> = response
        .details
        .iter()
        .map(|detail| &*detail.field)
        .collect();
    assert_eq!(fields, ["sku", "price"]);
    assert!(
        response
            .details
            .iter()
            .all(|detail| detail.code == "ValidationError")
    );

    let response = ErrorResponse::new(&DomainError::database("hunter2"), &Context::background());
    assert_eq!(
        (response.http_status, &*response.error_code),
        (500, "DatabaseError")
    );
    assert!(response.message.contains(&response.error_id));
    assert!(!format!("{response:?}").contains("hunter2"));

    let raw = DomainError::from(Status::aborted("race"));
    let response = ErrorResponse::new(&raw, &Context::background());
    assert_eq!(
        (response.http_status, &*response.error_code),
        (409, "ABORTED")
    );
}

#[cfg(feature = "json")]
#[test]
fn a_response_as_json_has_the_names_of_the_proto() {
    let mut response =
        ErrorResponse::new(&DomainError::not_found("no \"7\""), &Context::background());
    response.error_id = "1".to_owned();
    assert_eq!(
        response.to_json(),
        r#"{"details":[{"code":"NotFoundError","field":"","message":"no \"7\"","metadata":{}}],"error_code":"NotFoundError","error_id":"1","message":"no \"7\"","trace_id":""}"#
    );
}

#[test]
fn an_error_is_small() {
    // clippy's `result_large_err` starts at 128 bytes; a result of a small message is as small.
    assert!(size_of::<DomainError>() <= 16);
    assert!(size_of::<crate::CallError<DomainError>>() <= 16);
    assert!(size_of::<crate::InboundError>() <= 8);
}

#[test]
fn debug_shows_no_metadata_of_a_raw_status() {
    let mut raw = Status::with_details(Code::Aborted, "race", "hunter2".into());
    raw.metadata_mut()
        .insert("x-token", "hunter2".parse().unwrap());
    let shown = format!("{:?}", DomainError::from(raw));
    assert!(
        shown.contains("Aborted") && shown.contains("race"),
        "{shown}"
    );
    assert!(!shown.contains("hunter2"), "{shown}");
    let shown = format!("{:?}", DomainError::not_found("gone"));
    assert!(shown.starts_with("NotFound(Fault("), "{shown}");
}
