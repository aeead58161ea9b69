//! Sinks that are slow, take nothing or are gone: calls go on, and what is lost is counted and told.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod common;

use std::io::{self, BufRead, BufReader, Write};
use std::thread;
use std::time::{Duration, Instant};

use apibase::testing::InProcess;
use apibase::{Context, Interceptors, Logging};
use common::{EchoServiceClient, EchoServiceServer, Scripted, ask};
use serde_json::Value;

const SOON: Duration = Duration::from_secs(60);

fn client(logging: &Logging) -> EchoServiceClient<InProcess> {
    let chain = Interceptors::none().with_logging(logging.clone());
    let service = EchoServiceServer::new(Scripted::new());
    EchoServiceClient::new(InProcess::behind(chain, service).unwrap())
}

async fn call(client: &EchoServiceClient<InProcess>, times: usize) {
    for _ in 0..times {
        client.echo(&Context::background(), ask("")).await.unwrap();
    }
}

#[tokio::test]
async fn calls_go_on_while_nobody_reads_the_pipe_that_their_lines_go_to() {
    const CALLS: usize = 3000;
    let (reader, writer) = io::pipe().unwrap();
    let logging = Logging::to(writer).buffer_size(64 * 1024);
    let client = client(&logging);
    // The pipe takes 64 KiB on Linux, the buffer as much, and each line has 200 bytes at least.
    call(&client, CALLS).await;
    let lost = logging.dropped();
    assert!(lost > 0, "all lines have found room");
    assert!(!logging.flush(Duration::from_millis(10)));

    let read = thread::spawn(move || {
        let lines = BufReader::new(reader).lines();
        lines
            .map(|line| serde_json::from_str(&line.unwrap()).unwrap())
            .collect()
    });
    assert!(logging.flush(SOON));
    // Another one, after those that are missing.
    call(&client, 1).await;
    assert!(logging.flush(SOON));
    drop((client, logging));
    let lines: Vec<Value> = read.join().unwrap();
    let (notes, calls): (Vec<_>, Vec<_>) = lines
        .iter()
        .partition(|line| line["event"] == "grpc_log_lines_lost");
    let told: u64 = notes
        .iter()
        .map(|note| note["lines"].as_u64().unwrap())
        .sum();
    assert_eq!(told, lost);
    assert_eq!(calls.len() as u64 + lost, CALLS as u64 + 1);
    assert_eq!(lines.last().unwrap()["event"], "grpc_request_completed");
}

#[tokio::test]
async fn a_sink_that_never_returns_costs_calls_nothing_and_the_end_a_second() {
    struct Hangs;
    impl Write for Hangs {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            loop {
                thread::park();
            }
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let logging = Logging::to(Hangs).buffer_size(1000);
    let client = client(&logging);
    call(&client, 100).await;
    assert!(logging.dropped() > 50);
    let started = Instant::now();
    drop((client, logging));
    // The tasks of calls that are over may hold it a little longer.
    assert!(started.elapsed() < Duration::from_secs(30));
}

#[tokio::test]
async fn a_pipe_whose_reader_has_gone_loses_lines_and_no_call_fails() {
    let (reader, writer) = io::pipe().unwrap();
    drop(reader);
    let logging = Logging::to(writer);
    let client = client(&logging);
    call(&client, 20).await;
    let started = Instant::now();
    while logging.dropped() < 20 {
        assert!(started.elapsed() < SOON, "{}", logging.dropped());
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn what_is_logged_is_there_when_the_last_who_logs_has_gone() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let logging = Logging::file(file.path()).unwrap();
    let client = client(&logging);
    call(&client, 50).await;
    drop(client);
    // What serves a call ends a little after its answer.
    tokio::time::sleep(Duration::from_millis(500)).await;
    drop(logging);
    let text = std::fs::read_to_string(file.path()).unwrap();
    assert_eq!(text.lines().count(), 50);
}
