//! Metadata, as the runner writes it down.

use apibase::prost_types::Any;
use apibase::{Context, DomainError, MetadataMap, TypedMetadata};

use crate::connectrpc::conformance::v1::Header;
use crate::connectrpc::conformance::v1::conformance_payload::RequestInfo;

/// What came in: metadata, time left and messages.
pub(crate) fn observed(ctx: &Context, requests: Vec<Any>) -> RequestInfo {
    let remaining = ctx.remaining();
    RequestInfo {
        request_headers: headers(ctx.metadata()),
        timeout_ms: remaining.and_then(|left| i64::try_from(left.as_millis()).ok()),
        requests,
        connect_get_info: None,
    }
}

/// The headers and trailers that the runner wants back.
pub(crate) fn send(
    ctx: &Context,
    headers: &[Header],
    trailers: &[Header],
) -> Result<(), DomainError> {
    ctx.response().headers(|map| append(map, headers))?;
    ctx.response().trailers(|map| append(map, trailers))?;
    Ok(())
}

fn append(metadata: &mut MetadataMap, headers: &[Header]) -> Result<(), DomainError> {
    for header in headers {
        for value in &header.value {
            metadata.append_text(&header.name, value)?;
        }
    }
    Ok(())
}

/// All values of each name.
pub(crate) fn headers(metadata: &MetadataMap) -> Vec<Header> {
    let http = metadata.clone().into_headers();
    let header = |name: &str| Header {
        name: name.to_owned(),
        value: http
            .get_all(name)
            .iter()
            .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
            .collect(),
    };
    http.keys().map(|name| header(name.as_str())).collect()
}
