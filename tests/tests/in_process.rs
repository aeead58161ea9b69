//! What the wire does to a call, over a socket and in the process: the same tests for both.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use apibase::testing::InProcess;
use apibase::{
    CallError, CallInfo, CallOptions, Code, Context, DomainError, FailureKind, Streamed,
    TypedMetadata,
};
use common::{
    CollectReply, EchoServiceClient, EchoServiceServer, Entries, Running, Scripted, ask, count,
    failing, failure, journal, reply, soon,
};
use futures_util::{StreamExt, TryStreamExt, stream};
use tokio::sync::Notify;
use tokio_stream::wrappers::ReceiverStream;

/// The test of this name, over both transports.
macro_rules! over_both {
    ($($name:ident)*) => {
        $(
            mod $name {
                #[tokio::test]
                async fn in_the_process() {
                    super::checks::$name(&mut super::Wire::InProcess).await;
                }

                #[tokio::test]
                async fn over_a_socket() {
                    super::checks::$name(&mut super::Wire::Socket(Vec::new())).await;
                }
            }
        )*
    };
}

over_both! {
    all_kinds_answer
    streams_may_be_empty
    a_bidi_stream_answers_each_request_before_the_next
    metadata_and_trailers_go_both_ways
    nothing_of_the_protocol_is_in_the_metadata
    an_error_comes_back_with_its_details
    an_error_in_mid_stream_comes_after_the_replies_before_it
    a_panic_is_internal_and_says_nothing
    a_panic_in_mid_stream_is_internal
    the_server_reads_the_deadline
    a_servicer_is_dropped_at_the_deadline
    a_servicer_is_dropped_with_its_call
    a_stream_is_dropped_with_its_replies
    requests_end_when_the_reply_comes_early
    requests_are_dropped_with_their_call
    requests_are_sent_before_they_are_read
    replies_are_made_before_they_are_read
    replies_wait_for_their_reader
    requests_wait_for_their_reader
    a_request_that_is_too_large_is_refused
    a_reply_that_is_too_large_is_refused
    calls_of_one_client_run_at_once
}

/// What carries the calls.
enum Wire {
    InProcess,
    /// With the servers that run.
    Socket(Vec<Running>),
}

/// A client over either.
#[derive(Clone)]
enum Client {
    InProcess(EchoServiceClient<InProcess>),
    Socket(EchoServiceClient),
}

/// The call of either client.
macro_rules! call {
    ($client:expr, $client_name:ident => $call:expr) => {
        match $client.clone() {
            Client::InProcess($client_name) => soon($call).await,
            Client::Socket($client_name) => soon($call).await,
        }
    };
}

impl Wire {
    async fn client(&mut self, scripted: Scripted) -> Client {
        match self {
            Self::InProcess => Client::InProcess(in_process(scripted)),
            Self::Socket(running) => {
                let server = Running::start(scripted).await;
                let client = server.client().await;
                running.push(server);
                Client::Socket(client)
            }
        }
    }
}

impl Client {
    fn with(&self, options: CallOptions) -> Self {
        match self {
            Self::InProcess(client) => Self::InProcess(client.with(options)),
            Self::Socket(client) => Self::Socket(client.with(options)),
        }
    }
}

fn in_process(scripted: Scripted) -> EchoServiceClient<InProcess> {
    EchoServiceClient::new(InProcess::new(EchoServiceServer::new(scripted)))
}

/// Far from what a loaded machine takes for a call.
const WHILE: Duration = Duration::from_secs(20);

mod checks {
    use super::*;

    pub(crate) async fn all_kinds_answer(wire: &mut Wire) {
        let client = wire.client(Scripted::new()).await;
        let ctx = Context::background();
        let answer = call!(client, c => c.echo(&ctx, ask("a")));
        assert_eq!(answer.unwrap(), reply(0, "a"));
        let () = call!(client, c => c.ping(&ctx, ())).unwrap();
        let replies = call!(client, c => c.count(&ctx, count(1000))).unwrap();
        let numbers: Vec<_> = replies
            .map_ok(|reply| reply.number)
            .try_collect()
            .await
            .unwrap();
        assert_eq!(numbers, (0..1000).collect::<Vec<_>>());
        let requests = || stream::iter(["a", "", "bc"].map(ask));
        let collected = call!(client, c => c.collect(&ctx, requests())).unwrap();
        assert_eq!(collected.count, 3);
        assert_eq!(collected.payloads, b"abc");
        let replies = call!(client, c => c.chat(&ctx, requests())).unwrap();
        let replies: Vec<_> = replies.try_collect().await.unwrap();
        assert_eq!(replies, [reply(0, "a"), reply(1, ""), reply(2, "bc")]);
    }

    pub(crate) async fn streams_may_be_empty(wire: &mut Wire) {
        let client = wire.client(Scripted::new()).await;
        let ctx = Context::background();
        let mut replies = call!(client, c => c.count(&ctx, count(0))).unwrap();
        assert_eq!(soon(replies.message()).await.unwrap(), None);
        assert_eq!(
            soon(replies.message()).await.unwrap(),
            None,
            "the end stays"
        );
        let collected = call!(client, c => c.collect(&ctx, stream::empty())).unwrap();
        assert_eq!(collected, CollectReply::default());
        let mut replies = call!(client, c => c.chat(&ctx, stream::empty())).unwrap();
        assert_eq!(soon(replies.message()).await.unwrap(), None);
    }

    pub(crate) async fn a_bidi_stream_answers_each_request_before_the_next(wire: &mut Wire) {
        let client = wire.client(Scripted::new()).await;
        let ctx = Context::background();
        let (requests, receiver) = tokio::sync::mpsc::channel(1);
        let receiver = ReceiverStream::new(receiver);
        let mut replies = call!(client, c => c.chat(&ctx, receiver)).unwrap();
        for number in 0..10_u8 {
            soon(requests.send(ask([number]))).await.unwrap();
            let answer = soon(replies.message()).await.unwrap().unwrap();
            assert_eq!(answer, reply(number.into(), [number]));
        }
        drop(requests);
        assert_eq!(soon(replies.message()).await.unwrap(), None);
    }

    pub(crate) async fn metadata_and_trailers_go_both_ways(wire: &mut Wire) {
        let scripted = Scripted::new()
            .on_echo(|ctx, _| async move {
                let text: Option<String> = ctx.metadata().text("x-text")?;
                ctx.response()
                    .set_header("x-header", text.unwrap_or_default())?;
                ctx.response()
                    .set_trailer("x-trailer", ctx.correlation_id().unwrap_or("none"))?;
                let message = ctx
                    .metadata()
                    .get_bin("x-ask-bin")
                    .unwrap()
                    .to_bytes()
                    .unwrap();
                Ok(reply(0, message.to_vec()))
            })
            .on_count(|ctx, _| async move {
                ctx.response().set_trailer("x-trailer", "late")?;
                Err(DomainError::not_found("nothing"))
            });
        let client = wire.client(scripted).await;
        let ctx = Context::background().with_correlation_id("the-id");
        let info = CallInfo::new();
        let options = CallOptions::new()
            .metadata("x-text", "a text")
            .metadata_message("x-ask-bin", &ask("in bytes"))
            .info(&info);
        let client = client.with(options);
        let answer = call!(client, c => c.echo(&ctx, ask(""))).unwrap();
        assert_eq!(
            answer.payload,
            prost::Message::encode_to_vec(&ask("in bytes"))
        );
        assert_eq!(info.headers().get("x-header").unwrap(), "a text");
        assert_eq!(info.trailers().get("x-trailer").unwrap(), "the-id");
        assert_eq!(info.attempts(), 1);

        call!(client, c => c.count(&ctx, count(1))).unwrap_err();
        assert_eq!(info.trailers().get("x-trailer").unwrap(), "late");
        assert_eq!(info.status().unwrap().code(), Code::NotFound);
    }

    pub(crate) async fn nothing_of_the_protocol_is_in_the_metadata(wire: &mut Wire) {
        let client = wire.client(Scripted::new()).await;
        let info = CallInfo::new();
        let client = client.with(CallOptions::new().info(&info));
        let ctx = Context::background();
        call!(client, c => c.echo(&ctx, ask(""))).unwrap();
        let mut trailers = info.trailers();
        trailers.remove("date");
        assert!(trailers.is_empty(), "{trailers:?}");
    }

    pub(crate) async fn an_error_comes_back_with_its_details(wire: &mut Wire) {
        let scripted = Scripted::new().on_echo(|_, _| async {
            Err(DomainError::validation("100% größer")
                .with_violation("payload", "is too long")
                .with_retry_delay(Duration::from_millis(1500)))
        });
        let client = wire.client(scripted).await;
        let ctx = Context::background();
        let error = call!(client, c => c.echo(&ctx, ask(""))).unwrap_err();
        assert_eq!(error.code(), Code::InvalidArgument);
        assert_eq!(error.retry_delay(), Some(Duration::from_millis(1500)));
        let CallError::Service(DomainError::Validation(fault)) = error else {
            panic!("{error:?}");
        };
        assert_eq!(fault.message(), "100% größer");
        assert_eq!(fault.violations().len(), 1);
        assert_eq!(fault.violations().first().unwrap().field, "payload");
    }

    pub(crate) async fn an_error_in_mid_stream_comes_after_the_replies_before_it(wire: &mut Wire) {
        let scripted = Scripted::new()
            .on_count(|_, _| async { Ok(failing(3, DomainError::rate_limit("slower"))) });
        let client = wire.client(scripted).await;
        let ctx = Context::background();
        let mut replies = call!(client, c => c.count(&ctx, count(9))).unwrap();
        for number in 0..3 {
            let next = soon(replies.message()).await.unwrap();
            assert_eq!(next, Some(reply(number, "")));
        }
        let error = soon(replies.message()).await.unwrap_err();
        assert!(
            matches!(&error, CallError::Service(DomainError::RateLimit(_))),
            "{error:?}"
        );
        assert_eq!(soon(replies.message()).await.unwrap(), None);
    }

    pub(crate) async fn a_panic_is_internal_and_says_nothing(wire: &mut Wire) {
        let scripted = Scripted::new().on_echo(|_, _| async { panic!("hunter2") });
        let client = wire.client(scripted).await;
        let ctx = Context::background();
        let error = call!(client, c => c.echo(&ctx, ask(""))).unwrap_err();
        assert_eq!(error.code(), Code::Internal);
        assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
        call!(client, c => c.ping(&ctx, ())).unwrap();
    }

    pub(crate) async fn a_panic_in_mid_stream_is_internal(wire: &mut Wire) {
        let scripted = Scripted::new().on_count(|_, _| async {
            let replies = stream::iter(0..3).map(|number| match number {
                2 => panic!("hunter2"),
                number => Ok(reply(number, "")),
            });
            Ok(Streamed::new(replies))
        });
        let client = wire.client(scripted).await;
        let ctx = Context::background();
        let mut replies = call!(client, c => c.count(&ctx, count(9))).unwrap();
        let error = loop {
            match soon(replies.message()).await {
                Ok(Some(_)) => {}
                Ok(None) => panic!("it ended well"),
                Err(error) => break error,
            }
        };
        assert_eq!(error.code(), Code::Internal);
        assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
    }

    pub(crate) async fn the_server_reads_the_deadline(wire: &mut Wire) {
        let scripted = Scripted::new().on_echo(|ctx, _| async move {
            let millis = ctx.remaining().map_or(0, |left| left.as_millis());
            Ok(reply(u64::try_from(millis).unwrap(), ""))
        });
        let client = wire.client(scripted).await;
        let ctx = Context::background().with_timeout(WHILE);
        let answer = call!(client, c => c.echo(&ctx, ask(""))).unwrap();
        let most = u64::try_from(WHILE.as_millis()).unwrap();
        assert!((1..=most).contains(&answer.number), "{answer:?}");
    }

    pub(crate) async fn a_servicer_is_dropped_at_the_deadline(wire: &mut Wire) {
        let (client, mut entries) = waiting(wire).await;
        let ctx = Context::background().with_timeout(Duration::from_millis(500));
        let error = call!(client, c => c.echo(&ctx, ask(""))).unwrap_err();
        assert_eq!(error.code(), Code::DeadlineExceeded);
        assert_eq!(failure(Err::<(), _>(error)).kind(), FailureKind::Deadline);
        assert_eq!(entries.next().await, "in");
        assert_eq!(entries.next().await, "dropped");
    }

    pub(crate) async fn a_servicer_is_dropped_with_its_call(wire: &mut Wire) {
        let (client, mut entries) = waiting(wire).await;
        let call = tokio::spawn(async move {
            let ctx = Context::background();
            call!(client, c => c.echo(&ctx, ask("")))
        });
        assert_eq!(entries.next().await, "in");
        call.abort();
        assert_eq!(entries.next().await, "dropped");
    }

    pub(crate) async fn a_stream_is_dropped_with_its_replies(wire: &mut Wire) {
        let (journal, mut entries) = journal();
        let scripted = Scripted::new().on_count(move |_, _| {
            let dropped = journal.on_drop("dropped");
            async move {
                let endless = stream::once(async { Ok(reply(0, "")) }).chain(stream::pending());
                Ok(Streamed::new(endless.inspect(move |_| {
                    let _held = &dropped;
                })))
            }
        });
        let client = wire.client(scripted).await;
        let ctx = Context::background();
        let mut replies = call!(client, c => c.count(&ctx, count(1))).unwrap();
        soon(replies.message()).await.unwrap().unwrap();
        assert_eq!(entries.rest(), Vec::<String>::new());
        drop(replies);
        assert_eq!(entries.next().await, "dropped");
    }

    pub(crate) async fn requests_end_when_the_reply_comes_early(wire: &mut Wire) {
        let scripted = Scripted::new().on_collect(|_, mut requests| async move {
            let first = requests.message().await?.unwrap_or_default();
            Ok(CollectReply {
                count: 1,
                payloads: first.payload,
            })
        });
        let client = wire.client(scripted).await;
        let ctx = Context::background();
        let endless = || stream::repeat_with(|| ask(vec![7; 1000]));
        let answer = call!(client, c => c.collect(&ctx, endless())).unwrap();
        assert_eq!(answer.count, 1);
        call!(client, c => c.echo(&ctx, ask("next"))).unwrap();
    }

    pub(crate) async fn requests_are_dropped_with_their_call(wire: &mut Wire) {
        let (journal, mut entries) = journal();
        let client = wire.client(Scripted::new()).await;
        let dropped = journal.on_drop("dropped");
        let first = journal.clone();
        let call = tokio::spawn(async move {
            let ctx = Context::background();
            let requests = stream::once(async { ask("") }).chain(stream::pending());
            let requests = requests.inspect(move |_| {
                let _held = &dropped;
                first.write("sent");
            });
            call!(client, c => c.collect(&ctx, requests))
        });
        assert_eq!(entries.next().await, "sent");
        call.abort();
        assert_eq!(entries.next().await, "dropped");
    }

    pub(crate) async fn requests_are_sent_before_they_are_read(wire: &mut Wire) {
        let gate = Arc::new(Notify::new());
        let open = Arc::clone(&gate);
        let scripted = Scripted::new().on_collect(move |_, requests| {
            let open = Arc::clone(&open);
            async move {
                open.notified().await;
                let requests: Vec<_> = requests.try_collect().await?;
                Ok(CollectReply {
                    count: requests.len().try_into().unwrap(),
                    payloads: Vec::new(),
                })
            }
        });
        let client = wire.client(scripted).await;
        let (requests, receiver) = tokio::sync::mpsc::channel(1);
        let call = tokio::spawn(async move {
            let ctx = Context::background();
            let receiver = ReceiverStream::new(receiver);
            call!(client, c => c.collect(&ctx, receiver))
        });
        for _ in 0..10 {
            soon(requests.send(ask("small"))).await.unwrap();
        }
        drop(requests);
        gate.notify_one();
        assert_eq!(soon(call).await.unwrap().unwrap().count, 10);
    }

    pub(crate) async fn replies_are_made_before_they_are_read(wire: &mut Wire) {
        let (journal, mut entries) = journal();
        let scripted = Scripted::new().on_count(move |_, _| {
            let journal = journal.clone();
            async move {
                let replies = stream::iter(0..10).then(move |number| {
                    let journal = journal.clone();
                    async move {
                        tokio::task::yield_now().await;
                        journal.write(number.to_string());
                        Ok(reply(number, ""))
                    }
                });
                Ok(Streamed::new(replies))
            }
        });
        let client = wire.client(scripted).await;
        let ctx = Context::background();
        let replies = call!(client, c => c.count(&ctx, count(10))).unwrap();
        for number in 0..10 {
            assert_eq!(entries.next().await, number.to_string());
        }
        assert_eq!(replies.count().await, 10);
    }

    pub(crate) async fn replies_wait_for_their_reader(wire: &mut Wire) {
        let made = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&made);
        let scripted = Scripted::new().on_count(move |_, _| {
            let counted = Arc::clone(&counted);
            async move {
                let replies = stream::iter(0..1000).map(move |number| {
                    counted.fetch_add(1, Ordering::Relaxed);
                    Ok(reply(number, vec![0; 100_000]))
                });
                Ok(Streamed::new(replies))
            }
        });
        let client = wire.client(scripted).await;
        let ctx = Context::background();
        let replies = call!(client, c => c.count(&ctx, count(1000))).unwrap();
        settled(&made).await;
        assert!(made.load(Ordering::Relaxed) < 500);
        assert_eq!(soon(replies.count()).await, 1000);
    }

    pub(crate) async fn requests_wait_for_their_reader(wire: &mut Wire) {
        let gate = Arc::new(Notify::new());
        let open = Arc::clone(&gate);
        let scripted = Scripted::new().on_collect(move |_, requests| {
            let open = Arc::clone(&open);
            async move {
                open.notified().await;
                let count = requests.count().await;
                Ok(CollectReply {
                    count: count.try_into().unwrap(),
                    payloads: Vec::new(),
                })
            }
        });
        let client = wire.client(scripted).await;
        let made = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&made);
        let call = tokio::spawn(async move {
            let ctx = Context::background();
            let requests = stream::iter(0..1000).map(move |_| {
                counted.fetch_add(1, Ordering::Relaxed);
                ask(vec![0; 100_000])
            });
            call!(client, c => c.collect(&ctx, requests))
        });
        settled(&made).await;
        assert!(made.load(Ordering::Relaxed) < 500);
        gate.notify_one();
        assert_eq!(soon(call).await.unwrap().unwrap().count, 1000);
    }

    pub(crate) async fn a_request_that_is_too_large_is_refused(wire: &mut Wire) {
        let client = wire.client(Scripted::new()).await;
        let ctx = Context::background();
        let error = call!(client, c => c.echo(&ctx, ask(vec![0; 5 << 20]))).unwrap_err();
        assert_eq!(error.code(), Code::ResourceExhausted, "{error:?}");
    }

    pub(crate) async fn a_reply_that_is_too_large_is_refused(wire: &mut Wire) {
        let scripted = Scripted::new().on_echo(|_, _| async { Ok(reply(0, vec![0; 5 << 20])) });
        let client = wire.client(scripted).await;
        let ctx = Context::background();
        let error = call!(client, c => c.echo(&ctx, ask(""))).unwrap_err();
        assert_eq!(error.code(), Code::ResourceExhausted, "{error:?}");
    }

    pub(crate) async fn calls_of_one_client_run_at_once(wire: &mut Wire) {
        let all = Arc::new(tokio::sync::Barrier::new(20));
        let scripted = Scripted::new().on_echo(move |_, request| {
            let all = Arc::clone(&all);
            async move {
                all.wait().await;
                Ok(reply(0, request.payload))
            }
        });
        let client = wire.client(scripted).await;
        let calls = (0..20_u8).map(|number| {
            let client = client.clone();
            tokio::spawn(async move {
                let ctx = Context::background();
                let answer = call!(client, c => c.echo(&ctx, ask([number]))).unwrap();
                assert_eq!(answer.payload, [number]);
            })
        });
        for call in calls.collect::<Vec<_>>() {
            soon(call).await.unwrap();
        }
    }

    /// A servicer that never answers, and what becomes of it.
    async fn waiting(wire: &mut Wire) -> (Client, Entries) {
        let (journal, entries) = journal();
        let scripted = Scripted::new().on_echo(move |_, _| {
            let journal = journal.clone();
            async move {
                let _dropped = journal.on_drop("dropped");
                journal.write("in");
                std::future::pending().await
            }
        });
        (wire.client(scripted).await, entries)
    }

    /// Waits until this has not changed for a while, and is not 0.
    async fn settled(number: &AtomicUsize) {
        let mut last = 0;
        loop {
            tokio::time::sleep(Duration::from_millis(500)).await;
            let now = number.load(Ordering::Relaxed);
            if now > 0 && now == last {
                return;
            }
            last = now;
        }
    }
}
