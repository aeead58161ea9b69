//! Errors of services: what they are, and what is on the wire of them.
//!
//! An error leaves the process in one place, [`leave`]: what the server overrides is overridden,
//! what nobody outside may know is redacted and logged, and the rest goes into the status's details.
//! It is read back in [`read`].

mod details;
mod domain;
mod encode;
mod fault;
pub(crate) mod google;
mod leave;
mod leaving;
mod policy;
mod read;
mod redact;
mod response;
mod service;
mod table;
#[cfg(test)]
mod tests;

pub use self::details::ErrorDetails;
pub use self::domain::DomainError;
pub use self::fault::{Fault, FieldViolation};
pub(crate) use self::leave::{own_words, status};
pub(crate) use self::leaving::{ERROR_ID, PUSHBACK, plain, plain_until};
pub use self::policy::ErrorPolicy;
pub(crate) use self::redact::{internal, panicked};
pub use self::response::{ErrorDetail, ErrorResponse};
pub use self::service::{ErrorMetadata, ErrorParts, ServiceError};
pub(crate) use self::table::name;
pub use self::table::{DOMAIN, ERROR_STATUS_TABLE, ErrorRow, ErrorTable};
