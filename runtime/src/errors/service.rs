//! [`ServiceError`]: what the error type of every service is.

use super::DomainError;
use crate::stream::InboundError;
use crate::{Code, Status};

/// An error of a service: it becomes a status on one side of the wire and is read back from it on
/// the other.
pub trait ServiceError: From<DomainError> + From<InboundError> + Send + 'static {
    /// The code that it has on the wire.
    fn code(&self) -> Code;

    /// What goes on the wire.
    fn into_status(self) -> Status;

    /// Reads it back.
    ///
    /// # Errors
    ///
    /// The status itself, when it is none of this type's errors.
    fn from_status(status: Status) -> Result<Self, Status>;
}
