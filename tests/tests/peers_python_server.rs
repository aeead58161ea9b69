//! Our generated client and a server of Python's grpcio: the script is `tests/interop/echo_server.py`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking, its helpers too"
)]

mod common;
mod peers;

use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use apibase::{CallError, CallInfo, CallOptions, Code, Context, DomainError, FailureKind};
use common::{CountRequest, EchoRequest, EchoServiceClient, ask, count, soon};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use peers::python;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout};
use tokio::task::JoinSet;
use tokio::time::sleep;

/// A server of Python's, until it is dropped. Its standard input ends with this process, however that
/// ends.
struct Peer {
    client: EchoServiceClient,
    says: Lines<BufReader<ChildStdout>>,
    hears: ChildStdin,
    _process: Child,
}

impl Peer {
    async fn start(options: &[&str]) -> Option<Self> {
        let mut python = python("echo_server.py")?;
        let python = python.args(options).stdin(Stdio::piped());
        let mut process = python.stdout(Stdio::piped()).spawn().unwrap();
        let mut says = BufReader::new(process.stdout.take().unwrap()).lines();
        let port = soon(says.next_line()).await.unwrap();
        let port = port.expect("the server of Python has said why on stderr");
        let target = format!("http://127.0.0.1:{port}");
        Some(Self {
            client: soon(EchoServiceClient::connect(target)).await.unwrap(),
            says,
            hears: process.stdin.take().unwrap(),
            _process: process,
        })
    }

    /// What it says next.
    async fn line(&mut self) -> String {
        let line = soon(self.says.next_line()).await.unwrap();
        line.expect("the server of Python is there")
    }

    /// Tells it to do so and waits until it has.
    async fn tell(&mut self, command: &str) {
        let command = format!("{command}\n");
        self.hears.write_all(command.as_bytes()).await.unwrap();
        assert_eq!(self.line().await, "done");
    }
}

fn behaving(behaviour: &str) -> EchoRequest {
    EchoRequest {
        behaviour: behaviour.to_owned(),
        ..EchoRequest::default()
    }
}

#[tokio::test]
async fn python_answers_all_four_kinds() {
    let Some(peer) = Peer::start(&[]).await else {
        return;
    };
    let ctx = Context::background();
    // More than the windows take at once, in both directions.
    for size in [0, 16, 1 << 20] {
        let payload = vec![7; size];
        let reply = soon(peer.client.echo(&ctx, ask(payload.clone()))).await;
        assert!(reply.unwrap().payload == payload, "{size} bytes");
    }
    let replies = soon(peer.client.count(&ctx, count(1_000))).await.unwrap();
    let replies: Vec<_> = soon(replies.try_collect()).await.unwrap();
    let numbers: Vec<_> = replies.iter().map(|reply| reply.number).collect();
    assert_eq!(numbers, (0..1_000).collect::<Vec<_>>());

    let requests = (0..1_000).map(|number: u32| ask(number.to_string()));
    let sent: usize = requests.clone().map(|request| request.payload.len()).sum();
    let collected = peer.client.collect(&ctx, stream::iter(requests));
    let collected = soon(collected).await.unwrap();
    assert_eq!((collected.count, collected.payloads.len()), (1_000, sent));

    // Each request after the reply to the one before.
    let (sender, requests) = tokio::sync::mpsc::channel(1);
    let requests = tokio_stream::wrappers::ReceiverStream::new(requests);
    sender.send(ask("0")).await.unwrap();
    let mut replies = soon(peer.client.chat(&ctx, requests)).await.unwrap();
    for number in 0..50_u64 {
        let reply = soon(replies.message()).await.unwrap().unwrap();
        let expected = (number, number.to_string().into_bytes());
        assert_eq!((reply.number, reply.payload), expected);
        let next = ask((number + 1).to_string());
        sender.send(next).await.unwrap();
    }
    drop(sender);
    assert!(soon(replies.message()).await.unwrap().is_some());
    assert_eq!(soon(replies.message()).await.unwrap(), None);

    assert_eq!(soon(peer.client.ping(&ctx, ())).await.unwrap(), ());
}

#[tokio::test]
async fn metadata_goes_both_ways() {
    let Some(peer) = Peer::start(&[]).await else {
        return;
    };
    let info = CallInfo::new();
    let sent = apibase::prost_types::Duration {
        seconds: 3,
        nanos: 4,
    };
    let options = CallOptions::new()
        .metadata("x-tenant", "acme")
        .append_metadata("x-tenant", "globex")
        .metadata_message("x-delay-bin", &sent)
        .info(&info);
    let ctx = Context::background().with_correlation_id("correlation-1");
    let client = peer.client.with(options);
    let reply = soon(client.echo(&ctx, behaving("metadata"))).await.unwrap();
    let seen = String::from_utf8(reply.payload).unwrap();
    let mut seen: Vec<_> = seen.lines().collect();
    seen.sort_unstable();
    assert_eq!(
        seen,
        [
            "x-correlation-id='correlation-1'",
            r"x-delay-bin=b'\x08\x03\x10\x04'",
            "x-tenant='acme'",
            "x-tenant='globex'",
        ]
    );
    let headers = info.headers();
    let values = headers.get_all("x-header").iter();
    let values: Vec<_> = values.map(|value| value.to_str().unwrap()).collect();
    assert_eq!(values, ["h1", "h2"]);
    let binary = headers.get_bin("x-header-bin").unwrap().to_bytes();
    assert_eq!(&*binary.unwrap(), b"\x00\xff");
    let trailers = info.trailers();
    assert_eq!(trailers.get("x-trailer").unwrap(), "t");
    let binary = trailers.get_bin("x-trailer-bin").unwrap().to_bytes();
    assert_eq!(&*binary.unwrap(), b"\xfe\x01");
}

#[tokio::test]
async fn python_knows_the_deadline_and_we_hold_it() {
    let Some(mut peer) = Peer::start(&[]).await else {
        return;
    };
    let ctx = Context::background();
    let within = |time| peer.client.with(CallOptions::new().deadline(time));
    let long = within(Duration::from_secs(40));
    let reply = soon(long.echo(&ctx, behaving("remaining"))).await.unwrap();
    let remaining: u64 = String::from_utf8(reply.payload).unwrap().parse().unwrap();
    assert!((20_000..=40_000).contains(&remaining), "{remaining} ms");

    let short = within(Duration::from_secs(2));
    let late = soon(short.echo(&ctx, behaving("wait"))).await.unwrap_err();
    assert!(late.is_timeout(), "{late:?}");
    assert_eq!(late.failure().unwrap().kind(), FailureKind::Deadline);
    assert_eq!(peer.line().await, "waiting");
    assert_eq!(peer.line().await, "cancelled Echo");

    // The replies of a stream have the same deadline as its head.
    let requests = stream::iter([ask("a"), behaving("wait")]).chain(stream::pending());
    let mut replies = soon(short.chat(&ctx, requests)).await.unwrap();
    assert!(soon(replies.message()).await.unwrap().is_some());
    let late = soon(replies.message()).await.unwrap_err();
    assert_eq!(late.failure().unwrap().kind(), FailureKind::Deadline);
    assert_eq!(peer.line().await, "waiting");
    assert_eq!(peer.line().await, "cancelled Chat");
}

#[tokio::test]
async fn python_sees_that_a_call_was_dropped() {
    let Some(mut peer) = Peer::start(&[]).await else {
        return;
    };
    let ctx = Context::background();
    let client = peer.client.clone();
    tokio::select! {
        reply = client.echo(&ctx, behaving("wait")) => panic!("{reply:?}"),
        line = peer.line() => assert_eq!(line, "waiting"),
    }
    assert_eq!(peer.line().await, "cancelled Echo");

    let requests = stream::iter([ask("a"), behaving("wait")]).chain(stream::pending());
    tokio::select! {
        collected = client.collect(&ctx, requests) => panic!("{collected:?}"),
        line = peer.line() => assert_eq!(line, "waiting"),
    }
    assert_eq!(peer.line().await, "cancelled Collect");

    // Within a wait: grpcio may take a stream of requests that is cut off for one that has ended.
    let requests = stream::iter([ask("a"), behaving("wait")]).chain(stream::pending());
    let mut replies = soon(client.chat(&ctx, requests)).await.unwrap();
    soon(replies.message()).await.unwrap().unwrap();
    assert_eq!(peer.line().await, "waiting");
    drop(replies);
    assert_eq!(peer.line().await, "cancelled Chat");

    let mut replies = soon(client.count(&ctx, count(u64::from(u32::MAX))))
        .await
        .unwrap();
    soon(replies.message()).await.unwrap().unwrap();
    drop(replies);
    assert_eq!(peer.line().await, "cancelled Count");
    // The connection is as good as before.
    assert!(soon(client.echo(&ctx, ask("a"))).await.is_ok());
}

#[tokio::test]
async fn the_errors_of_all_services_come_from_python() {
    let Some(peer) = Peer::start(&[]).await else {
        return;
    };
    let ctx = Context::background();
    for (code, reason) in [
        ("INVALID_ARGUMENT", "VALIDATION"),
        ("NOT_FOUND", "NOT_FOUND"),
        ("UNAUTHENTICATED", "UNAUTHORIZED"),
        ("PERMISSION_DENIED", "FORBIDDEN"),
        ("ALREADY_EXISTS", "CONFLICT"),
        ("RESOURCE_EXHAUSTED", "RATE_LIMIT"),
        ("INTERNAL", "DATABASE"),
        ("DEADLINE_EXCEEDED", "TIMEOUT"),
    ] {
        let request = behaving(&format!("fail {code} {reason}"));
        let error = soon(peer.client.echo(&ctx, request)).await.unwrap_err();
        let CallError::Service(error) = error else {
            panic!("{reason}: {error:?}");
        };
        let is_it = match reason {
            "VALIDATION" => matches!(error, DomainError::Validation(_)),
            "NOT_FOUND" => matches!(error, DomainError::NotFound(_)),
            "UNAUTHORIZED" => matches!(error, DomainError::Unauthorized(_)),
            "FORBIDDEN" => matches!(error, DomainError::Forbidden(_)),
            "CONFLICT" => matches!(error, DomainError::Conflict(_)),
            "RATE_LIMIT" => matches!(error, DomainError::RateLimit(_)),
            "DATABASE" => matches!(error, DomainError::Database(_)),
            _ => matches!(error, DomainError::Timeout(_)),
        };
        assert!(is_it, "{reason}: {error:?}");
        assert!(error.to_string().contains(reason), "{reason}: {error}");
        if reason == "RATE_LIMIT" {
            let delay = error.fault().and_then(apibase::Fault::retry_delay);
            assert_eq!(delay, Some(Duration::from_millis(1500)));
        }
    }
    let request = CountRequest {
        count: 9,
        fail_after: Some(3),
        ..CountRequest::default()
    };
    let replies = soon(peer.client.count(&ctx, request)).await.unwrap();
    let replies: Vec<_> = soon(replies.collect()).await;
    assert_eq!(replies.len(), 4);
    let failed = replies.into_iter().next_back().unwrap().unwrap_err();
    assert!(matches!(
        failed,
        CallError::Service(DomainError::NotFound(_))
    ));
}

/// How many callers there are.
const CALLERS: u32 = 4;

/// How calls went.
#[derive(Clone, Copy, Debug, Default)]
struct Calls {
    went_well: u32,
    cancelled_by_python: u32,
}

/// Calls from several tasks while `meanwhile` runs.
async fn under_load(client: &EchoServiceClient, meanwhile: impl Future<Output = ()>) -> Calls {
    let over = Arc::new(AtomicBool::new(false));
    let mut tasks = JoinSet::new();
    for _ in 0..CALLERS {
        let (client, over) = (client.clone(), Arc::clone(&over));
        tasks.spawn(async move {
            let ctx = Context::background();
            let mut calls = Calls::default();
            while !over.load(Ordering::Relaxed) {
                match soon(client.echo(&ctx, ask("a"))).await {
                    Ok(_) => calls.went_well += 1,
                    Err(error) => {
                        let failure = error.failure().expect("no error of the service");
                        let kind = (failure.kind(), failure.status().code());
                        assert_eq!(kind, (FailureKind::Status, Code::Cancelled), "{failure}");
                        calls.cancelled_by_python += 1;
                    }
                }
            }
            calls
        });
    }
    meanwhile.await;
    over.store(true, Ordering::Relaxed);
    let mut all = Calls::default();
    while let Some(calls) = tasks.join_next().await {
        let calls = calls.unwrap();
        all.went_well += calls.went_well;
        all.cancelled_by_python += calls.cancelled_by_python;
    }
    all
}

#[tokio::test]
async fn rule_27_a_server_of_python_that_is_replaced_fails_only_calls_that_it_cancels() {
    const TIMES: u32 = 3;
    let Some(mut peer) = Peer::start(&[]).await else {
        return;
    };
    let client = peer.client.clone();
    let calls = under_load(&client, async {
        for _ in 0..TIMES {
            sleep(Duration::from_millis(300)).await;
            peer.tell("replace").await;
        }
    });
    let calls = calls.await;
    assert!(calls.went_well > 10, "{calls:?}");
    // Those that come after `stop` and before the GOAWAY: grpcio answers them, by a status of its own.
    assert!(calls.cancelled_by_python <= TIMES * CALLERS, "{calls:?}");
}

#[tokio::test]
async fn rule_27_connections_of_python_that_get_old_fail_no_call() {
    let options = [
        "grpc.max_connection_age_ms=200",
        "grpc.max_connection_age_grace_ms=10000",
    ];
    let Some(peer) = Peer::start(&options).await else {
        return;
    };
    let calls = under_load(&peer.client, sleep(Duration::from_secs(3))).await;
    assert!(calls.went_well > 10, "{calls:?}");
    assert_eq!(calls.cancelled_by_python, 0);
}

#[tokio::test]
async fn a_call_in_flight_outlives_a_goaway_of_python() {
    let Some(mut peer) = Peer::start(&[]).await else {
        return;
    };
    let ctx = Context::background();
    let (sender, requests) = tokio::sync::mpsc::channel(1);
    let requests = tokio_stream::wrappers::ReceiverStream::new(requests);
    sender.send(ask("0")).await.unwrap();
    let mut replies = soon(peer.client.chat(&ctx, requests)).await.unwrap();
    soon(replies.message()).await.unwrap().unwrap();
    let client = peer.client.clone();
    let replaced = peer.tell("replace");
    let chatting = async {
        sleep(Duration::from_millis(500)).await;
        for _ in 0..3 {
            sender.send(ask("more")).await.unwrap();
            soon(replies.message()).await.unwrap().unwrap();
            // Others go to the new server, while this one holds the old.
            soon(client.echo(&ctx, ask("a"))).await.unwrap();
        }
        drop(sender);
        assert_eq!(soon(replies.message()).await.unwrap(), None);
    };
    tokio::join!(replaced, chatting);
}
