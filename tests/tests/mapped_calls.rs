//! Calls of entities, end to end: all kinds, and what the server does about a request that is wrong
//! and a reply that no message can say.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod common;

use apibase::codegen::Transport;
use apibase::{CallError, Code, Context, DomainError, Failure, FailureKind, Interceptors, Side};
use common::{
    Collected, CountRequest, EchoReply, EchoRequest, EchoServiceClient, Log, Outcome, STRICT, Said,
    Seen, UNSAYABLE, WordsClient, ask, ask_for, failure, frame, frame_of, how_many, log, post,
    recorder, reply, said, words, words_in_process, words_with,
};
use futures_util::{TryStreamExt, stream};

/// A request in bytes that are no text, in no tone.
fn nonsense() -> EchoRequest {
    ask([0xff])
}

const NONSENSE: &str = "payload is not text; behaviour is required";

/// A message of what [`ask_for`] asks.
fn asking(word: &str) -> EchoRequest {
    toned(word, "plain")
}

fn toned(word: &str, tone: &str) -> EchoRequest {
    EchoRequest {
        payload: word.into(),
        behaviour: tone.to_owned(),
    }
}

/// What the server says is wrong with a request: the fields and why.
fn violations<T: std::fmt::Debug>(outcome: Outcome<T>) -> Vec<(String, String)> {
    let error = match outcome {
        Err(CallError::Service(error @ DomainError::Validation(_))) => error,
        other => panic!("not a validation error: {other:?}"),
    };
    let violations = error.fault().unwrap().violations();
    violations
        .iter()
        .map(|violation| (violation.field.clone(), violation.description.clone()))
        .collect()
}

fn pairs<const N: usize>(pairs: [(&str, &str); N]) -> Vec<(String, String)> {
    pairs
        .map(|(field, description)| (field.to_owned(), description.to_owned()))
        .to_vec()
}

/// Every kind, with requests and replies that have entities.
async fn all_kinds_answer<T: Transport>(client: &WordsClient<T>) {
    let ctx = Context::background();
    let asks = || stream::iter(["a", "b", "c"].map(ask_for));
    assert_eq!(client.echo(&ctx, ask_for("a")).await.unwrap(), said("a", 0));
    assert_eq!(
        client.echo_message(&ctx, asking("a")).await.unwrap(),
        said("a", 0)
    );

    let replies = client.count(&ctx, how_many(3)).await.unwrap();
    let replies: Vec<Said> = replies.try_collect().await.unwrap();
    assert_eq!(replies, [0, 1, 2].map(|number| said("word", number)));

    let collected = Collected {
        count: 3,
        words: "a|b|c".to_owned(),
    };
    assert_eq!(client.collect(&ctx, asks()).await.unwrap(), collected);

    let replies = client.chat(&ctx, asks()).await.unwrap();
    let replies: Vec<Said> = replies.try_collect().await.unwrap();
    assert_eq!(replies, [said("a", 0), said("b", 1), said("c", 2)]);
}

#[tokio::test]
async fn every_kind_carries_entities() {
    all_kinds_answer(&words().await.words().await).await;
}

#[tokio::test]
async fn every_kind_carries_entities_without_sockets() {
    all_kinds_answer(&WordsClient::new(words_in_process())).await;
}

#[tokio::test]
async fn a_method_of_two_messages_may_be_mapped_too() {
    let client = words().await.client().await;
    let answer: () = client.ping(&Context::background(), ()).await.unwrap();
    assert_eq!(answer, ());
}

// A request that its entity can't be made of.

#[tokio::test]
async fn all_violations_of_a_request_come_back_with_their_paths() {
    let ctx = Context::background();
    let expected = pairs([("payload", "is not text"), ("behaviour", "is required")]);

    let client = words().await.client().await;
    let outcome = client.echo(&ctx, nonsense()).await;
    let error = outcome.as_ref().unwrap_err();
    assert_eq!(error.code(), Code::InvalidArgument);
    assert_eq!(
        error.to_string().split("; ").next(),
        Some("payload is not text")
    );
    assert_eq!(violations(outcome), expected);

    let client = EchoServiceClient::new(words_in_process());
    assert_eq!(violations(client.echo(&ctx, nonsense()).await), expected);
}

#[tokio::test]
async fn a_bad_request_opens_no_stream() {
    let request = CountRequest {
        count: u64::MAX,
        ..CountRequest::default()
    };
    let client = words().await.client().await;
    let outcome = client.count(&Context::background(), request).await;
    let violations = violations(outcome);
    let fields: Vec<_> = violations.iter().map(|(field, _)| &**field).collect();
    assert_eq!(fields, ["count", "behaviour"]);
}

#[tokio::test]
async fn a_bad_item_does_not_end_the_stream() {
    let ctx = Context::background();
    let requests = || stream::iter([asking("a"), nonsense(), asking("c")]);
    let client = words().await.client().await;

    let collected = client.collect(&ctx, requests()).await.unwrap();
    assert_eq!(collected.count, 3);
    assert_eq!(collected.payloads, format!("a|{NONSENSE}|c").into_bytes());

    let replies = client.chat(&ctx, requests()).await.unwrap();
    let replies: Vec<EchoReply> = replies.try_collect().await.unwrap();
    assert_eq!(replies, [reply(0, "a"), reply(1, NONSENSE), reply(2, "c")]);
}

#[tokio::test]
async fn an_item_that_does_not_decode_is_internal_and_has_no_paths() {
    let mut client = words().await.raw().await;
    // The field 1 with a length that isn't there, between two good ones.
    let broken = frame_of(0, 2, &[0x0a, 0x7f]);
    let body = [frame(&nonsense()), broken, frame(&asking("c"))];
    let answer = client.call(post("Collect"), body).await;
    assert_eq!(answer.code(), Code::Internal);
}

#[tokio::test]
async fn a_bad_item_that_the_servicer_hands_on_is_the_same_as_a_bad_request() {
    let ctx = Context::background();
    let requests = stream::iter([toned("a", STRICT), nonsense(), asking("c")]);
    let client = words().await.client().await;
    let outcome = client.collect(&ctx, requests).await;
    let expected = pairs([("payload", "is not text"), ("behaviour", "is required")]);
    assert_eq!(violations(outcome), expected);
}

// A reply that no message can say.

/// Asserts that a call ended as one whose reply can't be encoded, and that `log` has the reason.
fn assert_unsayable(failure: &Failure, log: &Log, rpc: &str, reason: &str) {
    assert_eq!(failure.kind(), FailureKind::Status);
    let status = failure.status();
    assert_eq!(status.code(), Code::Internal);
    let details = failure.details();
    let id = details.error_id().unwrap();
    assert!(status.message().contains(id), "{status:?}");
    let whole = format!("{status:?}{}", String::from_utf8_lossy(status.details()));
    assert!(!whole.contains("payload"), "{whole}");
    let lines = log.lines();
    let [line] = &lines[..] else {
        panic!("not one line: {lines:?}")
    };
    assert!(line.contains("ERROR"), "{line}");
    assert!(line.contains(&format!("/echo.EchoService/{rpc}")), "{line}");
    assert!(line.contains(reason), "{line}");
    assert!(line.contains(id), "{line}");
}

#[tokio::test]
async fn a_reply_that_cannot_be_encoded_is_internal_and_its_path_stays_in_the_log() {
    let ctx = Context::background();
    let (observer, mut seen) = recorder();
    let server =
        words_with(|server| server.interceptors(Interceptors::none().with_observer(observer)))
            .await;
    let client = server.client().await;

    let log_of_echo = log();
    let failure_of_echo = failure(client.echo(&ctx, toned("a", UNSAYABLE)).await);
    assert_unsayable(
        &failure_of_echo,
        &log_of_echo,
        "Echo",
        "payload must have no NUL",
    );
    assert_eq!(seen.next().await, Seen::Started(Side::Server, "Echo"));
    let ended = Seen::Ended(Side::Server, "Echo", Code::Internal);
    assert_eq!(seen.next().await, ended);
    drop(log_of_echo);

    let log_of_collect = log();
    let requests = stream::iter([toned("a", UNSAYABLE)]);
    let failure_of_collect = failure(client.collect(&ctx, requests).await);
    assert_unsayable(
        &failure_of_collect,
        &log_of_collect,
        "Collect",
        "payloads must have no NUL",
    );
}

#[tokio::test]
async fn a_reply_that_cannot_be_encoded_ends_its_stream() {
    let ctx = Context::background();
    let client = words().await.client().await;

    let log_of_count = log();
    let request = CountRequest {
        count: 2,
        behaviour: UNSAYABLE.to_owned(),
        ..CountRequest::default()
    };
    let mut replies = client.count(&ctx, request).await.unwrap();
    assert_eq!(replies.message().await.unwrap(), Some(reply(0, "word")));
    assert_eq!(replies.message().await.unwrap(), Some(reply(1, "word")));
    let failure_of_count = failure(replies.message().await);
    assert_unsayable(
        &failure_of_count,
        &log_of_count,
        "Count",
        "payload must have no NUL",
    );
    assert_eq!(replies.message().await.unwrap(), None);
    drop(log_of_count);

    let log_of_chat = log();
    let requests = stream::iter([asking("a"), toned("b", UNSAYABLE), asking("c")]);
    let mut replies = client.chat(&ctx, requests).await.unwrap();
    assert_eq!(replies.message().await.unwrap(), Some(reply(0, "a")));
    let failure_of_chat = failure(replies.message().await);
    assert_unsayable(
        &failure_of_chat,
        &log_of_chat,
        "Chat",
        "payload must have no NUL",
    );
    assert_eq!(replies.message().await.unwrap(), None);
}
