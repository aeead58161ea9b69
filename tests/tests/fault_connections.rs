//! `Faults`: connections that are lost or can't be made, and servers that say nothing, are as real ones
//! are to a circuit breaker, to a call that waits and to a stream of requests.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod common;

use std::time::Duration;

use apibase::testing::{Fault, Faults, InProcess};
use apibase::{CallOptions, Code, Context, FailureKind};
use common::{
    EchoServiceClient, EchoServiceServer, Scripted, WordsClient, ask, ask_for, failure, journal,
    soon, words_in_process,
};
use futures_util::{StreamExt, future, stream};
use tokio::net::TcpListener;
use tokio::time::{Instant, advance, sleep};

const SECOND: Duration = Duration::from_secs(1);

/// Each call is sent once.
fn once() -> CallOptions {
    CallOptions::new().no_retry().no_deadline()
}

fn faulty() -> (Faults<InProcess>, EchoServiceClient<Faults<InProcess>>) {
    let faults = Faults::new(InProcess::new(EchoServiceServer::new(Scripted::new())));
    let client = EchoServiceClient::new(faults.clone());
    (faults, client.with(once()))
}

/// Why a call fails.
async fn fails<T: apibase::Transport>(client: &EchoServiceClient<T>) -> FailureKind {
    let outcome = client.echo(&Context::background(), ask("")).await;
    failure(outcome).kind()
}

/// Whether none of twenty calls, which all fail, is stopped by the circuit breaker.
async fn twenty_are_sent<T: apibase::Transport>(client: &EchoServiceClient<T>) -> bool {
    for _ in 0..20 {
        if fails(client).await != FailureKind::Transport {
            return false;
        }
    }
    true
}

/// Where nobody listens.
async fn refused() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

#[tokio::test]
async fn calls_without_a_connection_are_one_failure_to_a_breaker_as_real_ones_are() {
    let real = EchoServiceClient::connect_lazy(refused().await).unwrap();
    assert!(soon(twenty_are_sent(&real.with(once()))).await);
    let (faults, client) = faulty();
    faults.always(Fault::no_connection());
    assert!(twenty_are_sent(&client).await);
}

#[tokio::test(start_paused = true)]
async fn a_server_without_connections_is_dialled_after_one_and_then_longer_waits() {
    let (faults, client) = faulty();
    faults.always(Fault::no_connection());
    let started = Instant::now();
    while fails(&client).await == FailureKind::Transport {
        advance(SECOND / 10).await;
    }
    // The breaker opens with the fifth dial: after 1, 1.6, 2.56 and 4.096 seconds.
    let opened = started.elapsed();
    assert!(opened >= Duration::from_millis(9256), "{opened:?}");
    assert!(opened <= Duration::from_millis(9800), "{opened:?}");
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_was_there_in_between_makes_the_next_failure_another_one() {
    let (faults, client) = faulty();
    for _ in 0..3 {
        faults.next(Fault::no_connection()).next(Fault::lost());
    }
    for _ in 0..5 {
        assert_eq!(fails(&client).await, FailureKind::Transport);
    }
    assert_eq!(fails(&client).await, FailureKind::CircuitOpen);
}

#[tokio::test(start_paused = true)]
async fn calls_that_lose_a_connection_together_are_one_failure_to_a_breaker() {
    for fault in [
        Fault::lost(),
        Fault::answer_lost(),
        Fault::lost_after_head(),
    ] {
        let (faults, client) = faulty();
        faults.always(fault.clone().after(SECOND));
        for _ in 0..4 {
            let together = future::join_all((0..20).map(|_| fails(&client))).await;
            let sent = |kind: &FailureKind| *kind == FailureKind::Transport;
            assert!(together.iter().all(sent), "{fault:?}: {together:?}");
        }
        // The fifth connection.
        assert_eq!(fails(&client).await, FailureKind::Transport, "{fault:?}");
        assert_eq!(fails(&client).await, FailureKind::CircuitOpen, "{fault:?}");
    }
}

#[tokio::test]
async fn a_call_that_waits_for_a_connection_waits_as_a_real_one_does() {
    let ctx = Context::background().with_timeout(SECOND / 2);
    let waiting = || CallOptions::new().wait_for_ready(true);
    let real = EchoServiceClient::connect_lazy(refused().await).unwrap();
    let real = failure(soon(real.with(waiting()).echo(&ctx, ask(""))).await);
    let (faults, client) = faulty();
    faults.always(Fault::no_connection());
    let ctx = Context::background().with_timeout(SECOND / 2);
    let faked = failure(soon(client.with(waiting()).echo(&ctx, ask(""))).await);
    assert_eq!(faked.kind(), FailureKind::Deadline);
    assert_eq!(
        (faked.kind(), faked.status().to_string(), faked.attempts()),
        (real.kind(), real.status().to_string(), real.attempts())
    );
}

#[tokio::test(start_paused = true)]
async fn a_silent_server_takes_what_is_sent_later_up_to_a_window() {
    let (journal, mut entries) = journal();
    let (faults, client) = faulty();
    faults.next(Fault::silence());
    let requests = stream::iter(0..1000).then(move |_| {
        journal.write("sent");
        async {
            sleep(SECOND).await;
            ask([0; 1019])
        }
    });
    let ctx = Context::background().with_timeout(1000 * SECOND);
    let error = client.collect(&ctx, requests).await.unwrap_err();
    assert_eq!(error.code(), Code::DeadlineExceeded);
    // Of 1 KiB each, with what is around them; the last may go beyond it.
    let sent = entries.rest().len();
    assert!((63..=65).contains(&sent), "{sent}");
}

#[tokio::test(start_paused = true)]
async fn a_request_that_cannot_be_encoded_ends_a_call_to_a_silent_server() {
    let faults = Faults::new(words_in_process());
    faults.next(Fault::silence());
    let client = WordsClient::new(faults.clone());
    let requests = stream::iter(["a", "\0"]).then(|word| async move {
        sleep(SECOND).await;
        ask_for(word)
    });
    let ctx = Context::background().with_timeout(60 * SECOND);
    let failure = failure(client.collect(&ctx, requests).await);
    assert_eq!(failure.kind(), FailureKind::Encode);
}
