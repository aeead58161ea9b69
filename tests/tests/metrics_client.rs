//! What clients count: calls and their attempts, circuit breakers, and the endpoints of their targets.
//! Time is virtual.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod common;
mod hosts;
mod openmetrics;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use apibase::testing::{Fault, Faults, InProcess};
use apibase::{
    Addresses, Caller, Channel, ClientFactory, Code, Context, HedgingPolicy, Interceptors, Method,
    Metrics, OutlierEjection, Resolver, Resolving, Target,
};
use common::{EchoReply, EchoServiceClient, EchoServiceServer, Outcome, Scripted, ask, count};
use futures_util::{StreamExt, stream};
use hosts::Hosts;
use openmetrics::Page;
use tokio::time::{advance, sleep};

const ECHO: [(&str, &str); 2] = [("service", "echo.EchoService"), ("method", "Echo")];
const COUNT: [(&str, &str); 2] = [("service", "echo.EchoService"), ("method", "Count")];
const COLLECT: [(&str, &str); 2] = [("service", "echo.EchoService"), ("method", "Collect")];
const GET: [(&str, &str); 2] = [("service", "shop.Items"), ("method", "Get")];
const SOON: Duration = Duration::from_millis(10);
/// Longer than a breaker is open, and than its jitter.
const LATER: Duration = Duration::from_secs(34);

static ITEMS: [Method; 2] = [
    Method::unary("/shop.Items/Get").idempotent(),
    Method::unary("/shop.Items/Find").idempotent(),
];
static HEDGED: [Method; 1] = [Method::unary("/echo.EchoService/Echo")
    .idempotent()
    .hedging(HedgingPolicy::up_to(2, Duration::from_millis(100)))];

fn page(metrics: &Metrics) -> Page {
    Page::read(&metrics.encode())
}

fn factory(metrics: &Metrics) -> ClientFactory {
    ClientFactory::new().interceptors(Interceptors::none().with_metrics(metrics))
}

fn faulty() -> Faults<InProcess> {
    Faults::new(InProcess::new(EchoServiceServer::new(Scripted::new())))
}

/// The counts of a method, by status.
fn by_status(page: &Page, name: &str, method: [(&str, &str); 2]) -> Vec<(String, f64)> {
    let samples = page.samples(name, &method).into_iter();
    let counts = samples.map(|sample| (sample.label("status").to_owned(), sample.value));
    counts.filter(|(_, count)| *count > 0.0).collect()
}

fn counts(counts: &[(&str, f64)]) -> Vec<(String, f64)> {
    let owned = counts
        .iter()
        .map(|(status, count)| ((*status).to_owned(), *count));
    owned.collect()
}

fn channel(factory: &ClientFactory, target: &str) -> Channel {
    factory.channel(Target::new(target).insecure()).unwrap()
}

async fn get(caller: &Caller<Channel>) -> Code {
    let outcome: Outcome<EchoReply> = caller
        .unary(&Context::background(), &ITEMS[0], ask(""))
        .await;
    outcome.map_or_else(|error| error.code(), |_| Code::Ok)
}

#[tokio::test(start_paused = true)]
async fn a_call_counts_once_and_each_of_its_attempts() {
    let (metrics, faults) = (Metrics::new(), faulty());
    let client = EchoServiceClient::new(factory(&metrics).over("echo", faults.clone()));
    faults
        .next(Fault::code(Code::Unavailable))
        .next(Fault::lost());
    client.echo(&Context::background(), ask("")).await.unwrap();
    let page = page(&metrics);
    let [requests, attempts] = ["requests", "attempts"]
        .map(|what| by_status(&page, &format!("grpc_client_{what}_total"), ECHO));
    assert_eq!(requests, counts(&[("OK", 1.0)]));
    assert_eq!(attempts, counts(&[("OK", 1.0), ("UNAVAILABLE", 2.0)]));
    assert_eq!(page.value("grpc_client_retries_total", &ECHO), Some(2.0));
    assert_eq!(
        page.value("grpc_client_request_duration_seconds_count", &ECHO),
        Some(1.0)
    );
    assert_eq!(page.value("grpc_client_active_requests", &ECHO), Some(0.0));
    assert!(!page.names().iter().any(|name| name.contains("grpc_server")));
}

#[tokio::test(start_paused = true)]
async fn an_attempt_that_no_server_saw_is_no_retry() {
    let (metrics, faults) = (Metrics::new(), faulty());
    let client = EchoServiceClient::new(factory(&metrics).over("echo", faults.clone()));
    faults.next(Fault::refused());
    client.echo(&Context::background(), ask("")).await.unwrap();
    let page = page(&metrics);
    assert_eq!(page.sum("grpc_client_attempts_total", &ECHO), 2.0);
    assert_eq!(page.value("grpc_client_retries_total", &ECHO), Some(0.0));
}

#[tokio::test(start_paused = true)]
async fn hedges_are_attempts_too() {
    let (metrics, faults) = (Metrics::new(), faulty());
    let caller = Caller::new(factory(&metrics).over("echo", faults.clone()), &HEDGED);
    faults.next(Fault::silence());
    let answer: Outcome<EchoReply> = caller
        .unary(&Context::background(), &HEDGED[0], ask(""))
        .await;
    answer.unwrap();
    let page = page(&metrics);
    let attempts = by_status(&page, "grpc_client_attempts_total", ECHO);
    assert_eq!(attempts, counts(&[("OK", 1.0), ("CANCELLED", 1.0)]));
    assert_eq!(page.value("grpc_client_retries_total", &ECHO), Some(1.0));
    assert_eq!(page.sum("grpc_client_requests_total", &ECHO), 1.0);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_not_sent_has_no_attempt() {
    let (metrics, faults) = (Metrics::new(), faulty());
    let client = EchoServiceClient::new(factory(&metrics).over("echo", faults));
    let late = Context::background().with_timeout(Duration::ZERO);
    client.echo(&late, ask("")).await.unwrap_err();
    let page = page(&metrics);
    assert_eq!(page.sum("grpc_client_attempts_total", &ECHO), 0.0);
    let requests = by_status(&page, "grpc_client_requests_total", ECHO);
    assert_eq!(requests, counts(&[("DEADLINE_EXCEEDED", 1.0)]));
    assert_eq!(page.value("grpc_client_active_requests", &ECHO), Some(0.0));
    client.count(&late, count(1)).await.unwrap_err();
    let after = Page::read(&metrics.encode());
    assert_eq!(after.sum("grpc_client_messages_sent_total", &COUNT), 0.0);
    let requests = by_status(&after, "grpc_client_requests_total", COUNT);
    assert_eq!(requests, counts(&[("DEADLINE_EXCEEDED", 1.0)]));
}

#[tokio::test(start_paused = true)]
async fn messages_of_streams_are_counted_at_their_client() {
    let metrics = Metrics::new();
    let client = EchoServiceClient::new(factory(&metrics).over("echo", faulty()));
    let ctx = Context::background();
    let mut replies = client.count(&ctx, count(200)).await.unwrap();
    replies.message().await.unwrap().unwrap();
    while replies.message().await.unwrap().is_some() {}
    client
        .collect(&ctx, stream::iter(vec![ask("x"); 300]))
        .await
        .unwrap();
    let replies: Vec<_> = client
        .count(&ctx, count(7))
        .await
        .unwrap()
        .take(3)
        .collect()
        .await;
    assert_eq!(replies.len(), 3);
    let page = page(&metrics);
    for (method, sent, received) in [(COUNT, 2.0, 203.0), (COLLECT, 300.0, 1.0)] {
        let value = |name| page.value(name, &method).unwrap();
        assert_eq!(value("grpc_client_messages_sent_total"), sent, "{method:?}");
        assert_eq!(
            value("grpc_client_messages_received_total"),
            received,
            "{method:?}"
        );
    }
    let ended = by_status(&page, "grpc_client_requests_total", COUNT);
    assert_eq!(ended, counts(&[("OK", 1.0), ("CANCELLED", 1.0)]));
    assert_eq!(
        page.value("grpc_client_stream_duration_seconds_count", &COUNT),
        Some(2.0)
    );
}

#[tokio::test(start_paused = true)]
async fn the_state_of_a_breaker_is_told_as_long_as_its_client_is_there() {
    let (metrics, hosts) = (Metrics::new(), Hosts::default());
    let factory = factory(&metrics)
        .connector(hosts.clone())
        .max_retries(0)
        .outlier_ejection(OutlierEjection::off());
    let host = hosts.host("a:1");
    let caller = Caller::new(channel(&factory, "a:1"), &ITEMS);
    let breaker = [("target", "a:1"), GET[0], GET[1]];
    let state = || page(&metrics).value("grpc_client_breaker_state", &breaker);
    assert_eq!(state(), Some(0.0));
    host.answers(Code::Unavailable);
    for _ in 0..7 {
        assert_eq!(get(&caller).await, Code::Unavailable);
    }
    assert_eq!(state(), Some(2.0));
    // Two of the calls had no attempt.
    let open = page(&metrics);
    assert_eq!(open.sum("grpc_client_requests_total", &GET), 7.0);
    assert_eq!(open.sum("grpc_client_attempts_total", &GET), 5.0);
    host.answers(Code::Ok);
    advance(LATER).await;
    assert_eq!(get(&caller).await, Code::Ok);
    assert_eq!(state(), Some(0.0));
    let told = page(&metrics);
    for to in ["OPEN", "HALF_OPEN", "CLOSED"] {
        let to = [breaker[0], GET[0], GET[1], ("to", to)];
        let transitions = told.value("grpc_client_breaker_transitions_total", &to);
        assert_eq!(transitions, Some(1.0), "{to:?}");
    }
    drop(caller);
    assert_eq!(state(), None);
}

#[tokio::test(start_paused = true)]
async fn connections_and_ejections_of_endpoints_are_told() {
    let (metrics, hosts) = (Metrics::new(), Hosts::default());
    let (time, endpoint) = (Duration::from_secs(30), |name| {
        [("target", "a:1,b:1"), ("endpoint", name)]
    });
    let factory = factory(&metrics)
        .connector(hosts.clone())
        .max_retries(0)
        .no_circuit_breaker()
        .outlier_ejection(OutlierEjection::new().in_row(3).time(time, time));
    let [a, b] = ["a:1", "b:1"].map(|name| hosts.host(name));
    let caller = Caller::new(channel(&factory, "a:1,b:1"), &ITEMS);
    assert_eq!(
        page(&metrics).samples("grpc_client_connections", &[]).len(),
        0
    );
    assert_eq!(get(&caller).await, Code::Ok);
    sleep(SOON).await;
    let open = |name| page(&metrics).value("grpc_client_connections", &endpoint(name));
    assert_eq!((open("a:1"), open("b:1")), (Some(1.0), Some(1.0)));

    b.answers(Code::Unavailable);
    for _ in 0..12 {
        get(&caller).await;
    }
    let ejected = |name| page(&metrics).value("grpc_client_endpoint_ejected", &endpoint(name));
    assert_eq!((ejected("a:1"), ejected("b:1")), (Some(0.0), Some(1.0)));
    sleep(LATER + Duration::from_secs(10)).await;
    assert_eq!(ejected("b:1"), Some(0.0));

    a.goes_down();
    sleep(SOON).await;
    assert_eq!((open("a:1"), open("b:1")), (Some(0.0), Some(1.0)));
    let page = page(&metrics);
    for (name, times) in [
        ("grpc_client_connections_opened_total", 2.0),
        ("grpc_client_connections_lost_total", 1.0),
        ("grpc_client_connect_failures_total", 1.0),
        ("grpc_client_ejections_total", 1.0),
    ] {
        assert_eq!(
            page.value(name, &[("target", "a:1,b:1")]),
            Some(times),
            "{name}"
        );
    }
    drop(caller);
    assert_eq!(open("b:1"), None);
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_that_is_gone_has_no_series() {
    #[derive(Clone, Default)]
    struct Moving(Arc<Mutex<u8>>);
    impl Resolver for Moving {
        fn resolve<'a>(&'a self, _host: &'a str, port: u16) -> Resolving<'a> {
            let last = *self.0.lock().unwrap();
            Box::pin(async move {
                let found = vec![SocketAddr::from(([10, 0, 0, last], port))];
                Ok(Addresses::new(found).ttl(Duration::from_secs(1)))
            })
        }
    }
    let (metrics, hosts, moving) = (Metrics::new(), Hosts::default(), Moving::default());
    let factory = factory(&metrics)
        .connector(hosts.clone())
        .resolver(moving.clone())
        .max_retries(0)
        .no_circuit_breaker();
    let caller = Caller::new(channel(&factory, "items:1"), &ITEMS);
    for round in 0..20 {
        *moving.0.lock().unwrap() = round;
        sleep(Duration::from_secs(60)).await;
        assert_eq!(get(&caller).await, Code::Ok, "{round}");
        sleep(Duration::from_secs(60)).await;
        let page = page(&metrics);
        let connections = page.samples("grpc_client_connections", &[]);
        let endpoints: Vec<_> = connections
            .iter()
            .map(|one| one.label("endpoint"))
            .collect();
        assert_eq!(endpoints, [format!("10.0.0.{round}:1")]);
    }
}

#[tokio::test(start_paused = true)]
async fn two_clients_of_a_target_add_up() {
    let (metrics, hosts) = (Metrics::new(), Hosts::default());
    let callers = [(), ()].map(|()| {
        let factory = factory(&metrics).connector(hosts.clone()).max_retries(0);
        Caller::new(channel(&factory, "a:1"), &ITEMS)
    });
    for caller in &callers {
        assert_eq!(get(caller).await, Code::Ok);
    }
    let open = || {
        let endpoint = [("target", "a:1"), ("endpoint", "a:1")];
        page(&metrics).value("grpc_client_connections", &endpoint)
    };
    assert_eq!(open(), Some(2.0));
    let [one, _other] = callers;
    drop(one);
    assert_eq!(open(), Some(1.0));
    assert_eq!(page(&metrics).sum("grpc_client_requests_total", &GET), 2.0);
}

#[tokio::test(start_paused = true)]
async fn ever_new_targets_are_counted_as_one_beyond_the_first() {
    let (metrics, hosts) = (Metrics::new(), Hosts::default());
    let factory = factory(&metrics).connector(hosts.clone()).max_retries(0);
    for number in 0..400 {
        let caller = Caller::new(channel(&factory, &format!("host-{number}:1")), &ITEMS);
        assert_eq!(get(&caller).await, Code::Ok);
    }
    let page = page(&metrics);
    let opened = page.samples("grpc_client_connections_opened_total", &[]);
    assert!((200..=300).contains(&opened.len()), "{}", opened.len());
    assert_eq!(page.sum("grpc_client_connections_opened_total", &[]), 400.0);
    assert_eq!(page.samples("grpc_client_connections", &[]).len(), 0);
}

#[tokio::test(start_paused = true)]
async fn the_same_interceptors_are_for_servers_and_clients() {
    let log = common::log();
    let metrics = Metrics::new();
    let chain = Interceptors::none().with_metrics(&metrics);
    let served = InProcess::behind(chain.clone(), EchoServiceServer::new(Scripted::new())).unwrap();
    let clients = ClientFactory::new().interceptors(chain);
    let client = EchoServiceClient::new(clients.over("echo", served));
    client.echo(&Context::background(), ask("")).await.unwrap();
    let page = page(&metrics);
    let ok = [ECHO[0], ECHO[1], ("status", "OK")];
    assert_eq!(page.value("grpc_requests_total", &ok), Some(1.0));
    assert_eq!(page.value("grpc_client_requests_total", &ok), Some(1.0));
    assert!(log.own_lines().is_empty(), "{:?}", log.own_lines());
}
