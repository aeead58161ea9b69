//! What a server counts beside the calls that it answers: paths that lead nowhere, connections, and what
//! it refuses. Over sockets, unless time is virtual.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod common;
mod openmetrics;

use std::time::Duration;

use apibase::testing::InProcess;
use apibase::{
    CallError, Caller, Code, Context, DomainError, Interceptors, Method, Metrics, RateLimit,
    Server, ServiceError,
};
use bytes::Bytes;
use common::{
    Answer, Depot, EchoReply, EchoServiceServer, ParcelError, RawClient, Running, Scripted, When,
    ask, fail, frame, post, post_to, soon,
};
use openmetrics::Page;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::time::sleep;

const ECHO: [(&str, &str); 2] = [("service", "echo.EchoService"), ("method", "Echo")];
const NOWHERE: [(&str, &str); 2] = [("service", "_OTHER"), ("method", "_OTHER")];

async fn serve(metrics: &Metrics, settings: impl FnOnce(Server) -> Server) -> Running {
    let chain = Interceptors::none().with_metrics(metrics);
    Running::with(Scripted::new(), |server| {
        settings(server.interceptors(chain))
    })
    .await
}

fn page(metrics: &Metrics) -> Page {
    Page::read(&metrics.encode())
}

/// Waits until this holds of the page: what a server counts, it counts once its peer has its answer.
async fn until(metrics: &Metrics, holds: impl Fn(&Page) -> bool) -> Page {
    let waiting = async {
        loop {
            let page = page(metrics);
            if holds(&page) {
                return page;
            }
            sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), waiting)
        .await
        .unwrap_or_else(|_| panic!("it never held:\n{}", metrics.encode()))
}

fn random_path(random: &mut fastrand::Rng) -> String {
    let mut part = |most| -> String {
        let length = random.usize(1..most);
        (0..length).map(|_| random.alphanumeric()).collect()
    };
    format!(
        "/{}.{}/{}?{}={}",
        part(9),
        part(20),
        part(30),
        part(4),
        part(9)
    )
}

/// So many calls of paths that lead nowhere, many at once.
async fn lose_the_way(client: &mut RawClient, calls: usize, random: &mut fastrand::Rng) {
    for _ in 0..calls / 50 {
        let mut answers = Vec::new();
        for _ in 0..50 {
            answers.push(client.open(post_to(&random_path(random)), true).await.0);
        }
        for answer in answers {
            let answer = Answer::read(soon(answer).await.unwrap()).await;
            assert_eq!(answer.code(), Code::Unimplemented);
        }
    }
}

#[tokio::test]
async fn ten_thousand_paths_are_one_series_for_each_status() {
    let metrics = Metrics::new();
    let server = serve(&metrics, |server| server).await;
    let mut client = server.raw().await;
    let mut random = fastrand::Rng::new();
    let before = page(&metrics);
    assert_eq!(before.samples("grpc_requests_total", &NOWHERE).len(), 0);
    let lost = |calls: f64| move |page: &Page| page.sum("grpc_requests_total", &NOWHERE) == calls;
    lose_the_way(&mut client, 50, &mut random).await;
    let few = until(&metrics, lost(50.0)).await;
    lose_the_way(&mut client, 9_950, &mut random).await;
    let many = until(&metrics, lost(10_000.0)).await;
    let series = |page: &Page| page.samples("grpc_requests_total", &[]).len();
    assert_eq!(series(&many), series(&before) + 1);
    assert_eq!(many.series(), few.series(), "series come with paths");
    let refused = [("reason", "UNKNOWN_METHOD")];
    assert_eq!(
        many.value("grpc_server_refused_total", &refused),
        Some(10_000.0)
    );
}

#[tokio::test(start_paused = true)]
async fn a_mounted_service_counts_paths_that_lead_nowhere_too() {
    static NOPE: [Method; 1] = [Method::unary("/echo.EchoService/Nope")];
    let metrics = Metrics::new();
    let chain = Interceptors::none().with_metrics(&metrics);
    let served = InProcess::behind(chain, EchoServiceServer::new(Scripted::new())).unwrap();
    let (caller, ctx) = (Caller::new(served, &NOPE), Context::background());
    for _ in 0..3 {
        let answer = caller.unary(&ctx, &NOPE[0], ask("")).await;
        let failed: CallError<DomainError> = answer.map(|_: EchoReply| ()).unwrap_err();
        assert_eq!(failed.code(), Code::Unimplemented);
    }
    let page = page(&metrics);
    assert_eq!(page.sum("grpc_requests_total", &NOWHERE), 3.0);
    assert_eq!(
        page.value("grpc_request_duration_seconds_count", &NOWHERE),
        Some(3.0)
    );
}

#[tokio::test]
async fn connections_are_counted_while_they_are_open() {
    let metrics = Metrics::new();
    let server = serve(&metrics, |server| server.max_connections(2)).await;
    let open = |connections: f64| {
        move |page: &Page| page.value("grpc_server_active_connections", &[]) == Some(connections)
    };
    until(&metrics, open(0.0)).await;
    let mut first = server.raw().await;
    first.lives().await;
    until(&metrics, open(1.0)).await;
    // One that says nothing counts as well.
    let silent = TcpStream::connect(server.addr).await.unwrap();
    until(&metrics, open(2.0)).await;
    let mut third = TcpStream::connect(server.addr).await.unwrap();
    assert_eq!(soon(third.read(&mut [0; 1])).await.unwrap_or(0), 0);
    let refused =
        |page: &Page| page.value("grpc_server_connections_refused_total", &[]) == Some(1.0);
    until(&metrics, refused).await;
    drop((first, silent));
    let page = until(&metrics, open(0.0)).await;
    assert_eq!(
        page.value("grpc_server_connections_opened_total", &[]),
        Some(2.0)
    );
    soon(server.stop()).await.unwrap();
}

#[tokio::test]
async fn refusals_are_told_apart_and_those_of_calls_are_requests() {
    let metrics = Metrics::new();
    let server = serve(&metrics, |server| server.max_metadata_size(2000)).await;
    let mut client = server.raw().await;
    let body = || [frame(&ask(""))];
    let get = http::Request::get("http://localhost/echo.EchoService/Echo");
    client.call(get, [Bytes::new()]).await;
    let text = http::Request::post("http://localhost/echo.EchoService/Echo");
    client
        .call(text.header("content-type", "text/plain"), body())
        .await;
    for (header, value) in [
        ("grpc-timeout", "0S".to_owned()),
        ("grpc-timeout", "soon".to_owned()),
        ("grpc-encoding", "snappy".to_owned()),
        ("x-large", "x".repeat(3000)),
    ] {
        client
            .call(post("Echo").header(header, value), body())
            .await;
    }
    client.lives().await;
    let all = |page: &Page| page.sum("grpc_requests_total", &ECHO) == 5.0;
    let page = until(&metrics, all).await;
    for (reason, status) in [
        ("NOT_POST", None),
        ("CONTENT_TYPE", None),
        ("DEADLINE_SPENT", Some("DEADLINE_EXCEEDED")),
        ("TIMEOUT_MALFORMED", Some("INTERNAL")),
        ("ENCODING", Some("UNIMPLEMENTED")),
        ("METADATA_TOO_LARGE", Some("RESOURCE_EXHAUSTED")),
    ] {
        let refused = page.value("grpc_server_refused_total", &[("reason", reason)]);
        assert_eq!(refused, Some(1.0), "{reason}");
        if let Some(status) = status {
            let labels = [ECHO[0], ECHO[1], ("status", status)];
            assert_eq!(
                page.value("grpc_requests_total", &labels),
                Some(1.0),
                "{status}"
            );
        }
    }
    assert_eq!(
        page.value("grpc_request_duration_seconds_count", &ECHO),
        Some(5.0)
    );
}

#[tokio::test]
async fn a_call_whose_deadline_has_passed_says_so() {
    let metrics = Metrics::new();
    let hangs = Scripted::new().on_echo(|_, _| std::future::pending());
    let chain = Interceptors::none().with_metrics(&metrics);
    let server = Running::with(hangs, |server| server.interceptors(chain)).await;
    let late = post("Echo").header("grpc-timeout", "50m");
    let answer = server.raw().await.call(late, [frame(&ask(""))]).await;
    assert_eq!(answer.code(), Code::DeadlineExceeded);
    let labels = [ECHO[0], ECHO[1], ("status", "DEADLINE_EXCEEDED")];
    let counted = |page: &Page| page.value("grpc_requests_total", &labels) == Some(1.0);
    let page = until(&metrics, counted).await;
    let took = page
        .value("grpc_request_duration_seconds_sum", &ECHO)
        .unwrap();
    assert!((0.05..20.0).contains(&took), "{took} s");
}

#[tokio::test]
async fn what_the_server_refuses_behind_its_interceptors_is_counted_once() {
    let metrics = Metrics::new();
    let limit = RateLimit::new(1, Duration::from_secs(60)).burst(2);
    let limited = |server: Server| server.rate_limit_of("/echo.EchoService/Echo", limit);
    let server = serve(&metrics, limited).await;
    let mut client = server.raw().await;
    for _ in 0..20 {
        client.call(post("Echo"), [frame(&ask(""))]).await;
    }
    let all = |page: &Page| page.sum("grpc_requests_total", &ECHO) == 20.0;
    let page = until(&metrics, all).await;
    let limited = [ECHO[0], ECHO[1], ("status", "RESOURCE_EXHAUSTED")];
    let requests = page.value("grpc_requests_total", &limited).unwrap();
    let refused = page.value("grpc_server_refused_total", &[("reason", "RATE_LIMITED")]);
    assert!(requests >= 10.0, "{requests}");
    assert_eq!(refused, Some(requests));
}

#[tokio::test]
async fn errors_that_methods_do_not_declare_are_counted() {
    let metrics = Metrics::new();
    let rows = ParcelError::TABLE.rows();
    let depot = rows.iter().fold(Depot::new(), |depot, row| {
        depot.with(row.reason, common::sample::<ParcelError>(row))
    });
    let chain = Interceptors::none().with_metrics(&metrics);
    let client = depot.start_with(chain).await.parcels().await;
    let ctx = Context::background();
    for row in rows {
        fail(&client, &ctx, row.reason, ("Put", When::AtOnce)).await;
    }
    // It declares two of them.
    let undeclared = f64::from(u32::try_from(rows.len()).unwrap() - 2);
    let counted = |page: &Page| {
        page.sum("grpc_server_undeclared_errors_total", &[("method", "Put")]) == undeclared
    };
    until(&metrics, counted).await;
}
