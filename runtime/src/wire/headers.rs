//! The headers that make an HTTP/2 message a gRPC one.

use http::{HeaderMap, HeaderName, HeaderValue};
use tonic::metadata::MetadataMap;

pub(crate) const GRPC: HeaderValue = HeaderValue::from_static("application/grpc");
pub(crate) const TRAILERS: HeaderValue = HeaderValue::from_static("trailers");
pub(crate) const USER_AGENT: HeaderValue =
    HeaderValue::from_static(concat!("apibase/", env!("CARGO_PKG_VERSION")));
pub(crate) const IDENTITY: HeaderValue = HeaderValue::from_static("identity");

pub(crate) const GRPC_ENCODING: HeaderName = HeaderName::from_static("grpc-encoding");
pub(crate) const GRPC_ACCEPT_ENCODING: HeaderName = HeaderName::from_static("grpc-accept-encoding");

/// What metadata may take in the headers or trailers of a call, in bytes: gRPC's own default.
///
/// Peers refuse a call with more than 8 to 16 KiB, and with much more they close the connection
/// under all other calls.
pub(crate) const MAX_METADATA: usize = 8 * 1024;

/// What `headers` take, as HTTP/2 counts it (RFC 9113, section 6.5.2).
pub(crate) fn size(headers: &HeaderMap) -> usize {
    headers
        .iter()
        .map(|(name, value)| name.as_str().len() + value.len() + 32)
        .sum()
}

/// What the pseudo-headers of a request take, as HTTP/2 counts it.
#[cfg(feature = "server")]
pub(crate) fn size_of_pseudo(head: &http::request::Parts) -> usize {
    let uri = &head.uri;
    let target = uri.path_and_query().map_or("", |target| target.as_str());
    let pseudo = [
        (":method", head.method.as_str()),
        (":scheme", uri.scheme_str().unwrap_or_default()),
        (
            ":authority",
            uri.authority().map_or("", |host| host.as_str()),
        ),
        (":path", target),
    ];
    let present = pseudo.iter().filter(|(_, value)| !value.is_empty());
    present
        .map(|(name, value)| name.len() + value.len() + 32)
        .sum()
}

/// Of the headers that are looked for in each request, which are there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Present {
    /// `grpc-timeout`
    pub(crate) timeout: bool,
    /// `grpc-encoding`
    pub(crate) encoding: bool,
    /// `x-correlation-id` or `x-request-id`
    pub(crate) correlation: bool,
    /// `traceparent`
    pub(crate) trace: bool,
}

impl Present {
    /// Which of them are there, and what all headers take, as HTTP/2 counts it: one look at each takes as
    /// long as two lookups, and most requests have none of these.
    pub(crate) fn among(headers: &HeaderMap) -> (Self, usize) {
        let (mut present, mut size) = (Self::default(), 0);
        for (name, value) in headers {
            let name = name.as_str();
            size += name.len() + value.len() + 32;
            match name {
                "grpc-timeout" => present.timeout = true,
                "grpc-encoding" => present.encoding = true,
                "x-correlation-id" | "x-request-id" => present.correlation = true,
                "traceparent" => present.trace = true,
                _ => {}
            }
        }
        (present, size)
    }
}

/// The metadata that a call has come with.
pub(crate) struct Incoming {
    pub(crate) metadata: MetadataMap,
    pub(crate) present: Present,
}

impl From<MetadataMap> for Incoming {
    fn from(metadata: MetadataMap) -> Self {
        let (present, _) = Present::among(metadata.as_ref());
        Self { metadata, present }
    }
}

/// A value that is another one each time: kept in HPACK's table, it would only push out what repeats.
/// `None` if it can't be a value.
pub(crate) fn unrepeated(value: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(value).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// Whether a content type is gRPC with protobuf: `application/grpc` or `application/grpc+proto`,
/// with or without parameters.
pub(crate) fn is_grpc(content_type: &HeaderValue) -> bool {
    let bytes = content_type.as_bytes();
    let end = bytes.iter().position(|b| *b == b';').unwrap_or(bytes.len());
    let (media_type, _) = bytes.split_at(end);
    let media_type = media_type.trim_ascii_end();
    media_type.eq_ignore_ascii_case(b"application/grpc")
        || media_type.eq_ignore_ascii_case(b"application/grpc+proto")
}

/// Names that are gRPC's or HTTP's own, so that no user's metadata can overwrite them.
pub(crate) fn is_reserved(name: &str) -> bool {
    name.starts_with("grpc-") || OWN.contains(&name) || OF_CONNECTIONS.contains(&name)
}

/// Those of HTTP say how a message is sent, and a wrong one has the peer reset it.
const OWN: [&str; 4] = ["content-type", "user-agent", "content-length", "host"];

/// Those that HTTP/2 has no place for (RFC 9113, section 8.2.2).
const OF_CONNECTIONS: [&str; 6] = [
    "te",
    "connection",
    "keep-alive",
    "proxy-connection",
    "transfer-encoding",
    "upgrade",
];

/// Takes away what belongs to a connection of HTTP/1: h2 refuses an answer with it.
pub(crate) fn strip_connection(headers: &mut HeaderMap) {
    for name in OF_CONNECTIONS {
        headers.remove(name);
    }
}

/// User's metadata as headers, without the protocol's own names.
///
/// `grpc-retry-pushback-ms` is the one `grpc-` name that a service sets itself (gRFC A6), and
/// `grpc-status-details-bin` was set by [`super::status::write`].
pub(crate) fn from_metadata(metadata: MetadataMap) -> HeaderMap {
    let mut headers = metadata.into_headers();
    // Most calls set none, and looking for each name takes a third of a small call's time.
    if headers.is_empty() {
        return headers;
    }
    strip_connection(&mut headers);
    for name in OWN {
        headers.remove(name);
    }
    for name in [
        "grpc-status",
        "grpc-message",
        "grpc-encoding",
        "grpc-accept-encoding",
        "grpc-timeout",
    ] {
        headers.remove(name);
    }
    headers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_grpc_with_protobuf_is_grpc() {
        for yes in [
            "application/grpc",
            "application/grpc+proto",
            "application/grpc; charset=utf-8",
            "Application/gRPC",
        ] {
            assert!(is_grpc(&HeaderValue::from_static(yes)), "{yes}");
        }
        for no in [
            "application/grpc+json",
            "application/grpc-web",
            "application/grpcx",
            "text/plain",
            "",
        ] {
            assert!(!is_grpc(&HeaderValue::from_static(no)), "{no}");
        }
    }
}
