//! A soak: peers that come and go, call and cancel, well and badly behaved, and a server that is
//! afterwards as it was before.
//!
//! `SOAK_SECONDS` says how long (20), `SOAK_SEED` what happens; `just soak` runs it for an hour.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, and a soak tells how it goes"
)]

mod churn;
mod common;

use std::env;
use std::sync::Arc;
use std::time::Duration;

use apibase::Context;
use churn::{Acts, Level, Peers, servicer};
use common::Running;
use tokio::task::JoinSet;
use tokio::time::Instant;

#[global_allocator]
static ALLOCATOR: bench_harness::Live = bench_harness::Live;

/// How many peers do something at once.
const PEERS: u64 = 16;
/// After which the level is looked at, and all connections are new: h2 gives up a connection on which
/// 1,024 answers came to calls that the client had left, and deadlines do that here in half a minute.
const PART: Duration = Duration::from_secs(5);
/// The whole time in which a server has to be back at its level.
const SETTLED: Duration = Duration::from_secs(5);

#[test]
fn a_server_is_after_all_that_comes_and_goes_as_it_was_before() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(soak(number("SOAK_SECONDS").unwrap_or(20)));
}

async fn soak(seconds: u64) {
    let seed = number("SOAK_SEED").unwrap_or_else(|| fastrand::u64(..));
    println!("SOAK_SEED={seed} SOAK_SECONDS={seconds}");
    let mut random = fastrand::Rng::with_seed(seed);
    let server = Running::start(servicer()).await;
    call_once(&server).await;
    let fresh = Level::at_first(SETTLED).await;
    let acts = Arc::default();
    // What is made once and kept, a thread's own blocks for example, is made here.
    churn(&server, PART, &acts, &mut random).await;
    let before = fresh.at_rest(SETTLED).await;
    println!("warm: {before:?}");
    before.assert_has_as_many_as(&fresh);
    let mut left = Duration::from_secs(seconds);
    while !left.is_zero() {
        let part = left.min(PART);
        churn(&server, part, &acts, &mut random).await;
        left -= part;
        let after = before.at_rest(SETTLED).await;
        println!("{left:?} left: {after:?}");
        after.assert_is(&before);
    }
    println!("{acts}");
    call_once(&server).await;
}

async fn call_once(server: &Running) {
    let client = server.client().await;
    client.ping(&Context::background(), ()).await.unwrap();
}

/// Peers do what they do until `time` has passed; then all are gone.
async fn churn(server: &Running, time: Duration, acts: &Arc<Acts>, random: &mut fastrand::Rng) {
    let peers = Arc::new(Peers::of(server, acts).await);
    let end = Instant::now() + time;
    let mut tasks = JoinSet::new();
    for _ in 0..PEERS {
        let peers = Arc::clone(&peers);
        let mut random = random.fork();
        tasks.spawn(async move {
            while Instant::now() < end {
                peers.act(&mut random).await;
            }
        });
    }
    while let Some(done) = tasks.join_next().await {
        done.unwrap();
    }
}

fn number(name: &str) -> Option<u64> {
    let text = env::var(name).ok()?;
    Some(
        text.parse()
            .unwrap_or_else(|_| panic!("{name} is a number, not {text}")),
    )
}
