//! Spans leave the process by OTLP, as the environment says; and a collector that is gone costs nothing.
//!
//! The environment is the process's, so each case is this binary again, with variables of its own.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod authority;
mod collector;
mod common;
mod spans;

use std::net::{Ipv4Addr, SocketAddr};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use apibase::{ClientFactory, Context, Interceptors, Tracing};
use authority::Authority;
use collector::{collector, collector_at, collector_of_gzip};
use common::{EchoServiceClient, Scripted, ask, count};
use futures_util::StreamExt;
use opentelemetry::trace::{Tracer, TracerProvider};
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_sdk::trace::SdkTracer;
use spans::served;
use tokio::net::TcpListener;
use tonic::transport::{Certificate, Identity, Server, ServerTlsConfig};
use tracing_subscriber::filter::LevelFilter;

/// What the other process does.
const ROLE: &str = "APIBASE_TEST_ROLE";
const CALLS: u32 = 200;

/// Runs this binary's test `the_other_process` as this role.
async fn other(role: &'static str, variables: Vec<(&'static str, String)>) -> Output {
    let run = move || {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "the_other_process", "--ignored", "--nocapture"]);
        command.env(ROLE, role).envs(variables);
        command.output().unwrap()
    };
    let ran = tokio::task::spawn_blocking(run);
    let output = common::soon(ran).await.unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let cause = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}\n{cause}");
    output
}

/// The figure that it has said of this.
fn said(output: &Output, what: &str) -> Duration {
    Duration::from_micros(figure(output, what))
}

fn figure(output: &Output, what: &str) -> u64 {
    let said = String::from_utf8_lossy(&output.stdout);
    let line = said
        .lines()
        .find_map(|line| line.split_once(&format!("{what}=")));
    let figure = line.unwrap_or_else(|| panic!("no {what}: {said}")).1;
    figure.trim().parse().unwrap()
}

/// How many spans its log says were lost for this.
fn told_lost(output: &Output, why: &str) -> u64 {
    let said = String::from_utf8_lossy(&output.stdout);
    let lines = said.lines().filter(|line| line.contains(why));
    let counts = lines.map(|line| {
        let (_, count) = line.split_once("lost=").unwrap();
        let (count, _) = count.split_once(' ').unwrap_or((count, ""));
        count.parse::<u64>().unwrap()
    });
    counts.sum()
}

/// Makes calls in this process, each with a span at both sides, and says how long the slowest took.
async fn call(tracing: Tracing) {
    let chain = Interceptors::none().with_tracing(tracing);
    let served = served(chain.clone(), Scripted::new());
    let clients = ClientFactory::new().interceptors(chain);
    let client = EchoServiceClient::new(clients.over("echo", served));
    let ctx = Context::background();
    let replies = client.count(&ctx, count(3)).await.unwrap();
    assert_eq!(replies.collect::<Vec<_>>().await.len(), 3);
    let mut times = Vec::new();
    for _ in 0..CALLS {
        let started = Instant::now();
        client.echo(&ctx, ask("")).await.unwrap();
        times.push(started.elapsed());
    }
    times.sort();
    println!("\nmedian={}", times[times.len() / 2].as_micros());
    tokio::task::yield_now().await;
}

/// Makes a span of OpenTelemetry of each span of `tracing`, of whatever crate.
struct Subscribed(SdkTracer);

impl tracing::Subscriber for Subscribed {
    fn enabled(&self, _: &tracing::Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, attributes: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        drop(
            self.0
                .start(format!("traced {}", attributes.metadata().name())),
        );
        tracing::span::Id::from_u64(1)
    }

    fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {}
    fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}
    fn event(&self, _: &tracing::Event<'_>) {}
    fn enter(&self, _: &tracing::span::Id) {}
    fn exit(&self, _: &tracing::span::Id) {}
}

#[test]
#[ignore = "it is run by the others, in a process with variables of its own"]
fn the_other_process() {
    let Ok(role) = std::env::var(ROLE) else {
        return;
    };
    let runtime = match role.as_str() {
        "two_workers" | "two_workers_subscribed" => tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build(),
        "one_worker" | "one_worker_blocked" => tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build(),
        _ => tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build(),
    };
    let is_blocked = role.ends_with("_blocked");
    let is_subscribed = role.ends_with("_subscribed");
    if !is_subscribed {
        let log = tracing_subscriber::fmt().with_max_level(LevelFilter::WARN);
        log.with_ansi(false).with_writer(std::io::stdout).init();
    }
    let ended = async move {
        let (tracing, guard) = Tracing::from_env().unwrap();
        if is_subscribed {
            let tracer = guard.provider().unwrap().tracer("subscriber");
            tracing::subscriber::set_global_default(Subscribed(tracer)).unwrap();
            tracing::info_span!("own").in_scope(|| {});
        }
        call(tracing).await;
        if is_subscribed {
            // What the first export leaves would be in the second one.
            for _ in 0..2 {
                guard.provider().unwrap().force_flush().unwrap();
            }
        }
        println!("\nlost_by_then={}", guard.lost());
        let started = Instant::now();
        match is_blocked {
            // The one thread that there is waits for the exporter.
            true => drop(guard),
            false => guard.shutdown().await,
        }
        println!("\nshutdown={}", started.elapsed().as_micros());
    };
    let runtime = runtime.unwrap();
    // On a worker, rather than on the thread that waits for them.
    let ended = runtime.spawn(ended);
    runtime.block_on(ended).unwrap();
}

fn endpoint(addr: SocketAddr) -> (&'static str, String) {
    ("OTEL_EXPORTER_OTLP_ENDPOINT", format!("http://{addr}"))
}

fn text(value: Option<&opentelemetry_proto::tonic::common::v1::AnyValue>) -> String {
    match value.and_then(|value| value.value.as_ref()) {
        Some(Value::StringValue(text)) => text.clone(),
        other => panic!("no text: {other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_collector_gets_the_spans_of_all_runtimes_before_the_process_ends() {
    for role in [
        "two_workers",
        "one_worker",
        "one_worker_blocked",
        "one_thread",
        "one_thread_blocked",
    ] {
        let (addr, mut told) = collector().await;
        let service = ("OTEL_SERVICE_NAME", "items".to_owned());
        let more = ("OTEL_RESOURCE_ATTRIBUTES", "zone=a".to_owned());
        let output = other(role, vec![endpoint(addr), service, more]).await;
        assert!(said(&output, "shutdown") < Duration::from_secs(3), "{role}");
        let mut names = Vec::new();
        while let Ok(spans) = told.try_recv() {
            let attributes = spans.resource.unwrap().attributes;
            let of = |key: &str| {
                let pair = attributes.iter().find(|pair| pair.key == key);
                text(pair.and_then(|pair| pair.value.as_ref()))
            };
            assert_eq!(
                (of("service.name"), of("zone")),
                ("items".to_owned(), "a".to_owned())
            );
            let spans = spans.scope_spans.into_iter().flat_map(|scope| scope.spans);
            names.extend(spans.map(|span| span.name));
        }
        let count = |name: &str| names.iter().filter(|known| *known == name).count();
        // One at each side; the last one's server may still have been at work.
        let calls = CALLS as usize;
        let echo = count("echo.EchoService/Echo");
        assert!(
            (2 * calls - 1..=2 * calls).contains(&echo),
            "{role}: {echo}"
        );
        assert_eq!(count("attempt echo.EchoService/Echo"), calls, "{role}");
        assert_eq!(count("echo.EchoService/Count"), 2, "{role}");
        assert_eq!(
            names
                .iter()
                .filter(|name| name.contains("opentelemetry"))
                .count(),
            0
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_collector_that_is_gone_or_hangs_changes_neither_calls_nor_the_end() {
    // Nobody listens there any more.
    let gone = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let gone = { gone }.local_addr().unwrap();
    // It accepts, by the kernel, and never says anything.
    let hung = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let hung_addr = hung.local_addr().unwrap();
    // A queue that is full drops: nobody waits for room.
    let small = || ("OTEL_BSP_MAX_QUEUE_SIZE", "16".to_owned());
    for role in ["one_worker", "one_worker_blocked", "one_thread_blocked"] {
        let off = vec![("OTEL_SDK_DISABLED", "true".to_owned())];
        let usual = said(&other(role, off).await, "median");
        for (addr, what) in [(gone, "gone"), (hung_addr, "hung")] {
            let output = other(role, vec![endpoint(addr), small()]).await;
            let shutdown = said(&output, "shutdown");
            assert!(
                shutdown < Duration::from_millis(3_900),
                "{role}, {what}: {shutdown:?}"
            );
            // Each span that was lost is told of, whyever it was.
            let full = told_lost(&output, "queue was full");
            let failed = told_lost(&output, "could not be exported");
            let by_then = figure(&output, "lost_by_then");
            assert!(
                full > 0 && failed > 0 && by_then > 0,
                "{role}, {what}: {full}, {failed}, {by_then}"
            );
            let all = 3 * (u64::from(CALLS) + 1);
            assert!(
                (all - 1..=all).contains(&(full + failed)),
                "{role}, {what}: {full} + {failed} of {all}"
            );
            let median = said(&output, "median");
            // Spans cost something; waiting for a collector costs a hundred times this.
            let bound = usual * 4 + Duration::from_millis(3);
            assert!(median < bound, "{role}, {what}: {median:?}, else {usual:?}");
        }
    }
    drop(hung);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_makes_spans_of_what_all_crates_do_makes_none_of_the_export() {
    let (addr, mut told) = collector().await;
    other("two_workers_subscribed", vec![endpoint(addr)]).await;
    let mut names = Vec::new();
    while let Ok(spans) = told.try_recv() {
        let spans = spans.scope_spans.into_iter().flat_map(|scope| scope.spans);
        names.extend(spans.map(|span| span.name));
    }
    names.retain(|name| name.starts_with("traced "));
    assert_eq!(names, ["traced own"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_collector_with_tls_gets_spans_of_who_trusts_it_and_shows_what_it_asks_for() {
    let (ca, other_ca) = (Authority::new("ours"), Authority::new("another"));
    let (own, of_client) = (ca.server(), ca.issue(|_| {}));
    let dir = tempfile::tempdir().unwrap();
    let file = |name: &str, content: String| {
        let path = dir.path().join(name);
        std::fs::write(&path, content).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let shown = [
        (
            "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE",
            file("own.pem", of_client.chain),
        ),
        (
            "OTEL_EXPORTER_OTLP_CLIENT_KEY",
            file("own.key", of_client.key),
        ),
    ];
    let trusted = file("ca.pem", ca.pem());
    let untrusted = file("other.pem", other_ca.pem());
    let tls = ServerTlsConfig::new()
        .identity(Identity::from_pem(own.chain, own.key))
        .client_ca_root(Certificate::from_pem(ca.pem()));
    for (trusts, shows, is_taken) in [
        (&trusted, true, true),
        (&trusted, false, false),
        (&untrusted, true, false),
    ] {
        let server = Server::builder().tls_config(tls.clone()).unwrap();
        let (addr, mut told) = collector_at(server).await;
        let mut variables = vec![
            (
                "OTEL_EXPORTER_OTLP_ENDPOINT",
                format!("https://localhost:{}", addr.port()),
            ),
            ("OTEL_EXPORTER_OTLP_CERTIFICATE", trusts.clone()),
        ];
        if shows {
            variables.extend(shown.clone());
        }
        let output = other("two_workers", variables).await;
        assert_eq!(told.try_recv().is_ok(), is_taken);
        let failed = told_lost(&output, "could not be exported");
        assert_eq!(failed == 0, is_taken, "{failed}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn spans_are_compressed_where_the_environment_says_so() {
    let gzip = || ("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip".to_owned());
    let (addr, mut told) = collector_of_gzip().await;
    let output = other("two_workers", vec![endpoint(addr), gzip()]).await;
    assert!(told.try_recv().is_ok());
    assert_eq!(told_lost(&output, "could not be exported"), 0);
    // One that takes no gzip refuses them, so that is what they were.
    let (addr, mut told) = collector().await;
    let output = other("two_workers", vec![endpoint(addr), gzip()]).await;
    assert!(told.try_recv().is_err());
    assert!(told_lost(&output, "could not be exported") > 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_sampler_is_that_of_the_environment() {
    let (addr, mut told) = collector().await;
    let off = ("OTEL_TRACES_SAMPLER", "always_off".to_owned());
    other("two_workers", vec![endpoint(addr), off]).await;
    assert!(told.try_recv().is_err());
}
