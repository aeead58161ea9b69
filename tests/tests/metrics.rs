//! What a server counts of its calls, and how it tells. Time is virtual.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod common;
mod openmetrics;

use std::io::Write;
use std::process::{Command, Stdio};
use std::time::Duration;

use apibase::prometheus_client::metrics::counter::Counter;
use apibase::prometheus_client::registry::Registry;
use apibase::testing::InProcess;
use apibase::{
    Answer, CallOptions, Context, DomainError, InterceptedCall, Interceptor, Interceptors, Metrics,
    Next, Status, Streamed,
};
use common::{EchoServiceClient, EchoServiceServer, Scripted, ask, count, reply};
use futures_util::{StreamExt, stream};
use openmetrics::Page;
use tokio::sync::mpsc;
use tokio::time::sleep;

const ECHO: [(&str, &str); 2] = [("service", "echo.EchoService"), ("method", "Echo")];
const COUNT: [(&str, &str); 2] = [("service", "echo.EchoService"), ("method", "Count")];
const COLLECT: [(&str, &str); 2] = [("service", "echo.EchoService"), ("method", "Collect")];
const CHAT: [(&str, &str); 2] = [("service", "echo.EchoService"), ("method", "Chat")];
const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

/// The same with a status.
fn with<'a>(method: [(&'a str, &'a str); 2], status: &'a str) -> [(&'a str, &'a str); 3] {
    [method[0], method[1], ("status", status)]
}

type Client = EchoServiceClient<InProcess>;

fn serve(metrics: &Metrics, scripted: Scripted) -> Client {
    serve_behind(Interceptors::none().with_metrics(metrics), scripted)
}

fn serve_behind(chain: Interceptors, scripted: Scripted) -> Client {
    let served = InProcess::behind(chain, EchoServiceServer::new(scripted)).unwrap();
    EchoServiceClient::new(served).with(CallOptions::new().no_retry())
}

fn page(metrics: &Metrics) -> Page {
    Page::read(&metrics.encode())
}

/// Lets what runs beside the test run.
async fn settle() {
    sleep(Duration::from_millis(1)).await;
}

#[tokio::test(start_paused = true)]
async fn the_page_of_a_server_is_as_it_was() {
    let metrics = Metrics::new().buckets([5, 50, 500].map(Duration::from_millis));
    let metrics = metrics.stream_buckets([Duration::from_secs(1), Duration::from_secs(60)]);
    let scripted = Scripted::new().on_echo(|_, request| async move {
        sleep(Duration::from_millis(30)).await;
        match &request.payload[..] {
            b"missing" => Err(DomainError::not_found("no such thing")),
            _ => Ok(reply(1, "")),
        }
    });
    let (client, ctx) = (serve(&metrics, scripted), Context::background());
    client.echo(&ctx, ask("")).await.unwrap();
    client.echo(&ctx, ask("missing")).await.unwrap_err();
    let replies: Vec<_> = client.count(&ctx, count(3)).await.unwrap().collect().await;
    assert_eq!(replies.len(), 3);
    let text = metrics.encode();
    Page::read(&text);
    insta::assert_snapshot!(text);
}

#[tokio::test(start_paused = true)]
async fn a_status_is_that_of_the_trailers() {
    let metrics = Metrics::new();
    let scripted = Scripted::new()
        .on_echo(|_, request| async move {
            match &request.payload[..] {
                b"panic" => panic!("it panics"),
                _ => Err(DomainError::from(Status::aborted("not now"))),
            }
        })
        .on_count(|_, _| async { Ok(common::failing(2, DomainError::not_found("no third"))) });
    let (client, ctx) = (serve(&metrics, scripted), Context::background());
    for payload in ["", "panic"] {
        client.echo(&ctx, ask(payload)).await.unwrap_err();
    }
    let replies: Vec<_> = client.count(&ctx, count(9)).await.unwrap().collect().await;
    assert_eq!(replies.len(), 3);
    settle().await;
    let page = page(&metrics);
    for (method, status) in [(ECHO, "ABORTED"), (ECHO, "INTERNAL"), (COUNT, "NOT_FOUND")] {
        let labels = with(method, status);
        assert_eq!(
            page.value("grpc_requests_total", &labels),
            Some(1.0),
            "{status}"
        );
    }
    assert_eq!(page.sum("grpc_requests_total", &[]), 3.0);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_dropped_is_cancelled_and_was_active_until_then() {
    let metrics = Metrics::new();
    let scripted = Scripted::new().on_echo(|_, _| std::future::pending());
    let (client, ctx) = (serve(&metrics, scripted), Context::background());
    let call = tokio::spawn(async move { client.echo(&ctx, ask("")).await });
    settle().await;
    let active = || page(&metrics).value("grpc_server_active_requests", &ECHO);
    assert_eq!(active(), Some(1.0));
    assert_eq!(
        page(&metrics).value("grpc_requests_total", &with(ECHO, "CANCELLED")),
        None
    );
    call.abort();
    settle().await;
    assert_eq!(active(), Some(0.0));
    let cancelled = page(&metrics).value("grpc_requests_total", &with(ECHO, "CANCELLED"));
    assert_eq!(cancelled, Some(1.0));
}

#[tokio::test(start_paused = true)]
async fn what_an_interceptor_refuses_is_counted_by_metrics_before_it_alone() {
    struct Refuses;
    impl Interceptor for Refuses {
        async fn intercept(&self, _: InterceptedCall, _: Next<'_>) -> Result<Answer, Status> {
            Err(Status::permission_denied("not you"))
        }
    }
    let (before, after) = (Metrics::new(), Metrics::new());
    let chain = Interceptors::none().with_metrics(&before).with(Refuses);
    let client = serve_behind(chain.with_metrics(&after), Scripted::new());
    client
        .echo(&Context::background(), ask(""))
        .await
        .unwrap_err();
    let denied = with(ECHO, "PERMISSION_DENIED");
    assert_eq!(
        page(&before).value("grpc_requests_total", &denied),
        Some(1.0)
    );
    assert_eq!(page(&after).sum("grpc_requests_total", &[]), 0.0);
}

#[tokio::test(start_paused = true)]
async fn success_is_there_before_the_first_call_and_other_statuses_are_not() {
    let metrics = Metrics::new();
    let _client = serve(&metrics, Scripted::new());
    let page = page(&metrics);
    for method in [ECHO, COUNT, COLLECT, CHAT] {
        assert_eq!(
            page.value("grpc_requests_total", &with(method, "OK")),
            Some(0.0)
        );
        assert_eq!(page.samples("grpc_requests_total", &method).len(), 1);
    }
    assert!(
        !page
            .names()
            .iter()
            .any(|name| name.starts_with("grpc_client"))
    );
}

#[tokio::test(start_paused = true)]
async fn messages_of_streams_are_counted_as_they_go() {
    let metrics = Metrics::new();
    let client = serve(&metrics, Scripted::new());
    let (sender, mut receiver) = mpsc::unbounded_channel();
    let requests = stream::poll_fn(move |cx| receiver.poll_recv(cx));
    let mut replies = client.chat(&Context::background(), requests).await.unwrap();
    let counted = |page: &Page| {
        ["received", "sent"].map(|way| {
            let name = format!("grpc_server_messages_{way}_total");
            page.value(&name, &CHAT).unwrap()
        })
    };
    for sent in 1..=3 {
        sender.send(ask("x")).unwrap();
        replies.message().await.unwrap().unwrap();
        settle().await;
        assert_eq!(counted(&page(&metrics)), [f64::from(sent); 2]);
    }
    for _ in 0..1000 {
        sender.send(ask("x")).unwrap();
    }
    drop(sender);
    while replies.message().await.unwrap().is_some() {}
    assert_eq!(counted(&page(&metrics)), [1003.0; 2]);
}

#[tokio::test(start_paused = true)]
async fn streams_have_durations_of_their_own_and_unary_calls_no_messages() {
    let metrics = Metrics::new();
    let scripted = Scripted::new().on_count(|_, _| async {
        let last = stream::once(async {
            sleep(Duration::from_secs(400)).await;
            Ok(reply(2, ""))
        });
        Ok(Streamed::new(stream::iter([Ok(reply(1, ""))]).chain(last)))
    });
    let (client, ctx) = (serve(&metrics, scripted), Context::background());
    client.echo(&ctx, ask("")).await.unwrap();
    let collected = client
        .collect(&ctx, stream::iter([ask("a"), ask("b")]))
        .await
        .unwrap();
    assert_eq!(collected.count, 2);
    let replies: Vec<_> = client.count(&ctx, count(2)).await.unwrap().collect().await;
    assert_eq!(replies.len(), 2);
    settle().await;
    let page = page(&metrics);
    let long = page.samples("grpc_server_stream_duration_seconds_bucket", &COUNT);
    let le = |le: &str| {
        long.iter()
            .find(|sample| sample.label("le") == le)
            .unwrap()
            .value
    };
    assert_eq!((le("300.0"), le("900.0"), le("+Inf")), (0.0, 1.0, 1.0));
    assert_eq!(
        page.value("grpc_request_duration_seconds_count", &ECHO),
        Some(1.0)
    );
    for (name, method) in [
        ("grpc_request_duration_seconds_count", COUNT),
        ("grpc_server_stream_duration_seconds_count", ECHO),
        ("grpc_server_messages_sent_total", ECHO),
        ("grpc_server_messages_received_total", ECHO),
    ] {
        assert_eq!(page.value(name, &method), None, "{name} {method:?}");
    }
    for (method, received, sent) in [(COUNT, 1.0, 2.0), (COLLECT, 2.0, 1.0)] {
        let value = |name| page.value(name, &method).unwrap();
        assert_eq!(
            value("grpc_server_messages_received_total"),
            received,
            "{method:?}"
        );
        assert_eq!(value("grpc_server_messages_sent_total"), sent, "{method:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_bucket_has_the_trace_of_its_last_call() {
    let metrics = Metrics::new();
    let scripted = Scripted::new().on_echo(|_, _| async {
        sleep(Duration::from_millis(60)).await;
        Ok(reply(1, ""))
    });
    let (client, ctx) = (serve(&metrics, scripted), Context::background());
    client.echo(&ctx, ask("")).await.unwrap();
    let exemplars = |page: &Page| -> Vec<_> {
        let buckets = page.samples("grpc_request_duration_seconds_bucket", &ECHO);
        let exemplars = buckets.iter().filter_map(|bucket| {
            let (labels, value) = bucket.exemplar.as_ref()?;
            Some((
                bucket.label("le").to_owned(),
                labels.get("trace_id").cloned(),
                *value,
            ))
        });
        exemplars.collect()
    };
    assert_eq!(exemplars(&page(&metrics)), []);
    let traced =
        CallOptions::new().metadata("traceparent", format!("00-{TRACE}-00f067aa0ba902b7-01"));
    client.with(traced).echo(&ctx, ask("")).await.unwrap();
    let expected = ("0.075".to_owned(), Some(TRACE.to_owned()), 0.06);
    assert_eq!(exemplars(&page(&metrics)), [expected]);
    assert!(!metrics.encode_prometheus().contains(TRACE));
}

#[tokio::test(start_paused = true)]
async fn a_trace_that_nobody_records_is_no_exemplar() {
    let metrics = Metrics::new();
    let (client, ctx) = (serve(&metrics, Scripted::new()), Context::background());
    let traced =
        CallOptions::new().metadata("traceparent", format!("00-{TRACE}-00f067aa0ba902b7-00"));
    client.with(traced).echo(&ctx, ask("")).await.unwrap();
    assert!(!metrics.encode().contains(TRACE));
}

#[tokio::test(start_paused = true)]
async fn durations_have_the_status_where_that_is_set() {
    let metrics = Metrics::new().status_on_histogram();
    let scripted = Scripted::new().on_echo(|_, request| async move {
        match &request.payload[..] {
            b"" => Ok(reply(1, "")),
            _ => Err(DomainError::not_found("nothing")),
        }
    });
    let (client, ctx) = (serve(&metrics, scripted), Context::background());
    for payload in ["", "x", "x"] {
        let _ = client.echo(&ctx, ask(payload)).await;
    }
    let page = page(&metrics);
    for (status, calls) in [("OK", 1.0), ("NOT_FOUND", 2.0)] {
        let labels = with(ECHO, status);
        assert_eq!(
            page.value("grpc_request_duration_seconds_count", &labels),
            Some(calls)
        );
    }
    assert_eq!(page.sum("grpc_request_duration_seconds_count", &[]), 3.0);
}

#[tokio::test(start_paused = true)]
async fn metrics_stand_beside_those_of_the_program() {
    let orders = Counter::<u64>::default();
    let mut own = Registry::default();
    own.register("shop_orders", "Orders that were made", orders.clone());
    let metrics = Metrics::new().beside(own);
    let client = serve(&metrics, Scripted::new());
    client.echo(&Context::background(), ask("")).await.unwrap();
    orders.inc_by(7);
    let page = page(&metrics);
    assert_eq!(page.value("shop_orders_total", &[]), Some(7.0));
    assert_eq!(
        page.value("grpc_requests_total", &with(ECHO, "OK")),
        Some(1.0)
    );
}

#[tokio::test(start_paused = true)]
async fn a_registry_tells_of_metrics_with_its_prefix_and_labels() {
    let labels = [("region".into(), "eu".into())];
    let mut registry = Registry::with_prefix_and_labels("shop", labels.into_iter());
    let metrics = Metrics::new().in_registry(&mut registry);
    let client = serve(&metrics, Scripted::new());
    client.echo(&Context::background(), ask("")).await.unwrap();
    let mut text = String::new();
    apibase::prometheus_client::encoding::text::encode(&mut text, &registry).unwrap();
    let (theirs, ours) = (Page::read(&text), page(&metrics));
    let mut labels = with(ECHO, "OK").to_vec();
    labels.push(("region", "eu"));
    assert_eq!(theirs.value("shop_grpc_requests_total", &labels), Some(1.0));
    assert_eq!(theirs.series(), ours.series());
    let prefixed: Vec<_> = ours
        .names()
        .iter()
        .map(|name| format!("shop_{name}"))
        .collect();
    assert_eq!(theirs.names(), prefixed);
    let buckets = |page: &Page, prefix: &str| -> Vec<_> {
        let buckets = page.samples(
            &format!("{prefix}grpc_request_duration_seconds_bucket"),
            &ECHO,
        );
        let seen = buckets
            .iter()
            .map(|bucket| (bucket.label("le").to_owned(), bucket.value));
        seen.collect()
    };
    assert_eq!(buckets(&theirs, "shop_"), buckets(&ours, ""));
}

#[tokio::test(start_paused = true)]
async fn the_older_format_has_the_same_series() {
    let metrics = Metrics::new();
    let client = serve(&metrics, Scripted::new());
    client.echo(&Context::background(), ask("")).await.unwrap();
    let (newer, older) = (metrics.encode(), metrics.encode_prometheus());
    let samples = |text: &str| -> Vec<_> {
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        lines.map(str::to_owned).collect()
    };
    assert_eq!(samples(&older), samples(&newer));
    assert!(older.contains("# TYPE grpc_requests_total counter\n"));
    assert!(older.contains("# HELP grpc_requests_total Calls"));
    assert!(older.contains("# TYPE grpc_request_duration_seconds histogram\n"));
    assert!(!older.contains("# EOF") && !older.contains("# UNIT"));
}

#[tokio::test(start_paused = true)]
async fn promtool_finds_nothing_wrong() {
    let metrics = Metrics::new();
    let client = serve(&metrics, Scripted::new());
    client.echo(&Context::background(), ask("")).await.unwrap();
    let promtool = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let Ok(mut promtool) = promtool else {
        eprintln!("SKIPPED: promtool is not installed (Debian: prometheus)");
        return;
    };
    let mut input = promtool.stdin.take().unwrap();
    input
        .write_all(metrics.encode_prometheus().as_bytes())
        .unwrap();
    drop(input);
    let found = promtool.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&found.stderr).into_owned();
    assert!(found.status.success(), "{said}");
}

#[tokio::test(start_paused = true)]
async fn clones_count_together_and_what_is_set_anew_counts_apart() {
    let metrics = Metrics::new();
    let other = metrics.status_on_histogram();
    let first = serve(&metrics.clone(), Scripted::new());
    let second = serve(&metrics, Scripted::new());
    for client in [first, second] {
        client.echo(&Context::background(), ask("")).await.unwrap();
    }
    assert_eq!(
        page(&metrics).value("grpc_requests_total", &with(ECHO, "OK")),
        Some(2.0)
    );
    assert_eq!(page(&other).series(), 0);
}
