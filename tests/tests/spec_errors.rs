//! The table of domain errors is the design document's, and so is what goes on the wire.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use apibase::prost::Message as _;
use apibase::{Code, DomainError, ERROR_STATUS_TABLE, ErrorDetails, ServiceError as _};
use apibase_tests::protos::common::ErrorDetail;
use proptest::prelude::*;

type Constructor = fn(String) -> DomainError;

/// The document's table: class, constructor, code.
#[rustfmt::skip]
const TABLE: [(&str, Constructor, Code); 9] = [
    ("ValidationError", DomainError::validation, Code::InvalidArgument),
    ("NotFoundError", DomainError::not_found, Code::NotFound),
    ("UnauthorizedError", DomainError::unauthorized, Code::Unauthenticated),
    ("ForbiddenError", DomainError::forbidden, Code::PermissionDenied),
    ("ConflictError", DomainError::conflict, Code::AlreadyExists),
    ("RateLimitError", DomainError::rate_limit, Code::ResourceExhausted),
    ("ExternalServiceError", DomainError::external_service, Code::Unavailable),
    ("DatabaseError", DomainError::database, Code::Internal),
    ("TimeoutError", DomainError::timeout, Code::DeadlineExceeded),
];

fn error_detail(status: &apibase::Status) -> ErrorDetail {
    let value = status.metadata().get_bin("error-detail-bin").unwrap();
    ErrorDetail::decode(value.to_bytes().unwrap()).unwrap()
}

/// What a caller is told of `message`: of one that is INTERNAL, an id.
fn told(message: &str, code: Code, status: &apibase::Status) -> String {
    if code != Code::Internal {
        return message.to_owned();
    }
    let details = ErrorDetails::of(status);
    let id = details.error_id().unwrap();
    format!("the call failed; the server's log has why, under the error id {id}")
}

#[test]
fn the_table_is_the_documents() {
    let ours: Vec<_> = ERROR_STATUS_TABLE
        .rows()
        .iter()
        .map(|row| (row.class, row.code))
        .collect();
    let theirs: Vec<_> = TABLE
        .iter()
        .map(|(class, _, code)| (*class, *code))
        .collect();
    assert_eq!(ours, theirs);
}

#[test]
fn a_failure_that_says_ok_is_unknown() {
    let status = DomainError::from(apibase::Status::ok("fine")).into_status();
    assert_eq!(status.code(), Code::Unknown);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// The message goes with it, and a client that reads it gets the same kind again.
    #[test]
    fn property_03_a_domain_error_maps_to_the_code_of_its_category(row in 0_usize..TABLE.len(), message in ".{0,200}") {
        let (_, constructor, code) = TABLE[row];
        let error = constructor(message.clone());
        prop_assert_eq!(error.code(), code);

        let status = error.clone().into_status();
        let told = told(&message, code, &status);
        prop_assert_eq!((status.code(), status.message()), (code, told.as_str()));
        let back = DomainError::from_status(status).unwrap();
        prop_assert_eq!(back.row(), error.row());
        prop_assert_eq!(back.message(), told);
    }

    #[test]
    fn error_detail_bin_has_class_message_and_field(row in 0_usize..TABLE.len(), message in ".{0,200}") {
        let (class, constructor, code) = TABLE[row];
        let status = constructor(message.clone()).with_violation("a.b", "is wrong").into_status();
        let detail = error_detail(&status);
        prop_assert_eq!(detail.code, class);
        prop_assert_eq!(detail.message, told(&message, code, &status));
        let field = if code == Code::Internal { "" } else { "a.b" };
        prop_assert_eq!(detail.field, field);
    }

    /// Any code, message, metadata and details: what comes out is a status of this code.
    #[test]
    fn property_03_a_raw_status_keeps_its_code(code in 1_i32..17, message in ".{0,200}", details: Vec<u8>) {
        let code = Code::from(code);
        let raw = apibase::Status::with_details(code, message, details.into());
        let status = DomainError::from(raw).into_status();
        prop_assert_eq!(status.code(), code);
    }
}
