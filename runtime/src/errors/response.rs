//! [`ErrorResponse`]: a failure for protocols that carry it in a body.

use super::details::ErrorDetails;
use super::redact;
use super::service::ServiceError;
use super::table::{http, name};
use super::{DomainError, leave};
use crate::client::CallError;
use crate::{Context, Status};

/// A whole failure, for protocols that carry errors in a body: what `common.ErrorResponse` is, and the
/// HTTP status to send it with.
///
/// A REST handler makes one of what its service failed with, or of a call that failed, and gets the
/// same redaction as gRPC has: what is INTERNAL or UNKNOWN is a fixed text with an id here too.
///
/// ```
/// use apibase::{Context, DomainError, ErrorResponse};
///
/// let error = DomainError::validation("2 fields are wrong").with_violation("sku", "is empty");
/// let response = ErrorResponse::new(&error, &Context::background());
/// assert_eq!((response.http_status, &*response.error_code), (400, "ValidationError"));
/// assert_eq!(response.details[0].field, "sku");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ErrorResponse {
    /// The status of the answer, from 400 to 599.
    pub http_status: u16,
    /// Identifies this one occurrence: the id that the log has of an error that is redacted, else a
    /// random one.
    pub error_id: String,
    /// The kind of the failure: the class name of one of the nine (`NotFoundError`), the reason of a
    /// catalogue (`ITEM_NOT_FOUND`), the name of the code (`UNAVAILABLE`) of anything else.
    pub error_code: String,
    /// What happened, for a person.
    pub message: String,
    /// Everything that went wrong: each wrong field, or the failure itself.
    pub details: Vec<ErrorDetail>,
    /// The trace of the call, as 32 lower-case hexadecimal digits; empty without one.
    pub trace_id: String,
}

/// One thing that went wrong: what `common.ErrorDetail` is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ErrorDetail {
    /// The kind of the failure, as in [`ErrorResponse::error_code`].
    pub code: String,
    /// What is wrong, for a person.
    pub message: String,
    /// Which field is wrong, as a path; empty when no single one is.
    pub field: String,
    /// More facts, by name, in the order of the names.
    pub metadata: Vec<(String, String)>,
}

impl ErrorResponse {
    /// What callers of `call` are told of an error of this process.
    #[must_use]
    pub fn new<E: ServiceError>(error: &E, call: &Context) -> Self {
        let (status, row) = leave::with_row(error, call);
        let mut response = Self::of_status(&status, call);
        if let Some(row) = row {
            response.http_status = row.http;
            row.class.clone_into(&mut response.error_code);
            for detail in &mut response.details {
                row.class.clone_into(&mut detail.code);
            }
        }
        response
    }

    /// What callers of `call` are told of a call that failed, which was made to answer theirs.
    ///
    /// An error of that service is told as it is; any other failure as its code alone.
    #[must_use]
    pub fn of_call<E: ServiceError>(error: &CallError<E>, call: &Context) -> Self {
        match error {
            CallError::Service(error) => Self::new(error, call),
            CallError::Failed(failure) => {
                let error = DomainError::upstream((**failure).clone());
                Self::new(&error, call)
            }
        }
    }

    fn of_status(status: &Status, call: &Context) -> Self {
        let mut details = ErrorDetails::of(status);
        let code = match details.reason.as_str() {
            "" => name(status.code()).to_owned(),
            reason => reason.to_owned(),
        };
        let error_id = details.metadata.remove(super::ERROR_ID);
        let mut metadata: Vec<_> = details.metadata.into_iter().collect();
        metadata.sort();
        let mut parts: Vec<_> = details
            .violations
            .into_iter()
            .map(|violation| ErrorDetail {
                code: code.clone(),
                message: violation.description,
                field: violation.field,
                metadata: metadata.clone(),
            })
            .collect();
        if parts.is_empty() {
            parts.push(ErrorDetail {
                code: code.clone(),
                message: status.message().to_owned(),
                field: String::new(),
                metadata,
            });
        }
        Self {
            http_status: http(status.code()),
            error_id: error_id.unwrap_or_else(redact::new_id),
            error_code: code,
            message: status.message().to_owned(),
            details: parts,
            trace_id: call.trace_id().unwrap_or_default().to_owned(),
        }
    }

    /// The body, with the names of `common.ErrorResponse` as the proto spells them; readers of protobuf's
    /// JSON take these too.
    #[cfg(feature = "json")]
    #[must_use]
    pub fn to_json(&self) -> String {
        let details: Vec<_> = self
            .details
            .iter()
            .map(|detail| {
                let metadata = detail.metadata.iter();
                let metadata: serde_json::Map<String, serde_json::Value> = metadata
                    .map(|(key, value)| (key.clone(), value.as_str().into()))
                    .collect();
                serde_json::json!({
                    "code": detail.code,
                    "message": detail.message,
                    "field": detail.field,
                    "metadata": metadata,
                })
            })
            .collect();
        serde_json::json!({
            "error_id": self.error_id,
            "error_code": self.error_code,
            "message": self.message,
            "details": details,
            "trace_id": self.trace_id,
        })
        .to_string()
    }
}
