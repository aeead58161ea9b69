//! One line for each call: what is in it, at which level, and what has none.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod common;
mod logged;

use std::time::Duration;

use apibase::testing::{Fault, Faults, InProcess};
use apibase::{
    Answer, CallOptions, ClientFactory, Code, Context, DomainError, InterceptedCall, Interceptor,
    Interceptors, Logging, Next, RateLimit, RetryPolicy, Status,
};
use common::{
    EchoServiceClient, EchoServiceServer, Running, Scripted, ask, count, failing, frame,
    log_of_all, once, post, post_to, reply,
};
use futures_util::StreamExt;
use http::Request;
use logged::{Lines, logged};
use proptest::prelude::*;
use serde_json::Value;
use tokio::time::sleep;

const ECHO: &str = "/echo.EchoService/Echo";

/// Codes, and the level of a call that ends so.
const LEVELS: [(Code, &str); 17] = [
    (Code::Ok, "INFO"),
    (Code::Cancelled, "INFO"),
    (Code::Unknown, "ERROR"),
    (Code::InvalidArgument, "INFO"),
    (Code::DeadlineExceeded, "WARN"),
    (Code::NotFound, "INFO"),
    (Code::AlreadyExists, "INFO"),
    (Code::PermissionDenied, "WARN"),
    (Code::ResourceExhausted, "WARN"),
    (Code::FailedPrecondition, "INFO"),
    (Code::Aborted, "INFO"),
    (Code::OutOfRange, "INFO"),
    (Code::Unimplemented, "WARN"),
    (Code::Internal, "ERROR"),
    (Code::Unavailable, "WARN"),
    (Code::DataLoss, "ERROR"),
    (Code::Unauthenticated, "WARN"),
];

/// As lines have it: `NOT_FOUND`.
fn name(code: Code) -> String {
    let debug = format!("{code:?}");
    let mut name = String::new();
    for (at, letter) in debug.char_indices() {
        if at > 0 && letter.is_uppercase() {
            name.push('_');
        }
        name.push(letter.to_ascii_uppercase());
    }
    name
}

fn with(logging: Logging) -> Interceptors {
    Interceptors::none().with_logging(logging)
}

/// A client over a service in this process, each with a log.
fn both(
    scripted: Scripted,
    server: Logging,
    client: Logging,
) -> EchoServiceClient<impl apibase::Transport> {
    let served = InProcess::behind(with(server), EchoServiceServer::new(scripted)).unwrap();
    EchoServiceClient::new(
        once()
            .interceptors(with(client))
            .over("http://echo:1", served),
    )
}

fn ending(code: Code) -> Scripted {
    let result = move || match code {
        Code::Ok => Ok(()),
        code => Err(DomainError::from(Status::new(code, "it fails"))),
    };
    Scripted::new()
        .on_echo(move |_, _| async move { result().map(|()| reply(1, "")) })
        .on_count(move |_, _| async move {
            Ok(match result() {
                Ok(()) => apibase::Streamed::from_iter([Ok(reply(1, ""))]),
                Err(error) => failing(1, error),
            })
        })
}

fn keys(line: &Value) -> Vec<&str> {
    let mut keys: Vec<_> = line
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    keys.sort_unstable();
    keys
}

#[tokio::test]
async fn a_call_is_one_line_that_begins_with_the_fields_of_the_usage_guide() {
    let (logging, lines) = logged();
    let running = Running::with(Scripted::new(), |server| server.interceptors(with(logging))).await;
    let ctx = Context::background().with_correlation_id("abc-123");
    let options = CallOptions::new().deadline(Duration::from_secs(20));
    let client = running.client().await.with(options);
    client.echo(&ctx, ask("hunter2")).await.unwrap();
    while lines.text().is_empty() {
        sleep(Duration::from_millis(1)).await;
    }
    let text = lines.text();
    let start = format!(
        "{{\"event\":\"grpc_request_completed\",\"method\":\"{ECHO}\",\
         \"correlation_id\":\"abc-123\",\"duration_ms\":"
    );
    assert!(text.starts_with(&start), "{text}");
    let (duration, rest) = text[start.len()..].split_once(',').unwrap();
    assert!(
        duration.contains('.') && duration.parse::<f64>().unwrap() > 0.0,
        "{duration}"
    );
    assert!(
        rest.starts_with("\"status\":\"OK\",\"timestamp\":\"20"),
        "{rest}"
    );
    assert!(!text.contains("hunter2"));
    let line = lines.one().await;
    let expected = [
        "correlation_id",
        "deadline_ms",
        "duration_ms",
        "event",
        "level",
        "method",
        "peer",
        "side",
        "status",
        "timestamp",
    ];
    assert_eq!(keys(&line), expected);
    assert_eq!(
        (&line["level"], &line["side"]),
        (&"INFO".into(), &"server".into())
    );
    let deadline = line["deadline_ms"].as_u64().unwrap();
    assert!((15_000..=20_000).contains(&deadline), "{deadline}");
    let peer: std::net::SocketAddr = line["peer"].as_str().unwrap().parse().unwrap();
    assert!(peer.ip().is_loopback());
}

#[tokio::test(start_paused = true)]
async fn expected_errors_are_no_errors() {
    for (code, level) in LEVELS {
        let ((server, of_server), (client, of_client)) = (logged(), logged());
        let client = both(ending(code), server, client);
        let ctx = Context::background();
        let _ = client.echo(&ctx, ask("")).await;
        client
            .count(&ctx, count(1))
            .await
            .unwrap()
            .collect::<Vec<_>>()
            .await;
        for lines in [of_server, of_client] {
            for line in lines.take(2).await {
                assert_eq!(line["status"], name(code));
                assert_eq!(line["level"], level, "{code:?}");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_clients_line_has_its_target_and_is_one_however_often_the_call_is_sent() {
    let (logging, lines) = logged();
    let faults = Faults::new(InProcess::new(EchoServiceServer::new(Scripted::new())));
    faults
        .next(Fault::code(Code::Unavailable))
        .next(Fault::code(Code::Unavailable));
    let clients = ClientFactory::new().interceptors(with(logging));
    let retried = CallOptions::new().retry(RetryPolicy::up_to(3));
    let client = EchoServiceClient::new(clients.over("http://echo:1", faults)).with(retried);
    client.echo(&Context::background(), ask("")).await.unwrap();
    let line = lines.one().await;
    assert_eq!(
        (&line["side"], &line["status"]),
        (&"client".into(), &"OK".into())
    );
    assert_eq!(
        (&line["target"], &line["method"]),
        (&"http://echo:1".into(), &ECHO.into())
    );
    assert_eq!(line["deadline_ms"], 30_000);
    assert!(line.get("peer").is_none());
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_dropped_is_cancelled() {
    let ((server, of_server), (client, of_client)) = (logged(), logged());
    let endless = Scripted::new().on_count(|_, _| async {
        let first = futures_util::stream::iter([Ok(reply(1, ""))]);
        Ok(apibase::Streamed::new(
            first.chain(futures_util::stream::pending()),
        ))
    });
    let client = both(endless, server, client);
    let replies = client
        .count(&Context::background(), count(2))
        .await
        .unwrap();
    sleep(Duration::from_millis(1500)).await;
    drop(replies);
    for line in [of_server.one().await, of_client.one().await] {
        assert_eq!(line["status"], "CANCELLED");
        // Until the body was dropped, and not until the head was there.
        assert!(line["duration_ms"].as_f64().unwrap() >= 1500.0, "{line}");
    }
}

#[tokio::test]
async fn health_checks_have_no_line_unless_it_is_asked_for() {
    const HEALTH: &str = "/grpc.health.v1.Health/Check";
    for all in [false, true] {
        let (logging, lines) = logged();
        let logging = if all {
            logging.with_health_checks()
        } else {
            logging
        };
        let chain = with(logging);
        let running = Running::with(Scripted::new(), |server| server.interceptors(chain)).await;
        let mut raw = running.raw().await;
        let answer = raw.call(post_to(HEALTH), [frame(&())]).await;
        assert_eq!(answer.code(), Code::Ok);
        raw.lives().await;
        let methods: Vec<_> = lines.take(if all { 2 } else { 1 }).await;
        assert_eq!(methods.last().unwrap()["method"], ECHO);
        assert_eq!(methods[0]["method"], if all { HEALTH } else { ECHO });
    }
}

#[tokio::test]
async fn a_request_that_is_no_call_has_a_line_that_says_why() {
    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
    let (logging, lines) = logged();
    let running = Running::with(Scripted::new(), |server| server.interceptors(with(logging))).await;
    let mut raw = running.raw().await;
    let get = Request::get("http://localhost/index.html?token=hunter2");
    let text =
        Request::post(format!("http://localhost{ECHO}")).header("content-type", "text/plain");
    let large = post("Echo").header("x-large", "v".repeat(20 * 1024));
    for (head, method, reason, status) in [
        (get, "/index.html", "NOT_POST", "UNKNOWN"),
        (text, ECHO, "CONTENT_TYPE", "UNKNOWN"),
        (
            post("Echo").header("grpc-timeout", "0m"),
            ECHO,
            "DEADLINE_SPENT",
            "DEADLINE_EXCEEDED",
        ),
        (
            post("Echo").header("grpc-timeout", "soon"),
            ECHO,
            "TIMEOUT_MALFORMED",
            "INTERNAL",
        ),
        (
            post("Echo").header("grpc-encoding", "snappy"),
            ECHO,
            "ENCODING",
            "UNIMPLEMENTED",
        ),
        (large, ECHO, "METADATA_TOO_LARGE", "RESOURCE_EXHAUSTED"),
    ] {
        let head = head
            .header("x-correlation-id", "c-1")
            .header("traceparent", format!("00-{TRACE}-00f067aa0ba902b7-01"));
        raw.call(head, []).await;
        let line = lines.one().await;
        // What isn't gRPC, or is too large, isn't read any further.
        let is_read = ["DEADLINE_SPENT", "TIMEOUT_MALFORMED", "ENCODING"].contains(&reason);
        let ids = match is_read {
            true => (Value::from("c-1"), Some(&Value::from(TRACE))),
            false => (Value::Null, None),
        };
        assert_eq!((line["correlation_id"].clone(), line.get("trace_id")), ids);
        assert_eq!(line["event"], "grpc_request_refused", "{line}");
        assert_eq!(
            (&line["method"], &line["refusal"]),
            (&method.into(), &reason.into())
        );
        assert_eq!(
            (&line["status"], &line["level"]),
            (&status.into(), &"WARN".into())
        );
        assert!(
            line["peer"].as_str().unwrap().starts_with("127.0.0.1:"),
            "{line}"
        );
        assert!(!line.to_string().contains("hunter2"), "{line}");
    }
}

#[tokio::test]
async fn a_call_that_finds_no_place_has_a_line_with_its_id() {
    let (logging, lines) = logged();
    let running = Running::with(Scripted::new(), |server| {
        server
            .interceptors(with(logging))
            .max_concurrent_rpcs_of(ECHO, 0)
    });
    let mut raw = running.await.raw().await;
    raw.call(
        post("Echo").header("x-correlation-id", "c-1"),
        [frame(&ask(""))],
    )
    .await;
    let line = lines.one().await;
    assert_eq!(
        (&line["event"], &line["refusal"]),
        (&"grpc_request_refused".into(), &"OVERLOADED".into())
    );
    assert_eq!(
        (&line["method"], &line["correlation_id"]),
        (&ECHO.into(), &"c-1".into())
    );
    assert!(
        line["peer"].as_str().unwrap().starts_with("127.0.0.1:"),
        "{line}"
    );
}

#[tokio::test]
async fn a_method_that_no_service_has_is_other_and_its_path_is_beside() {
    let (logging, lines) = logged();
    let running = Running::with(Scripted::new(), |server| server.interceptors(with(logging))).await;
    let mut raw = running.raw().await;
    let long = format!("/no.Such/{}", "x".repeat(1000));
    for path in ["/no.Such/Method", &long] {
        let answer = raw.call(post_to(path), [frame(&())]).await;
        assert_eq!(answer.code(), Code::Unimplemented);
        let line = lines.one().await;
        assert_eq!(
            (&line["event"], &line["method"]),
            (&"grpc_request_completed".into(), &"/_OTHER/_OTHER".into())
        );
        assert_eq!(line["path"], path[..path.len().min(256)]);
        assert_eq!(
            (&line["level"], &line["refusal"]),
            (&"WARN".into(), &"UNKNOWN_METHOD".into())
        );
        let told = answer.headers.get("x-correlation-id").unwrap();
        assert_eq!(line["correlation_id"], told.to_str().unwrap());
    }
}

#[tokio::test]
async fn a_call_beyond_its_rate_says_so() {
    let (logging, lines) = logged();
    let hourly = RateLimit::new(1, Duration::from_secs(3600));
    let running = Running::with(Scripted::new(), |server| {
        server
            .interceptors(with(logging))
            .rate_limit_of(ECHO, hourly)
    });
    let mut raw = running.await.raw().await;
    raw.lives().await;
    let answer = raw.call(post("Echo"), [frame(&ask(""))]).await;
    let [first, second] = &lines.take(2).await[..] else {
        panic!("two lines were taken");
    };
    assert!(first.get("refusal").is_none());
    assert_eq!(
        (&second["status"], &second["refusal"]),
        (&"RESOURCE_EXHAUSTED".into(), &"RATE_LIMITED".into())
    );
    let told = answer.headers.get("x-correlation-id").unwrap();
    assert_eq!(second["correlation_id"], told.to_str().unwrap());
}

#[tokio::test(start_paused = true)]
async fn only_failures_have_lines_where_that_is_asked_for_and_ids_are_as_without() {
    let ((server, of_server), (client, of_client)) = (logged(), logged());
    let scripted = Scripted::new().on_echo(|ctx, request| async move {
        assert!(ctx.correlation_id().is_some());
        match &request.payload[..] {
            b"" => Ok(reply(1, "")),
            _ => Err(DomainError::from(Status::data_loss(""))),
        }
    });
    let client = both(scripted, server.failures_only(), client.failures_only());
    let ctx = Context::background();
    client.echo(&ctx, ask("")).await.unwrap();
    client.echo(&ctx, ask("fail")).await.unwrap_err();
    assert_eq!(of_server.one().await["status"], "DATA_LOSS");
    assert_eq!(of_client.one().await["status"], "DATA_LOSS");
}

#[tokio::test(start_paused = true)]
async fn the_trace_is_that_of_the_caller() {
    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
    let ((server, of_server), (client, _of_client)) = (logged(), logged());
    let client = both(Scripted::new(), server, client);
    let parent = format!("00-{TRACE}-00f067aa0ba902b7-01");
    let options = CallOptions::new().metadata("traceparent", parent);
    client
        .with(options)
        .echo(&Context::background(), ask(""))
        .await
        .unwrap();
    assert_eq!(of_server.one().await["trace_id"], TRACE);
}

/// Answers no call that it sees.
struct Barrier;

impl Interceptor for Barrier {
    async fn intercept(&self, _: InterceptedCall, _: Next<'_>) -> Result<Answer, Status> {
        Err(Status::permission_denied("no"))
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_not_sent_has_one_line_wherever_the_log_stands() {
    let served = || InProcess::new(EchoServiceServer::new(Scripted::new()));
    for is_behind in [false, true] {
        let (logging, lines) = logged();
        let chain = match is_behind {
            false => with(logging),
            true => Interceptors::none().with(Barrier).with_logging(logging),
        };
        let clients = once().interceptors(chain);
        let client = EchoServiceClient::new(clients.over("http://echo:1", served()));
        let late = Context::background().with_timeout(Duration::ZERO);
        client.echo(&late, ask("")).await.unwrap_err();
        let line = lines.one().await;
        assert_eq!(
            (&line["event"], &line["status"], &line["target"]),
            (
                &"grpc_request_completed".into(),
                &"DEADLINE_EXCEEDED".into(),
                &"http://echo:1".into()
            )
        );
        assert_eq!(line["correlation_id"].as_str().unwrap().len(), 32);

        let wrong = CallOptions::new()
            .metadata("x-correlation-id", "mine")
            .metadata("not a name", "x");
        client
            .with(wrong)
            .echo(&Context::background(), ask(""))
            .await
            .unwrap_err();
        let line = lines.one().await;
        assert_eq!(
            (&line["status"], &line["correlation_id"]),
            (&"INTERNAL".into(), &"mine".into())
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_file_is_added_to() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("access.log");
    for calls in 1..=2 {
        let logging = Logging::file(&path).unwrap();
        let client = both(
            Scripted::new(),
            logging.clone(),
            Logging::to(std::io::sink()),
        );
        client.echo(&Context::background(), ask("")).await.unwrap();
        drop(client);
        sleep(Duration::from_secs(1)).await;
        // The last to go waits until all is written.
        drop(logging);
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(text.lines().count(), calls, "{text}");
    }
    // What rotates it copies and truncates it: the next line is the first one.
    let logging = Logging::file(&path).unwrap();
    let client = both(
        Scripted::new(),
        logging.clone(),
        Logging::to(std::io::sink()),
    );
    for _ in 0..2 {
        std::fs::File::create(&path).unwrap();
        client.echo(&Context::background(), ask("")).await.unwrap();
        sleep(Duration::from_secs(1)).await;
        assert!(logging.flush(Duration::from_secs(30)));
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(
            text.starts_with('{') && text.lines().count() == 1,
            "{text:?}"
        );
    }
    let nowhere = folder.path().join("none").join("access.log");
    let error = Logging::file(&nowhere).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::NotFound);
    let named = format!("the log `{}` can't be opened: ", nowhere.display());
    assert!(error.to_string().starts_with(&named), "{error}");
}

#[test]
fn metadata_that_may_be_secret_is_refused_with_the_reason() {
    for (name, why) in [
        ("authorization", "secret"),
        ("Proxy-Authorization", "secret"),
        ("cookie", "secret"),
        ("set-cookie", "secret"),
        ("x-api-key", "secret"),
        ("x-session-token", "secret"),
        ("x-trace-bin", "binary"),
        ("not a name", "no key for text"),
        ("", "no key for text"),
    ] {
        let error = Logging::to(std::io::sink())
            .with_metadata(name)
            .unwrap_err();
        let said = error.to_string();
        assert!(said.contains(why) && said.contains(name), "{said}");
    }
}

#[tokio::test(flavor = "current_thread")]
async fn as_events_of_tracing_calls_have_the_same_fields() {
    let log = log_of_all();
    let logging = Logging::tracing().with_metadata("x-tenant").unwrap();
    let chain = with(logging.clone());
    let running = Running::with(
        Scripted::new().on_echo(|_, request| async move {
            match &request.payload[..] {
                b"" => Ok(reply(1, "")),
                b"gone" => Err(DomainError::not_found("it")),
                _ => Err(DomainError::database("hunter2")),
            }
        }),
        |server| server.interceptors(chain),
    );
    let running = running.await;
    let mut raw = running.raw().await;
    for payload in ["", "gone", "broken"] {
        let head = post("Echo")
            .header("x-correlation-id", "c-7")
            .header("x-tenant", "t-1");
        raw.call(head, [frame(&ask(payload))]).await;
    }
    raw.call(Request::get("http://localhost/"), []).await;
    let started = std::time::Instant::now();
    let events = loop {
        let mut events = log.lines();
        events.retain(|line| line.contains(" apibase::access: "));
        if events.len() == 4 || started.elapsed() > Duration::from_secs(30) {
            break events;
        }
        sleep(Duration::from_millis(5)).await;
    };
    let expected = [
        ("INFO", "OK"),
        ("INFO", "NOT_FOUND"),
        ("ERROR", "INTERNAL"),
        ("WARN", "UNKNOWN"),
    ];
    assert_eq!(events.len(), 4, "{events:?}");
    for (event, (level, status)) in events.iter().zip(expected) {
        assert!(event.contains(&format!(" {level} ")), "{event}");
        assert!(event.contains(&format!("status=\"{status}\"")), "{event}");
        assert!(
            event.contains("side=\"server\" peer=\"127.0.0.1:")
                || event.contains("peer=\"127.0.0.1:"),
            "{event}"
        );
        assert!(!event.contains("hunter2"), "{event}");
    }
    for event in &events[..3] {
        assert!(
            event.contains("event=\"grpc_request_completed\""),
            "{event}"
        );
        assert!(event.contains(&format!("method=\"{ECHO}\"")), "{event}");
        assert!(
            event.contains("correlation_id=\"c-7\"") && event.contains("duration_ms="),
            "{event}"
        );
        assert!(
            event.contains(r#"metadata="{\"x-tenant\":\"t-1\"}""#),
            "{event}"
        );
    }
    assert!(events[3].contains("refusal=\"NOT_POST\""), "{}", events[3]);
    assert_eq!(logging.dropped(), 0);
}

/// What a call of the property below is.
#[derive(Clone, Debug)]
struct Case {
    streams: bool,
    code: Code,
    /// An interceptor behind Logging refuses it.
    refused: bool,
    id: Option<String>,
    tenant: Vec<u8>,
}

fn cases() -> impl Strategy<Value = Case> {
    let codes = prop::sample::select(LEVELS.map(|(code, _)| code).to_vec());
    let id = prop::option::of(prop_oneof![
        "[A-Za-z0-9._-]{1,128}",
        "[A-Za-z0-9._-]{129,140}",
        "[ -~]{0,20}",
    ]);
    // What HTTP lets a value have.
    let tenant = prop::collection::vec(
        prop_oneof![Just(b'\t'), b' '..=b'~', 0x80..=0xff_u8],
        0..300,
    );
    (any::<bool>(), codes, prop::bool::weighted(0.2), id, tenant).prop_map(
        |(streams, code, refused, id, tenant)| Case {
            streams,
            code,
            refused,
            id,
            tenant,
        },
    )
}

struct Refuses(bool);

impl Interceptor for Refuses {
    async fn intercept(&self, call: InterceptedCall, next: Next<'_>) -> Result<Answer, Status> {
        match self.0 {
            true => Err(Status::permission_denied("hunter2")),
            false => next.run(call).await,
        }
    }
}

async fn run(case: &Case, server: Logging, client: Logging) {
    let chain = with(server.with_metadata("x-tenant").unwrap()).with(Refuses(case.refused));
    let served = InProcess::behind(chain, EchoServiceServer::new(ending(case.code))).unwrap();
    let clients = once().interceptors(with(client).with(Sends(case.clone())));
    let client = EchoServiceClient::new(clients.over("http://echo:1", served));
    let ctx = Context::background();
    if case.streams {
        if let Ok(replies) = client.count(&ctx, count(1)).await {
            replies.collect::<Vec<_>>().await;
        }
    } else {
        let _ = client.echo(&ctx, ask("hunter2")).await;
    }
}

/// Sends the metadata of a case.
struct Sends(Case);

impl Interceptor for Sends {
    async fn intercept(&self, mut call: InterceptedCall, next: Next<'_>) -> Result<Answer, Status> {
        let metadata = std::mem::take(call.outgoing_mut().unwrap());
        let mut headers = metadata.into_headers();
        let tenant = http::HeaderValue::from_bytes(&self.0.tenant).unwrap();
        headers.insert("x-tenant", tenant);
        headers.insert("x-password", "hunter2".parse().unwrap());
        if let Some(id) = &self.0.id {
            headers.insert("x-correlation-id", id.parse().unwrap());
        }
        *call.outgoing_mut().unwrap() = apibase::MetadataMap::from_headers(headers);
        next.run(call).await
    }
}

/// What a line has of a metadata value.
fn kept(value: &[u8]) -> String {
    let text = String::from_utf8_lossy(value);
    if value.len() <= 256 {
        return text.into_owned();
    }
    String::from_utf8_lossy(&value[..256]).into_owned()
}

fn is_valid(id: &str) -> bool {
    (1..=128).contains(&id.len())
        && id
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
}

fn check(case: &Case, of_server: &Value, of_client: &Value) -> Result<(), TestCaseError> {
    let code = if case.refused {
        Code::PermissionDenied
    } else {
        case.code
    };
    let level = LEVELS.iter().find(|(known, _)| *known == code).unwrap().1;
    for line in [of_server, of_client] {
        prop_assert_eq!(&line["status"], &name(code));
        prop_assert_eq!(&line["level"], level);
        prop_assert!(!line.to_string().contains("hunter2"));
    }
    let id = of_server["correlation_id"].as_str().unwrap();
    match case.id.as_deref().filter(|id| is_valid(id)) {
        Some(own) => prop_assert_eq!(id, own),
        // It was not sent by who has written that line.
        None if case.id.is_some() => prop_assert!(id.len() == 32 && is_valid(id)),
        None => prop_assert_eq!(&of_client["correlation_id"], id),
    }
    let tenant = of_server["metadata"]["x-tenant"].as_str().unwrap();
    let sent = kept(&case.tenant);
    prop_assert!(
        tenant == sent
            || case.tenant.len() > 256 && sent.starts_with(tenant.trim_end_matches('\u{fffd}')),
        "{tenant:?} of {sent:?}"
    );
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn each_call_is_one_line_at_each_end_that_says_how_it_went(case in cases()) {
        let ((server, of_server), (client, of_client)) = (logged(), logged());
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        let (of_server, of_client): (Value, Value) = runtime.block_on(async {
            run(&case, server, client).await;
            (of_server.one().await, of_client.one().await)
        });
        check(&case, &of_server, &of_client)?;
    }
}

#[tokio::test(start_paused = true)]
async fn where_there_is_no_call_there_is_no_line() {
    let (logging, lines): (Logging, Lines) = logged();
    let _client = both(Scripted::new(), logging.clone(), logging);
    sleep(Duration::from_secs(1)).await;
    assert_eq!(lines.all().len(), 0);
}
