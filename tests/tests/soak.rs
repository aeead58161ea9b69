//! A soak: peers that come and go, call and cancel, well and badly behaved, and a server that is
//! afterwards as it was before.
//!
//! `SOAK_SECONDS` says how long (20), `SOAK_SEED` what happens; `just soak` runs it for an hour.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test fails by panicking, and a soak tells how it goes"
)]

mod churn;
mod common;

use std::env;
use std::sync::Arc;
use std::time::Duration;

use apibase::Context;
use churn::{Level, Peers, servicer};
use common::Running;
use tokio::task::JoinSet;
use tokio::time::Instant;

#[global_allocator]
static ALLOCATOR: bench_harness::Live = bench_harness::Live;

/// How many peers do something at once.
const PEERS: u64 = 16;
/// How often a long soak says where it is.
const TOLD: Duration = Duration::from_secs(60);
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
    // What is made once and kept, a thread's own blocks for example, is made here.
    churn(
        &server,
        Duration::from_secs(seconds.div_ceil(4).min(60)),
        &mut random,
    )
    .await;
    let before = fresh.at_rest(SETTLED).await;
    println!("warm: {before:?}");
    before.assert_has_as_many_as(&fresh);
    let mut left = Duration::from_secs(seconds);
    while !left.is_zero() {
        let part = left.min(TOLD);
        churn(&server, part, &mut random).await;
        left -= part;
        let after = before.at_rest(SETTLED).await;
        println!("{left:?} left: {after:?}");
        after.assert_is(&before);
    }
    call_once(&server).await;
}

async fn call_once(server: &Running) {
    let client = server.client().await;
    client.ping(&Context::background(), ()).await.unwrap();
}

/// Peers do what they do until `time` has passed; then all are gone.
async fn churn(server: &Running, time: Duration, random: &mut fastrand::Rng) {
    let peers = Arc::new(Peers::of(server).await);
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
    println!("{}", peers.acts());
}

fn number(name: &str) -> Option<u64> {
    let text = env::var(name).ok()?;
    Some(
        text.parse()
            .unwrap_or_else(|_| panic!("{name} is a number, not {text}")),
    )
}
