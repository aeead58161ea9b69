//! Calls of entities, at the client: a request that no message can say, a reply that is wrong.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod common;

use apibase::{
    CallInfo, CallOptions, Channel, Code, Context, Failure, FailureKind, Side, Streamed,
    ViolationKind,
};
use common::{
    Ask, CollectReply, HowMany, Nobody, Running, Scripted, Seen, WordsClient, ask, ask_for,
    failure, how_many, journal, recorder, reply, said, soon, words, words_in_process,
};
use futures_util::{Stream, StreamExt, stream};
use tokio_stream::wrappers::ReceiverStream;

// A request that no message can say.

/// Asserts that a call failed because of its request, and says where.
fn assert_not_encoded(failure: &Failure) {
    assert_eq!(failure.kind(), FailureKind::Encode);
    let message = "a request can't be encoded: payload must have no NUL";
    assert_eq!(failure.status().message(), message);
    let violations = failure.map_error().unwrap().violations();
    let [violation] = violations else {
        panic!("not one: {violations:?}")
    };
    assert_eq!(violation.path(), "payload");
    assert_eq!(violation.kind(), ViolationKind::NotAllowed);
}

#[tokio::test]
async fn a_request_that_cannot_be_encoded_is_not_sent() {
    let (observer, mut seen) = recorder();
    let info = CallInfo::new();
    let nobody = Channel::connect_lazy(Nobody::new().target()).unwrap();
    let options = CallOptions::new().info(&info).observer(observer);
    let client = WordsClient::new(nobody).with(options);

    let failure = failure(client.echo(&Context::background(), ask_for("\0")).await);
    assert_not_encoded(&failure);
    assert_eq!((failure.attempts(), info.attempts()), (0, 0));
    assert!(failure.is_not_processed());
    assert_eq!(seen.next().await, Seen::Started(Side::Client, "Echo"));
    let ended = Seen::Ended(Side::Client, "Echo", Code::Internal);
    assert_eq!(seen.next().await, ended);
}

#[tokio::test]
async fn a_request_for_a_stream_that_cannot_be_encoded_is_not_sent() {
    let nobody = Channel::connect_lazy(Nobody::new().target()).unwrap();
    let client = WordsClient::new(nobody);
    let request = HowMany {
        count: 1,
        tone: "\0".to_owned(),
    };
    let failure = failure(client.count(&Context::background(), request).await);
    assert_eq!(failure.kind(), FailureKind::Encode);
    let message = "a request can't be encoded: behaviour must have no NUL";
    assert_eq!(failure.status().message(), message);
    assert_eq!(failure.attempts(), 0);
}

/// Requests of which the second can't be encoded, and that don't end after it.
fn unsayable_second() -> impl Stream<Item = Ask> + Send + 'static {
    stream::iter(["a", "\0", "c"].map(ask_for)).chain(stream::pending())
}

#[tokio::test]
async fn a_request_stream_that_cannot_be_encoded_fails_the_call_as_encode() {
    let (journal, mut entries) = journal();
    let servicer = Scripted::new().on_collect(move |_, requests| {
        let dropped = journal.on_drop("dropped");
        async move {
            let _dropped = dropped;
            // Reads to the end, which doesn't come.
            let read: Vec<_> = requests.collect().await;
            panic!("an end: {read:?}")
        }
    });
    let server = Running::start(servicer).await;
    let client = server.words().await;
    let ctx = Context::background();
    let outcome = client.collect(&ctx, unsayable_second());
    let failure = failure(soon(outcome).await);
    assert_not_encoded(&failure);
    assert_eq!(failure.attempts(), 1);
    assert!(!failure.is_not_processed());
    assert_eq!(entries.next().await, "dropped", "the stream was reset");

    let again = client.echo_message(&ctx, ask("a"));
    assert_eq!(again.await.unwrap(), said("a", 0), "the connection lives");
}

#[tokio::test]
async fn a_bidi_stream_that_cannot_be_encoded_fails_its_replies_as_encode() {
    let (observer, mut seen) = recorder();
    let (sender, requests) = tokio::sync::mpsc::channel(1);
    let client = words().await.words().await;
    let client = client.with(CallOptions::new().observer(observer));
    let requests = ReceiverStream::new(requests);
    let mut replies = client.chat(&Context::background(), requests).await.unwrap();

    sender.send(ask_for("a")).await.unwrap();
    assert_eq!(replies.message().await.unwrap(), Some(said("a", 0)));
    sender.send(ask_for("\0")).await.unwrap();
    assert_not_encoded(&failure(soon(replies.message()).await));
    assert_eq!(replies.message().await.unwrap(), None);
    sender.closed().await;

    assert_eq!(seen.next().await, Seen::Started(Side::Client, "Chat"));
    let ended = Seen::Ended(Side::Client, "Chat", Code::Internal);
    assert_eq!(seen.next().await, ended);
}

#[tokio::test]
async fn a_bidi_stream_that_cannot_be_encoded_fails_a_call_that_nobody_has_answered() {
    let servicer = Scripted::new().on_chat(|_, _| std::future::pending());
    let client = Running::start(servicer).await.words().await;
    let ctx = Context::background();
    let outcome = client.chat(&ctx, unsayable_second());
    assert_not_encoded(&failure(soon(outcome).await));
}

#[tokio::test]
async fn what_the_server_says_meanwhile_does_not_hide_that_a_request_cannot_be_encoded() {
    // In the process, requests are read while the answer is waited for: the servicer's own error
    // and its failure come at once.
    let client = WordsClient::new(words_in_process());
    let ctx = Context::background();
    let outcome = client.collect(&ctx, unsayable_second());
    assert_not_encoded(&failure(soon(outcome).await));

    let outcome = client.chat(&ctx, unsayable_second());
    let replies = match soon(outcome).await {
        Ok(mut replies) => loop {
            match soon(replies.message()).await {
                Ok(Some(_)) => {}
                end => break end,
            }
        },
        Err(error) => Err(error),
    };
    assert_not_encoded(&failure(replies));
}

// A reply that its entity can't be made of.

/// Asserts that a call failed because of a reply, and says where.
fn assert_wrong(failure: &Failure, path: &str) {
    assert_eq!(failure.kind(), FailureKind::Decode);
    let message = failure.status().message();
    assert_eq!(message, format!("a reply is wrong: {path} is not text"));
    let violations = failure.map_error().unwrap().violations();
    let [violation] = violations else {
        panic!("not one: {violations:?}")
    };
    assert_eq!(violation.path(), path);
    assert_eq!(violation.kind(), ViolationKind::Malformed);
    assert!(std::error::Error::source(failure).is_some());
}

#[tokio::test]
async fn a_reply_that_is_wrong_is_a_decode_failure_with_its_path() {
    let servicer = Scripted::new()
        .on_echo(|_, _| async { Ok(reply(0, [0xff])) })
        .on_collect(|_, _| async {
            Ok(CollectReply {
                count: 0,
                payloads: vec![0xff],
            })
        });
    let client = Running::start(servicer).await.words().await;
    let ctx = Context::background();
    assert_wrong(&failure(client.echo(&ctx, ask_for("a")).await), "payload");
    let requests = stream::iter([ask_for("a")]);
    assert_wrong(&failure(client.collect(&ctx, requests).await), "payloads");
}

#[tokio::test]
async fn a_reply_that_is_wrong_ends_its_call() {
    let (journal, mut entries) = journal();
    let replies = move || {
        let dropped = journal.on_drop("dropped");
        let replies = stream::iter([reply(0, "a"), reply(1, [0xff]), reply(2, "c")]).map(Ok);
        // It doesn't end by itself.
        let rest = stream::once(async move {
            let _dropped = dropped;
            std::future::pending().await
        });
        Ok(Streamed::new(replies.chain(rest)))
    };
    let in_chat = replies.clone();
    let servicer = Scripted::new()
        .on_count(move |_, _| std::future::ready(replies()))
        .on_chat(move |_, _| std::future::ready(in_chat()));
    let client = Running::start(servicer).await.words().await;
    let ctx = Context::background();

    let requests = stream::pending();
    for replies in [
        client.count(&ctx, how_many(3)).await,
        client.chat(&ctx, requests).await,
    ] {
        let mut replies = replies.unwrap();
        assert_eq!(replies.message().await.unwrap(), Some(said("a", 0)));
        assert_wrong(&failure(replies.message().await), "payload");
        assert_eq!(replies.message().await.unwrap(), None);
        assert_eq!(entries.next().await, "dropped", "the rest was cancelled");
    }
}
