//! What a peer can send in a request, byte by byte, and what has to come of it.
//!
//! Each function takes any bytes at all, calls a service in the process by them, and panics where the
//! answer isn't what a second reading of the same bytes, shorter and slower, says. The fuzz targets and
//! the property tests both enter here.

mod service;

use std::time::Duration;

use apibase::Code;
use apibase::prost::Message as _;
use apibase_tests::tonic_echo::echo::{CollectReply, EchoRequest};
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request, Uri};

use self::service::{NAMES, Pieces, Served, post};

/// The paths of the service.
const PATHS: [&str; 5] = [
    "/echo.EchoService/Echo",
    "/echo.EchoService/Count",
    "/echo.EchoService/Collect",
    "/echo.EchoService/Chat",
    "/echo.EchoService/Ping",
];

/// The largest message.
const LARGEST: usize = 4 * 1024 * 1024;

/// Messages in a body that comes in pieces, whose size the first byte says.
pub(crate) fn frames(data: &[u8]) {
    let Some((size, body)) = data.split_first() else {
        return;
    };
    let pieces = body.chunks(usize::from(*size).max(1));
    let pieces = pieces.map(Bytes::copy_from_slice).collect();
    let answer = Served::call(post("/echo.EchoService/Collect"), Pieces(pieces));
    match collected(body) {
        Ok(expected) => {
            assert_eq!(answer.code, Code::Ok, "{answer:?}");
            let reply = answer.body.get(5..).expect("a prefix");
            assert_eq!(CollectReply::decode(reply).expect("a reply"), expected);
        }
        Err(code) => assert_eq!(answer.code, code, "{answer:?}"),
    }
}

/// A `grpc-timeout`.
pub(crate) fn timeout(data: &[u8]) {
    let Ok(value) = HeaderValue::from_bytes(data) else {
        return;
    };
    let head = post("/echo.EchoService/Ping").header("grpc-timeout", value);
    let answer = Served::call(head, Pieces::message());
    match timeout_of(data) {
        None => {
            assert_eq!(answer.code, Code::Internal, "{answer:?}");
            assert!(answer.seen.is_none(), "{answer:?}");
        }
        Some(Duration::ZERO) => {
            assert_eq!(answer.code, Code::DeadlineExceeded, "{answer:?}");
            assert!(answer.seen.is_none(), "{answer:?}");
        }
        Some(timeout) => {
            assert_eq!(answer.code, Code::Ok, "{answer:?}");
            let seen = answer.seen.expect("the servicer was not called");
            // The clock stands still. It may not know a time so late.
            let late = Duration::from_secs(60 * 60 * 24 * 365 * 100);
            assert!(
                seen.remaining == Some(timeout) || timeout > late,
                "{seen:?}"
            );
        }
    }
}

/// Values of metadata, one a line; each is tried under the name of its line.
pub(crate) fn metadata(data: &[u8]) {
    let mut head = post("/echo.EchoService/Ping");
    let values = data.split(|byte| *byte == b'\n');
    for (name, value) in NAMES.iter().zip(values) {
        if let Ok(value) = HeaderValue::from_bytes(value) {
            head = head.header(*name, value);
        }
    }
    let answer = Served::call(head, Pieces::message());
    assert_eq!(answer.code, Code::Ok, "{answer:?}");
    let seen = answer.seen.expect("the servicer was not called");
    if let Some(id) = seen.correlation_id {
        let is_ours = |b: u8| b.is_ascii_alphanumeric() || b".-_".contains(&b);
        assert!(
            !id.is_empty() && id.len() <= 128 && id.bytes().all(is_ours),
            "{id:?}"
        );
    }
    if let Some(id) = seen.trace_id {
        let is_hex = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
        assert!(id.len() == 32 && id.bytes().all(is_hex), "{id:?}");
        assert!(id.bytes().any(|b| b != b'0'), "{id:?}");
    }
}

/// A path, a content type and an encoding, one a line.
pub(crate) fn head(data: &[u8]) {
    let mut lines = data.split(|byte| *byte == b'\n');
    let Some(Ok(uri)) = lines.next().map(Uri::try_from) else {
        return;
    };
    let path = uri.path().to_owned();
    let mut head = Request::post(uri);
    let mut set = |name: HeaderName, otherwise: &'static str| {
        let value = lines.next().unwrap_or(otherwise.as_bytes());
        let value = HeaderValue::from_bytes(value).ok()?;
        head.headers_mut()?.insert(name, value.clone());
        Some(value)
    };
    let kind = set(http::header::CONTENT_TYPE, "application/grpc");
    let encoding = set(HeaderName::from_static("grpc-encoding"), "identity");
    let response = Served::respond(head, Pieces::message());
    let kind = kind.as_ref().and_then(|kind| kind.to_str().ok());
    let media_type = kind
        .unwrap_or("")
        .split(';')
        .next()
        .unwrap_or("")
        .trim_end();
    let is_grpc = ["application/grpc", "application/grpc+proto"]
        .iter()
        .any(|grpc| media_type.eq_ignore_ascii_case(grpc));
    let (status, answer) = response;
    if !is_grpc {
        // A content type that is text in another coding is none of ours either.
        assert_ne!(status, http::StatusCode::OK, "{kind:?}");
        return;
    }
    assert_eq!(status, http::StatusCode::OK, "{kind:?}");
    let is_identity = encoding.is_none_or(|encoding| encoding == "identity");
    let is_there = PATHS.contains(&&*path);
    match answer.code {
        Code::Ok => assert!(is_there, "{path:?} is answered: {answer:?}"),
        Code::Unimplemented => assert!(!is_there || !is_identity, "{path:?}: {answer:?}"),
        // Where messages may be compressed, these are not.
        _ => assert!(!is_identity, "{path:?}: {answer:?}"),
    }
}

/// What the servicer of [`frames`] gets, by reading the body all at once.
fn collected(mut body: &[u8]) -> Result<CollectReply, Code> {
    let mut collected = CollectReply::default();
    while let Some((flags, rest)) = body.split_first() {
        let Some((length, rest)) = rest.split_first_chunk() else {
            return Err(Code::Internal);
        };
        if *flags != 0 {
            return Err(Code::Internal);
        }
        let length = u32::from_be_bytes(*length) as usize;
        if length > LARGEST {
            return Err(Code::ResourceExhausted);
        }
        let (message, rest) = rest.split_at_checked(length).ok_or(Code::Internal)?;
        let message = EchoRequest::decode(message).map_err(|_| Code::Internal)?;
        collected.count += 1;
        collected.payloads.extend(message.payload);
        body = rest;
    }
    Ok(collected)
}

/// One to eight digits and a unit.
fn timeout_of(value: &[u8]) -> Option<Duration> {
    let (unit, digits) = value.split_last()?;
    let digits = std::str::from_utf8(digits).ok()?;
    if digits.len() > 8 || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let amount: u64 = digits.parse().ok()?;
    let nanos: u64 = match unit {
        b'n' => 1,
        b'u' => 1_000,
        b'm' => 1_000_000,
        b'S' => 1_000_000_000,
        b'M' => 60_000_000_000,
        b'H' => 3_600_000_000_000,
        _ => return None,
    };
    let nanos = u128::from(amount) * u128::from(nanos);
    let seconds = u64::try_from(nanos / 1_000_000_000).ok()?;
    Some(Duration::new(
        seconds,
        u32::try_from(nanos % 1_000_000_000).ok()?,
    ))
}
