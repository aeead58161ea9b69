//! Another way for calls whose target can't be reached. Time is virtual.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod common;

use std::num::NonZero;
use std::time::Duration;

use apibase::testing::{Fault, Faults, InProcess};
use apibase::{
    CallError, CallInfo, CallOptions, ClientFactory, Code, Context, Credentials, DomainError,
    OrFallback, Over, RetryPolicy,
};
use common::{EchoServiceClient, EchoServiceServer, Scripted, ask, count, failure, log, reply};
use futures_util::StreamExt;
use tokio::time::advance;

/// The spec's: five failures, and a minute.
const RECOVERY: Duration = Duration::from_secs(60);

/// Who answers is in the reply's number.
fn answers(number: u64) -> InProcess {
    let scripted = Scripted::new()
        .on_echo(move |_, _| async move { Ok(reply(number, "")) })
        .on_count(
            move |_, _| async move { Ok(apibase::Streamed::from_iter([Ok(reply(number, ""))])) },
        );
    InProcess::new(EchoServiceServer::new(scripted))
}

type Client = EchoServiceClient<Over<Faults<InProcess>>>;

/// A client of the first way, whose calls fall back to the second.
fn two_ways() -> (Client, Faults<InProcess>) {
    let first = Faults::new(answers(1));
    let clients = ClientFactory::new()
        .max_retries(0)
        .circuit_breaker(NonZero::new(5).unwrap(), RECOVERY);
    let client = EchoServiceClient::new(clients.over("auth", first.clone()));
    (client.with(CallOptions::new().fallback(answers(2))), first)
}

async fn who(client: &Client) -> u64 {
    let reply = client.echo(&Context::background(), ask("")).await;
    reply.unwrap().number
}

#[tokio::test(start_paused = true)]
async fn an_open_breaker_falls_back_until_its_target_has_recovered() {
    let (client, first) = two_ways();
    assert_eq!(who(&client).await, 1);
    first.always(Fault::no_connection());
    for _ in 0..5 {
        // What comes of one dial is one failure, however many calls there are.
        advance(Duration::from_secs(10)).await;
        assert_eq!(who(&client).await, 2);
    }
    for _ in 0..15 {
        assert_eq!(who(&client).await, 2);
    }
    assert_eq!(first.seen().len(), 1 + 5, "the breaker has opened");
    first.clear();
    advance(RECOVERY - Duration::from_secs(1)).await;
    assert_eq!(who(&client).await, 2);
    // With its jitter.
    advance(Duration::from_secs(8)).await;
    assert_eq!(who(&client).await, 1);
    assert_eq!(who(&client).await, 1);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_a_server_may_have_acted_on_does_not_fall_back() {
    let (client, first) = two_ways();
    first.next(Fault::lost());
    let requests = futures_util::stream::iter([ask("")]);
    let failure = failure(client.collect(&Context::background(), requests).await);
    assert!(!failure.is_not_processed(), "{failure:?}");
    // One that has no side effects may be done again.
    first.next(Fault::lost());
    let info = CallInfo::new();
    let repeated = CallOptions::new().no_retry().info(&info);
    let client = client.with(repeated.fallback(answers(2)));
    assert_eq!(who(&client).await, 2);
    assert_eq!((info.attempts(), info.trace().records().len()), (2, 1));
}

#[tokio::test(start_paused = true)]
async fn an_error_of_the_service_does_not_fall_back() {
    let (client, first) = two_ways();
    first.next(Fault::error(DomainError::not_found("no such thing")));
    let error = client.echo(&Context::background(), ask("")).await;
    assert_eq!(error.unwrap_err().code(), Code::NotFound);
}

#[tokio::test(start_paused = true)]
async fn a_fallback_that_fails_is_the_error_and_both_are_in_the_trace() {
    let (client, first) = two_ways();
    first.always(Fault::no_connection());
    let second = Faults::new(answers(2));
    second.always(Fault::code(Code::Unavailable));
    let client = client.with(CallOptions::new().fallback(second.clone()));
    let failure = failure(client.echo(&Context::background(), ask("")).await);
    assert_eq!(failure.status().code(), Code::Unavailable);
    assert_eq!(failure.trace().records().len(), 2, "{}", failure.trace());
    assert_eq!(second.seen().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_stream_of_replies_falls_back_before_it_begins() {
    let (client, first) = two_ways();
    first.next(Fault::no_connection());
    let replies = client.count(&Context::background(), count(1)).await;
    let numbers: Vec<_> = replies
        .unwrap()
        .map(|reply| reply.unwrap().number)
        .collect()
        .await;
    assert_eq!(numbers, [2]);
}

#[tokio::test(start_paused = true)]
async fn a_closure_is_asked_where_the_target_cannot_be_reached_and_it_is_logged() {
    let log = log();
    let (client, first) = two_ways();
    let client = client.with(CallOptions::new());
    let ctx = Context::background();
    first.next(Fault::no_connection());
    let by_rest = async |why: Box<apibase::Failure>| {
        assert!(why.is_unreachable() && why.is_not_processed());
        Ok(reply(3, ""))
    };
    let answer = client.echo(&ctx, ask("")).await.or_fallback(by_rest).await;
    assert_eq!(answer.unwrap().number, 3);
    let lines = log.lines();
    assert!(
        lines
            .iter()
            .any(|line| line.contains("WARN") && line.contains("falls back")),
        "{lines:?}"
    );
    // A target that answers is not gone round.
    first.next(Fault::error(DomainError::conflict("taken")));
    let answer = client.echo(&ctx, ask("")).await;
    let answer = answer.or_fallback(async |_| panic!("it answered")).await;
    assert!(matches!(
        answer,
        Err(CallError::Service(DomainError::Conflict(_)))
    ));
}

#[tokio::test(start_paused = true)]
async fn a_call_that_says_once_is_not_done_again_elsewhere() {
    let (client, first) = two_ways();
    let once = client.with(CallOptions::new().no_retry().fallback(answers(2)));
    first.next(Fault::lost());
    let requests = futures_util::stream::iter([ask("")]);
    let lost = failure(once.collect(&Context::background(), requests).await);
    assert!(!lost.is_not_processed(), "{lost:?}");
    // Where no server saw it, nothing is done twice.
    first.next(Fault::no_connection());
    let requests = futures_util::stream::iter([ask("")]);
    let collected = once.collect(&Context::background(), requests).await;
    assert_eq!(collected.unwrap().count, 1, "the second way's answer");
}

#[tokio::test(start_paused = true)]
async fn a_call_whose_attempts_are_spent_falls_back_whatever_they_failed_with() {
    let short = RetryPolicy::up_to(2)
        .initial_backoff(Duration::from_millis(10))
        .attempt_timeout(Duration::from_secs(1))
        .codes(&[Code::Unavailable, Code::ResourceExhausted]);
    let (client, first) = two_ways();
    for fault in [Fault::silence, || Fault::code(Code::ResourceExhausted)] {
        first.next(fault()).next(fault());
        let client = client.with(CallOptions::new().retry(short).fallback(answers(2)));
        assert_eq!(who(&client).await, 2);
    }
}

#[tokio::test(start_paused = true)]
async fn a_fallback_sends_its_own_token() {
    let asked = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let seen = std::sync::Arc::clone(&asked);
    let scripted = Scripted::new().on_echo(move |ctx, _| {
        let token = ctx.metadata().get("authorization").cloned();
        seen.lock()
            .unwrap()
            .push(token.map(|token| token.to_str().unwrap().to_owned()));
        async { Ok(reply(2, "")) }
    });
    let second = InProcess::new(EchoServiceServer::new(scripted));
    let token = |token: &str| Credentials::token(token).allow_plaintext();
    let second = ClientFactory::new()
        .credentials(token("second"))
        .over("backup", second);
    let first = Faults::new(answers(1));
    first.always(Fault::no_connection());
    let clients = ClientFactory::new()
        .max_retries(0)
        .credentials(token("first"));
    let client = EchoServiceClient::new(clients.over("auth", first));
    let client = client.with(CallOptions::new().fallback(second));
    let reply = client.echo(&Context::background(), ask("")).await;
    assert_eq!(reply.unwrap().number, 2);
    assert_eq!(*asked.lock().unwrap(), [Some("Bearer second".to_owned())]);
}
