//! The nine domain errors and what they are on the wire.

use crate::Code;

/// What one kind of domain error is on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ErrorRow {
    /// Its class name, the `code` of `common.ErrorDetail`: `NotFoundError`.
    pub class: &'static str,
    /// Its reason, the `reason` of `google.rpc.ErrorInfo` (AIP-193): `NOT_FOUND`.
    pub reason: &'static str,
    /// Its gRPC status.
    pub code: Code,
}

/// The nine kinds of [`DomainError`](crate::DomainError), in the order of its variants.
pub const ERROR_STATUS_TABLE: [ErrorRow; 9] = [
    row("ValidationError", "VALIDATION", Code::InvalidArgument),
    row("NotFoundError", "NOT_FOUND", Code::NotFound),
    row("UnauthorizedError", "UNAUTHORIZED", Code::Unauthenticated),
    row("ForbiddenError", "FORBIDDEN", Code::PermissionDenied),
    row("ConflictError", "CONFLICT", Code::AlreadyExists),
    row("RateLimitError", "RATE_LIMIT", Code::ResourceExhausted),
    row(
        "ExternalServiceError",
        "EXTERNAL_SERVICE",
        Code::Unavailable,
    ),
    row("DatabaseError", "DATABASE", Code::Internal),
    row("TimeoutError", "TIMEOUT", Code::DeadlineExceeded),
];

/// The `domain` of `google.rpc.ErrorInfo` for the nine.
pub(crate) const DOMAIN: &str = "apibase";

const fn row(class: &'static str, reason: &'static str, code: Code) -> ErrorRow {
    ErrorRow {
        class,
        reason,
        code,
    }
}
