//! Errors of services: [`DomainError`], its table, and [`ServiceError`], what every error enum of a
//! service is.

mod details;
mod domain;
mod fault;
mod service;
mod table;

pub use self::domain::DomainError;
pub use self::fault::{Fault, FieldViolation};
pub use self::service::ServiceError;
pub use self::table::{ERROR_STATUS_TABLE, ErrorRow};
