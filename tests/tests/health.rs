//! Health end to end: our server, a socket, and those who ask.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use apibase::codegen::Service;
use apibase::prost::Message;
use apibase::prost_types::FileDescriptorSet;
use apibase::{
    CallOptions, Channel, Code, Context, Health, Interceptors, Server, ServingStatus, TowerService,
};
use apibase_tests::protos::grpc::health::v1::api::{FILE_DESCRIPTOR_SET, HealthClient, health};
use apibase_tests::protos::grpc::health::v1::{
    HealthCheckRequest, HealthCheckResponse, HealthListRequest, HealthListResponse,
    health_check_response::ServingStatus as Wire,
};
use bytes::Bytes;
use common::{EchoServiceServer, Running, Scripted, frame, log, post_to, soon};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::sleep;
use tokio_stream::wrappers::TcpListenerStream;

const CHECK: &str = "/grpc.health.v1.Health/Check";
const WATCH: &str = "/grpc.health.v1.Health/Watch";

/// Serves `health` beside an echo, and runs it.
async fn serve(health: &Health) -> Running {
    tokio::spawn(health.run());
    let echo = EchoServiceServer::new(Scripted::new());
    let server = Server::new()
        .add_servicer(echo)
        .add_servicer(health.clone());
    Running::of(server).await
}

async fn client(server: &Running) -> HealthClient {
    HealthClient::connect(server.target()).await.unwrap()
}

/// A health that has one service, and no dependency but this one.
fn health_of(up: &Arc<AtomicBool>) -> Health {
    let up = Arc::clone(up);
    let health =
        Health::new()
            .interval(Duration::from_millis(1))
            .dependency("database", move || {
                let up = up.load(Ordering::SeqCst);
                async move { up.then_some(()).ok_or("no answer on port 5432") }
            });
    health.register("echo.EchoService");
    health
}

fn of(service: &str) -> HealthCheckRequest {
    HealthCheckRequest {
        service: service.to_owned(),
    }
}

async fn check(client: &HealthClient, service: &str) -> Result<Wire, Code> {
    match soon(client.check(&Context::background(), of(service))).await {
        Ok(reply) => Ok(reply.status()),
        Err(error) => Err(error.code()),
    }
}

/// Waits until `""` says this.
async fn becomes(client: &HealthClient, status: Wire) {
    let wait = async {
        while check(client, "").await != Ok(status) {
            sleep(Duration::from_millis(1)).await;
        }
    };
    soon(wait).await;
}

#[tokio::test]
async fn check_answers_ok_with_the_state_and_not_found_for_what_is_unknown() {
    let up = Arc::new(AtomicBool::new(false));
    let health = health_of(&up);
    let server = serve(&health).await;
    let client = client(&server).await;
    for name in ["", "echo.EchoService"] {
        assert_eq!(check(&client, name).await, Ok(Wire::NotServing), "{name}");
    }
    assert_eq!(check(&client, "liveness").await, Ok(Wire::Serving));
    assert_eq!(check(&client, "echo.Other").await, Err(Code::NotFound));
    up.store(true, Ordering::SeqCst);
    becomes(&client, Wire::Serving).await;
    assert_eq!(check(&client, "echo.EchoService").await, Ok(Wire::Serving));
}

#[tokio::test]
async fn on_the_wire_check_is_what_probes_read() {
    let health = Health::new();
    let server = serve(&health).await;
    becomes(&client(&server).await, Wire::Serving).await;
    let mut raw = server.raw().await;
    let answer = raw.call(post_to(CHECK), [frame(&of(""))]).await;
    assert_eq!(answer.code(), Code::Ok);
    // One frame of one field: status (1) is SERVING (1).
    assert_eq!(&*answer.body, [0, 0, 0, 0, 2, 0x08, 1]);
    // A message of no bytes asks for "".
    let answer = raw
        .call(post_to(CHECK), [Bytes::from_static(&[0; 5])])
        .await;
    assert_eq!(&*answer.body, [0, 0, 0, 0, 2, 0x08, 1]);
    let answer = raw.call(post_to(CHECK), [frame(&of("nobody"))]).await;
    assert_eq!((answer.code(), &*answer.body), (Code::NotFound, &[][..]));
}

#[tokio::test]
async fn list_has_all_and_is_refused_when_there_are_too_many() {
    let health = Health::new().service("jobs");
    health.register("echo.EchoService");
    let server = serve(&health).await;
    let client = client(&server).await;
    becomes(&client, Wire::Serving).await;
    let ctx = Context::background();
    let reply = soon(client.list(&ctx, HealthListRequest {})).await.unwrap();
    let expected = [
        ("", Wire::Serving),
        ("echo.EchoService", Wire::Serving),
        ("jobs", Wire::NotServing),
        ("liveness", Wire::Serving),
    ];
    let expected = HealthListResponse {
        statuses: expected
            .map(|(name, status)| {
                let status = status.into();
                (name.to_owned(), HealthCheckResponse { status })
            })
            .into(),
    };
    assert_eq!(reply, expected);
    for number in 0..97 {
        health.set(format!("name {number}"), ServingStatus::Serving);
    }
    let error = soon(client.list(&ctx, HealthListRequest {})).await;
    assert_eq!(error.unwrap_err().code(), Code::ResourceExhausted);
}

#[tokio::test]
async fn watch_says_each_change_of_each_name_on_its_stream() {
    let up = Arc::new(AtomicBool::new(false));
    let health = health_of(&up);
    let server = serve(&health).await;
    let client = client(&server).await;
    let ctx = Context::background();
    let mut overall = soon(client.watch(&ctx, of(""))).await.unwrap();
    let mut jobs = soon(client.watch(&ctx, of("jobs"))).await.unwrap();
    let first = soon(jobs.message()).await.unwrap().unwrap();
    assert_eq!(first.status(), Wire::ServiceUnknown);
    for status in [Wire::NotServing, Wire::Serving, Wire::NotServing] {
        up.store(status == Wire::Serving, Ordering::SeqCst);
        let reply = soon(overall.message()).await.unwrap().unwrap();
        assert_eq!(reply.status(), status);
    }
    health.set("jobs", ServingStatus::Serving);
    let known = soon(jobs.message()).await.unwrap().unwrap();
    assert_eq!(known.status(), Wire::Serving);
}

#[tokio::test]
async fn shutting_down_ends_watches_as_unavailable_and_lets_the_server_stop() {
    let health = Health::new();
    let server = serve(&health).await;
    let client = client(&server).await;
    becomes(&client, Wire::Serving).await;
    let ctx = Context::background();
    let mut watch = soon(client.watch(&ctx, of(""))).await.unwrap();
    let first = soon(watch.message()).await.unwrap().unwrap();
    assert_eq!(first.status(), Wire::Serving);
    health.drain();
    let last = soon(watch.message()).await.unwrap().unwrap();
    assert_eq!(last.status(), Wire::NotServing);
    assert_eq!(check(&client, "").await, Ok(Wire::NotServing));
    health.shut_down();
    let error = soon(watch.message()).await.unwrap_err();
    assert_eq!(error.code(), Code::Unavailable);
    let again = soon(client.watch(&ctx, of(""))).await;
    assert!(
        matches!(&again, Err(error) if error.code() == Code::Unavailable),
        "{again:?}"
    );
    drop((watch, again, client));
    soon(server.stop()).await.unwrap();
}

#[tokio::test]
async fn a_watch_is_gone_when_its_caller_is() {
    let health = Health::new();
    let server = serve(&health).await;
    let ctx = Context::background();
    let client = client(&server).await;
    let mut watches = Vec::new();
    for name in ["", "liveness", "nobody"] {
        let mut watch = soon(client.watch(&ctx, of(name))).await.unwrap();
        soon(watch.message()).await.unwrap().unwrap();
        watches.push(watch);
    }
    let late = CallOptions::new().deadline(Duration::from_millis(20));
    let mut late = soon(client.with(late).watch(&ctx, of("nobody")))
        .await
        .unwrap();
    soon(late.message()).await.unwrap().unwrap();
    assert_eq!(watchers(&health), 4);
    let error = soon(late.message()).await.unwrap_err();
    assert_eq!(error.code(), Code::DeadlineExceeded);
    drop(watches);
    soon(until_nobody_watches(&health)).await;

    // One whose connection breaks.
    let mut raw = server.raw().await;
    let (response, mut request) = raw.open(post_to(WATCH), false).await;
    request.send_data(frame(&of("")), true).unwrap();
    let response = soon(response).await.unwrap();
    assert_eq!(watchers(&health), 1);
    drop((raw, request, response));
    soon(until_nobody_watches(&health)).await;
}

/// The window takes one message, so hyper asks for the next when there is room for it.
#[tokio::test]
async fn a_reader_that_does_not_read_gets_the_newest_when_it_does() {
    let health = Health::new().service("jobs");
    let server = serve(&health).await;
    let stream = TcpStream::connect(server.addr).await.unwrap();
    let handshake = h2::client::Builder::new()
        .initial_window_size(7)
        .handshake::<_, Bytes>(stream);
    let (requests, connection) = soon(handshake).await.unwrap();
    tokio::spawn(connection);
    let mut requests = soon(requests.ready()).await.unwrap();
    let head = post_to(WATCH).body(()).unwrap();
    let (response, mut request) = requests.send_request(head, false).unwrap();
    request.send_data(frame(&of("jobs")), true).unwrap();
    let mut body = soon(response).await.unwrap().into_body();
    let mut next = async |before: Option<&[u8]>| {
        if let Some(before) = before {
            body.flow_control().release_capacity(before.len()).unwrap();
        }
        soon(body.data()).await.unwrap().unwrap()
    };
    let first = next(None).await;
    assert_eq!(&*first, [0, 0, 0, 0, 2, 0x08, 2]);
    for number in 0..1001 {
        let status = match number % 2 {
            0 => ServingStatus::Serving,
            _ => ServingStatus::NotServing,
        };
        health.set("jobs", status);
        tokio::task::yield_now().await;
    }
    let second = next(Some(&first)).await;
    assert_eq!(&*second, [0, 0, 0, 0, 2, 0x08, 1]);
    health.set("jobs", ServingStatus::NotServing);
    let third = next(Some(&second)).await;
    assert_eq!(&*third, [0, 0, 0, 0, 2, 0x08, 2]);
}

#[tokio::test]
async fn a_method_that_it_does_not_have_is_unimplemented() {
    let health = Health::new();
    let mut raw = serve(&health).await.raw().await;
    let answer = raw
        .call(post_to("/grpc.health.v1.Health/Ask"), [frame(&of(""))])
        .await;
    assert_eq!(answer.code(), Code::Unimplemented);
}

#[tokio::test]
async fn it_can_be_mounted_in_tonics_server() {
    let health = Health::new();
    let run = tokio::spawn(health.run());
    let service = TowerService::new(health.clone(), Interceptors::none()).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let router = tonic::transport::Server::builder().add_service(service);
    let serving = tokio::spawn(router.serve_with_incoming(TcpListenerStream::new(listener)));
    let channel = Channel::connect(format!("http://{addr}")).await.unwrap();
    let client = HealthClient::new(channel);
    becomes(&client, Wire::Serving).await;
    let ctx = Context::background();
    let mut watch = soon(client.watch(&ctx, of(""))).await.unwrap();
    soon(watch.message()).await.unwrap().unwrap();
    health.shut_down();
    soon(watch.message()).await.unwrap().unwrap();
    let error = soon(watch.message()).await.unwrap_err();
    assert_eq!(error.code(), Code::Unavailable);
    soon(run).await.unwrap();
    serving.abort();
}

#[tokio::test(start_paused = true)]
async fn the_log_has_transitions_and_their_reasons() {
    let log = log();
    let up = Arc::new(AtomicBool::new(false));
    let health = health_of(&up);
    tokio::spawn(health.run());
    for is_up in [false, true, false] {
        up.store(is_up, Ordering::SeqCst);
        sleep(Duration::from_secs(1)).await;
    }
    health.set("jobs", ServingStatus::Serving);
    health.set("jobs", ServingStatus::NotServing);
    health.set("jobs", ServingStatus::NotServing);
    health.set("jobs", ServingStatus::Serving);
    health.drain();
    health.shut_down();
    let down = "WARN a dependency is not healthy dependency=\"database\" \
                why=\"no answer on port 5432\" overall=NOT_SERVING";
    let expected = [
        down,
        "INFO a dependency is healthy dependency=\"database\" overall=SERVING",
        down,
        "WARN a service was set to NOT_SERVING service=\"jobs\"",
        "INFO a service was set to SERVING service=\"jobs\"",
        "INFO health is NOT_SERVING from now on: the server shuts down",
    ];
    assert_eq!(said(&log.own_lines()), expected);
}

#[tokio::test(start_paused = true)]
async fn the_log_says_why_a_check_failed_and_not_at_any_length() {
    let log = log();
    let health = Health::new()
        .dependency("hangs", std::future::pending::<Result<(), &str>>)
        .dependency("panics", || async {
            if true {
                panic!("no way");
            }
            Ok::<(), &str>(())
        })
        .dependency("talks", || async { Err::<(), _>("\u{e4}\n".repeat(1000)) });
    tokio::spawn(health.run());
    sleep(Duration::from_secs(100)).await;
    let lines = said(&log.own_lines());
    assert_eq!(lines.len(), 3, "{lines:?}");
    let line = |of: &str| lines.iter().find(|line| line.contains(of)).unwrap();
    assert!(line("\"hangs\"").contains("why=\"it took longer than 5s\""));
    assert!(line("\"panics\"").contains("why=\"it panicked: no way\""));
    assert!(line("\"talks\"").contains("\u{e4}\\n\u{e4}\\n"));
    assert!(line("\"talks\"").len() < 1000);
}

/// What would be served if the generator wrote it, but for the file's name.
#[test]
fn its_descriptors_and_methods_are_those_of_the_proto() {
    let mut ours = FileDescriptorSet::decode(Health::DESCRIPTORS).unwrap();
    assert_eq!(ours.file[0].name(), "grpc/health/v1/health.proto");
    ours.file[0].name = Some("common/health.proto".to_owned());
    assert_eq!(ours.encode_to_vec(), FILE_DESCRIPTOR_SET);
    let paths = |methods: &[apibase::Method]| -> Vec<_> {
        methods.iter().map(|m| (m.path(), m.kind())).collect()
    };
    assert_eq!(paths(Health::METHODS), paths(health::METHODS));
}

/// How many watch, as `Debug` has it.
fn watchers(health: &Health) -> usize {
    let text = format!("{health:?}");
    let (_, count) = text.rsplit_once("watchers: ").unwrap();
    let digits: String = count.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().unwrap()
}

async fn until_nobody_watches(health: &Health) {
    while watchers(health) > 0 {
        sleep(Duration::from_millis(1)).await;
    }
}

/// The lines without their times and modules.
fn said(lines: &[String]) -> Vec<String> {
    let said = lines.iter().map(|line| {
        let (before, after) = line.split_once(" apibase::health").unwrap();
        let (_, text) = after.split_once(": ").unwrap();
        let level = before.split_whitespace().last().unwrap();
        format!("{level} {text}")
    });
    said.collect()
}
