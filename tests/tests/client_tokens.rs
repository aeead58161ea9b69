//! Tokens that a server refuses, over the wire and in virtual time.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use apibase::testing::{Fault, Faults, InProcess};
use apibase::{
    BoxError, CallOptions, ClientFactory, Code, Context, Credentials, DomainError, Over,
    RetryPolicy, Status,
};
use common::{EchoServiceClient, EchoServiceServer, Outcome, Scripted, ask, count, reply};

type Transport = Over<Faults<InProcess>>;

/// A client whose tokens are `token-1`, `token-2` and so on, of a server that takes no other than
/// those of this number on and says which one it was; and how many tokens there were.
struct Fixture {
    client: EchoServiceClient<Transport>,
    faults: Faults<InProcess>,
    issued: Arc<AtomicUsize>,
}

/// The number of the token that came; an error if it is too small.
fn admitted(ctx: &Context, least: u64) -> Result<u64, DomainError> {
    let metadata = ctx.metadata();
    let value = metadata.get("authorization").unwrap().to_str().unwrap();
    let number = value.strip_prefix("Bearer token-").unwrap();
    let number = number.parse().unwrap();
    match number >= least {
        true => Ok(number),
        false => Err(DomainError::unauthorized("that is an old token")),
    }
}

fn fixture(least: u64) -> Fixture {
    let servicer = Scripted::new()
        .on_echo(move |ctx, _| async move { Ok(reply(admitted(&ctx, least)?, "")) })
        .on_count(move |ctx, _| async move {
            admitted(&ctx, least)?;
            Ok(apibase::Streamed::new(futures_util::stream::empty()))
        });
    let faults = Faults::new(InProcess::new(EchoServiceServer::new(servicer)));
    let issued = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&issued);
    let credentials = Credentials::from_fn(move || {
        let number = counter.fetch_add(1, Ordering::SeqCst) + 1;
        async move { Ok::<_, BoxError>(format!("token-{number}")) }
    });
    let clients = ClientFactory::new().credentials(credentials.allow_plaintext());
    Fixture {
        client: EchoServiceClient::new(clients.over("in process", faults.clone())),
        faults,
        issued,
    }
}

impl Fixture {
    /// The number of the token that a call is admitted with.
    async fn call(&self) -> Outcome<u64> {
        let reply = self.client.echo(&Context::background(), ask("")).await;
        reply.map(|reply| reply.number)
    }

    fn issued(&self) -> usize {
        self.issued.load(Ordering::SeqCst)
    }
}

#[tokio::test(start_paused = true)]
async fn the_call_after_one_that_was_refused_has_another_token() {
    let fixture = fixture(2);
    let refused = fixture.call().await.unwrap_err();
    assert_eq!(refused.code(), Code::Unauthenticated);
    for _ in 0..10 {
        assert_eq!(fixture.call().await.unwrap(), 2);
    }
    assert_eq!(fixture.issued(), 2);
}

#[tokio::test(start_paused = true)]
async fn so_has_the_next_attempt_where_the_policy_has_one() {
    let fixture = fixture(2);
    let retry = RetryPolicy::up_to(2).codes(&[Code::Unauthenticated]);
    let client = fixture.client.with(CallOptions::new().retry(retry));
    let reply = client.echo(&Context::background(), ask("")).await;
    assert_eq!(reply.unwrap().number, 2);
    assert_eq!(fixture.issued(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_is_refused_at_once_is_a_refusal_too() {
    let fixture = fixture(2);
    let ctx = Context::background();
    let refused = fixture.client.count(&ctx, count(1)).await;
    assert_eq!(refused.unwrap_err().code(), Code::Unauthenticated);
    assert!(fixture.client.count(&ctx, count(1)).await.is_ok());
    assert_eq!(fixture.issued(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_in_the_trailers_counts_as_well() {
    let fixture = fixture(1);
    let status = Status::unauthenticated("no");
    fixture.faults.next(Fault::status_after_head(status));
    let refused = fixture.call().await.unwrap_err();
    assert_eq!(refused.code(), Code::Unauthenticated);
    assert_eq!(fixture.call().await.unwrap(), 2);
}

#[tokio::test(start_paused = true)]
async fn no_other_failure_and_no_token_of_a_calls_own_is_a_refusal() {
    let fixture = fixture(1);
    for code in [
        Code::PermissionDenied,
        Code::Unavailable,
        Code::Internal,
        Code::NotFound,
    ] {
        fixture.faults.next(Fault::code(code).no_retry());
        assert_eq!(fixture.call().await.unwrap_err().code(), code);
    }
    let own = CallOptions::new().metadata("authorization", "Bearer token-0");
    let own = fixture.client.with(own);
    let refused = own.echo(&Context::background(), ask("")).await;
    assert_eq!(refused.unwrap_err().code(), Code::Unauthenticated);
    assert_eq!(fixture.call().await.unwrap(), 1);
    assert_eq!(fixture.issued(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_refuses_all_tokens_has_few_fetched() {
    let fixture = fixture(u64::MAX);
    for _ in 0..1000 {
        assert_eq!(
            fixture.call().await.unwrap_err().code(),
            Code::Unauthenticated
        );
        tokio::time::sleep(Duration::from_millis(30)).await;
    }
    assert!((3..=5).contains(&fixture.issued()), "{}", fixture.issued());
}
