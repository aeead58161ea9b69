//! A [`Status`] in headers or trailers.
//!
//! Reading is our own: tonic's panics on details that aren't base64, and those come from the wire.

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use percent_encoding::percent_decode;
use tonic::metadata::MetadataMap;

use super::headers;
use crate::{Code, Status};

const GRPC_STATUS: HeaderName = HeaderName::from_static("grpc-status");
const GRPC_MESSAGE: HeaderName = HeaderName::from_static("grpc-message");
const GRPC_STATUS_DETAILS: HeaderName = HeaderName::from_static("grpc-status-details-bin");

/// Senders may leave the padding out (PROTOCOL-HTTP2.md, "Binary-Header").
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// What is kept of a message that is too long, in bytes: it can be there three times, encoded.
const MAX_MESSAGE: usize = 1024;

/// Writes `status` into `headers`, whatever its size.
pub(crate) fn write(status: &Status, headers: &mut HeaderMap) {
    if status.add_header(headers).is_err() {
        // Percent-encoding leaves nothing that a header can't hold, so this is out of reach; if it
        // ever isn't, the code still gets there.
        headers.insert(GRPC_STATUS, HeaderValue::from(status.code() as i32));
    }
}

/// The start of `message`, if it is too long to be sent.
pub(crate) fn cut(message: &str) -> &str {
    let mut end = message.len().min(MAX_MESSAGE);
    while !message.is_char_boundary(end) {
        end -= 1;
    }
    message.get(..end).unwrap_or_default()
}

/// What `status` takes when it is written, or a little more.
pub(crate) fn size(status: &Status) -> usize {
    let message: usize = status
        .message()
        .bytes()
        .map(|byte| if byte.is_ascii_alphanumeric() { 1 } else { 3 })
        .sum();
    message + status.details().len() * 4 / 3 + headers::size(status.metadata().as_ref())
}

/// Writes success into `headers`.
pub(crate) fn write_ok(headers: &mut HeaderMap) {
    headers.insert(GRPC_STATUS, HeaderValue::from_static("0"));
}

/// Whether `headers` have a status.
pub(crate) fn is_in(headers: &HeaderMap) -> bool {
    headers.contains_key(GRPC_STATUS)
}

/// The code of the status in `headers`, if they have one.
#[cfg(feature = "client")]
pub(crate) fn code_in(headers: &HeaderMap) -> Option<Code> {
    let code = headers.get(GRPC_STATUS)?;
    Some(Code::from_bytes(code.as_bytes()))
}

/// The code that the head of an answer amounts to, if it says already how the call ended: it has a status,
/// or it is no answer of gRPC's.
#[cfg(feature = "client")]
pub(crate) fn code_of(head: &http::response::Parts) -> Option<Code> {
    if let Some(code) = code_in(&head.headers) {
        return Some(code);
    }
    if head.status != http::StatusCode::OK {
        return Some(code_of_http(head.status));
    }
    let content_type = head.headers.get(http::header::CONTENT_TYPE);
    (!content_type.is_some_and(headers::is_grpc)).then_some(Code::Unknown)
}

/// Takes the status out of `headers`: `None` if there is none, `Some(Ok)` with what else was there
/// if the call succeeded.
pub(crate) fn read(mut headers: HeaderMap) -> Option<Result<MetadataMap, Status>> {
    let code = Code::from_bytes(headers.remove(GRPC_STATUS)?.as_bytes());
    let message = headers.remove(GRPC_MESSAGE);
    let details = headers.remove(GRPC_STATUS_DETAILS);
    if code == Code::Ok {
        return Some(Ok(MetadataMap::from_headers(headers)));
    }
    let message = message.map_or_else(String::new, |value| {
        percent_decode(value.as_bytes())
            .decode_utf8_lossy()
            .into_owned()
    });
    let details = details
        .and_then(|value| BASE64.decode(value.as_bytes()).ok())
        .map_or_else(Bytes::new, Bytes::from);
    Some(Err(Status::with_details_and_metadata(
        code,
        message,
        details,
        MetadataMap::from_headers(headers),
    )))
}

/// What an HTTP status without a gRPC one means (http-grpc-status-mapping.md).
fn code_of_http(status: http::StatusCode) -> Code {
    match status.as_u16() {
        400 => Code::Internal,
        401 => Code::Unauthenticated,
        403 => Code::PermissionDenied,
        404 => Code::Unimplemented,
        429 | 502 | 503 | 504 => Code::Unavailable,
        _ => Code::Unknown,
    }
}

/// The status that such an answer amounts to.
pub(crate) fn from_http(status: http::StatusCode) -> Status {
    Status::new(
        code_of_http(status),
        format!("the answer is HTTP {status} without a gRPC status"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trailers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| {
                (
                    HeaderName::from_static(name),
                    HeaderValue::from_static(value),
                )
            })
            .collect()
    }

    #[test]
    fn a_status_is_read_as_it_was_written() {
        let status = Status::with_details(
            Code::NotFound,
            "kein Gerät: 50 %",
            Bytes::from_static(&[0, 255, 1]),
        );
        let mut headers = HeaderMap::new();
        write(&status, &mut headers);
        let read = read(headers).unwrap().unwrap_err();
        assert_eq!(read.code(), status.code());
        assert_eq!(read.message(), status.message());
        assert_eq!(read.details(), status.details());
    }

    #[test]
    fn padding_is_indifferent_and_junk_details_are_none() {
        for (value, details) in [
            ("AP8B", &[0, 255, 1][..]),
            ("AP8=", &[0, 255]),
            ("AP8", &[0, 255]),
            ("%%", &[]),
        ] {
            let headers = trailers(&[("grpc-status", "5"), ("grpc-status-details-bin", value)]);
            assert_eq!(
                read(headers).unwrap().unwrap_err().details(),
                details,
                "{value}"
            );
        }
    }

    #[test]
    fn success_keeps_the_other_trailers() {
        let read = read(trailers(&[
            ("grpc-status", "0"),
            ("x-next-page-token", "t"),
        ]));
        let metadata = read.unwrap().unwrap();
        assert_eq!(metadata.get("x-next-page-token").unwrap(), "t");
        assert!(metadata.get("grpc-status").is_none());
    }

    #[test]
    fn no_status_is_none_and_an_unknown_one_is_unknown() {
        assert!(read(HeaderMap::new()).is_none());
        let read = read(trailers(&[("grpc-status", "forty")]));
        assert_eq!(read.unwrap().unwrap_err().code(), Code::Unknown);
    }
}
