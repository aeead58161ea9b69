//! Caps on deadlines: the proto's for a method, and the server's for all.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod common;

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use apibase::{CallError, CallOptions, Code, Context, DomainError, Interceptors, Server, Streamed};
use apibase_tests::deadlines::deadlines::Wait;
use apibase_tests::deadlines::deadlines::api::{
    WaitServiceClient, WaitServiceServer, WaitServicer,
};
use common::soon;
use futures_util::stream;
use proptest::prelude::*;
use tokio::runtime::Builder;
use tokio::time::{Instant, sleep};

/// What `Capped` is capped at by its proto, in milliseconds.
const CAP: u64 = 2000;

/// Waits, and counts those whose wait was cut short.
#[derive(Clone, Default)]
struct Waits {
    dropped: Arc<AtomicU64>,
}

struct OnDrop(Arc<AtomicU64>);

impl Drop for OnDrop {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

impl Waits {
    async fn wait(&self, wait: Wait) -> Result<Wait, DomainError> {
        let cut_short = OnDrop(Arc::clone(&self.dropped));
        sleep(Duration::from_millis(wait.millis)).await;
        std::mem::forget(cut_short);
        Ok(wait)
    }
}

impl WaitServicer for Waits {
    async fn capped(&self, _: &Context, wait: Wait) -> Result<Wait, DomainError> {
        self.wait(wait).await
    }

    async fn free(&self, _: &Context, wait: Wait) -> Result<Wait, DomainError> {
        self.wait(wait).await
    }

    async fn often(
        &self,
        _: &Context,
        wait: Wait,
    ) -> Result<Streamed<Wait, DomainError>, DomainError> {
        let waits = stream::unfold(wait, |wait| async move {
            sleep(Duration::from_millis(wait.millis)).await;
            Some((Ok(wait), wait))
        });
        Ok(Streamed::new(waits))
    }
}

fn code<T>(outcome: Result<T, CallError<DomainError>>) -> Code {
    outcome.map_or_else(|error| error.code(), |_| Code::Ok)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// Whatever the caller allows and the proto caps: who takes longer is dropped then, and its caller
    /// told `DEADLINE_EXCEEDED`; who doesn't is answered.
    #[test]
    fn property_09_a_call_that_exceeds_its_deadline_is_cancelled(
        takes in 0_u64..6000,
        allows in proptest::option::of(1_u64..6000),
        capped: bool,
    ) {
        let least = match (allows, capped) {
            (Some(allows), true) => Some(allows.min(CAP)),
            (None, true) => Some(CAP),
            (allows, false) => allows,
        };
        prop_assume!(least.is_none_or(|least| least.abs_diff(takes) > 2));
        let runtime = Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let waits = Waits::default();
            let server = WaitServiceServer::new(waits.clone());
            let client = WaitServiceClient::new(server.into_service(Interceptors::none()).unwrap());
            let mut options = CallOptions::new();
            if let Some(allows) = allows {
                options = options.deadline(Duration::from_millis(allows));
            }
            let client = client.with(options);
            let (ctx, wait, started) = (Context::background(), Wait { millis: takes }, Instant::now());
            let outcome = match capped {
                true => client.capped(&ctx, wait).await,
                false => client.free(&ctx, wait).await,
            };
            let took = u64::try_from(started.elapsed().as_millis()).unwrap();
            let is_late = least.is_some_and(|least| takes > least);
            let expected = if is_late { Code::DeadlineExceeded } else { Code::Ok };
            prop_assert_eq!(code(outcome), expected);
            prop_assert_eq!(waits.dropped.load(Ordering::SeqCst), u64::from(is_late));
            let ended = least.map_or(takes, |least| least.min(takes));
            prop_assert!(took.abs_diff(ended) <= 2, "{} in place of {}", took, ended);
            Ok(())
        })?;
    }
}

#[tokio::test(start_paused = true)]
async fn a_stream_is_capped_as_a_whole() {
    let server = WaitServiceServer::new(Waits::default());
    let client = WaitServiceClient::new(server.into_service(Interceptors::none()).unwrap());
    let wait = Wait { millis: 100 };
    let mut replies = client.often(&Context::background(), wait).await.unwrap();
    let mut read = 0;
    let error = loop {
        match replies.message().await {
            Ok(Some(_)) => read += 1,
            Ok(None) => panic!("it ended well"),
            Err(error) => break error,
        }
    };
    assert_eq!((read, error.code()), (2, Code::DeadlineExceeded));
}

#[tokio::test]
async fn the_servers_cap_is_for_all_and_the_least_counts() {
    let cap = Duration::from_millis(50);
    let waits = Waits::default();
    let bound = Server::new()
        .host(Ipv4Addr::LOCALHOST)
        .port(0)
        .deadline_cap(cap)
        .add_servicer(WaitServiceServer::new(waits.clone()))
        .bind()
        .await
        .unwrap();
    let target = format!("http://{}", bound.local_addr());
    let serving = tokio::spawn(bound.serve_until(std::future::pending()));
    let client = WaitServiceClient::connect(target).await.unwrap();
    let ctx = Context::background();
    let long = Wait { millis: 3_600_000 };
    assert_eq!(
        code(soon(client.free(&ctx, long)).await),
        Code::DeadlineExceeded
    );
    assert_eq!(
        code(soon(client.capped(&ctx, long)).await),
        Code::DeadlineExceeded
    );
    assert_eq!(waits.dropped.load(Ordering::SeqCst), 2);
    assert_eq!(
        code(soon(client.free(&ctx, Wait { millis: 0 })).await),
        Code::Ok
    );
    serving.abort();
}
