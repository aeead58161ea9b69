//! `/metrics` of the admin port: in the format that a scraper asks for.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod common;
mod looking;
mod openmetrics;

use apibase::{Admin, Interceptors, Metrics};
use common::{Scripted, ask, frame, post};
use http::StatusCode;
use looking::{Seen, Watched, send};
use openmetrics::Page;

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

/// As Prometheus 3 asks.
const PROMETHEUS: &str = "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,\
    application/openmetrics-text;version=0.0.1;q=0.5,\
    text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2";

async fn scrape(server: &Watched, accept: &str) -> Seen {
    let request = format!("GET /metrics HTTP/1.1\r\nhost: localhost\r\naccept: {accept}\r\n\r\n");
    send(server.admin, &request).await
}

/// A server that has answered a call of a trace.
async fn called(settings: impl FnOnce(apibase::Server) -> apibase::Server) -> Watched {
    let server = Watched::with(Scripted::new(), settings).await;
    let traced = post("Echo").header("traceparent", format!("00-{TRACE}-00f067aa0ba902b7-01"));
    server.raw().await.call(traced, [frame(&ask(""))]).await;
    server.until(|status| status["calls"]["running"] == 0).await;
    server
}

#[tokio::test]
async fn who_asks_for_openmetrics_gets_it_with_exemplars() {
    let metrics = Metrics::new();
    let chain = Interceptors::none().with_metrics(&metrics);
    let server = called(|server| server.interceptors(chain)).await;
    let scraped = scrape(&server, PROMETHEUS).await;
    assert_eq!(scraped.status, StatusCode::OK);
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    assert_eq!(scraped.header("content-type"), kind);
    let page = Page::read(&scraped.body);
    let echo = [("method", "Echo"), ("status", "OK")];
    assert_eq!(page.value("grpc_requests_total", &echo), Some(1.0));
    assert!(
        scraped
            .body
            .contains(&format!("# {{trace_id=\"{TRACE}\"}}")),
        "{}",
        scraped.body
    );
}

#[tokio::test]
async fn everybody_else_gets_the_older_format_without_them() {
    let metrics = Metrics::new();
    let chain = Interceptors::none().with_metrics(&metrics);
    let server = called(|server| server.interceptors(chain)).await;
    for accept in ["*/*", "text/plain;version=0.0.4", "text/html,*/*;q=0.8", ""] {
        let scraped = scrape(&server, accept).await;
        assert_eq!(scraped.status, StatusCode::OK, "{accept}");
        let kind = "text/plain; version=0.0.4; charset=utf-8";
        assert_eq!(scraped.header("content-type"), kind, "{accept}");
        assert!(
            scraped
                .body
                .contains("# TYPE grpc_requests_total counter\n")
        );
        for of_the_newer in ["trace_id", "# EOF", "# UNIT"] {
            assert!(
                !scraped.body.contains(of_the_newer),
                "{accept}: {of_the_newer}"
            );
        }
    }
}

#[tokio::test]
async fn metrics_that_the_server_has_not_are_told_where_they_are_named() {
    let metrics = Metrics::new();
    let named = Admin::new().port(0).metrics(&metrics);
    let server = called(|server| server.admin(named)).await;
    let scraped = scrape(&server, PROMETHEUS).await;
    assert_eq!(
        (scraped.status, scraped.body.as_str()),
        (StatusCode::OK, "# EOF\n")
    );
}
