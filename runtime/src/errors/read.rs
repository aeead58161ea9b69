//! A status that came from a server, as the error that its servicer returned.

use super::DomainError;
use super::details::ErrorDetails;
use super::fault::Fault;
use super::service::{ErrorMetadata, ServiceError};
use super::table::{DOMAIN, ERROR_STATUS_TABLE};
use crate::Status;

/// The error that `status` is, by domain and reason, never by code: a server may override that.
pub(super) fn error<E: ServiceError>(status: Status) -> Result<E, Status> {
    if status.details().is_empty() {
        return Err(status);
    }
    let details = ErrorDetails::of(&status);
    let error = if details.domain == DOMAIN {
        domain_error(&status, details).map(E::from)
    } else if details.domain == E::TABLE.domain() {
        E::from_reason(&details.reason, &mut ErrorMetadata(details.metadata))
    } else {
        None
    };
    error.ok_or(status)
}

/// One of the nine.
fn domain_error(status: &Status, details: ErrorDetails) -> Option<DomainError> {
    let mut rows = ERROR_STATUS_TABLE.rows().iter();
    let index = rows.position(|row| row.reason == details.reason)?;
    let mut fault = Fault::new(status.message());
    fault.set_retry_delay(details.retry_delay);
    fault.set_already_retried(details.already_retried);
    for violation in details.violations {
        fault.push_violation(violation);
    }
    DomainError::from_row(index, fault)
}
