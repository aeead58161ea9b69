//! Nothing secret is in any line: a call with secrets in all places where it can have any.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod common;
mod logged;

use std::time::Duration;

use apibase::{
    CallOptions, Code, Context, Credentials, DomainError, Interceptors, Logging, MetadataMap,
    Status,
};
use common::{Running, Scripted, ask, failing, frame, log_of_all, once, post, reply};
use logged::logged;
use tokio::time::sleep;
use tonic::metadata::BinaryMetadataValue;

/// What is planted everywhere.
const SECRET: &str = "hunter2";

/// `hunter2` in base64, as binary metadata has it.
const ENCODED: &str = "aHVudGVyM";

/// Fails with a secret in all that a status can have, or answers with one.
fn servicer() -> Scripted {
    let error = |code| {
        let mut metadata = MetadataMap::new();
        metadata.insert("x-said", SECRET.parse().unwrap());
        metadata.insert_bin(
            "x-said-bin",
            BinaryMetadataValue::from_bytes(SECRET.as_bytes()),
        );
        let details = SECRET.as_bytes().to_vec().into();
        let status = Status::with_details_and_metadata(code, SECRET, details, metadata);
        DomainError::from(status).with_source(SECRET)
    };
    Scripted::new()
        .on_echo(move |ctx, request| async move {
            ctx.response().set_header("set-cookie", SECRET).unwrap();
            ctx.response().set_trailer("x-own", SECRET).unwrap();
            match request.payload.get(SECRET.len()) {
                None => Ok(reply(1, SECRET)),
                Some(b'p') => panic!("{SECRET}"),
                Some(code) => Err(error(Code::from_i32(i32::from(*code)))),
            }
        })
        .on_count(move |_, _| async move { Ok(failing(1, error(Code::Unknown))) })
}

fn head(method: &str) -> http::request::Builder {
    let mut head = post(method);
    for name in [
        "authorization",
        "proxy-authorization",
        "cookie",
        "x-api-key",
        "x-custom",
        "x-key-bin",
        "user-agent",
        "x-correlation-id",
        "x-request-id",
        "traceparent",
        "tracestate",
        "baggage",
    ] {
        head = head.header(name, format!("Bearer {SECRET}={ENCODED}yMg=="));
    }
    head.header("x-tenant", "t-1")
}

async fn calls(logging: Logging, of_client: Logging) {
    let chain = Interceptors::none().with_logging(logging.with_metadata("x-tenant").unwrap());
    let running = Running::with(servicer(), |server| server.interceptors(chain)).await;
    let mut raw = running.raw().await;
    raw.call(head("Echo"), [frame(&ask(SECRET))]).await;
    for last in (1..=16).chain([b'p']) {
        let payload = [SECRET.as_bytes(), &[last]].concat();
        raw.call(head("Echo"), [frame(&ask(payload))]).await;
    }
    raw.call(head("Count"), [frame(&common::count(1))]).await;
    // No service has it, and no call it is.
    raw.call(head("Nothing"), [frame(&ask(SECRET))]).await;
    raw.call(head("Echo").header("grpc-timeout", SECRET), [])
        .await;

    // By our client.
    let clients = once()
        .interceptors(Interceptors::none().with_logging(of_client))
        .credentials(Credentials::token(SECRET).allow_plaintext());
    let client = common::EchoServiceClient::new(clients.connect(running.target()).await.unwrap());
    let options = CallOptions::new()
        .metadata("cookie", SECRET)
        .metadata("x-api-key", SECRET);
    let client = client.with(options);
    for payload in [SECRET.to_owned(), format!("{SECRET}\r")] {
        let _ = client.echo(&Context::background(), ask(payload)).await;
    }
}

#[tokio::test]
async fn no_line_has_a_secret() {
    let ((logging, lines), (of_client, clients)) = (logged(), logged());
    calls(logging, of_client).await;
    let text = lines.take(23).await;
    for line in text.iter().chain(&clients.take(2).await) {
        let line = line.to_string();
        assert!(!line.contains(SECRET) && !line.contains(ENCODED), "{line}");
    }
    let allowed = text
        .iter()
        .filter(|line| line["metadata"]["x-tenant"] == "t-1");
    assert_eq!(allowed.count(), 20);
}

#[tokio::test]
async fn no_event_has_a_secret() {
    let log = log_of_all();
    calls(Logging::tracing(), Logging::tracing()).await;
    sleep(Duration::from_millis(500)).await;
    let mut events = log.lines();
    events.retain(|line| line.contains(" apibase::access: "));
    assert_eq!(events.len(), 25, "{events:#?}");
    for event in events {
        assert!(
            !event.contains(SECRET) && !event.contains(ENCODED),
            "{event}"
        );
    }
}
