//! Tables of errors: what each reason is on the wire.

use std::time::Duration;

use crate::Code;

/// The `domain` of `google.rpc.ErrorInfo` for the errors that every service has.
pub const DOMAIN: &str = "apibase";

/// What one error is on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ErrorRow {
    /// The `reason` of `google.rpc.ErrorInfo`, which is what programs compare (AIP-193):
    /// `ITEM_NOT_FOUND`.
    pub reason: &'static str,
    /// The `code` of `common.ErrorDetail`: the class name of one of the nine, `NotFoundError`, else
    /// the reason.
    pub class: &'static str,
    /// The gRPC status.
    pub code: Code,
    /// The HTTP status where errors are answered over HTTP.
    pub http: u16,
    /// Whether the same call may succeed later.
    pub retryable: bool,
    /// How long to wait until then, where that is known.
    pub retry_delay: Option<Duration>,
    /// Callers are told that it happened, and nothing else. Errors that are INTERNAL or UNKNOWN are
    /// redacted anyway.
    pub redacted: bool,
    /// The keys of its metadata.
    pub metadata: &'static [&'static str],
}

impl ErrorRow {
    /// An error that is public, has no metadata, is not to be retried, and is answered over HTTP as
    /// its code is.
    #[must_use]
    pub const fn new(reason: &'static str, code: Code) -> Self {
        Self {
            reason,
            class: reason,
            code,
            http: http(code),
            retryable: false,
            retry_delay: None,
            redacted: false,
            metadata: &[],
        }
    }

    /// The same, with these keys of metadata.
    #[must_use]
    pub const fn metadata(mut self, keys: &'static [&'static str]) -> Self {
        self.metadata = keys;
        self
    }

    /// The same, and the call may succeed later.
    #[must_use]
    pub const fn retryable(mut self) -> Self {
        self.retryable = true;
        self
    }

    /// The same, and the call may succeed after `delay`.
    #[must_use]
    pub const fn retry_after(mut self, delay: Duration) -> Self {
        self.retryable = true;
        self.retry_delay = Some(delay);
        self
    }

    /// The same, of which callers are told nothing but that it happened.
    #[must_use]
    pub const fn redacted(mut self) -> Self {
        self.redacted = true;
        self
    }

    /// The same, with an HTTP status of its own.
    #[must_use]
    pub const fn http(mut self, status: u16) -> Self {
        self.http = status;
        self
    }

    const fn class(mut self, class: &'static str) -> Self {
        self.class = class;
        self
    }
}

/// The errors of one domain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ErrorTable {
    domain: &'static str,
    rows: &'static [ErrorRow],
}

impl ErrorTable {
    /// The errors of `domain`, whose reasons differ.
    #[must_use]
    pub const fn new(domain: &'static str, rows: &'static [ErrorRow]) -> Self {
        Self { domain, rows }
    }

    /// The `domain` of `google.rpc.ErrorInfo`: `items.example.com`.
    #[must_use]
    pub const fn domain(&self) -> &'static str {
        self.domain
    }

    /// Its errors, in the order of the proto.
    #[must_use]
    pub const fn rows(&self) -> &'static [ErrorRow] {
        self.rows
    }

    /// The error with this reason.
    #[must_use]
    pub fn row(&self, reason: &str) -> Option<&'static ErrorRow> {
        self.rows.iter().find(|row| row.reason == reason)
    }
}

/// The nine errors that every service has, in the order of [`DomainError`](crate::DomainError)'s
/// variants (the design document's `ERROR_STATUS_MAP`).
pub const ERROR_STATUS_TABLE: ErrorTable = ErrorTable::new(DOMAIN, &NINE);

#[rustfmt::skip]
const NINE: [ErrorRow; 9] = [
    ErrorRow::new("VALIDATION", Code::InvalidArgument).class("ValidationError"),
    ErrorRow::new("NOT_FOUND", Code::NotFound).class("NotFoundError"),
    ErrorRow::new("UNAUTHORIZED", Code::Unauthenticated).class("UnauthorizedError"),
    ErrorRow::new("FORBIDDEN", Code::PermissionDenied).class("ForbiddenError"),
    ErrorRow::new("CONFLICT", Code::AlreadyExists).class("ConflictError"),
    ErrorRow::new("RATE_LIMIT", Code::ResourceExhausted).class("RateLimitError").retryable(),
    ErrorRow::new("EXTERNAL_SERVICE", Code::Unavailable).class("ExternalServiceError").retryable(),
    ErrorRow::new("DATABASE", Code::Internal).class("DatabaseError").redacted(),
    ErrorRow::new("TIMEOUT", Code::DeadlineExceeded).class("TimeoutError"),
];

/// The HTTP status of a code, as `google/rpc/code.proto` maps it.
pub(crate) const fn http(code: Code) -> u16 {
    match code {
        Code::Ok => 200,
        Code::InvalidArgument | Code::FailedPrecondition | Code::OutOfRange => 400,
        Code::Unauthenticated => 401,
        Code::PermissionDenied => 403,
        Code::NotFound => 404,
        Code::AlreadyExists | Code::Aborted => 409,
        Code::ResourceExhausted => 429,
        Code::Cancelled => 499,
        Code::Unknown | Code::Internal | Code::DataLoss => 500,
        Code::Unimplemented => 501,
        Code::Unavailable => 503,
        Code::DeadlineExceeded => 504,
    }
}

/// The name of a code, as a reason for what has no other: `INTERNAL`.
pub(crate) const fn name(code: Code) -> &'static str {
    match code {
        Code::Ok => "OK",
        Code::Cancelled => "CANCELLED",
        Code::Unknown => "UNKNOWN",
        Code::InvalidArgument => "INVALID_ARGUMENT",
        Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
        Code::NotFound => "NOT_FOUND",
        Code::AlreadyExists => "ALREADY_EXISTS",
        Code::PermissionDenied => "PERMISSION_DENIED",
        Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
        Code::FailedPrecondition => "FAILED_PRECONDITION",
        Code::Aborted => "ABORTED",
        Code::OutOfRange => "OUT_OF_RANGE",
        Code::Unimplemented => "UNIMPLEMENTED",
        Code::Internal => "INTERNAL",
        Code::Unavailable => "UNAVAILABLE",
        Code::DataLoss => "DATA_LOSS",
        Code::Unauthenticated => "UNAUTHENTICATED",
    }
}
