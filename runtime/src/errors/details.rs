//! A domain error's details on the wire: `google.rpc.Status` in `grpc-status-details-bin`, and
//! `common.ErrorDetail` in `error-detail-bin`.

use prost::{Message, Name};
use tonic::metadata::{BinaryMetadataValue, MetadataMap};

use super::fault::Fault;
use super::table::{DOMAIN, ERROR_STATUS_TABLE, ErrorRow};
use super::{DomainError, FieldViolation};
use crate::Status;
use crate::wire::status::cut;

const ERROR_DETAIL: &str = "error-detail-bin";

/// What is sent of the violations, in bytes: trailers have no room for more.
const MAX_VIOLATIONS: usize = 1024;

/// The status of an error in `row` that says `fault`.
pub(super) fn status(row: &ErrorRow, fault: Option<&Fault>) -> Status {
    let message = cut(fault.map_or("", Fault::message));
    let violations = sendable(fault.map_or(&[][..], Fault::violations));

    let mut details = vec![any(&ErrorInfo {
        reason: row.reason.to_owned(),
        domain: DOMAIN.to_owned(),
    })];
    if !violations.is_empty() {
        details.push(any(&BadRequest {
            field_violations: violations.iter().map(Violation::from).collect(),
        }));
    }
    let rich = RichStatus {
        code: row.code as i32,
        message: message.to_owned(),
        details,
    };
    let detail = ErrorDetail {
        code: row.class.to_owned(),
        message: message.to_owned(),
        field: violations
            .first()
            .map_or_else(String::new, |violation| violation.field.clone()),
    };

    let mut metadata = MetadataMap::new();
    metadata.insert_bin(
        ERROR_DETAIL,
        BinaryMetadataValue::from_bytes(&detail.encode_to_vec()),
    );
    let details = rich.encode_to_vec().into();
    let mut status = Status::with_details_and_metadata(row.code, message, details, metadata);
    if let Some(source) = fault.and_then(Fault::source) {
        status.set_source(source.clone());
    }
    status
}

/// As many of `violations`, from the first, as trailers have room for.
fn sendable(violations: &[FieldViolation]) -> &[FieldViolation] {
    let mut size = 0;
    let end = violations.iter().position(|violation| {
        size += violation.field.len() + violation.description.len();
        size > MAX_VIOLATIONS
    });
    end.and_then(|end| violations.get(..end))
        .unwrap_or(violations)
}

/// The domain error that `status` is: by domain and reason, never by code.
pub(super) fn domain_error(status: &Status) -> Option<DomainError> {
    if status.details().is_empty() {
        return None;
    }
    let rich = RichStatus::decode(status.details()).ok()?;
    let info: ErrorInfo = find(&rich)?;
    if info.domain != DOMAIN {
        return None;
    }
    let index = ERROR_STATUS_TABLE
        .iter()
        .position(|row| row.reason == info.reason)?;
    let mut fault = Fault::new(status.message());
    for violation in find::<BadRequest>(&rich)
        .unwrap_or_default()
        .field_violations
    {
        fault.push_violation(violation.into());
    }
    DomainError::from_row(index, fault)
}

fn any<M: Message + Name>(message: &M) -> prost_types::Any {
    prost_types::Any {
        type_url: M::type_url(),
        value: message.encode_to_vec(),
    }
}

fn find<M: Message + Name + Default>(status: &RichStatus) -> Option<M> {
    let name = M::full_name();
    let detail = status.details.iter().find(|any| {
        any.type_url
            .rsplit_once('/')
            .is_some_and(|(_, full_name)| full_name == name)
    })?;
    M::decode(&*detail.value).ok()
}

/// `google.rpc.Status`.
#[derive(Clone, PartialEq, Message)]
struct RichStatus {
    #[prost(int32, tag = "1")]
    code: i32,
    #[prost(string, tag = "2")]
    message: String,
    #[prost(message, repeated, tag = "3")]
    details: Vec<prost_types::Any>,
}

/// `google.rpc.ErrorInfo`; the nine have no metadata.
#[derive(Clone, PartialEq, Message)]
struct ErrorInfo {
    #[prost(string, tag = "1")]
    reason: String,
    #[prost(string, tag = "2")]
    domain: String,
}

/// `google.rpc.BadRequest`.
#[derive(Clone, PartialEq, Message)]
struct BadRequest {
    #[prost(message, repeated, tag = "1")]
    field_violations: Vec<Violation>,
}

/// `google.rpc.BadRequest.FieldViolation`.
#[derive(Clone, PartialEq, Message)]
struct Violation {
    #[prost(string, tag = "1")]
    field: String,
    #[prost(string, tag = "2")]
    description: String,
}

/// `common.ErrorDetail`.
#[derive(Clone, PartialEq, Message)]
struct ErrorDetail {
    #[prost(string, tag = "1")]
    code: String,
    #[prost(string, tag = "2")]
    message: String,
    #[prost(string, tag = "3")]
    field: String,
}

macro_rules! rpc_names {
    ($($message:ty => $name:literal),*) => {
        $(
            impl Name for $message {
                const PACKAGE: &'static str = "google.rpc";
                const NAME: &'static str = $name;

                fn type_url() -> String {
                    concat!("type.googleapis.com/google.rpc.", $name).to_owned()
                }
            }
        )*
    };
}

rpc_names!(ErrorInfo => "ErrorInfo", BadRequest => "BadRequest");

impl From<&FieldViolation> for Violation {
    fn from(violation: &FieldViolation) -> Self {
        Self {
            field: violation.field.clone(),
            description: violation.description.clone(),
        }
    }
}

impl From<Violation> for FieldViolation {
    fn from(violation: Violation) -> Self {
        Self {
            field: violation.field,
            description: violation.description,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Code, ServiceError};

    #[test]
    fn every_kind_survives_the_wire() {
        for (index, row) in ERROR_STATUS_TABLE.iter().enumerate() {
            let error = DomainError::from_row(index, Fault::new("what")).unwrap();
            let error = error.with_violation("a.b", "is wrong");
            assert_eq!(error.row(), Some(row));
            let status = error.into_status();
            assert_eq!(status.code(), row.code);
            let back = DomainError::from_status(status).unwrap();
            assert_eq!(back.row(), Some(row));
            assert_eq!(back.message(), "what");
            assert_eq!(back.fault().unwrap().violations().len(), 1);
        }
    }

    #[test]
    fn a_source_stays_in_the_process() {
        let error = DomainError::database("cannot read").with_source("password=hunter2");
        let status = error.into_status();
        let mut headers = http::HeaderMap::new();
        crate::wire::status::write(&status, &mut headers);
        assert!(!format!("{headers:?}").contains("hunter2"));
    }

    #[test]
    fn a_raw_status_goes_through_unchanged() {
        let error = DomainError::from(Status::new(Code::Aborted, "version race"));
        let status = error.into_status();
        assert_eq!(
            (status.code(), status.message()),
            (Code::Aborted, "version race")
        );
        assert!(DomainError::from_status(status).is_err());
    }

    #[test]
    fn another_domain_with_the_same_reason_is_not_ours() {
        let rich = RichStatus {
            code: 5,
            message: String::new(),
            details: vec![any(&ErrorInfo {
                reason: "NOT_FOUND".to_owned(),
                domain: "elsewhere".to_owned(),
            })],
        };
        let status = Status::with_details(Code::NotFound, "", rich.encode_to_vec().into());
        assert!(DomainError::from_status(status).is_err());
    }
}
