//! [`Leaving`]: an error on its way out, and what is on the wire of it: `google.rpc.Status` in
//! `grpc-status-details-bin`, `common.ErrorDetail` in `error-detail-bin`, and
//! `grpc-retry-pushback-ms`.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;
use std::time::Duration;

use tonic::metadata::{BinaryMetadataValue, MetadataMap, MetadataValue};

use super::encode::Writer;
use super::google::{BadRequest, DebugInfo, ErrorInfo, RequestInfo, RetryInfo};
use super::redact::{self, Causes};
use super::table::{DOMAIN, ErrorRow, name};
use super::{DomainError, FieldViolation};
use crate::wire::status::cut;
use crate::{Code, Context, Method, Status};

const ERROR_DETAIL: &str = "error-detail-bin";
pub(crate) const PUSHBACK: &str = "grpc-retry-pushback-ms";

/// The key of an error's id in the metadata of its details.
pub(crate) const ERROR_ID: &str = "error_id";
const TRACE_ID: &str = "trace_id";

/// What is sent of the violations at most, in bytes: trailers have no room for more.
const MAX_VIOLATIONS: usize = 4096;

/// What one of them takes besides its texts.
const VIOLATION: usize = 8;

/// What an error's URLs, reason, domain and ids take together, in bytes, with room to spare.
const AROUND_ALL: usize = 384;

/// What two texts of one entry take beside themselves: three keys and three lengths.
const AROUND_PAIR: usize = 9;

/// An error on its way out.
pub(super) struct Leaving<'a> {
    pub(super) domain: &'static str,
    pub(super) row: ErrorRow,
    pub(super) message: Cow<'a, str>,
    pub(super) metadata: Vec<(&'static str, &'a str)>,
    error_id: Option<String>,
    violations: &'a [FieldViolation],
    retry_delay: Option<Duration>,
    already_retried: bool,
}

impl<'a> Leaving<'a> {
    /// An error that has a code and no reason of its own.
    pub(super) fn unnamed(code: Code) -> Self {
        Self {
            domain: DOMAIN,
            row: ErrorRow::new(name(code), code),
            message: Cow::Borrowed(""),
            metadata: Vec::new(),
            error_id: None,
            violations: &[],
            retry_delay: None,
            already_retried: false,
        }
    }

    /// One of the nine.
    pub(super) fn of_domain(error: &'a DomainError) -> Self {
        let mut leaving = Self::unnamed(Code::Unknown);
        if let (Some(row), Some(fault)) = (error.row(), error.fault()) {
            leaving.row = *row;
            leaving.message = Cow::Borrowed(fault.message());
            leaving.violations = fault.violations();
            leaving.retry_delay = fault.retry_delay();
            leaving.already_retried = fault.is_already_retried();
        }
        leaving
    }

    /// A reason of a service.
    pub(super) fn of_reason(
        domain: &'static str,
        row: ErrorRow,
        message: Cow<'a, str>,
        metadata: Vec<(&'static str, &'a str)>,
    ) -> Self {
        Self {
            domain,
            row,
            message,
            metadata,
            ..Self::unnamed(row.code)
        }
    }

    /// Leaves its caller an id, under which the log has all of it.
    pub(super) fn redact(
        &mut self,
        error: &dyn fmt::Display,
        cause: Option<&(dyn Error + 'static)>,
        call: &Context,
    ) {
        let id = redact::log(self.row.reason, self.row.code, error, cause, call);
        self.message = Cow::Owned(redact::message(&id));
        self.metadata = Vec::new();
        self.violations = &[];
        self.error_id = Some(id);
    }

    /// Leaves its caller all of it, and the id.
    pub(super) fn reveal(
        &mut self,
        error: &dyn fmt::Display,
        cause: Option<&(dyn Error + 'static)>,
        call: &Context,
    ) {
        let id = redact::log(self.row.reason, self.row.code, error, cause, call);
        self.message = Cow::Owned(error.to_string());
        self.error_id = Some(id);
    }

    /// It as a status, with its causes where they are shown.
    pub(super) fn status(
        mut self,
        call: &Context,
        causes: Option<&(dyn Error + 'static)>,
    ) -> Status {
        self.shorten(call);
        let ids = (call.correlation_id(), call.trace_id());
        let room = self.room();
        let mut rich = Writer::with_capacity(room);
        rich.number(1, self.row.code as u64);
        rich.text(2, &self.message);
        any(&mut rich, ErrorInfo::URL, |info| {
            info.text(1, self.row.reason);
            info.text(2, self.domain);
            for (key, value) in self.all_metadata() {
                info.entry(3, key, value);
            }
        });
        if !self.violations.is_empty() {
            any(&mut rich, BadRequest::URL, |request| {
                for violation in self.violations {
                    request.message(1, |field| {
                        field.text(1, &violation.field);
                        field.text(2, &violation.description);
                    });
                }
            });
        }
        if let Some(delay) = self.delay() {
            retry_info(&mut rich, delay);
        }
        request_info(&mut rich, ids);
        if causes.is_some() {
            any(&mut rich, DebugInfo::URL, |info| {
                for cause in Causes(causes).each() {
                    info.text(1, &cause);
                }
            });
        }
        let (code, details) = (self.row.code, rich.finish());
        let metadata = self.trailers(room, ids.1);
        let message = self.message.into_owned();
        Status::with_details_and_metadata(code, message, details.into(), metadata)
    }

    /// Leaves out what trailers have no room for, and says in the log what that was.
    fn shorten(&mut self, call: &Context) {
        let mut left_out = Vec::new();
        let message = cut(&self.message).len();
        if message < self.message.len() {
            left_out.push("the end of the message");
            match &mut self.message {
                Cow::Borrowed(text) => *text = cut(text),
                Cow::Owned(text) => text.truncate(message),
            }
        }
        let violations = sendable(self.violations);
        if violations.len() < self.violations.len() {
            left_out.push("violations");
            self.violations = violations;
        }
        if !left_out.is_empty() {
            tracing::warn!(
                method = call.method().map(Method::path),
                left_out = left_out.join(", "),
                "an error says more than trailers have room for"
            );
        }
    }

    fn trailers(&self, room: usize, trace_id: Option<&str>) -> MetadataMap {
        let mut detail = Writer::with_capacity(room);
        detail.text(1, self.row.class);
        detail.text(2, &self.message);
        if let Some(violation) = self.violations.first() {
            detail.text(3, &violation.field);
        }
        for (key, value) in self.all_metadata() {
            detail.entry(4, key, value);
        }
        if let Some(trace_id) = trace_id {
            detail.entry(4, TRACE_ID, trace_id);
        }
        let mut trailers = MetadataMap::with_capacity(2);
        let detail = BinaryMetadataValue::from_bytes(&detail.finish());
        trailers.insert_bin(ERROR_DETAIL, detail);
        if self.already_retried {
            // Any negative number: don't (gRFC A6).
            trailers.insert(PUSHBACK, MetadataValue::from_static("-1"));
        } else if let Some(delay) = self.delay() {
            push_back(&mut trailers, delay);
        }
        trailers
    }

    /// What its details take at most, unless its reason, domain or ids are unusually long.
    fn room(&self) -> usize {
        let fields = self.violations.iter();
        let fields = fields.map(|each| (&*each.field, &*each.description));
        let texts: usize = self
            .all_metadata()
            .chain(fields)
            .map(|(name, text)| name.len() + text.len() + AROUND_PAIR)
            .sum();
        AROUND_ALL + self.message.len() + texts
    }

    fn delay(&self) -> Option<Duration> {
        self.retry_delay.or(self.row.retry_delay)
    }

    fn all_metadata(&self) -> impl Iterator<Item = (&str, &str)> {
        let id = self.error_id.as_deref().map(|id| (ERROR_ID, id));
        self.metadata.iter().copied().chain(id)
    }
}

/// When to try again.
fn retry_info(rich: &mut Writer, delay: Duration) {
    any(rich, RetryInfo::URL, |info| {
        info.message(1, |duration| {
            duration.number(1, delay.as_secs());
            duration.number(2, u64::from(delay.subsec_nanos()));
        });
    });
}

/// The same for clients that retry by themselves (gRFC A6).
fn push_back(trailers: &mut MetadataMap, delay: Duration) {
    // Rounded up: who comes too early is refused again.
    let milliseconds = delay.as_nanos().div_ceil(1_000_000);
    let milliseconds = i64::try_from(milliseconds).unwrap_or(i64::MAX);
    trailers.insert(PUSHBACK, MetadataValue::from(milliseconds));
}

/// Which call it was, by its correlation id and its trace, where it has one of them.
fn request_info(rich: &mut Writer, ids: (Option<&str>, Option<&str>)) {
    if ids != (None, None) {
        any(rich, RequestInfo::URL, |info| {
            info.text(1, ids.0.unwrap_or_default());
            info.text(2, ids.1.unwrap_or_default());
        });
    }
}

fn any(rich: &mut Writer, url: &str, write: impl FnOnce(&mut Writer)) {
    rich.message(3, |any| {
        any.text(1, url);
        any.message(2, write);
    });
}

/// As many of `violations`, from the first, as trailers can have room for.
fn sendable(violations: &[FieldViolation]) -> &[FieldViolation] {
    let mut size = 0;
    let end = violations.iter().position(|violation| {
        size += violation.field.len() + violation.description.len() + VIOLATION;
        size > MAX_VIOLATIONS
    });
    end.and_then(|end| violations.get(..end))
        .unwrap_or(violations)
}

/// What the runtime itself refuses a call with: a status with a reason, and none of a servicer's words.
///
/// A reason that is no more than the code's name is not sent: what every gRPC server says by its code
/// alone, we say no louder, and peers that compare statuses find ours equal.
pub(crate) fn plain(code: Code, reason: &str, message: &str, call: &Context) -> Status {
    plain_until(code, reason, message, None, call)
}

/// The same, and how long to wait before another try, where waiting helps.
pub(crate) fn plain_until(
    code: Code,
    reason: &str,
    message: &str,
    delay: Option<Duration>,
    call: &Context,
) -> Status {
    let has_reason = reason != name(code);
    let ids = (call.correlation_id(), call.trace_id());
    if !has_reason && delay.is_none() && ids == (None, None) {
        return Status::new(code, message);
    }
    let mut rich = Writer::with_capacity(AROUND_ALL + message.len());
    rich.number(1, code as u64);
    rich.text(2, message);
    if has_reason {
        any(&mut rich, ErrorInfo::URL, |info| {
            info.text(1, reason);
            info.text(2, DOMAIN);
        });
    }
    let mut trailers = MetadataMap::new();
    if let Some(delay) = delay {
        retry_info(&mut rich, delay);
        push_back(&mut trailers, delay);
    }
    request_info(&mut rich, ids);
    Status::with_details_and_metadata(code, message, rich.finish().into(), trailers)
}
