//! Tower layers around all requests of a server.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod common;

use std::error::Error;
use std::fmt;
use std::future::{Ready, ready};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context as Task, Poll};
use std::time::Duration;

use apibase::{Code, Context, Peer, RequestService, Server, Status};
use bytes::Bytes;
use common::{
    Answer, EchoServiceClient, RawClient, Running, Scripted, ask, count, frame, post, post_to,
    reply,
};
use futures_util::{TryStreamExt, stream};
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use tokio::sync::Semaphore;
use tower::ServiceBuilder;
use tower::layer::layer_fn;
use tower::limit::ConcurrencyLimitLayer;
use tower::timeout::TimeoutLayer;
use tower::util::{MapRequestLayer, MapResponseLayer};
use tower_service::Service;

async fn served(scripted: Scripted, settings: impl FnOnce(Server) -> Server) -> Running {
    Running::with(scripted, settings).await
}

async fn client(running: &Running) -> EchoServiceClient {
    EchoServiceClient::connect(format!("http://{}", running.addr))
        .await
        .unwrap()
}

/// What an answer without a body says.
fn message(answer: &Answer) -> &str {
    let message = answer.headers.get("grpc-message").unwrap();
    message.to_str().unwrap()
}

/// Counts what comes by.
fn counting<B>(
    count: &Arc<AtomicUsize>,
) -> MapRequestLayer<impl Fn(Request<B>) -> Request<B> + Clone + use<B>> {
    let count = Arc::clone(count);
    MapRequestLayer::new(move |request| {
        count.fetch_add(1, Ordering::Relaxed);
        request
    })
}

/// All four kinds of calls, and one that fails, with replies and errors as they are without a layer.
async fn calls(client: &EchoServiceClient) {
    let ctx = Context::background();
    assert_eq!(client.echo(&ctx, ask("a")).await.unwrap(), reply(0, "a"));
    let replies = client.count(&ctx, count(3)).await.unwrap();
    assert_eq!(replies.try_collect::<Vec<_>>().await.unwrap().len(), 3);
    let requests = || stream::iter(["a", "b"].map(ask));
    let collected = client.collect(&ctx, requests()).await.unwrap();
    assert_eq!(collected.payloads, b"ab");
    let replies = client.chat(&ctx, requests()).await.unwrap();
    assert_eq!(replies.try_collect::<Vec<_>>().await.unwrap().len(), 2);
}

#[tokio::test]
async fn a_layer_sees_every_request() {
    let seen = Arc::new(AtomicUsize::new(0));
    let running = served(Scripted::new(), |server| server.layer(counting(&seen))).await;
    calls(&client(&running).await).await;
    let mut raw = RawClient::connect(running.addr).await;
    let health = raw
        .call(post_to("/grpc.health.v1.Health/Check"), [frame(&())])
        .await;
    assert_eq!(health.code(), Code::Ok);
    let unknown = raw.call(post("Nothing"), [frame(&())]).await;
    assert_eq!(unknown.code(), Code::Unimplemented);
    assert_eq!(seen.load(Ordering::Relaxed), 6);
}

#[tokio::test]
async fn layers_may_change_the_types_of_both_bodies() {
    let layers = ServiceBuilder::new()
        .layer(MapRequestLayer::new(|request: Request<_>| {
            request.map(BodyExt::boxed_unsync)
        }))
        .layer(MapResponseLayer::new(|response: Response<_>| {
            response.map(BodyExt::boxed_unsync)
        }));
    let running = served(Scripted::new(), |server| server.layer(layers)).await;
    calls(&client(&running).await).await;
}

#[tokio::test]
async fn what_a_layer_says_of_an_http_1_connection_is_left_out() {
    let closes = MapResponseLayer::new(|mut response: Response<_>| {
        for (name, value) in [
            ("connection", "close"),
            ("keep-alive", "1"),
            ("x-kept", "1"),
        ] {
            let value = http::HeaderValue::from_static(value);
            response.headers_mut().insert(name, value);
        }
        response
    });
    let running = served(Scripted::new(), |server| server.layer(closes)).await;
    let mut raw = RawClient::connect(running.addr).await;
    let answer = raw.call(post("Echo"), [frame(&ask("a"))]).await;
    assert_eq!(answer.code(), Code::Ok);
    assert_eq!(answer.headers.get("x-kept").unwrap(), "1");
    for name in ["connection", "keep-alive"] {
        assert_eq!(answer.headers.get(name), None);
    }
}

#[tokio::test]
async fn a_deadline_is_kept_behind_a_layer() {
    let seen = Arc::new(AtomicUsize::new(0));
    let hanging = Scripted::new().on_echo(|_, _| std::future::pending());
    let running = served(hanging, |server| server.layer(counting(&seen))).await;
    let mut raw = RawClient::connect(running.addr).await;
    let request = post("Echo").header("grpc-timeout", "50m");
    let answer = raw.call(request, [frame(&ask("a"))]).await;
    assert_eq!(answer.code(), Code::DeadlineExceeded);
    assert_eq!(seen.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn what_a_layers_clones_share_holds_for_the_whole_server() {
    let (running, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let places = Arc::new(Semaphore::new(0));
    let scripted = {
        let (running, most, places) =
            (Arc::clone(&running), Arc::clone(&most), Arc::clone(&places));
        Scripted::new().on_echo(move |_, request| {
            let now = running.fetch_add(1, Ordering::SeqCst) + 1;
            most.fetch_max(now, Ordering::SeqCst);
            let (running, places) = (Arc::clone(&running), Arc::clone(&places));
            async move {
                places.acquire().await.unwrap().forget();
                running.fetch_sub(1, Ordering::SeqCst);
                Ok(reply(0, request.payload))
            }
        })
    };
    let server = served(scripted, |server| {
        server.layer(ConcurrencyLimitLayer::new(2))
    })
    .await;
    let calls = (0..6).map(|_| async {
        // A connection each.
        let client = client(&server).await;
        client.echo(&Context::background(), ask("a")).await.unwrap();
    });
    let let_in = async {
        for _ in 0..6 {
            // Whoever could be in by now is.
            tokio::time::sleep(Duration::from_millis(20)).await;
            places.add_permits(1);
        }
    };
    tokio::join!(futures_util::future::join_all(calls), let_in);
    assert_eq!(most.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_layer_that_fails_fails_the_call_and_says_why_in_the_log_alone() {
    let hanging = Scripted::new().on_echo(|_, _| std::future::pending());
    let layer = TimeoutLayer::new(Duration::from_millis(20));
    let running = served(hanging, |server| server.layer(layer)).await;
    let mut raw = RawClient::connect(running.addr).await;
    let answer = raw.call(post("Echo"), [frame(&ask("a"))]).await;
    assert_eq!(answer.code(), Code::Internal);
    assert!(!message(&answer).contains("timed"), "{answer:?}");
    // The connection lives on.
    let answer = raw.call(post("Ping"), [frame(&())]).await;
    assert_eq!(answer.code(), Code::Ok);
}

/// Fails every request with an error that has a status among its sources.
#[derive(Clone)]
struct Refusing;

#[derive(Debug)]
struct Refused(Status);

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("refused")
    }
}

impl Error for Refused {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}

impl<B> Service<Request<B>> for Refusing {
    type Response = Response<Full<Bytes>>;
    type Error = Refused;
    type Future = Ready<Result<Self::Response, Refused>>;

    fn poll_ready(&mut self, _: &mut Task<'_>) -> Poll<Result<(), Refused>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        ready(match request.uri().path() {
            "/page" => Ok(Response::new(Full::from("not gRPC"))),
            _ => Err(Refused(Status::permission_denied("not from here"))),
        })
    }
}

#[tokio::test]
async fn the_status_that_a_layer_fails_with_is_the_calls() {
    let refuse = layer_fn(|_: RequestService| Refusing);
    let running = served(Scripted::new(), |server| server.layer(refuse)).await;
    let mut raw = RawClient::connect(running.addr).await;
    let answer = raw.call(post("Echo"), [frame(&ask("a"))]).await;
    assert_eq!(answer.code(), Code::PermissionDenied);
    assert_eq!(message(&answer), "not%20from%20here");
}

#[tokio::test]
async fn a_layer_may_answer_by_itself() {
    let refuse = layer_fn(|_: RequestService| Refusing);
    let running = served(Scripted::new(), |server| server.layer(refuse)).await;
    let mut raw = RawClient::connect(running.addr).await;
    let page = raw
        .call(Request::get("http://localhost/page"), [Bytes::new()])
        .await;
    assert_eq!(page.status, StatusCode::OK);
    assert_eq!(page.body, "not gRPC");
}

#[tokio::test]
async fn a_request_says_who_its_peer_is() {
    let layer = MapRequestLayer::new(|request: Request<_>| {
        let peer = request.extensions().get::<Peer>();
        assert!(matches!(peer, Some(Peer::Tcp(_))), "{peer:?}");
        request
    });
    let running = served(Scripted::new(), |server| server.layer(layer)).await;
    calls(&client(&running).await).await;
}
