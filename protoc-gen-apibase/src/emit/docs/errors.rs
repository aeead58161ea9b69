//! What a page says about errors: those of the service's catalogue, those that a method declares,
//! and those that all services have.

use std::time::Duration;

use minijinja::{Value, context};

use super::index::Index;
use super::markdown::{block, cell, code};
use crate::model::errors::{Catalogue, CatalogueError, Piece, Public};
use crate::model::policy::{Code, shown};
use crate::model::{Enum, Method, Service};

/// The errors that a service can fail with.
pub(super) struct Errors<'a> {
    own: Option<Own<'a>>,
}

/// A catalogue and the enum that it is.
struct Own<'a> {
    catalogue: &'a Catalogue,
    declared: &'a Enum,
}

impl<'a> Errors<'a> {
    pub(super) fn of_service(index: &Index<'a>, service: &Service) -> Self {
        let name = service.policy.errors.as_deref();
        Self {
            own: name.and_then(|name| {
                Some(Own {
                    catalogue: index.catalogue(name)?,
                    declared: index.enumeration(name)?,
                })
            }),
        }
    }

    /// The enum's comment, which has headings of its own.
    pub(super) fn comment(&self) -> &str {
        self.own.as_ref().map_or("", |own| &own.declared.comment)
    }

    /// The catalogue with all its errors; none without one.
    pub(super) fn catalogue(&self) -> Option<Value> {
        let own = self.own.as_ref()?;
        let full_name = &own.catalogue.full_name;
        let name = full_name.rsplit_once('.').map(|(_, name)| name);
        Some(context! {
            name => name.unwrap_or(full_name),
            full_name => full_name,
            source => own.catalogue.source,
            domain => own.catalogue.domain,
            rust => own.catalogue.ty,
            comment => block(&own.declared.comment),
            deprecated => own.declared.deprecated,
            errors => own.rows(|_| true),
        })
    }

    /// Those that a method declares; empty where it promises no less than the catalogue.
    pub(super) fn declared(&self, method: &Method) -> Vec<Value> {
        let reasons = &method.policy.errors;
        let own = self.own.as_ref();
        own.map_or_else(Vec::new, |own| {
            own.rows(|error| reasons.contains(&error.reason))
        })
    }
}

impl Own<'_> {
    fn rows(&self, is_wanted: impl Fn(&CatalogueError) -> bool) -> Vec<Value> {
        let errors = self.catalogue.errors.iter();
        let wanted = errors.filter(|error| is_wanted(error));
        wanted.map(|error| self.row(error)).collect()
    }

    fn row(&self, error: &CatalogueError) -> Value {
        let mut values = self.declared.values.iter();
        let value = values.find(|value| value.name == error.value);
        let comment = cell(value.map_or("", |value| &value.comment));
        let (code_name, own_http) = on_the_wire(error.code);
        let redacted = error.public == Public::Redacted
            || matches!(error.code, Code::Internal | Code::Unknown);
        let message = match &error.public {
            _ if redacted => String::new(),
            Public::Other(public) => text(public),
            Public::Own | Public::Redacted => text(&error.message),
        };
        let description = match comment.is_empty() {
            true => code(&message),
            false => comment.clone(),
        };
        let keys = error.metadata.iter().map(|metadata| &metadata.key);
        context! {
            reason => error.reason,
            value => error.value,
            anchor => anchor(&error.reason),
            code => code_name,
            http => error.http.unwrap_or(own_http),
            retry => retry(error.retryable, error.retry_delay),
            metadata => keys.collect::<Vec<_>>(),
            redacted => redacted,
            message => message,
            comment => comment,
            description => description,
            deprecated => error.deprecated,
        }
    }
}

/// The errors that all services have, in the order of the runtime's table.
pub(super) fn common() -> Vec<Value> {
    let rows = COMMON
        .iter()
        .map(|&(reason, code, retryable, description)| {
            let (code_name, http) = on_the_wire(code);
            context! {
                reason => reason,
                code => code_name,
                http => http,
                retry => retry(retryable, None),
                redacted => code == Code::Internal,
                description => description,
            }
        });
    rows.collect()
}

/// The domain of the errors that all services have.
pub(super) const COMMON_DOMAIN: &str = "apibase";

/// Reason, code, whether the same call may succeed later, description: the runtime's
/// `ERROR_STATUS_TABLE`, which a test compares with this.
#[rustfmt::skip]
const COMMON: [(&str, Code, bool, &str); 9] = [
    ("VALIDATION", Code::InvalidArgument, false, "The request is wrong; `BadRequest` names its fields."),
    ("NOT_FOUND", Code::NotFound, false, "What was asked for doesn't exist."),
    ("UNAUTHORIZED", Code::Unauthenticated, false, "Who calls is not known."),
    ("FORBIDDEN", Code::PermissionDenied, false, "Who calls is known, and may not."),
    ("CONFLICT", Code::AlreadyExists, false, "What was to be made is there already."),
    ("RATE_LIMIT", Code::ResourceExhausted, true, "Too much was asked for; `RetryInfo` may say how long to wait."),
    ("EXTERNAL_SERVICE", Code::Unavailable, true, "A service behind this one failed."),
    ("DATABASE", Code::Internal, false, "The store behind this service failed."),
    ("TIMEOUT", Code::DeadlineExceeded, false, "It took too long."),
];

/// The name of a code, and the HTTP status that `google/rpc/code.proto` maps it to.
fn on_the_wire(code: Code) -> (&'static str, u16) {
    match code {
        // A catalogue with such an error was refused.
        Code::Unspecified | Code::Unknown => ("UNKNOWN", 500),
        Code::Cancelled => ("CANCELLED", 499),
        Code::InvalidArgument => ("INVALID_ARGUMENT", 400),
        Code::DeadlineExceeded => ("DEADLINE_EXCEEDED", 504),
        Code::NotFound => ("NOT_FOUND", 404),
        Code::AlreadyExists => ("ALREADY_EXISTS", 409),
        Code::PermissionDenied => ("PERMISSION_DENIED", 403),
        Code::ResourceExhausted => ("RESOURCE_EXHAUSTED", 429),
        Code::FailedPrecondition => ("FAILED_PRECONDITION", 400),
        Code::Aborted => ("ABORTED", 409),
        Code::OutOfRange => ("OUT_OF_RANGE", 400),
        Code::Unimplemented => ("UNIMPLEMENTED", 501),
        Code::Internal => ("INTERNAL", 500),
        Code::Unavailable => ("UNAVAILABLE", 503),
        Code::DataLoss => ("DATA_LOSS", 500),
        Code::Unauthenticated => ("UNAUTHENTICATED", 401),
    }
}

/// The id of an error's row. No heading has it: a reason has no hyphen, and no heading that is a
/// name has either.
fn anchor(reason: &str) -> String {
    format!("error-{}", reason.to_ascii_lowercase())
}

fn retry(retryable: bool, delay: Option<Duration>) -> String {
    match (retryable, delay) {
        (false, _) => "no".to_owned(),
        (true, None) => "yes".to_owned(),
        (true, Some(delay)) => format!("after {}", shown(delay)),
    }
}

/// A message as the proto has it: `item {item_id} not found`.
fn text(pieces: &[Piece]) -> String {
    let pieces = pieces.iter().map(|piece| match piece {
        Piece::Text(text) => text.clone(),
        Piece::Value(metadata) => format!("{{{}}}", metadata.key),
    });
    pieces.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delay_is_in_the_unit_that_reads_best() {
        let after = |millis| retry(true, Some(Duration::from_millis(millis)));
        assert_eq!(after(250), "after 250 ms");
        assert_eq!(after(2000), "after 2 s");
        assert_eq!(after(1500), "after 1.5 s");
        assert_eq!(after(90_000), "after 90 s");
        assert_eq!(retry(true, None), "yes");
        assert_eq!(retry(false, None), "no");
    }
}
