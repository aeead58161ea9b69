//! Tokens of issuers that live as long as a test, and calls with them. Every key is made when it runs.

#![allow(
    dead_code,
    unused_imports,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "each test file uses a part of it, and a test fails by panicking"
)]

mod issuer;
mod signer;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use apibase::codegen::Service;
use apibase::{Code, Status, TowerService};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request};
use http_body_util::{BodyExt as _, Full};
use serde_json::{Value, json};
use tower_service::Service as _;

pub(crate) use self::issuer::Issuer;
pub(crate) use self::signer::{Signer, decode, encode};

/// The time of day where a test begins, in seconds since 1970.
pub(crate) const NOW: u64 = 1_800_000_000;

pub(crate) const ISSUER: &str = "https://id.example.com";
pub(crate) const AUDIENCE: &str = "vault";

/// A clock that a test turns.
#[derive(Clone, Default)]
pub(crate) struct Clock(Arc<AtomicU64>);

impl Clock {
    pub(crate) fn advance(&self, time: Duration) {
        self.0.fetch_add(time.as_secs(), Ordering::SeqCst);
    }

    pub(crate) fn read(&self) -> impl Fn() -> SystemTime + Send + Sync + 'static {
        let clock = Arc::clone(&self.0);
        move || UNIX_EPOCH + Duration::from_secs(NOW + clock.load(Ordering::SeqCst))
    }
}

/// Claims that are good for an hour.
pub(crate) fn claims() -> Value {
    json!({ "iss": ISSUER, "aud": AUDIENCE, "sub": "alice", "exp": NOW + 3600 })
}

/// Those with another value of this one; without it where that is null.
pub(crate) fn claims_with(name: &str, value: Value) -> Value {
    let mut claims = claims();
    let members = claims.as_object_mut().unwrap();
    match value {
        Value::Null => members.remove(name),
        value => members.insert(name.to_owned(), value),
    };
    claims
}

/// The value of `authorization` with this token.
pub(crate) fn bearer(token: &str) -> Vec<u8> {
    format!("Bearer {token}").into_bytes()
}

/// Calls `path` with these values of `authorization`, and gives what came of it.
pub(crate) async fn call<S: Service>(
    service: &TowerService<S>,
    path: &str,
    authorization: &[Vec<u8>],
) -> Status {
    call_within(service, path, authorization, None).await
}

/// The same, with this `grpc-timeout`.
pub(crate) async fn call_within<S: Service>(
    service: &TowerService<S>,
    path: &str,
    authorization: &[Vec<u8>],
    timeout: Option<&str>,
) -> Status {
    let body = Full::new(Bytes::from_static(&[0; 5]));
    let mut request = Request::post(path).header("content-type", "application/grpc");
    if let Some(timeout) = timeout {
        request = request.header("grpc-timeout", timeout);
    }
    for value in authorization {
        request = request.header("authorization", HeaderValue::from_bytes(value).unwrap());
    }
    let response = service.clone().call(request.body(body).unwrap()).await;
    let (head, body) = response.unwrap().into_parts();
    let body = body.collect().await.unwrap();
    let none = HeaderMap::new();
    let trailers = body.trailers().unwrap_or(&none);
    let status =
        Status::from_header_map(trailers).or_else(|| Status::from_header_map(&head.headers));
    status.unwrap_or_else(|| Status::new(Code::Unknown, "no status came"))
}
