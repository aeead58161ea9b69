//! [`DomainError`]: the nine kinds of error that every service has, and the raw way out.

use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::fault::{Fault, FieldViolation};
use super::service::{ErrorMetadata, ErrorParts, ServiceError};
use super::table::{ERROR_STATUS_TABLE, ErrorRow, ErrorTable};
use crate::client::{Failure, FailureKind};
use crate::stream::InboundError;
use crate::{Code, MetadataError, Status};

/// An error of the domain, one of nine kinds, or a raw [`Status`].
///
/// [`ERROR_STATUS_TABLE`] says what each kind is on the wire. A client gets the same kind back.
///
/// ```
/// use apibase::{Code, DomainError, ServiceError};
///
/// let error = DomainError::not_found("no item has the id 7");
/// assert_eq!(error.to_string(), "no item has the id 7");
///
/// let status = error.into_status();
/// assert_eq!(status.code(), Code::NotFound);
/// assert!(matches!(DomainError::from_status(status), Ok(DomainError::NotFound(_))));
/// ```
#[derive(Clone)]
#[non_exhaustive]
pub enum DomainError {
    /// The request is wrong: `INVALID_ARGUMENT`.
    Validation(Fault),
    /// What was asked for doesn't exist: `NOT_FOUND`.
    NotFound(Fault),
    /// Who calls is not known: UNAUTHENTICATED.
    Unauthorized(Fault),
    /// Who calls is known and may not: `PERMISSION_DENIED`.
    Forbidden(Fault),
    /// What was to be made is there already: `ALREADY_EXISTS`.
    Conflict(Fault),
    /// Too much was asked for: `RESOURCE_EXHAUSTED`.
    RateLimit(Fault),
    /// A service behind this one failed: UNAVAILABLE.
    ExternalService(Fault),
    /// The store behind this service failed: INTERNAL.
    Database(Fault),
    /// It took too long: `DEADLINE_EXCEEDED`.
    Timeout(Fault),
    /// Any code, message and details, as they stand.
    Status(Box<Status>),
}

macro_rules! constructors {
    ($($(#[$doc:meta])* $name:ident => $variant:ident),* $(,)?) => {
        $(
            $(#[$doc])*
            #[must_use]
            pub fn $name(message: impl Into<String>) -> Self {
                Self::$variant(Fault::new(message))
            }
        )*
    };
}

impl DomainError {
    constructors! {
        /// The request is wrong: `INVALID_ARGUMENT`.
        validation => Validation,
        /// What was asked for doesn't exist: `NOT_FOUND`.
        not_found => NotFound,
        /// Who calls is not known: UNAUTHENTICATED.
        unauthorized => Unauthorized,
        /// Who calls is known and may not: `PERMISSION_DENIED`.
        forbidden => Forbidden,
        /// What was to be made is there already: `ALREADY_EXISTS`.
        conflict => Conflict,
        /// Too much was asked for: `RESOURCE_EXHAUSTED`.
        rate_limit => RateLimit,
        /// A service behind this one failed: UNAVAILABLE.
        external_service => ExternalService,
        /// The store behind this service failed: INTERNAL.
        database => Database,
        /// It took too long: `DEADLINE_EXCEEDED`.
        timeout => Timeout,
    }

    /// The same error with the one that caused it, which is for logs and never leaves the process.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        let source: Arc<dyn Error + Send + Sync> = Arc::from(source.into());
        match &mut self {
            Self::Status(status) => {
                status.set_source(source);
            }
            other => {
                if let Some(fault) = other.fault_mut() {
                    fault.set_source(source);
                }
            }
        }
        self
    }

    /// The same error naming one more field of the request that is wrong (`BadRequest` on the wire).
    ///
    /// A raw status stays as it is.
    #[must_use]
    pub fn with_violation(
        mut self,
        field: impl Into<String>,
        description: impl Into<String>,
    ) -> Self {
        if let Some(fault) = self.fault_mut() {
            fault.push_violation(FieldViolation {
                field: field.into(),
                description: description.into(),
            });
        }
        self
    }

    /// The same error, and the call may succeed after `delay`: on the wire that is `RetryInfo` and
    /// `grpc-retry-pushback-ms` (gRFC A6).
    ///
    /// A raw status stays as it is.
    #[must_use]
    pub fn with_retry_delay(mut self, delay: Duration) -> Self {
        if let Some(fault) = self.fault_mut() {
            fault.set_retry_delay(Some(delay));
        }
        self
    }

    /// The same error, which has been retried on this side already, or would not be helped by it:
    /// callers are told not to retry it once more (`grpc-retry-pushback-ms: -1`, gRFC A6), so that
    /// retries don't multiply along a chain of services.
    ///
    /// A raw status stays as it is.
    #[must_use]
    pub fn already_retried(mut self) -> Self {
        if let Some(fault) = self.fault_mut() {
            fault.set_already_retried(true);
        }
        self
    }

    /// What it is to a caller of this service that a call to another one failed: `Timeout` where time
    /// ran out, CANCELLED where the call that it was made in is over, else `ExternalService`. Callers
    /// are told not to retry where the failed call was retried already, or where that would not help.
    /// The failure is the source; its words stay in the process.
    #[must_use]
    pub fn upstream(failure: Failure) -> Self {
        let message = "a service behind this one failed";
        let error = match failure.kind() {
            FailureKind::Cancelled => {
                let message = "the call is over";
                return Self::from(Status::new(Code::Cancelled, message)).with_source(failure);
            }
            FailureKind::Deadline => Self::timeout("a service behind this one took too long"),
            _ if failure.status().code() == Code::DeadlineExceeded => {
                Self::timeout("a service behind this one took too long")
            }
            _ if failure.is_already_retried() || !failure.is_retryable() => {
                Self::external_service(message).already_retried()
            }
            _ => match failure.details().retry_delay {
                Some(delay) => Self::external_service(message).with_retry_delay(delay),
                None => Self::external_service(message),
            },
        };
        error.with_source(failure)
    }

    /// What it says; `None` for a raw status.
    #[must_use]
    pub fn fault(&self) -> Option<&Fault> {
        self.indexed().map(|(_, fault)| fault)
    }

    /// Its row of [`ERROR_STATUS_TABLE`]; `None` for a raw status.
    #[must_use]
    pub fn row(&self) -> Option<&'static ErrorRow> {
        let (index, _) = self.indexed()?;
        ERROR_STATUS_TABLE.rows().get(index)
    }

    /// Its message, whatever it is.
    #[must_use]
    pub fn message(&self) -> &str {
        match self {
            Self::Status(status) => status.message(),
            other => other.fault().map_or("", Fault::message),
        }
    }

    /// The kind that stands in row `index` of the table.
    pub(super) fn from_row(index: usize, fault: Fault) -> Option<Self> {
        Some(match index {
            0 => Self::Validation(fault),
            1 => Self::NotFound(fault),
            2 => Self::Unauthorized(fault),
            3 => Self::Forbidden(fault),
            4 => Self::Conflict(fault),
            5 => Self::RateLimit(fault),
            6 => Self::ExternalService(fault),
            7 => Self::Database(fault),
            8 => Self::Timeout(fault),
            _ => return None,
        })
    }

    fn indexed(&self) -> Option<(usize, &Fault)> {
        Some(match self {
            Self::Validation(fault) => (0, fault),
            Self::NotFound(fault) => (1, fault),
            Self::Unauthorized(fault) => (2, fault),
            Self::Forbidden(fault) => (3, fault),
            Self::Conflict(fault) => (4, fault),
            Self::RateLimit(fault) => (5, fault),
            Self::ExternalService(fault) => (6, fault),
            Self::Database(fault) => (7, fault),
            Self::Timeout(fault) => (8, fault),
            Self::Status(_) => return None,
        })
    }

    fn fault_mut(&mut self) -> Option<&mut Fault> {
        match self {
            Self::Validation(fault)
            | Self::NotFound(fault)
            | Self::Unauthorized(fault)
            | Self::Forbidden(fault)
            | Self::Conflict(fault)
            | Self::RateLimit(fault)
            | Self::ExternalService(fault)
            | Self::Database(fault)
            | Self::Timeout(fault) => Some(fault),
            Self::Status(_) => None,
        }
    }
}

impl ServiceError for DomainError {
    const TABLE: &'static ErrorTable = &ERROR_STATUS_TABLE;

    fn parts(&self) -> ErrorParts<'_> {
        ErrorParts::domain(self)
    }

    /// None: it has no domain beside the one that all services have.
    fn from_reason(_reason: &str, _metadata: &mut ErrorMetadata) -> Option<Self> {
        None
    }
}

impl fmt::Debug for DomainError {
    /// Shows neither metadata nor details of a raw status, which can hold secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, fault) = match self {
            Self::Validation(fault) => ("Validation", fault),
            Self::NotFound(fault) => ("NotFound", fault),
            Self::Unauthorized(fault) => ("Unauthorized", fault),
            Self::Forbidden(fault) => ("Forbidden", fault),
            Self::Conflict(fault) => ("Conflict", fault),
            Self::RateLimit(fault) => ("RateLimit", fault),
            Self::ExternalService(fault) => ("ExternalService", fault),
            Self::Database(fault) => ("Database", fault),
            Self::Timeout(fault) => ("Timeout", fault),
            Self::Status(status) => {
                return f
                    .debug_struct("Status")
                    .field("code", &status.code())
                    .field("message", &status.message())
                    .finish_non_exhaustive();
            }
        };
        f.debug_tuple(name).field(fault).finish()
    }
}

impl fmt::Display for DomainError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.message())?;
        for violation in self.fault().map_or(&[][..], Fault::violations) {
            write!(f, "; {violation}")?;
        }
        Ok(())
    }
}

impl Error for DomainError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Status(status) => status.source(),
            other => Some(&**other.fault()?.source()?),
        }
    }
}

impl From<Status> for DomainError {
    fn from(status: Status) -> Self {
        Self::Status(Box::new(status))
    }
}

impl From<InboundError> for DomainError {
    fn from(error: InboundError) -> Self {
        error.into_domain()
    }
}

impl From<MetadataError> for DomainError {
    /// Metadata that a caller sent and that isn't what it should be.
    fn from(error: MetadataError) -> Self {
        let message = error.to_string();
        let field = error.key().to_owned();
        Self::validation(message.clone())
            .with_violation(field, message)
            .with_source(error)
    }
}
