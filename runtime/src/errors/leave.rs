//! How an error leaves the process, and what is said of it in the log.

use std::error::Error;
use std::fmt::{self, Write};
use std::sync::Arc;

use tonic::metadata::MetadataMap;

use super::leaving::{Leaving, PUSHBACK};
use super::redact::Causes;
use super::service::{Kind, ServiceError};
use super::table::{ErrorRow, name};
use super::{DomainError, ErrorPolicy};
use crate::observe::Event;
use crate::wire::headers::is_reserved;
use crate::{Code, Context, Method, Status};

/// The status that an error leaves a call as.
pub(crate) fn status<E: ServiceError>(error: &E, call: &Context) -> Status {
    with_row(error, call).0
}

/// The same, and the row of the error as it leaves; no row for a raw status.
pub(super) fn with_row<E: ServiceError>(error: &E, call: &Context) -> (Status, Option<ErrorRow>) {
    let policy = call.error_policy();
    let mut leaving = match error.parts().kind {
        // A failure is none that says OK: a stream would look as if it had ended well.
        Kind::Domain(DomainError::Status(raw)) if raw.code() == Code::Ok => {
            Leaving::unnamed(Code::Unknown)
        }
        Kind::Domain(DomainError::Status(raw)) => {
            if !is_internal(raw.code()) || says_own_words(raw) {
                return (without_the_protocols_own(raw), None);
            }
            let leaving = Leaving::unnamed(raw.code());
            if policy.is_some_and(ErrorPolicy::keeps_raw_statuses) {
                log_causes(&leaving.row, error, error.source(), call);
                return (without_the_protocols_own(raw), None);
            }
            leaving
        }
        Kind::Domain(domain) => Leaving::of_domain(domain),
        Kind::Reason {
            reason,
            metadata,
            public,
        } => {
            check_contract(reason, call);
            let row = E::TABLE.row(reason).copied().unwrap_or(UNKNOWN);
            let message = public.unwrap_or_else(|| said(error).into());
            Leaving::of_reason(E::TABLE.domain(), row, message, metadata)
        }
    };
    if let Some(policy) = policy {
        leaving.row = policy.apply(leaving.domain, leaving.row);
    }
    if leaving.row.code == Code::Ok {
        leaving.row.code = Code::Unknown;
    }
    let shows_details = policy.is_some_and(ErrorPolicy::shows_details);
    let cause = error.source();
    if leaving.row.redacted || is_internal(leaving.row.code) {
        if shows_details {
            leaving.reveal(error, cause, call);
        } else {
            leaving.redact(error, cause, call);
        }
    } else if cause.is_some() {
        log_causes(&leaving.row, error, cause, call);
    }
    let row = leaving.row;
    let status = leaving.status(call, cause.filter(|_| shows_details));
    (status, Some(row))
}

/// What an error says. Most say less than there is room for, so it is written without growing.
fn said(error: &dyn fmt::Display) -> String {
    let mut said = String::with_capacity(128);
    // Nothing here can fail, and what a `Display` says until it does is better than a panic.
    let _ = write!(said, "{error}");
    said
}

/// A raw status as it is sent. One that came from another server can have the headers of an HTTP
/// answer in its metadata, and of a `content-length` that is wrong here a peer resets the call.
fn without_the_protocols_own(raw: &Status) -> Status {
    let mut status = raw.clone();
    let mut headers = std::mem::take(status.metadata_mut()).into_headers();
    let own: Vec<_> = headers
        .keys()
        .filter(|name| is_reserved(name.as_str()) && *name != PUSHBACK)
        .cloned()
        .collect();
    for name in own {
        headers.remove(name);
    }
    *status.metadata_mut() = MetadataMap::from_headers(headers);
    status
}

/// What a table lacks that a servicer returned: only an implementation by hand can do so.
const UNKNOWN: ErrorRow = ErrorRow::new("UNKNOWN", Code::Unknown);

/// Codes whose errors are nobody's affair outside.
fn is_internal(code: Code) -> bool {
    matches!(code, Code::Internal | Code::Unknown)
}

/// A method's `errors` are its contract. What isn't in it goes out all the same.
fn check_contract(reason: &'static str, call: &Context) {
    let Some(method) = call.method() else { return };
    let declared = method.declared_errors();
    if declared.is_empty() || declared.contains(&reason) {
        return;
    }
    tracing::warn!(
        method = method.path(),
        reason,
        "a servicer returned an error that its method does not declare"
    );
    if let Some(observers) = call.observers() {
        observers.observe(&Event::Undeclared {
            method,
            context: call,
            reason,
        });
    }
}

/// The causes of an error that is sent as it is: those of a broken server are worth a warning.
#[cold]
fn log_causes(
    row: &ErrorRow,
    error: &dyn fmt::Display,
    cause: Option<&(dyn Error + 'static)>,
    call: &Context,
) {
    macro_rules! log {
        ($level:ident) => {
            tracing::$level!(
                method = call.method().map(Method::path),
                correlation_id = call.correlation_id(),
                trace_id = call.trace_id(),
                reason = row.reason,
                code = name(row.code),
                %error,
                causes = %Causes(cause),
                "a call failed"
            )
        };
    }
    match row.code {
        Code::Unavailable | Code::DeadlineExceeded | Code::DataLoss => log!(warn),
        code if is_internal(code) => log!(warn),
        _ => log!(debug),
    }
}

/// A status in the runtime's own words, about what the caller did: nothing of it is redacted.
pub(crate) fn own_words(
    code: Code,
    message: &str,
    source: Option<Arc<dyn Error + Send + Sync>>,
) -> Status {
    let mut status = Status::new(code, message);
    status.set_source(Arc::new(OwnWords(source)));
    status
}

fn says_own_words(status: &Status) -> bool {
    status.source().is_some_and(<dyn Error>::is::<OwnWords>)
}

/// Marks a status as the runtime's own, and holds what caused it.
#[derive(Debug)]
struct OwnWords(Option<Arc<dyn Error + Send + Sync>>);

impl fmt::Display for OwnWords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Some(source) => source.fmt(f),
            None => f.write_str("the caller's doing"),
        }
    }
}

impl Error for OwnWords {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.as_ref()?.source()
    }
}
