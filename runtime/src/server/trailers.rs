//! The trailers of a call that failed, together below what peers take.
//!
//! What doesn't fit is left out in this order, and the log says what it was:
//!
//! 1. the message beyond its first KiB,
//! 2. `DebugInfo`, then details that we don't write, the last one first,
//! 3. violations of `BadRequest`, the last one first,
//! 4. the servicer's own metadata,
//! 5. `error-detail-bin` and other metadata of the status, but not `grpc-retry-pushback-ms`,
//! 6. the metadata of `ErrorInfo`, but not the error's id,
//! 7. `RequestInfo` and `RetryInfo`,
//! 8. `ErrorInfo`, which is too large by itself only where a raw status has one.
//!
//! The code and the start of the message are always sent, and so are domain and reason of an error
//! of ours.

use http::HeaderMap;
use prost::{Message, Name};
use tonic::metadata::MetadataMap;

use crate::errors::google::{
    self, BadRequest, DebugInfo, ErrorInfo, RequestInfo, RetryInfo, RichStatus,
};
use crate::errors::{ERROR_ID, PUSHBACK};
use crate::interceptors::CORRELATION_ID;
use crate::wire::headers::{self, MAX_METADATA};
use crate::wire::status::{self, cut};
use crate::{Context, Method, Status};

/// What is there besides texts and details: `:status` and `content-type`, where there are only
/// trailers, `grpc-status`, and the names of `grpc-message` and `grpc-status-details-bin`. Together
/// 246 bytes, as HTTP/2 counts them.
const FIXED: usize = 256;

/// A pushback is a number; a raw status can have anything there.
const MAX_PUSHBACK: usize = 20;

/// What the correlation id takes, where it is told.
fn echo(call: Option<&Context>) -> usize {
    let id = call.and_then(|call| call.told_correlation_id(true));
    id.map_or(0, |id| CORRELATION_ID.as_str().len() + id.len() + 32)
}

/// The trailers of a call that failed so: its status, and the servicer's `own` metadata.
pub(super) fn of_failure(
    mut own: HeaderMap,
    failure: &Status,
    call: Option<&Context>,
) -> HeaderMap {
    let fixed = FIXED + echo(call);
    if headers::size(&own) + status::size(failure) + fixed <= MAX_METADATA {
        // Code, message, details and content type: it would grow twice for them.
        own.reserve(failure.metadata().len() + 4);
        status::write(failure, &mut own);
        return own;
    }
    let mut parts = Parts::of(failure, own, fixed);
    parts.fit(call);
    let status = parts.status();
    status::write(&status, &mut parts.own);
    parts.own
}

/// A status that is too large, taken apart.
struct Parts {
    own: HeaderMap,
    rich: RichStatus,
    status: Status,
    metadata: MetadataMap,
    left_out: Vec<&'static str>,
    /// What is there besides.
    fixed: usize,
}

/// Leaves something out and says what; `None` when there is nothing left of this sort.
///
/// Where there are many of a sort, it is about as much as is too much, in bytes: one at a time would
/// take a minute for an upstream's megabyte.
type Step = fn(&mut Parts, usize) -> Option<&'static str>;

const STEPS: [Step; 9] = [
    |parts, _| parts.without::<DebugInfo>("DebugInfo"),
    Parts::without_last_foreign,
    Parts::without_last_violations,
    |parts, _| parts.without_own(),
    |parts, _| parts.without_metadata(),
    |parts, _| parts.without_values(),
    |parts, _| parts.without::<RequestInfo>("RequestInfo"),
    |parts, _| parts.without::<RetryInfo>("RetryInfo"),
    |parts, _| parts.without::<ErrorInfo>("ErrorInfo"),
];

impl Parts {
    fn of(failure: &Status, own: HeaderMap, fixed: usize) -> Self {
        let message = cut(failure.message());
        let mut left_out = Vec::new();
        if message.len() < failure.message().len() {
            left_out.push("the end of the message");
        }
        let mut rich = RichStatus::decode(failure.details()).unwrap_or_default();
        if rich.details.is_empty() && !failure.details().is_empty() {
            left_out.push("details that do not decode");
        }
        message.clone_into(&mut rich.message);
        Self {
            own,
            rich,
            status: Status::new(failure.code(), message),
            metadata: failure.metadata().clone(),
            left_out,
            fixed,
        }
    }

    fn fit(&mut self, call: Option<&Context>) {
        for step in STEPS {
            while let Some(excess) = self.excess() {
                let Some(left_out) = step(self, excess) else {
                    break;
                };
                if self.left_out.last() != Some(&left_out) {
                    self.left_out.push(left_out);
                }
            }
        }
        tracing::warn!(
            method = call.and_then(Context::method).map(Method::path),
            left_out = self.left_out.join(", "),
            "the trailers of a failed call would take more than {MAX_METADATA} bytes"
        );
    }

    /// What is too much; `None` where all of it fits.
    fn excess(&self) -> Option<usize> {
        let details = match self.rich.details.is_empty() {
            true => 0,
            false => self.rich.encoded_len(),
        };
        let status = status::size(&self.status) + details * 4 / 3;
        let metadata = headers::size(self.metadata.as_ref());
        let size = headers::size(&self.own) + status + metadata + self.fixed;
        size.checked_sub(MAX_METADATA).filter(|excess| *excess > 0)
    }

    fn status(&self) -> Status {
        let details = match self.rich.details.is_empty() {
            true => Vec::new(),
            false => self.rich.encode_to_vec(),
        };
        Status::with_details_and_metadata(
            self.status.code(),
            self.status.message(),
            details.into(),
            self.metadata.clone(),
        )
    }

    fn without<M: Name>(&mut self, name: &'static str) -> Option<&'static str> {
        let before = self.rich.details.len();
        self.rich.details.retain(|detail| !google::is::<M>(detail));
        (self.rich.details.len() < before).then_some(name)
    }

    fn without_last_foreign(&mut self, excess: usize) -> Option<&'static str> {
        let ours = self.ours();
        let before = self.rich.details.len();
        let mut left = raw(excess);
        let details = std::mem::take(&mut self.rich.details).into_iter();
        let kept = details.enumerate().rev().filter(|(index, detail)| {
            let stays = left == 0 || ours.contains(&Some(*index));
            if !stays {
                left = left.saturating_sub(detail.encoded_len());
            }
            stays
        });
        self.rich.details = kept.map(|(_, detail)| detail).collect();
        self.rich.details.reverse();
        (self.rich.details.len() < before).then_some("details of other types")
    }

    /// Where the details are that readers take for ours: the first of each type.
    fn ours(&self) -> [Option<usize>; 4] {
        let types = [
            google::is::<ErrorInfo>,
            google::is::<BadRequest>,
            google::is::<RequestInfo>,
            google::is::<RetryInfo>,
        ];
        types.map(|is_it| self.rich.details.iter().position(is_it))
    }

    fn without_last_violations(&mut self, excess: usize) -> Option<&'static str> {
        let mut details = self.rich.details.iter();
        let at = details.position(google::is::<BadRequest>)?;
        let detail = self.rich.details.get_mut(at)?;
        let mut request = BadRequest::decode(&*detail.value).unwrap_or_default();
        let mut left = raw(excess);
        while left > 0
            && let Some(violation) = request.field_violations.pop()
        {
            left = left.saturating_sub(violation.encoded_len() + 2);
        }
        if request.field_violations.is_empty() {
            self.rich.details.remove(at);
        } else {
            detail.value = request.encode_to_vec();
        }
        Some("violations")
    }

    fn without_own(&mut self) -> Option<&'static str> {
        let had_some = !self.own.is_empty();
        self.own.clear();
        had_some.then_some("the servicer's metadata")
    }

    fn without_metadata(&mut self) -> Option<&'static str> {
        let before = self.metadata.len();
        let pushback = self.metadata.remove(PUSHBACK);
        self.metadata.clear();
        if let Some(pushback) = pushback.filter(|value| value.len() <= MAX_PUSHBACK) {
            self.metadata.insert(PUSHBACK, pushback);
        }
        (self.metadata.len() < before).then_some("the status's metadata")
    }

    fn without_values(&mut self) -> Option<&'static str> {
        let mut details = self.rich.details.iter_mut();
        let detail = details.find(|detail| google::is::<ErrorInfo>(detail))?;
        let mut info = ErrorInfo::decode(&*detail.value).unwrap_or_default();
        let before = info.metadata.len();
        info.metadata.retain(|key, _| key == ERROR_ID);
        let had_some = info.metadata.len() < before;
        detail.value = info.encode_to_vec();
        had_some.then_some("the metadata of ErrorInfo")
    }
}

/// How many bytes of details are that many of base64.
fn raw(encoded: usize) -> usize {
    encoded.div_ceil(4) * 3
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Code, DomainError, ErrorDetails, ServiceError};

    fn written(own: HeaderMap, failure: &Status) -> (HeaderMap, Status) {
        let trailers = of_failure(own, failure, None);
        assert!(
            headers::size(&trailers) <= MAX_METADATA,
            "{}",
            headers::size(&trailers)
        );
        let read = status::read(trailers.clone()).unwrap().unwrap_err();
        (trailers, read)
    }

    fn own(size: usize) -> HeaderMap {
        let mut own = HeaderMap::new();
        own.insert("x-own", "v".repeat(size).parse().unwrap());
        own
    }

    #[test]
    fn what_fits_is_sent_whole() {
        let failure = DomainError::validation("wrong")
            .with_violation("a", "b")
            .into_status();
        let (trailers, read) = written(own(2000), &failure);
        assert!(trailers.contains_key("x-own"));
        assert_eq!(read.details(), failure.details());
    }

    #[test]
    fn violations_go_first_and_the_last_of_them_first_of_all() {
        let mut error = DomainError::validation("wrong");
        for index in 0..100 {
            error = error.with_violation(format!("items[{index}]"), "is wrong");
        }
        let (trailers, read) = written(own(6000), &error.into_status());
        assert!(trailers.contains_key("x-own"));
        let details = ErrorDetails::of(&read);
        let sent = details.violations.len();
        assert!((5..100).contains(&sent), "{sent}");
        assert_eq!(details.violations[0].field, "items[0]");
        assert_eq!(details.reason(), Some(("apibase", "VALIDATION")));
    }

    #[test]
    fn the_servicers_metadata_goes_before_the_reason() {
        let failure = DomainError::not_found("gone").into_status();
        let (trailers, read) = written(own(9000), &failure);
        assert!(!trailers.contains_key("x-own"));
        assert!(trailers.contains_key("error-detail-bin"));
        assert!(matches!(
            DomainError::from_status(read),
            Ok(DomainError::NotFound(_))
        ));
    }

    #[test]
    fn a_message_is_cut_and_code_and_reason_stay() {
        let failure = DomainError::rate_limit("é".repeat(9000))
            .with_retry_delay(std::time::Duration::from_secs(3))
            .into_status();
        let (trailers, read) = written(own(100), &failure);
        assert_eq!(read.code(), Code::ResourceExhausted);
        assert!(read.message().len() <= 1024 && read.message().starts_with('é'));
        assert_eq!(trailers["grpc-retry-pushback-ms"], "3000");
        assert!(matches!(
            DomainError::from_status(read),
            Ok(DomainError::RateLimit(_))
        ));
    }

    #[test]
    fn details_that_others_wrote_go_before_ours() {
        let foreign = |size| prost_types::Any {
            type_url: "type.googleapis.com/google.rpc.Help".to_owned(),
            value: vec![0; size],
        };
        let info = ErrorInfo {
            reason: "R_1".to_owned(),
            domain: "d.example.com".to_owned(),
            ..ErrorInfo::default()
        };
        let rich = RichStatus {
            code: 9,
            message: "m".to_owned(),
            details: vec![
                foreign(100),
                prost_types::Any {
                    type_url: ErrorInfo::type_url(),
                    value: info.encode_to_vec(),
                },
                foreign(9000),
            ],
        };
        let failure =
            Status::with_details(Code::FailedPrecondition, "m", rich.encode_to_vec().into());
        let (_, read) = written(HeaderMap::new(), &failure);
        let details = ErrorDetails::of(&read);
        assert_eq!(details.reason(), Some(("d.example.com", "R_1")));
        assert_eq!(details.others.len(), 1);
    }

    #[test]
    fn details_that_are_no_status_are_left_out_where_they_do_not_fit() {
        let failure = Status::with_details(Code::Aborted, "m", vec![0xff; 9000].into());
        let (_, read) = written(HeaderMap::new(), &failure);
        assert_eq!((read.code(), read.message()), (Code::Aborted, "m"));
        assert!(read.details().is_empty());
    }
}
