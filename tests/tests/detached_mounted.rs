//! `detached` methods of a service that is mounted: in the process, in tonic's server and in an axum
//! router.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod common;
mod ledger;

use std::net::SocketAddr;
use std::time::Duration;

use apibase::{CallOptions, Code, Context, Interceptors, Status, TowerService};
use common::{RawClient, frame, soon};
use futures_util::stream;
use http_body_util::{BodyExt, StreamBody};
use ledger::{Ledger, LedgerServiceClient, LedgerServiceServer, ledger, part, post_ledger};
use tokio::net::TcpListener;
use tokio::time::{Instant, sleep, timeout};
use tokio_stream::wrappers::TcpListenerStream;
use tower_service::Service;

type Mounted = TowerService<LedgerServiceServer<Ledger>>;

fn mounted(ledger: Ledger) -> Mounted {
    let service = LedgerServiceServer::new(ledger).into_service(Interceptors::none());
    service.unwrap()
}

async fn in_tonic(service: Mounted) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let server = tonic::transport::Server::builder().add_service(service);
    tokio::spawn(server.serve_with_incoming(TcpListenerStream::new(listener)));
    addr
}

async fn in_axum(service: Mounted) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let router = axum::Router::new().route_service("/detached.LedgerService/{*method}", service);
    tokio::spawn(async move { axum::serve(listener, router).await });
    addr
}

#[tokio::test(start_paused = true)]
async fn a_call_commits_though_its_caller_has_gone() {
    let (ledger, mut book) = ledger();
    let client = LedgerServiceClient::new(mounted(ledger));
    let ctx = Context::background();
    let impatient = timeout(Duration::from_secs(1), client.keep(&ctx, part("a")));
    impatient.await.unwrap_err();
    assert_eq!(book.entries.next().await, "in");
    assert_eq!(book.entries.next().await, "gone");
    book.gate.notify_one();
    assert_eq!(book.entries.next().await, "kept");
    assert_eq!(book.kept(), 1);
}

#[tokio::test(start_paused = true)]
async fn the_methods_cap_ends_the_work_and_its_callers_deadline_does_not() {
    let (ledger, mut book) = ledger();
    let client = LedgerServiceClient::new(mounted(ledger));
    let start = Instant::now();
    let second = client.with(CallOptions::new().deadline(Duration::from_secs(1)));
    let error = second.keep_soon(&Context::background(), part("a")).await;
    assert_eq!(error.unwrap_err().code(), Code::DeadlineExceeded);
    assert_eq!(start.elapsed().as_secs(), 1);
    assert_eq!(book.entries.next().await, "in");
    assert_eq!(book.entries.next().await, "gone");
    assert_eq!(book.entries.next().await, "dropped");
    assert_eq!(start.elapsed().as_secs(), 2);

    let patient = client.keep_soon(&Context::background(), part("a")).await;
    assert_eq!(patient.unwrap_err().code(), Code::DeadlineExceeded);
    assert_eq!(start.elapsed().as_secs(), 4);
    assert_eq!(book.kept(), 0);
}

#[tokio::test]
async fn a_stream_whose_body_does_not_say_its_end_is_not_committed() {
    let (ledger, mut book) = ledger();
    let mut service = mounted(ledger);
    for (method, code) in [("KeepAll", Code::Cancelled), ("Keep", Code::Ok)] {
        // One that was cut off looks the same, and nobody would drop the servicer.
        let piece = http_body::Frame::data(frame(&part("a")));
        let body = StreamBody::new(stream::iter([Ok::<_, Status>(piece)]));
        book.gate.notify_one();
        let answer = service.call(post_ledger(method).body(body).unwrap());
        let answer = soon(soon(answer).await.unwrap().into_body().collect()).await;
        let collected = answer.unwrap();
        let status = collected
            .trailers()
            .and_then(|trailers| trailers.get("grpc-status"));
        // Where there is no reply, the status stands in the head.
        assert_eq!(status.is_some(), code == Code::Ok, "{method}");
    }
    let entries = ["in", "failed: Cancelled", "in", "kept"];
    assert_eq!(book.entries.rest(), entries);
    assert_eq!(book.kept(), 1);
}

#[tokio::test]
async fn half_an_upload_is_not_committed_in_either_sort_of_method() {
    let (ledger, mut book) = ledger();
    let servers = [
        in_tonic(mounted(ledger.clone())).await,
        in_axum(mounted(ledger)).await,
    ];
    for addr in servers {
        for (method, end) in [("KeepAll", "failed: Cancelled"), ("KeepAllNow", "dropped")] {
            for reason in [Some(h2::Reason::CANCEL), Some(h2::Reason::NO_ERROR), None] {
                let mut raw = RawClient::connect(addr).await;
                let (response, mut body) = raw.open(post_ledger(method), false).await;
                body.send_data(frame(&part("a")), false).unwrap();
                assert_eq!(book.entries.next().await, "in");
                sleep(Duration::from_millis(50)).await;
                match reason {
                    Some(reason) => body.send_reset(reason),
                    None => drop((raw, response, body)),
                }
                assert_eq!(book.entries.next().await, end, "{method}, {reason:?}");
            }
        }
        // A whole one is.
        let mut raw = RawClient::connect(addr).await;
        for method in ["KeepAll", "KeepAllNow"] {
            let parts = ["a", "b"].map(|name| frame(&part(name)));
            let answer = soon(raw.call(post_ledger(method), parts)).await;
            assert_eq!(answer.code(), Code::Ok);
            assert_eq!(book.entries.next().await, "in");
            assert_eq!(book.entries.next().await, "kept");
        }
    }
    assert_eq!(book.kept(), 8);
}
