//! The table of domain errors is the design document's, and so is what goes on the wire.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use apibase::prost::Message as _;
use apibase::{Code, DomainError, ServiceError as _};
use apibase_tests::protos::common::ErrorDetail;
use proptest::prelude::*;

type Constructor = fn(String) -> DomainError;

/// The document's table: class, constructor, code.
const TABLE: [(&str, Constructor, Code); 9] = [
    (
        "ValidationError",
        DomainError::validation,
        Code::InvalidArgument,
    ),
    ("NotFoundError", DomainError::not_found, Code::NotFound),
    (
        "UnauthorizedError",
        DomainError::unauthorized,
        Code::Unauthenticated,
    ),
    (
        "ForbiddenError",
        DomainError::forbidden,
        Code::PermissionDenied,
    ),
    ("ConflictError", DomainError::conflict, Code::AlreadyExists),
    (
        "RateLimitError",
        DomainError::rate_limit,
        Code::ResourceExhausted,
    ),
    (
        "ExternalServiceError",
        DomainError::external_service,
        Code::Unavailable,
    ),
    ("DatabaseError", DomainError::database, Code::Internal),
    ("TimeoutError", DomainError::timeout, Code::DeadlineExceeded),
];

proptest! {
    /// The message goes with it, and a client that reads it gets the same kind again.
    #[test]
    fn property_03_a_domain_error_maps_to_the_code_of_its_category(row in 0_usize..TABLE.len(), message: String) {
        let (_, constructor, code) = TABLE[row];
        let error = constructor(message.clone());
        prop_assert_eq!(error.code(), code);

        let status = error.clone().into_status();
        prop_assert_eq!((status.code(), status.message()), (code, message.as_str()));
        let back = DomainError::from_status(status).unwrap();
        prop_assert_eq!(back.row(), error.row());
        prop_assert_eq!(back.message(), message);
    }

    #[test]
    fn error_detail_bin_has_class_message_and_field(row in 0_usize..TABLE.len(), message: String) {
        let (class, constructor, _) = TABLE[row];
        let status = constructor(message.clone()).with_violation("a.b", "is wrong").into_status();
        let value = status.metadata().get_bin("error-detail-bin").unwrap().to_bytes().unwrap();
        let detail = ErrorDetail::decode(value).unwrap();
        prop_assert_eq!(detail.code, class);
        prop_assert_eq!(detail.message, message);
        prop_assert_eq!(detail.field, "a.b");
    }
}
