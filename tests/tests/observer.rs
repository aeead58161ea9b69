//! An observer hears of each call once: that it started, and how it ended.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod common;

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use apibase::Side::{Client, Server};
use apibase::{
    CallOptions, Code, Context, DomainError, Interceptors, Observer, Refusal, Status, Streamed,
};
use common::{
    EchoServiceClient, EchoServiceServer, Nobody, Running, Scripted, Seen, ask, count, failing,
    frame, in_process, post, recorder, reply, soon,
};
use futures_util::{StreamExt, stream};

/// A server and a client of it that are both observed, by two observers each.
macro_rules! observed {
    ($scripted:expr, $server:ident, $client:ident, $calls:ident) => {
        let (on_server, mut $server) = recorder();
        let (beside, _beside) = recorder();
        let chain = Interceptors::none()
            .with_observer(beside)
            .with_observer(on_server);
        let running = Running::with($scripted, |server| server.interceptors(chain)).await;
        let (on_client, mut $client) = recorder();
        let $calls = running
            .client()
            .await
            .with(CallOptions::new().observer(on_client));
    };
}

/// That a call of this method started and ended so, on both sides, and that nothing more was heard.
macro_rules! heard {
    ($server:ident, $client:ident, $method:literal, $code:expr) => {
        assert_eq!($server.next().await, Seen::Started(Server, $method));
        assert_eq!($server.next().await, Seen::Ended(Server, $method, $code));
        assert_eq!($client.next().await, Seen::Started(Client, $method));
        assert_eq!($client.next().await, Seen::Ended(Client, $method, $code));
        assert_eq!(($server.rest(), $client.rest()), (vec![], vec![]));
    };
}

#[tokio::test]
async fn success_is_heard_once_on_each_side() {
    observed!(Scripted::new(), server, client, calls);
    let ctx = Context::background();
    calls.echo(&ctx, ask("")).await.unwrap();
    heard!(server, client, "Echo", Code::Ok);
    calls.collect(&ctx, stream::empty()).await.unwrap();
    heard!(server, client, "Collect", Code::Ok);
    // The replies are kept, and the call has ended all the same.
    let mut replies = calls.count(&ctx, count(3)).await.unwrap();
    while replies.message().await.unwrap().is_some() {}
    heard!(server, client, "Count", Code::Ok);
    drop(replies);
    let replies = calls.chat(&ctx, stream::iter([ask("a")])).await.unwrap();
    assert_eq!(replies.count().await, 1);
    heard!(server, client, "Chat", Code::Ok);
}

#[tokio::test]
async fn an_error_is_heard_with_its_code() {
    let scripted = Scripted::new()
        .on_echo(|_, _| async { Err(DomainError::conflict("")) })
        .on_collect(|_, _| async { Err(Status::aborted("").into()) })
        .on_count(|_, _| async { Ok(failing(2, DomainError::rate_limit(""))) })
        .on_chat(|_, _| async { Err(DomainError::forbidden("")) });
    observed!(scripted, server, client, calls);
    let ctx = Context::background();
    calls.echo(&ctx, ask("")).await.unwrap_err();
    heard!(server, client, "Echo", Code::AlreadyExists);
    calls.collect(&ctx, stream::empty()).await.unwrap_err();
    heard!(server, client, "Collect", Code::Aborted);
    let replies = calls.count(&ctx, count(1)).await.unwrap();
    assert_eq!(replies.count().await, 3);
    heard!(server, client, "Count", Code::ResourceExhausted);
    calls.chat(&ctx, stream::empty()).await.unwrap_err();
    heard!(server, client, "Chat", Code::PermissionDenied);
}

#[tokio::test]
async fn a_panic_is_heard_as_internal() {
    let scripted = Scripted::new()
        .on_echo(|_, _| async { panic!("on purpose") })
        .on_count(|_, _| async { Ok(Streamed::new(stream::once(async { panic!("on purpose") }))) });
    observed!(scripted, server, client, calls);
    let ctx = Context::background();
    calls.echo(&ctx, ask("")).await.unwrap_err();
    heard!(server, client, "Echo", Code::Internal);
    let replies = calls.count(&ctx, count(1)).await.unwrap();
    assert_eq!(replies.count().await, 1);
    heard!(server, client, "Count", Code::Internal);
}

#[tokio::test]
async fn a_cancel_is_heard_as_cancelled() {
    let scripted = Scripted::new()
        .on_echo(|_, _| pending())
        .on_count(|_, _| async {
            Ok(Streamed::new(
                stream::once(async { Ok(reply(0, "")) }).chain(stream::pending()),
            ))
        });
    observed!(scripted, server, client, calls);
    let ctx = Context::background();
    {
        let call = calls.echo(&ctx, ask(""));
        tokio::select! {
            _ = call => panic!("it ended"),
            seen = server.next() => assert_eq!(seen, Seen::Started(Server, "Echo")),
        }
    }
    assert_eq!(
        server.next().await,
        Seen::Ended(Server, "Echo", Code::Cancelled)
    );
    assert_eq!(client.next().await, Seen::Started(Client, "Echo"));
    assert_eq!(
        client.next().await,
        Seen::Ended(Client, "Echo", Code::Cancelled)
    );

    let mut replies = calls.count(&ctx, count(1)).await.unwrap();
    soon(replies.message()).await.unwrap().unwrap();
    drop(replies);
    heard!(server, client, "Count", Code::Cancelled);
}

#[tokio::test]
async fn a_caller_that_leaves_before_all_has_been_sent_has_cancelled() {
    let (observer, mut recording) = recorder();
    let chain = Interceptors::none().with_observer(observer);
    let scripted = Scripted::new().on_count(|_, request| async move {
        let replies = (0..request.count).map(|number| Ok(reply(number, vec![0; 60_000])));
        Ok(Streamed::from_iter(replies))
    });
    let server = Running::with(scripted, |server| server.interceptors(chain)).await;
    let mut raw = server.raw().await;
    // Its window is 64 KiB and never opened: the last of the replies can't leave.
    let (response, mut stream) = raw.open(post("Count"), false).await;
    stream.send_data(frame(&count(9)), true).unwrap();
    let response = soon(response).await.unwrap();
    assert_eq!(recording.next().await, Seen::Started(Server, "Count"));
    stream.send_reset(h2::Reason::CANCEL);
    drop(response);
    let expected = Seen::Ended(Server, "Count", Code::Cancelled);
    assert_eq!(recording.next().await, expected);
}

#[tokio::test(start_paused = true)]
async fn a_deadline_is_heard_with_the_time_that_it_took() {
    struct Elapsed(tokio::sync::mpsc::UnboundedSender<(Code, Duration)>);
    impl Observer for Elapsed {
        fn observe(&self, event: &apibase::Event<'_>) {
            if let apibase::Event::Ended { code, elapsed, .. } = event {
                self.0.send((*code, *elapsed)).unwrap();
            }
        }
    }
    let (sender, mut ends) = tokio::sync::mpsc::unbounded_channel();
    let client = in_process(Scripted::new().on_echo(|_, _| pending()));
    let client = client.with(CallOptions::new().observer(Arc::new(Elapsed(sender))));
    let ctx = Context::background().with_timeout(Duration::from_secs(3));
    client.echo(&ctx, ask("")).await.unwrap_err();
    let end = ends.recv().await.unwrap();
    assert_eq!(end, (Code::DeadlineExceeded, Duration::from_secs(3)));
}

#[tokio::test]
async fn a_call_that_cannot_be_sent_is_heard_by_the_client_alone() {
    let (observer, mut recording) = recorder();
    let nobody = Nobody::new();
    let client = EchoServiceClient::connect_lazy(nobody.target()).unwrap();
    let client = client.with(CallOptions::new().observer(observer).no_retry());
    let ctx = Context::background();
    client.echo(&ctx, ask("")).await.unwrap_err();
    client
        .echo(&ctx.with_timeout(Duration::ZERO), ask(""))
        .await
        .unwrap_err();
    for code in [Code::Unavailable, Code::DeadlineExceeded] {
        assert_eq!(recording.next().await, Seen::Started(Client, "Echo"));
        assert_eq!(recording.next().await, Seen::Ended(Client, "Echo", code));
    }
}

#[tokio::test]
async fn what_is_refused_is_heard_with_its_reason_and_never_started() {
    let (observer, mut recording) = recorder();
    let chain = Interceptors::none().with_observer(observer);
    let server = Running::with(Scripted::new(), |server| server.interceptors(chain)).await;
    let mut raw = server.raw().await;
    let echo = "/echo.EchoService/Echo";
    let nowhere = "/echo.EchoService/Nowhere";
    for (head, path, reason, code) in [
        (
            post("Echo").method("GET"),
            echo,
            Refusal::NotPost,
            Code::Unknown,
        ),
        (
            http::Request::post("http://localhost/echo.EchoService/Echo"),
            echo,
            Refusal::ContentType,
            Code::Unknown,
        ),
        (
            post("Nowhere"),
            nowhere,
            Refusal::UnknownMethod,
            Code::Unimplemented,
        ),
        (
            post("Echo").header("grpc-encoding", "gzip"),
            echo,
            Refusal::Encoding,
            Code::Unimplemented,
        ),
        (
            post("Echo").header("grpc-timeout", "soon"),
            echo,
            Refusal::Timeout,
            Code::Internal,
        ),
        (
            post("Echo").header("grpc-timeout", "0S"),
            echo,
            Refusal::DeadlineSpent,
            Code::DeadlineExceeded,
        ),
    ] {
        raw.call(head, [frame(&ask(""))]).await;
        let expected = Seen::Refused(path.to_owned(), reason, code);
        assert_eq!(recording.next().await, expected);
        assert_eq!(recording.rest(), []);
    }
}

#[tokio::test]
async fn a_service_that_is_mounted_is_observed_as_well() {
    let (observer, mut recording) = recorder();
    let chain = Interceptors::none().with_observer(observer);
    let service = EchoServiceServer::new(Scripted::new()).into_service(chain);
    let client = EchoServiceClient::new(service.unwrap());
    client.echo(&Context::background(), ask("")).await.unwrap();
    assert_eq!(recording.next().await, Seen::Started(Server, "Echo"));
    assert_eq!(
        recording.next().await,
        Seen::Ended(Server, "Echo", Code::Ok)
    );
    assert_eq!(recording.rest(), []);
}

#[tokio::test]
async fn an_observer_that_panics_harms_nobody() {
    struct Panics;
    impl Observer for Panics {
        fn observe(&self, _event: &apibase::Event<'_>) {
            panic!("on purpose");
        }
    }
    let (after, mut recording) = recorder();
    let chain = Interceptors::none().with_observer(Arc::new(Panics));
    let chain = chain.with_observer(after);
    let server = Running::with(Scripted::new(), |server| server.interceptors(chain)).await;
    let mut raw = server.raw().await;
    for _ in 0..3 {
        raw.lives().await;
        assert_eq!(recording.next().await, Seen::Started(Server, "Echo"));
        assert_eq!(
            recording.next().await,
            Seen::Ended(Server, "Echo", Code::Ok)
        );
    }
}
