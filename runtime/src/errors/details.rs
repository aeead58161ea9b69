//! [`ErrorDetails`]: what a status has beside its code and message.

use std::collections::HashMap;
use std::time::Duration;

use prost::{Message, Name};

use super::FieldViolation;
use super::google::{self, BadRequest, ErrorInfo, RequestInfo, RetryInfo, RichStatus};
use super::leaving::{ERROR_ID, PUSHBACK};
use crate::Status;

/// What a status has beside its code and message (`google.rpc.Status` in `grpc-status-details-bin`),
/// whoever sent it. What is of another type is kept as it is.
///
/// ```
/// use apibase::{Code, ErrorDetails, Status};
///
/// let details = ErrorDetails::of(&Status::new(Code::NotFound, "no such item"));
/// assert_eq!(details.reason(), None);
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct ErrorDetails {
    /// `google.rpc.ErrorInfo`: the domain that the reason is of; empty without one.
    pub domain: String,
    /// `google.rpc.ErrorInfo`: why the call failed, for programs; empty without one.
    pub reason: String,
    /// `google.rpc.ErrorInfo`: what programs may want to know.
    pub metadata: HashMap<String, String>,
    /// `google.rpc.BadRequest`: the fields of the request that are wrong.
    pub violations: Vec<FieldViolation>,
    /// `google.rpc.RetryInfo`, else `grpc-retry-pushback-ms`: how long to wait before the next try.
    pub retry_delay: Option<Duration>,
    /// `google.rpc.RequestInfo`: the correlation id of the call, or what the server calls it; empty
    /// without one.
    pub request_id: String,
    /// `google.rpc.RequestInfo`: the trace of the call; empty without one.
    pub serving_data: String,
    /// Details of other types, and those that don't decode, in their order.
    pub others: Vec<prost_types::Any>,
    /// Whether somebody nearer to the fault has retried already (`grpc-retry-pushback-ms` is negative
    /// or no number, gRFC A6).
    pub already_retried: bool,
}

impl ErrorDetails {
    /// Those of `status`; nothing where it has none, or what it has doesn't decode. Of several
    /// details of one type the first one counts, the others are with the [`others`](Self::others).
    #[must_use]
    pub fn of(status: &Status) -> Self {
        let pushback = status.metadata().get(PUSHBACK);
        let pushback = pushback.map(|value| value.to_str().ok().and_then(delay));
        let mut details = Self {
            already_retried: pushback == Some(None),
            retry_delay: pushback.flatten(),
            ..Self::default()
        };
        if status.details().is_empty() {
            return details;
        }
        let rich = RichStatus::decode(status.details()).unwrap_or_default();
        let mut seen = Seen::default();
        for detail in rich.details {
            if let Some(detail) = details.take(detail, &mut seen) {
                details.others.push(detail);
            }
        }
        details
    }

    /// Domain and reason; `None` where the server gave none.
    #[must_use]
    pub fn reason(&self) -> Option<(&str, &str)> {
        (!self.reason.is_empty()).then_some((self.domain.as_str(), self.reason.as_str()))
    }

    /// The id under which the server's log has an error that it redacted.
    #[must_use]
    pub fn error_id(&self) -> Option<&str> {
        self.metadata.get(ERROR_ID).map(String::as_str)
    }

    /// Puts a detail where it belongs, or gives it back.
    fn take(&mut self, detail: prost_types::Any, seen: &mut Seen) -> Option<prost_types::Any> {
        if let Some(info) = decode::<ErrorInfo>(&detail, &mut seen.info) {
            self.domain = info.domain;
            self.reason = info.reason;
            self.metadata = info.metadata;
        } else if let Some(request) = decode::<BadRequest>(&detail, &mut seen.request) {
            let violations = request.field_violations.into_iter();
            self.violations = violations
                .map(|violation| FieldViolation {
                    field: violation.field,
                    description: violation.description,
                })
                .collect();
        } else if let Some(info) = decode::<RetryInfo>(&detail, &mut seen.retry) {
            // A negative delay is none.
            let delay = info.retry_delay.and_then(|delay| delay.try_into().ok());
            self.retry_delay = delay.or(self.retry_delay);
        } else if let Some(info) = decode::<RequestInfo>(&detail, &mut seen.call) {
            self.request_id = info.request_id;
            self.serving_data = info.serving_data;
        } else {
            return Some(detail);
        }
        None
    }
}

/// The types of which there was one.
#[derive(Default)]
struct Seen {
    info: bool,
    request: bool,
    retry: bool,
    call: bool,
}

/// A detail as an `M`, if it is the first.
fn decode<M: Message + Name + Default>(detail: &prost_types::Any, seen: &mut bool) -> Option<M> {
    if *seen || !google::is::<M>(detail) {
        return None;
    }
    let decoded = M::decode(&*detail.value).ok()?;
    *seen = true;
    Some(decoded)
}

/// What a pushback asks for; none where it says not to retry.
fn delay(pushback: &str) -> Option<Duration> {
    let milliseconds = pushback.parse::<i64>().ok()?;
    Some(Duration::from_millis(milliseconds.try_into().ok()?))
}
