//! Our stubs over tonic's channel, and one servicer behind tonic's generated server and behind ours:
//! the answers are the same.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod common;

use std::net::SocketAddr;
use std::pin::Pin;
use std::time::Duration;

use apibase::{
    CallError, CallInfo, CallOptions, Code, Context, DomainError, ServiceError, Status, Transport,
};
use apibase_tests::tonic_echo::echo::echo_service_server as tonics;
use common::{
    CollectReply, CountRequest, EchoReply, EchoRequest, EchoServiceClient, InProcess, Nobody,
    Running, Scripted, ask, count, in_process, journal, reply, soon,
};
use futures_util::{Stream, StreamExt, TryStreamExt, stream};
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::transport::{Channel, Server};
use tonic::{Request, Response, Streaming};

/// The servicer of the tests, as tonic's generated server wants it.
struct Tonic {
    servicer: InProcess,
    ctx: Context,
}

type Replies = Pin<Box<dyn Stream<Item = Result<EchoReply, Status>> + Send>>;

/// tonic's server hands its calls to the same servicer that ours has.
#[tonic::async_trait]
impl tonics::EchoService for Tonic {
    async fn echo(&self, request: Request<EchoRequest>) -> Result<Response<EchoReply>, Status> {
        let answer = self.servicer.echo(&self.ctx, request.into_inner());
        answer.await.map(Response::new).map_err(status)
    }

    type CountStream = Replies;

    async fn count(&self, request: Request<CountRequest>) -> Result<Response<Replies>, Status> {
        let replies = self.servicer.count(&self.ctx, request.into_inner());
        let replies = replies.await.map_err(status)?;
        Ok(Response::new(replies.map_err(status).boxed()))
    }

    async fn collect(
        &self,
        request: Request<Streaming<EchoRequest>>,
    ) -> Result<Response<CollectReply>, Status> {
        let requests = request.into_inner().map(Result::unwrap);
        let answer = self.servicer.collect(&self.ctx, requests);
        answer.await.map(Response::new).map_err(status)
    }

    type ChatStream = Replies;

    async fn chat(
        &self,
        request: Request<Streaming<EchoRequest>>,
    ) -> Result<Response<Replies>, Status> {
        let requests = request.into_inner().map(Result::unwrap);
        let replies = self.servicer.chat(&self.ctx, requests).await;
        Ok(Response::new(
            replies.map_err(status)?.map_err(status).boxed(),
        ))
    }

    async fn ping(&self, request: Request<()>) -> Result<Response<()>, Status> {
        let answer = self.servicer.ping(&self.ctx, request.into_inner());
        answer.await.map(Response::new).map_err(status)
    }
}

fn status(error: CallError<DomainError>) -> Status {
    match error {
        CallError::Service(error) => error.into_status(),
        other => other.failure().unwrap().status().clone(),
    }
}

/// A servicer behind tonic's generated server.
async fn tonics(scripted: Scripted) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let service = tonics::EchoServiceServer::new(Tonic {
        servicer: in_process(scripted),
        ctx: Context::background(),
    });
    let server = Server::builder().add_service(service);
    tokio::spawn(server.serve_with_incoming(TcpListenerStream::new(listener)));
    addr
}

/// Our stubs over tonic's channel.
async fn over_tonic(addr: SocketAddr) -> EchoServiceClient<Channel> {
    let channel = Channel::from_shared(format!("http://{addr}")).unwrap();
    EchoServiceClient::new(channel.connect().await.unwrap())
}

async fn over_ours(addr: SocketAddr) -> EchoServiceClient {
    EchoServiceClient::connect(format!("http://{addr}"))
        .await
        .unwrap()
}

/// What all kinds answer, errors too.
async fn answers<T: Transport>(client: EchoServiceClient<T>) -> Vec<String> {
    let ctx = Context::background();
    let mut answers = Vec::new();
    for payload in ["", "hello", "fail"] {
        let answer = client.echo(&ctx, ask(payload)).await;
        answers.push(format!("{:?}", answer.map_err(said)));
    }
    let requests = || stream::iter(["a", "", "bc"].map(ask));
    let none = stream::empty::<EchoRequest>;
    answers.push(format!(
        "{:?}",
        client.collect(&ctx, requests()).await.map_err(said)
    ));
    answers.push(format!(
        "{:?}",
        client.collect(&ctx, none()).await.map_err(said)
    ));
    answers.push(format!("{:?}", client.ping(&ctx, ()).await.map_err(said)));
    let failing = CountRequest {
        fail_after: Some(2),
        ..count(9)
    };
    for replies in [
        client.count(&ctx, count(0)).await,
        client.count(&ctx, count(100)).await,
        client.count(&ctx, failing).await,
        client.chat(&ctx, requests()).await,
        client.chat(&ctx, none()).await,
    ] {
        let replies = replies.unwrap().map_err(said).collect::<Vec<_>>();
        answers.push(format!("{:?}", replies.await));
    }
    answers
}

/// An error, without what differs from run to run.
#[allow(clippy::needless_pass_by_value, reason = "`map_err` gives it by value")]
fn said(error: CallError<DomainError>) -> String {
    let service = matches!(error, CallError::Service(_));
    format!("{service} {:?} {error}", error.code())
}

fn scripted() -> Scripted {
    Scripted::new().on_echo(|_, request| async move {
        if request.payload == b"fail" {
            return Err(DomainError::validation("no").with_violation("payload", "is `fail`"));
        }
        Ok(reply(0, request.payload))
    })
}

#[tokio::test]
async fn the_same_servicer_answers_the_same_whichever_way_it_is_served_and_called() {
    let our_server = Running::start(scripted()).await.addr;
    let their_server = tonics(scripted()).await;
    let expected = answers(in_process(scripted())).await;
    assert!(
        expected
            .iter()
            .any(|answer| answer.contains("true InvalidArgument")),
        "{expected:?}"
    );
    assert_eq!(answers(over_ours(our_server).await).await, expected);
    assert_eq!(answers(over_ours(their_server).await).await, expected);
    assert_eq!(answers(over_tonic(our_server).await).await, expected);
    assert_eq!(answers(over_tonic(their_server).await).await, expected);
}

#[tokio::test]
async fn over_tonics_channel_a_call_that_is_dropped_is_cancelled() {
    let (journal, mut entries) = journal();
    let hang = move || {
        let dropped = journal.on_drop("dropped");
        let first = stream::once(async { Ok(reply(0, "")) });
        apibase::Streamed::new(first.chain(stream::poll_fn(move |_| {
            let _held = &dropped;
            std::task::Poll::Pending
        })))
    };
    let on_chat = hang.clone();
    let server = Running::start(
        Scripted::new()
            .on_count(move |_, _| std::future::ready(Ok(hang())))
            .on_chat(move |_, _| std::future::ready(Ok(on_chat()))),
    );
    let client = over_tonic(server.await.addr).await;
    let ctx = Context::background();
    let open = stream::pending::<EchoRequest>();
    for replies in [
        client.count(&ctx, count(1)).await,
        client.chat(&ctx, open).await,
    ] {
        let mut replies = replies.unwrap();
        soon(replies.message()).await.unwrap().unwrap();
        drop(replies);
        assert_eq!(entries.next().await, "dropped");
    }
}

#[tokio::test]
async fn over_tonics_channel_deadline_and_metadata_are_the_same() {
    let scripted = Scripted::new().on_echo(|ctx, request| async move {
        if request.payload == b"hang" {
            return std::future::pending().await;
        }
        assert!(ctx.remaining().is_some());
        ctx.response().set_trailer("x-tail", "t")?;
        Ok(reply(0, ctx.metadata().get("x-tenant").unwrap().as_bytes()))
    });
    let client = over_tonic(Running::start(scripted).await.addr).await;
    let info = CallInfo::new();
    let options = CallOptions::new().metadata("x-tenant", "acme").info(&info);
    let ctx = Context::background();
    let ample = options.clone().deadline(Duration::from_secs(3600));
    let answer = client.with(ample).echo(&ctx, ask("")).await.unwrap();
    assert_eq!(answer.payload, b"acme");
    assert_eq!(info.trailers().get("x-tail").unwrap(), "t");

    let short = options.deadline(Duration::from_millis(50));
    let error = soon(client.with(short).echo(&ctx, ask("hang")))
        .await
        .unwrap_err();
    assert!(error.is_timeout(), "{error:?}");
}

#[tokio::test]
async fn over_tonics_channel_nobody_is_a_transport_failure() {
    let nobody = Nobody::new();
    let channel = Channel::from_shared(nobody.target()).unwrap();
    let client = EchoServiceClient::new(channel.connect_lazy());
    let error = client
        .echo(&Context::background(), ask(""))
        .await
        .unwrap_err();
    assert!(error.is_transport(), "{error:?}");
    assert_eq!(error.code(), Code::Unavailable);
}
