//! Prometheus scrapes what a server with all five interceptors counts, and answers questions about it; its
//! `promtool` has nothing to say against the page.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod common;
mod five;
mod logged;
mod peers;
mod spans;
mod tokens;

use std::fs;
use std::net::SocketAddr;
use std::process::Stdio;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use apibase::{CallOptions, ClientFactory, Code, Context, Interceptors};
use apibase_tests::guarded::guarded::Thing;
use apibase_tests::guarded::guarded::api::VaultServiceClient;
use common::soon;
use five::Five;
use futures_util::TryStreamExt as _;
use peers::{get, said, tool};
use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::Child;
use tokio::time::sleep;
use url::form_urlencoded::byte_serialize;

/// A Prometheus that reads a page each second, until it is dropped.
struct Prometheus {
    addr: SocketAddr,
    _process: Child,
    _folder: TempDir,
}

impl Prometheus {
    async fn start(scraped: SocketAddr) -> Option<Self> {
        let mut prometheus = tool("prometheus", "PROMETHEUS")?;
        let folder = TempDir::new().unwrap();
        let config = folder.path().join("prometheus.yml");
        let job = format!(
            "global:\n  scrape_interval: 1s\nscrape_configs:\n  - job_name: vault\n    static_configs:\n      \
             - targets: [\"{scraped}\"]\n"
        );
        fs::write(&config, job).unwrap();
        let prometheus = prometheus
            .arg(format!("--config.file={}", config.display()))
            .arg(format!(
                "--storage.tsdb.path={}",
                folder.path().join("data").display()
            ))
            .arg("--web.listen-address=127.0.0.1:0")
            .arg("--enable-feature=exemplar-storage")
            .stderr(Stdio::piped());
        let mut process = prometheus.spawn().unwrap();
        let mut lines = BufReader::new(process.stderr.take().unwrap()).lines();
        let addr = loop {
            let line = soon(lines.next_line()).await.unwrap();
            let line = line.expect("Prometheus has ended");
            // The port that it has got; before, it says which one it wants.
            let told = line.split_once(r#"msg="Listening on" address="#);
            if let Some((_, addr)) = told {
                break addr.trim().parse().unwrap();
            }
        };
        // Nobody may keep it from saying more.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Some(Self {
            addr,
            _process: process,
            _folder: folder,
        })
    }

    async fn ask(&self, path: &str, query: &str) -> Value {
        let query: String = byte_serialize(query.as_bytes()).collect();
        let mut answer = get(self.addr, &format!("/api/v1/{path}query={query}")).await;
        answer["data"].take()
    }

    /// The one value that this is now; `None` while there is none.
    async fn value(&self, query: &str) -> Option<f64> {
        let data = self.ask("query?", query).await;
        let value = data["result"][0]["value"][1].as_str()?;
        let value: f64 = value.parse().unwrap();
        value.is_finite().then_some(value)
    }

    /// Waits until it is this, which it is some time after a scrape.
    async fn until(&self, query: &str, expected: impl Fn(f64) -> bool) -> f64 {
        let looking = async {
            loop {
                if let Some(value) = self.value(query).await.filter(|value| expected(*value)) {
                    return value;
                }
                sleep(Duration::from_millis(100)).await;
            }
        };
        soon(looking).await
    }
}

/// A client of it that traces its calls; it counts them, too.
async fn client(five: &Five) -> VaultServiceClient {
    let (tracing, _, provider) = spans::recorded(opentelemetry_sdk::trace::Sampler::AlwaysOn);
    // It is shut down when it is dropped.
    std::mem::forget(provider);
    let chain = Interceptors::none()
        .with_metrics(&five.metrics)
        .with_tracing(tracing);
    let clients = ClientFactory::new().max_retries(0).interceptors(chain);
    let channel = soon(clients.connect(five.server.target())).await;
    VaultServiceClient::new(channel.unwrap())
}

/// Calls so often with a token, once without it, and once for a stream.
async fn call(five: &Five, client: &VaultServiceClient, times: usize) {
    let ctx = Context::background();
    let token = format!("Bearer {}", five.token(""));
    let known = client.with(CallOptions::new().metadata("authorization", &token));
    for _ in 0..times {
        soon(known.look(&ctx, Thing::default())).await.unwrap();
    }
    let refused = soon(client.look(&ctx, Thing::default())).await.unwrap_err();
    assert_eq!(refused.code(), Code::Unauthenticated);
    let stream = soon(client.knock(&ctx, Thing::default())).await.unwrap();
    assert_eq!(soon(stream.try_collect::<Vec<_>>()).await.unwrap().len(), 2);
}

#[tokio::test]
async fn prometheus_scrapes_our_counts_and_answers_questions_about_them() {
    let five = Five::start(|auth| auth).await;
    let scraped = five.server.admin.unwrap();
    let Some(prometheus) = Prometheus::start(scraped).await else {
        return;
    };
    let client = client(&five).await;
    call(&five, &client, 20).await;

    const LOOK: &str = r#"service="guarded.VaultService",method="Look""#;
    for (query, expected) in [
        (
            format!(r#"grpc_requests_total{{{LOOK},status="OK"}}"#),
            20.0,
        ),
        (
            format!(r#"grpc_requests_total{{{LOOK},status="UNAUTHENTICATED"}}"#),
            1.0,
        ),
        (
            format!("grpc_request_duration_seconds_count{{{LOOK}}}"),
            21.0,
        ),
        (
            r#"grpc_server_refused_total{reason="TOKEN_MISSING"}"#.to_owned(),
            1.0,
        ),
        (
            r#"grpc_server_messages_sent_total{method="Knock"}"#.to_owned(),
            2.0,
        ),
        ("sum(grpc_client_requests_total)".to_owned(), 22.0),
        ("grpc_server_active_connections".to_owned(), 1.0),
        ("up".to_owned(), 1.0),
    ] {
        prometheus.until(&query, |value| value == expected).await;
    }

    // A quantile of what is going on, as a dashboard has it: there must be calls between two scrapes.
    let quantile = "histogram_quantile(0.99, sum by (le, method) \
                    (rate(grpc_request_duration_seconds_bucket{method=\"Look\"}[10s])))";
    let going_on = async {
        loop {
            call(&five, &client, 5).await;
            sleep(Duration::from_millis(100)).await;
        }
    };
    let seconds = tokio::select! {
        seconds = prometheus.until(quantile, |_| true) => seconds,
        () = going_on => unreachable!(),
    };
    assert!((0.0..=10.0).contains(&seconds), "{seconds}");

    // The page says nothing that Prometheus leaves out, and its exemplars are of our traces.
    let traces: Vec<_> = five.spans.all().iter().map(spans::trace_of).collect();
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_secs();
    let path = format!("query_exemplars?start={}&end={}&", now - 600, now + 600);
    let bucket = "grpc_request_duration_seconds_bucket";
    let exemplars = soon(async {
        loop {
            let exemplars = prometheus.ask(&path, bucket).await;
            if exemplars.as_array().is_some_and(|all| !all.is_empty()) {
                break exemplars;
            }
            sleep(Duration::from_millis(100)).await;
        }
    });
    let exemplars = exemplars.await;
    for series in exemplars.as_array().unwrap() {
        assert_eq!(series["seriesLabels"]["service"], "guarded.VaultService");
        for exemplar in series["exemplars"].as_array().unwrap() {
            let trace = exemplar["labels"]["trace_id"].as_str().unwrap();
            assert!(
                traces.iter().any(|known| known.to_string() == trace),
                "{trace}"
            );
        }
    }
    let targets = prometheus.ask("targets?", "").await;
    assert_eq!(targets["activeTargets"][0]["lastError"], "", "{targets}");
}

#[tokio::test]
async fn promtool_has_nothing_to_say_against_the_page() {
    let Some(mut promtool) = tool("promtool", "PROMTOOL") else {
        return;
    };
    let five = Five::start(|auth| auth).await;
    call(&five, &client(&five).await, 3).await;
    let page = five.metrics.encode_prometheus();
    let promtool = promtool
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut process = promtool.spawn().unwrap();
    let mut stdin = process.stdin.take().unwrap();
    stdin.write_all(page.as_bytes()).await.unwrap();
    drop(stdin);
    let output = soon(process.wait_with_output()).await.unwrap();
    let out = said(&output);
    assert!(output.status.success() && out.is_empty(), "{out}{page}");
}
