//! One of the standard interceptors that is in a chain twice, as it happens where chains are put together from
//! parts, does what it does once.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod common;
mod logged;
mod openmetrics;
mod spans;

use apibase::{Context, Interceptors, Metrics};
use common::{Scripted, ask, count};
use futures_util::StreamExt as _;
use logged::logged;
use openmetrics::Page;
use opentelemetry::trace::SpanKind;
use opentelemetry_sdk::trace::Sampler;
use spans::{client, recorded, served};

/// Makes one call without a stream and one with it, with this chain at both ends.
async fn call(chain: &Interceptors) {
    let served = served(chain.clone(), Scripted::new());
    let client = client(chain.clone(), served);
    let ctx = Context::background();
    client.echo(&ctx, ask("a")).await.unwrap();
    let replies = client.count(&ctx, count(3)).await.unwrap();
    assert_eq!(replies.collect::<Vec<_>>().await.len(), 3);
}

/// What was counted of the two calls, each once.
fn is_counted_once(metrics: &Metrics) {
    let page = Page::read(&metrics.encode());
    for (series, expected) in [
        ("grpc_requests_total", 2.0),
        ("grpc_request_duration_seconds_count", 1.0),
        ("grpc_server_stream_duration_seconds_count", 1.0),
        ("grpc_server_messages_sent_total", 3.0),
        ("grpc_server_active_requests", 0.0),
        ("grpc_client_requests_total", 2.0),
        ("grpc_client_attempts_total", 2.0),
        ("grpc_client_messages_received_total", 3.0),
        ("grpc_client_active_requests", 0.0),
    ] {
        let counted = page.sum(series, &[("service", "echo.EchoService")]);
        assert_eq!(counted, expected, "{series}");
    }
}

#[tokio::test(start_paused = true)]
async fn metrics_that_are_there_twice_count_a_call_once() {
    let metrics = Metrics::new();
    let chain = Interceptors::none().with_metrics(&metrics);
    call(&chain.with_metrics(&metrics.clone())).await;
    is_counted_once(&metrics);
}

#[tokio::test(start_paused = true)]
async fn other_metrics_count_all_the_calls_too() {
    let (metrics, other) = (Metrics::new(), Metrics::new());
    let chain = Interceptors::none().with_metrics(&metrics);
    call(&chain.with_metrics(&other)).await;
    let totals = ["grpc_requests_total", "grpc_client_requests_total"];
    for counting in [&metrics, &other] {
        let page = Page::read(&counting.encode());
        assert_eq!(totals.map(|series| page.sum(series, &[])), [2.0, 2.0]);
    }
}

#[tokio::test]
async fn a_log_that_is_there_twice_has_one_line_of_a_call() {
    let (logging, lines) = logged();
    let chain = Interceptors::none().with_logging(logging.clone());
    call(&chain.with_logging(logging)).await;
    // Two calls, at both ends.
    lines.take(4).await;
}

#[tokio::test(start_paused = true)]
async fn tracing_that_is_there_twice_makes_one_span_of_a_call() {
    let (tracing, spans, _provider) = recorded(Sampler::AlwaysOn);
    let (other, of_other, _other_provider) = recorded(Sampler::AlwaysOn);
    let chain = Interceptors::none().with_tracing(tracing.clone());
    call(&chain.with_tracing(tracing).with_tracing(other)).await;
    for method in ["Echo", "Count"] {
        let (server, call) = (spans.server(method), spans.call(method));
        assert_eq!(spans.attempts(method).len(), 1);
        assert_eq!(call.parent_span_id, opentelemetry::trace::SpanId::INVALID);
        assert_eq!(server.span_kind, SpanKind::Server);
    }
    assert_eq!(spans.all().len(), 6);
    // It came second.
    assert_eq!(of_other.all().len(), 0);
}
