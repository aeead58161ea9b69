//! What a server serves by itself: health and reflection, unless it is told not to.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use apibase::prost::Message;
use apibase::{Code, Health, Server, ServingStatus};
use bytes::Bytes;
use common::{
    Answer, EchoServiceServer, RawClient, Running, Scripted, ask, frame, journal, post, post_to,
    reply, soon,
};

const CHECK: &str = "/grpc.health.v1.Health/Check";
const WATCH: &str = "/grpc.health.v1.Health/Watch";
const REFLECTION: [&str; 2] = [
    "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
    "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
];

/// Longer than a call takes on a busy machine.
const LAME_DUCK: Duration = Duration::from_secs(1);

/// Longer than any test takes.
const LONG: Duration = Duration::from_secs(3600);

/// `HealthCheckRequest`.
#[derive(Clone, PartialEq, Message)]
struct Ask {
    #[prost(string, tag = "1")]
    service: String,
}

/// `HealthCheckResponse`.
#[derive(Clone, PartialEq, Message)]
struct Told {
    #[prost(int32, tag = "1")]
    status: i32,
}

const SERVING: i32 = 1;
const NOT_SERVING: i32 = 2;

fn of(service: &str) -> Bytes {
    frame(&Ask {
        service: service.to_owned(),
    })
}

async fn check(client: &mut RawClient, service: &str) -> Answer {
    client.call(post_to(CHECK), [of(service)]).await
}

fn status(answer: &Answer) -> i32 {
    let [told] = &answer.messages::<Told>()[..] else {
        panic!("not one reply: {answer:?}");
    };
    told.status
}

/// Asks until the answer is this one: a server has checked nothing when it starts.
async fn becomes(client: &mut RawClient, service: &str, wanted: i32) {
    let asking = async {
        while status(&check(client, service).await) != wanted {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    soon(asking).await;
}

#[tokio::test]
async fn a_server_serves_health_and_reflection_by_itself() {
    let server = Running::start(Scripted::new()).await;
    let mut client = server.raw().await;
    for service in ["", "echo.EchoService", "liveness"] {
        becomes(&mut client, service, SERVING).await;
    }
    let answer = check(&mut client, "echo.Nobody").await;
    assert_eq!(answer.code(), Code::NotFound);
    for path in REFLECTION {
        // `list_services`, field 7.
        let answer = client.call(post_to(path), [frame_of_list()]).await;
        assert_eq!(answer.code(), Code::Ok, "{path}: {answer:?}");
        let body = String::from_utf8_lossy(&answer.body).into_owned();
        for name in ["echo.EchoService", "grpc.health.v1.Health"] {
            assert!(body.contains(name), "{path}: {body}");
        }
    }
}

fn frame_of_list() -> Bytes {
    #[derive(Clone, PartialEq, Message)]
    struct List {
        #[prost(string, optional, tag = "7")]
        list_services: Option<String>,
    }
    frame(&List {
        list_services: Some(String::new()),
    })
}

#[tokio::test]
async fn a_server_that_is_told_so_serves_neither() {
    let variables = [
        ("GRPC__SERVER__HEALTH_CHECK_ENABLED", "false"),
        ("GRPC__SERVER__REFLECTION_ENABLED", "false"),
    ];
    let server = Server::from_variables(variables).unwrap();
    let server = server.add_servicer(EchoServiceServer::new(Scripted::new()));
    let server = Running::of(server).await;
    let mut client = server.raw().await;
    for path in [CHECK, REFLECTION[0], REFLECTION[1]] {
        let answer = client.call(post_to(path), [of("")]).await;
        assert_eq!(answer.code(), Code::Unimplemented, "{path}");
    }
    client.lives().await;
}

#[tokio::test]
async fn a_health_with_dependencies_is_serving_when_they_are() {
    let is_up = Arc::new(AtomicBool::new(false));
    let database = Arc::clone(&is_up);
    let health =
        Health::new()
            .interval(Duration::from_millis(5))
            .dependency("database", move || {
                let is_up = database.load(Ordering::Relaxed);
                async move { is_up.then_some(()).ok_or("connection refused") }
            });
    let server = Running::with(Scripted::new(), |server| server.health(health)).await;
    let mut client = server.raw().await;
    becomes(&mut client, "echo.EchoService", NOT_SERVING).await;
    assert_eq!(status(&check(&mut client, "liveness").await), SERVING);
    is_up.store(true, Ordering::Relaxed);
    becomes(&mut client, "echo.EchoService", SERVING).await;
    is_up.store(false, Ordering::Relaxed);
    becomes(&mut client, "", NOT_SERVING).await;
}

#[tokio::test]
async fn health_answers_when_no_call_is_taken_any_more() {
    let server = Running::with(Scripted::new(), |server| server.max_concurrent_rpcs(0)).await;
    let mut client = server.raw().await;
    let refused = client.call(post("Echo"), [frame(&ask(""))]).await;
    assert_eq!(refused.code(), Code::ResourceExhausted);
    becomes(&mut client, "", SERVING).await;
}

#[tokio::test]
async fn a_server_that_stops_says_so_first_and_serves_on_for_its_lame_duck_time() {
    let (journal, mut entries) = journal();
    let scripted = Scripted::new().on_echo(move |_, _| {
        journal.write("in");
        async { Ok(reply(7, "")) }
    });
    let health = Health::new();
    let watched = health.clone();
    let server = Running::with(scripted, |server| {
        server.health(health).lame_duck(LAME_DUCK).grace(LONG)
    })
    .await;
    let mut client = server.raw().await;
    becomes(&mut client, "", SERVING).await;
    let (response, mut body) = client.open(post_to(WATCH), false).await;
    body.send_data(of(""), true).unwrap();
    // Its head comes with the first message.
    let response = soon(response).await.unwrap();
    let watch = tokio::spawn(Answer::read(response));

    let mut stopping = server.stop();
    let told = async {
        while watched.status("") != Some(ServingStatus::NotServing) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    soon(told).await;
    // It still takes calls.
    let answer = client.call(post("Echo"), [frame(&ask(""))]).await;
    assert_eq!(answer.code(), Code::Ok);
    assert_eq!(soon(entries.next()).await, "in");

    // Who watches is told, and doesn't hold up the end.
    soon(&mut stopping).await.unwrap();
    let watch = watch.await.unwrap();
    let told: Vec<_> = watch
        .messages::<Told>()
        .iter()
        .map(|told| told.status)
        .collect();
    assert_eq!(told, [SERVING, NOT_SERVING]);
    assert_eq!(watch.code(), Code::Unavailable);
}
