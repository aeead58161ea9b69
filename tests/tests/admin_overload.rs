//! The admin port while the server is overloaded or stops, and while somebody attacks the port itself.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod common;
mod looking;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use apibase::{Code, Context, Interceptors, Metrics};
use common::{Scripted, ask, reply, soon};
use http::StatusCode;
use looking::{Watched, get};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

/// Longer than any test takes.
const LONG: Duration = Duration::from_secs(3600);

fn hanging(open: &Arc<Notify>) -> Scripted {
    let open = Arc::clone(open);
    Scripted::new().on_echo(move |_, _| {
        let open = Arc::clone(&open);
        async move {
            open.notified().await;
            Ok(reply(7, ""))
        }
    })
}

/// So many calls that hang.
async fn hang(server: &Watched, calls: usize) -> Vec<JoinHandle<()>> {
    let client = server.client().await;
    let hang = |_| {
        let client = client.clone();
        tokio::spawn(async move {
            let _ = client.echo(&Context::background(), ask("")).await;
        })
    };
    let calling = (0..calls).map(hang).collect();
    server
        .until(|status| status["calls"]["running"] == calls)
        .await;
    calling
}

#[tokio::test]
async fn it_answers_while_the_server_refuses_calls() {
    let open = Arc::new(Notify::new());
    let metrics = Metrics::new();
    let chain = Interceptors::none().with_metrics(&metrics);
    let server = Watched::with(hanging(&open), |server| {
        server
            .max_concurrent_rpcs(2)
            .max_connections(2)
            .interceptors(chain)
    })
    .await;
    let _calls = hang(&server, 2).await;
    let client = server.client().await;
    for _ in 0..5 {
        let refused = client.echo(&Context::background(), ask("")).await;
        assert_eq!(refused.unwrap_err().code(), Code::ResourceExhausted);
    }
    // There is no place left for a connection either.
    let mut third = TcpStream::connect(server.addr).await.unwrap();
    assert_eq!(soon(third.read(&mut [0; 1])).await.unwrap_or(0), 0);

    let overloaded = |status: &Value| status["refusals"][0]["count"] == 5;
    let status = server.until(overloaded).await;
    assert_eq!(status["refusals"][0]["reason"], "OVERLOADED");
    assert_eq!(
        status["limits"],
        json!([{"method": null, "used": 2, "max": 2}])
    );
    assert_eq!(
        status["connections"],
        json!({"open": 2, "max": 2, "refused": 1})
    );
    for path in ["/", "/status.json", "/metrics", "/healthz", "/readyz"] {
        for _ in 0..20 {
            assert_eq!(server.get(path).await.status, StatusCode::OK, "{path}");
        }
    }
    let page = server.get("/").await.body;
    assert!(
        page.contains("2 of 2") && page.contains("OVERLOADED"),
        "{page}"
    );
    let counted = server.get("/metrics").await.body;
    assert!(
        counted.contains("grpc_server_refused_total{reason=\"OVERLOADED\"} 5"),
        "{counted}"
    );
    // Those who look have taken no call's place.
    open.notify_one();
    server
        .until(|status| status["limits"][0]["used"] == 1)
        .await;
}

#[tokio::test]
async fn it_answers_while_the_server_stops_and_says_so() {
    let open = Arc::new(Notify::new());
    let server = Watched::with(hanging(&open), |server| server.grace(LONG)).await;
    let calls = hang(&server, 1).await;
    assert_eq!(server.get("/readyz").await.status, StatusCode::OK);
    let (admin, handle) = (server.admin, server.handle.clone());
    let stopping = server.stop();
    let draining = async {
        loop {
            let ready = get(admin, "/readyz").await;
            if ready.body == "DRAINING\nthe server stops\n" {
                return ready.status;
            }
            sleep(Duration::from_millis(10)).await;
        }
    };
    assert_eq!(soon(draining).await, StatusCode::SERVICE_UNAVAILABLE);
    assert!(!handle.status().is_ready());
    let page = get(admin, "/").await.body;
    assert!(
        page.contains("DRAINING") && page.contains("echo.EchoService/Echo"),
        "{page}"
    );
    assert_eq!(
        get(admin, "/healthz").await.status,
        StatusCode::OK,
        "nobody is to kill it"
    );
    assert!(!stopping.is_finished());
    open.notify_one();
    soon(stopping).await.unwrap();
    for call in calls {
        soon(call).await.unwrap();
    }
    TcpStream::connect(admin).await.unwrap_err();
}

#[tokio::test]
async fn a_lame_duck_says_so_and_takes_calls() {
    let server = Watched::with(Scripted::new(), |server| server.lame_duck(LONG)).await;
    let (client, admin) = (server.client().await, server.admin);
    let stopping = server.stop();
    let told = async {
        while get(admin, "/readyz").await.body != "LAME_DUCK\nthe server will stop\n" {
            sleep(Duration::from_millis(10)).await;
        }
    };
    soon(told).await;
    client.echo(&Context::background(), ask("")).await.unwrap();
    stopping.abort();
}

/// How long the port keeps a connection over which this is sent, and then this, a byte now and then.
async fn kept(admin: SocketAddr, first: &'static str, then: &'static str) -> Duration {
    let started = Instant::now();
    let (mut reading, mut writing) = TcpStream::connect(admin).await.unwrap().into_split();
    let dripping = tokio::spawn(async move {
        writing.write_all(first.as_bytes()).await.unwrap();
        for byte in then.as_bytes().chunks(1).cycle() {
            if writing.write_all(byte).await.is_err() {
                break;
            }
            sleep(Duration::from_millis(200)).await;
        }
        // Whoever has nothing to say keeps its end open.
        std::future::pending::<()>().await;
    });
    let mut rest = Vec::new();
    let _ = timeout(Duration::from_secs(30), reading.read_to_end(&mut rest)).await;
    dripping.abort();
    started.elapsed()
}

#[tokio::test]
async fn who_sends_a_head_by_bytes_is_cut_off_and_holds_nobody_up() {
    let server = Watched::with(Scripted::new(), |server| server).await;
    let silent = tokio::spawn(kept(server.admin, "", ""));
    let dripping = tokio::spawn(kept(server.admin, "GET / HTTP/1.1\r\n", "x: y\r\n"));
    for _ in 0..50 {
        let started = Instant::now();
        assert_eq!(server.get("/").await.status, StatusCode::OK);
        assert!(started.elapsed() < Duration::from_secs(4));
    }
    for slow in [silent, dripping] {
        let kept = slow.await.unwrap();
        let in_time = Duration::from_secs(4)..Duration::from_secs(20);
        assert!(in_time.contains(&kept), "{kept:?}");
    }
}

#[tokio::test]
async fn beyond_its_connections_the_oldest_is_closed() {
    let server = Watched::with(Scripted::new(), |server| server).await;
    let mut slow = Vec::new();
    for _ in 0..100 {
        let mut stream = TcpStream::connect(server.admin).await.unwrap();
        stream.write_all(b"GET / HTTP/1.1\r\n").await.unwrap();
        slow.push(stream);
    }
    let started = Instant::now();
    for _ in 0..20 {
        assert_eq!(server.get("/healthz").await.status, StatusCode::OK);
    }
    // The oldest ones by now, and long before their time is over.
    let mut byte = [0; 1];
    for stream in slow.iter_mut().take(50) {
        assert_eq!(soon(stream.read(&mut byte)).await.unwrap_or(0), 0);
    }
    assert!(
        started.elapsed() < Duration::from_secs(4),
        "{:?}",
        started.elapsed()
    );
    let last = slow.last_mut().unwrap();
    let open = timeout(Duration::from_millis(200), last.read(&mut byte)).await;
    open.expect_err("the newest has its time");
}

#[tokio::test]
async fn a_head_that_is_too_large_ends_its_connection_alone() {
    let server = Watched::with(Scripted::new(), |server| server).await;
    let started = Instant::now();
    let mut stream = TcpStream::connect(server.admin).await.unwrap();
    let large = format!(
        "GET / HTTP/1.1\r\nhost: localhost\r\nx: {}\r\n",
        "y".repeat(200_000)
    );
    let _ = stream.write_all(large.as_bytes()).await;
    let mut answer = Vec::new();
    let _ = soon(stream.read_to_end(&mut answer)).await;
    let answer = String::from_utf8_lossy(&answer);
    // Before it is whole, and long before its time is over.
    assert!(
        started.elapsed() < Duration::from_secs(4),
        "{:?}",
        started.elapsed()
    );
    assert!(
        answer.is_empty() || answer.starts_with("HTTP/1.1 431"),
        "{answer}"
    );
    for garbage in [
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        "\u{0}\u{1}\u{2}\r\n\r\n",
        "GET\r\n\r\n",
    ] {
        let mut stream = TcpStream::connect(server.admin).await.unwrap();
        stream.write_all(garbage.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        let _ = soon(stream.read_to_end(&mut answer)).await;
        assert!(!answer.starts_with(b"HTTP/1.1 200"), "{garbage:?}");
    }
    assert_eq!(server.get("/healthz").await.status, StatusCode::OK);
}
