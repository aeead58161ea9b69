//! Three servers that call each other, a stream in the middle, and the client of the first: four processes
//! that export by OTLP, to a collector in this test and through that of OpenTelemetry. It is one trace.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod collector;
mod common;
mod peers;

use std::collections::BTreeMap;
use std::env;
use std::net::{Ipv4Addr, SocketAddr};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use apibase::{ClientFactory, Context, DomainError, Interceptors, Server, Streamed, Tracing};
use collector::collector;
use common::{EchoServiceClient, EchoServiceServer, Scripted, ask, reply, soon};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::ResourceSpans;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use peers::tool;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::{Child, Command};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::sleep;

/// What another process does, and whom it calls.
const ROLE: &str = "APIBASE_TEST_ROLE";
const NEXT: &str = "APIBASE_TEST_NEXT";

/// How many requests the stream in the middle has; for each, the third server is called.
const ITEMS: usize = 3;

/// One of the four, until it is told to end.
struct Process {
    process: Child,
    addr: String,
}

impl Process {
    /// Starts this binary again, as `role` that calls `next`; it exports to `collector`.
    async fn start(role: &str, next: &str, collector: SocketAddr) -> Self {
        let mut command = Command::new(env::current_exe().unwrap());
        command
            .args(["--exact", "the_other_process", "--ignored", "--nocapture"])
            .env(ROLE, role)
            .env(NEXT, next)
            .env("OTEL_SERVICE_NAME", role)
            .env("OTEL_EXPORTER_OTLP_ENDPOINT", format!("http://{collector}"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true);
        let mut process = command.spawn().unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let addr = loop {
            let line = soon(lines.next_line()).await.unwrap();
            if let Some((_, addr)) = line.expect("it is there").split_once("addr=") {
                break addr.trim().to_owned();
            }
        };
        // Nobody may keep it from saying more.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Self { process, addr }
    }

    /// Tells it to end, and waits until all that it has is exported.
    async fn end(mut self) {
        drop(self.process.stdin.take());
        assert!(soon(self.process.wait()).await.unwrap().success());
    }
}

async fn client(tracing: &Tracing, next: &str) -> EchoServiceClient {
    let chain = Interceptors::none().with_tracing(tracing.clone());
    let clients = ClientFactory::new().interceptors(chain);
    let channel = clients.connect(format!("http://{next}")).await;
    EchoServiceClient::new(channel.unwrap())
}

/// What the servers do: the first asks the second for a stream, which calls the third for each item.
async fn script(role: &str, tracing: &Tracing, next: &str) -> Scripted {
    let scripted = Scripted::new();
    match role {
        "first" => {
            let second = Arc::new(client(tracing, next).await);
            scripted.on_echo(move |ctx, _| {
                let second = Arc::clone(&second);
                async move {
                    let requests = stream::iter((0..ITEMS).map(|_| ask("")));
                    let replies = second.chat(&ctx, requests).await.unwrap();
                    let replies: Vec<_> = replies.try_collect().await.unwrap();
                    Ok(reply(replies.len() as u64, ""))
                }
            })
        }
        "second" => {
            let third = Arc::new(client(tracing, next).await);
            scripted.on_chat(move |ctx, requests| {
                let third = Arc::clone(&third);
                let replies = requests.then(move |_| {
                    let (third, ctx) = (Arc::clone(&third), ctx.clone());
                    async move {
                        third.ping(&ctx, ()).await.unwrap();
                        Ok::<_, DomainError>(reply(0, ""))
                    }
                });
                async { Ok(Streamed::new(replies)) }
            })
        }
        _ => scripted,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
#[ignore = "it is run by the others, in a process with variables of its own"]
async fn the_other_process() {
    let (Ok(role), Ok(next)) = (env::var(ROLE), env::var(NEXT)) else {
        return;
    };
    let (tracing, guard) = Tracing::from_env().unwrap();
    if role == "client" {
        let client = client(&tracing, &next).await;
        let answer = client.echo(&Context::background(), ask("")).await.unwrap();
        assert_eq!(answer.number, ITEMS as u64);
        println!("\naddr=none");
    } else {
        let scripted = script(&role, &tracing, &next).await;
        let server = Server::new()
            .host(Ipv4Addr::LOCALHOST)
            .port(0)
            .interceptors(Interceptors::none().with_tracing(tracing))
            .add_servicer(EchoServiceServer::new(scripted));
        let bound = server.bind().await.unwrap();
        println!("\naddr={}", bound.local_addr());
        let told = async {
            let mut input = BufReader::new(tokio::io::stdin()).lines();
            while let Ok(Some(_)) = input.next_line().await {}
        };
        bound.serve_until(told).await;
    }
    guard.shutdown().await;
}

/// One span, as the collector has it.
#[derive(Debug)]
struct Span {
    service: String,
    name: String,
    kind: SpanKind,
    trace: Vec<u8>,
    parent: Vec<u8>,
}

/// Has one call go through all of them, which export to `exported`, and takes what comes to `told`: by
/// their ids.
async fn spans(
    exported: SocketAddr,
    told: &mut UnboundedReceiver<ResourceSpans>,
) -> BTreeMap<Vec<u8>, Span> {
    let third = Process::start("third", "", exported).await;
    let second = Process::start("second", &third.addr, exported).await;
    let first = Process::start("first", &second.addr, exported).await;
    let client = Process::start("client", &first.addr, exported).await;
    for process in [client, first, second, third] {
        process.end().await;
    }
    let mut spans = BTreeMap::new();
    // The other collector may hold something back for a moment.
    while spans.len() < EXPECTED {
        let batch = soon(told.recv()).await.expect("the collector is there");
        add(batch, &mut spans);
    }
    sleep(Duration::from_millis(500)).await;
    while let Ok(batch) = told.try_recv() {
        add(batch, &mut spans);
    }
    spans
}

fn add(batch: ResourceSpans, spans: &mut BTreeMap<Vec<u8>, Span>) {
    let attributes = batch.resource.unwrap().attributes;
    let named = attributes.iter().find(|pair| pair.key == "service.name");
    let service = match named.unwrap().value.as_ref().unwrap().value.as_ref() {
        Some(Value::StringValue(service)) => service.clone(),
        other => panic!("{other:?}"),
    };
    for span in batch.scope_spans.into_iter().flat_map(|scope| scope.spans) {
        let kind = span.kind();
        let one = Span {
            service: service.clone(),
            name: span.name,
            kind,
            trace: span.trace_id,
            parent: span.parent_span_id,
        };
        assert!(spans.insert(span.span_id, one).is_none(), "it came twice");
    }
}

/// From the caller's span down to the last server's: who made it, and of what.
const WAY: [(&str, SpanKind, &str); 9] = [
    ("client", SpanKind::Client, "echo.EchoService/Echo"),
    ("client", SpanKind::Client, "attempt echo.EchoService/Echo"),
    ("first", SpanKind::Server, "echo.EchoService/Echo"),
    ("first", SpanKind::Client, "echo.EchoService/Chat"),
    ("first", SpanKind::Client, "attempt echo.EchoService/Chat"),
    ("second", SpanKind::Server, "echo.EchoService/Chat"),
    ("second", SpanKind::Client, "echo.EchoService/Ping"),
    ("second", SpanKind::Client, "attempt echo.EchoService/Ping"),
    ("third", SpanKind::Server, "echo.EchoService/Ping"),
];

/// The last three of them are there for each item.
const EXPECTED: usize = WAY.len() - 3 + 3 * ITEMS;

fn is_one_trace(spans: &BTreeMap<Vec<u8>, Span>) {
    assert_eq!(spans.len(), EXPECTED, "{spans:#?}");
    let mut traces: Vec<_> = spans.values().map(|span| &span.trace).collect();
    traces.dedup();
    assert_eq!(traces.len(), 1, "{spans:#?}");
    let last = |span: &&Span| (&*span.service, span.kind) == ("third", SpanKind::Server);
    let ends: Vec<_> = spans.values().filter(last).collect();
    assert_eq!(ends.len(), ITEMS, "{spans:#?}");
    for end in ends {
        let mut at = Some(end);
        for expected in WAY.iter().rev() {
            let span = at.unwrap_or_else(|| panic!("nothing above: {spans:#?}"));
            assert_eq!((&*span.service, span.kind, &*span.name), *expected);
            at = spans.get(&span.parent);
            assert!(at.is_some() || span.parent.is_empty(), "{span:?}");
        }
        assert!(at.is_none(), "{at:?} is above all");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_servers_and_their_client_export_one_trace() {
    let (addr, mut told) = collector().await;
    is_one_trace(&spans(addr, &mut told).await);
}

/// The collector of OpenTelemetry, which takes spans at this address and passes them on to that one.
async fn relay(to: SocketAddr) -> Option<(SocketAddr, Child, TempDir)> {
    let mut otelcol = tool("otelcol", "OTELCOL")?;
    // A port that was free a moment ago: it doesn't tell which one it has got.
    let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let addr = { free }.local_addr().unwrap();
    let config = format!(
        r#"
receivers:
  otlp:
    protocols:
      grpc:
        endpoint: "{addr}"
exporters:
  otlp:
    endpoint: "{to}"
    # What is in this test takes messages as they are.
    compression: none
    tls:
      insecure: true
service:
  telemetry:
    metrics:
      level: none
  pipelines:
    traces:
      receivers: [otlp]
      exporters: [otlp]
"#
    );
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("config.yaml");
    std::fs::write(&path, config).unwrap();
    let mut process = otelcol
        .arg("--config")
        .arg(&path)
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    soon(async {
        while TcpStream::connect(addr).await.is_err() {
            let ended = process.try_wait().unwrap();
            assert!(ended.is_none(), "otelcol has ended: {ended:?}");
            sleep(Duration::from_millis(50)).await;
        }
    })
    .await;
    Some((addr, process, folder))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_collector_of_opentelemetry_takes_the_trace_and_passes_it_on() {
    let (addr, mut told) = collector().await;
    let Some((relay, _process, _folder)) = relay(addr).await else {
        return;
    };
    is_one_trace(&spans(relay, &mut told).await);
}
