//! Channels of a factory, as a program and its operator set them: deadlines, tokens, observers.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking, its helpers too"
)]

mod common;

use std::error::Error;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use apibase::{
    BoxError, CallOptions, Channel, ClientFactory, Code, Context, Credentials, FailureKind,
    Interceptors, Side, Token, Transport,
};
use common::{
    EchoServiceClient, EchoServiceServer, Running, Scripted, Seen, ask, count, failure, recorder,
    reply, soon,
};
use futures_util::StreamExt;
use tokio::time::{Instant, sleep};

const SECRET: &str = "hunter2";

fn from(pairs: &[(&str, &str)]) -> ClientFactory {
    let variables = pairs
        .iter()
        .map(|(key, value)| (format!("GRPC__CLIENT__{key}"), *value));
    ClientFactory::from_variables(variables).unwrap()
}

fn client(factory: &ClientFactory, running: &Running) -> EchoServiceClient {
    EchoServiceClient::new(factory.channel(running.target()).unwrap())
}

/// A server that never answers.
async fn silent() -> Running {
    Running::start(Scripted::new().on_echo(|_, _| std::future::pending())).await
}

/// A server that answers with the `authorization` that came.
async fn authorized() -> Running {
    Running::start(authorizing()).await
}

fn authorizing() -> Scripted {
    Scripted::new().on_echo(|ctx, _| async move {
        let metadata = ctx.metadata();
        let value = metadata.get("authorization").map(|value| value.to_str());
        Ok(reply(0, value.transpose().unwrap().unwrap_or("none")))
    })
}

/// Why a call to a server that never answers ended, which must be its deadline.
async fn expired<T: Transport>(client: &EchoServiceClient<T>, options: CallOptions) -> String {
    let outcome = client
        .with(options)
        .echo(&Context::background(), ask(""))
        .await;
    let failure = failure(outcome);
    assert_eq!(failure.kind(), FailureKind::Deadline);
    assert_eq!(failure.status().code(), Code::DeadlineExceeded);
    failure.status().message().to_owned()
}

#[tokio::test]
async fn a_deadline_is_the_environments_where_nobody_else_says_and_the_error_tells() {
    let running = silent().await;
    let client = client(&from(&[("DEFAULT_TIMEOUT", "0.5")]), &running);
    let said = soon(expired(&client, CallOptions::new())).await;
    let whose = "the deadline of 500ms (GRPC__CLIENT__DEFAULT_TIMEOUT) has passed";
    assert!(said.contains(whose), "{said}");
    let own = CallOptions::new().deadline(Duration::from_millis(510));
    let said = soon(expired(&client, own)).await;
    assert!(said.contains("510ms (the call's own)"), "{said}");
}

#[tokio::test]
async fn an_operators_deadline_goes_before_code_and_the_call() {
    let running = silent().await;
    let factory = from(&[("OVERRIDE__DEFAULT_TIMEOUT", "500ms")]);
    let factory = factory.default_timeout(Duration::from_secs(600));
    let own = CallOptions::new().deadline(Duration::from_secs(600));
    let said = soon(expired(&client(&factory, &running), own)).await;
    let whose = "500ms (GRPC__CLIENT__OVERRIDE__DEFAULT_TIMEOUT)";
    assert!(said.contains(whose), "{said}");
}

#[tokio::test]
async fn what_a_call_inherits_holds_whatever_an_operator_says() {
    let running = silent().await;
    let factory = from(&[("OVERRIDE__DEFAULT_TIMEOUT", "600s")]);
    let ctx = Context::background().with_timeout(Duration::from_millis(500));
    let outcome = soon(client(&factory, &running).echo(&ctx, ask(""))).await;
    assert_eq!(failure(outcome).kind(), FailureKind::Deadline);
}

#[tokio::test]
async fn a_stream_of_replies_outlives_the_default_deadline() {
    let endless =
        Scripted::new().on_count(|_, _| async move { Ok(apibase::Streamed::new(two_far_apart())) });
    let running = Running::start(endless).await;
    let client = client(&from(&[("DEFAULT_TIMEOUT", "0.5")]), &running);
    let replies = soon(client.count(&Context::background(), count(2))).await;
    let replies: Vec<_> = soon(replies.unwrap().collect()).await;
    assert!(replies.iter().all(Result::is_ok), "{replies:?}");
    assert_eq!(replies.len(), 2);
}

/// Two replies with more than the default deadline of the test between them.
fn two_far_apart()
-> impl futures_util::Stream<Item = Result<common::EchoReply, apibase::DomainError>> {
    futures_util::stream::unfold(0, |number| async move {
        if number == 1 {
            sleep(Duration::from_secs(1)).await;
        }
        (number < 2).then(|| (Ok(reply(number, "")), number + 1))
    })
}

#[tokio::test]
async fn stubs_of_one_target_share_a_connection() {
    let running = Running::start(
        Scripted::new().on_echo(|ctx, _| async move { Ok(reply(0, format!("{:?}", ctx.peer()))) }),
    )
    .await;
    let factory = ClientFactory::new();
    let mut peers = Vec::new();
    let first = client(&factory, &running);
    for _ in 0..3 {
        let other = client(&factory, &running);
        let answer = soon(other.echo(&Context::background(), ask(""))).await;
        peers.push(answer.unwrap().payload);
    }
    assert!(peers.iter().all(|peer| *peer == peers[0]));
    let alone = client(&ClientFactory::new(), &running);
    let answer = soon(alone.echo(&Context::background(), ask(""))).await;
    assert_ne!(answer.unwrap().payload, peers[0]);
    drop(first);
}

#[tokio::test]
async fn an_observer_of_a_factory_hears_the_calls_of_its_stubs() {
    let running = authorized().await;
    let (observer, mut seen) = recorder();
    let client = client(&ClientFactory::new().observer(observer), &running);
    soon(client.echo(&Context::background(), ask("")))
        .await
        .unwrap();
    assert_eq!(seen.next().await, Seen::Started(Side::Client, "Echo"));
    assert_eq!(
        seen.next().await,
        Seen::Ended(Side::Client, "Echo", Code::Ok)
    );
}

// Tokens.

#[tokio::test]
async fn a_token_goes_with_each_call_but_where_the_call_has_its_own() {
    let running = authorized().await;
    let credentials = Credentials::token(SECRET).allow_plaintext();
    let client = client(&ClientFactory::new().credentials(credentials), &running);
    for _ in 0..2 {
        let answer = soon(client.echo(&Context::background(), ask(""))).await;
        assert_eq!(answer.unwrap().payload, b"Bearer hunter2");
    }
    let own = client.with(CallOptions::new().metadata("authorization", "Basic eA=="));
    let answer = soon(own.echo(&Context::background(), ask(""))).await;
    assert_eq!(answer.unwrap().payload, b"Basic eA==");
}

#[tokio::test]
async fn a_token_is_not_sent_in_plaintext_and_the_failure_says_what_to_do() {
    let heard = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&heard);
    let echo = Scripted::new().on_echo(move |_, _| {
        counted.fetch_add(1, Ordering::SeqCst);
        async { Ok(reply(0, "")) }
    });
    let running = Running::start(echo).await;
    let factory = ClientFactory::new().credentials(Credentials::token(SECRET));
    let client = client(&factory, &running);
    // More than open a circuit breaker: what isn't sent says nothing of the target.
    for _ in 0..10 {
        let outcome = soon(client.echo(&Context::background(), ask(""))).await;
        let failure = failure(outcome);
        assert_eq!(failure.kind(), FailureKind::Credentials);
        assert_eq!(failure.status().code(), Code::Unauthenticated);
        assert!(failure.is_not_processed() && !failure.is_retryable());
        let said = failure.to_string();
        assert!(said.contains("Credentials::allow_plaintext"), "{said}");
    }
    assert_eq!(heard.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_token_is_shown_nowhere() {
    let log = common::log_of_all();
    let running = authorized().await;
    let credentials = Credentials::token(SECRET).allow_plaintext();
    let factory = ClientFactory::new().credentials(credentials);
    let client = client(&factory, &running);
    let answer = soon(client.echo(&Context::background(), ask(""))).await;
    assert_eq!(answer.unwrap().payload, b"Bearer hunter2");
    let mut shown = log.own_lines();
    shown.extend([format!("{factory:?}"), format!("{client:?}")]);
    let shows = shown.iter().find(|line| line.contains(SECRET));
    assert_eq!(shows, None);
}

#[tokio::test]
async fn a_token_that_cannot_be_had_fails_the_call_with_its_cause() {
    let running = authorized().await;
    let credentials =
        Credentials::from_fn(async || Err::<Token, _>(std::io::Error::other("issuer is down")));
    let factory = ClientFactory::new().credentials(credentials.allow_plaintext());
    let outcome = soon(client(&factory, &running).echo(&Context::background(), ask(""))).await;
    let failure = failure(outcome);
    assert_eq!(failure.kind(), FailureKind::Credentials);
    assert_eq!(failure.status().code(), Code::Unavailable);
    assert!(failure.is_retryable() && failure.is_not_processed());
    let cause = failure.source().unwrap();
    assert_eq!(cause.to_string(), "issuer is down");
}

#[tokio::test(start_paused = true)]
async fn a_token_that_is_slow_to_come_holds_no_call_past_its_deadline() {
    let server = EchoServiceServer::new(authorizing());
    let service = server.into_service(Interceptors::none()).unwrap();
    let credentials = Credentials::from_fn(async || {
        sleep(Duration::from_secs(2)).await;
        Ok::<_, BoxError>(SECRET)
    });
    let factory = ClientFactory::new().credentials(credentials.allow_plaintext());
    let client = EchoServiceClient::new(factory.over("in process", service));
    let (started, deadline) = (Instant::now(), Duration::from_millis(500));
    let own = CallOptions::new().deadline(deadline);
    soon(expired(&client, own)).await;
    let elapsed = started.elapsed();
    assert!(
        elapsed <= deadline + Duration::from_millis(2),
        "{elapsed:?}"
    );
    // The one that comes finds it fetched.
    let answer = soon(client.echo(&Context::background(), ask(""))).await;
    assert_eq!(answer.unwrap().payload, b"Bearer hunter2");
}

// The environment.

/// Set in the process that the test below starts, in which the environment is what it says.
const INNER: &str = "APIBASE_TESTS_INNER";

#[tokio::test]
async fn a_stub_connects_as_the_environment_has_it() {
    match std::env::var(INNER).as_deref() {
        Ok("right") => return plaintext_by_the_environment().await,
        Ok(_) => return all_that_is_wrong_is_said().await,
        Err(_) => {}
    }
    for (inner, variables) in [
        ("right", [("SECURE", "false"), ("DEFAULT_TIMEOUT", "0.5")]),
        ("wrong", [("SECUR", "false"), ("DEFAULT_TIMEOUT", "soon")]),
    ] {
        let mut test = Command::new(std::env::current_exe().unwrap());
        let name = "a_stub_connects_as_the_environment_has_it";
        test.args(["--exact", name, "--nocapture"])
            .env(INNER, inner);
        for (key, value) in variables {
            test.env(format!("GRPC__CLIENT__{key}"), value);
        }
        let output = test.output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(said.contains("1 passed"), "{inner}: {said}");
    }
}

async fn plaintext_by_the_environment() {
    let running = silent().await;
    // Without the environment this is TLS.
    let target = running.addr.to_string();
    let client = soon(EchoServiceClient::connect(target)).await.unwrap();
    let said = soon(expired(&client, CallOptions::new())).await;
    assert!(said.contains("GRPC__CLIENT__DEFAULT_TIMEOUT"), "{said}");
}

async fn all_that_is_wrong_is_said() {
    let error = Channel::connect_lazy("http://items:1").unwrap_err();
    let config = error.config_error().unwrap();
    assert_eq!(config.problems().len(), 2);
    assert!(!error.is_target());
    let said = error.to_string();
    for part in [
        "http://items:1",
        "GRPC__CLIENT__SECURE`?",
        "GRPC__CLIENT__DEFAULT_TIMEOUT: `soon` is not a time",
    ] {
        assert!(said.contains(part), "{said}");
    }
    assert!(
        soon(EchoServiceClient::connect("http://items:1"))
            .await
            .is_err()
    );
    // A factory that was told not to look doesn't.
    assert!(ClientFactory::new().channel("http://items:1").is_ok());
}
