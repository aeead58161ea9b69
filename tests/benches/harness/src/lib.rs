//! What both sides of a comparison share: a counting allocator, and the loop that calls.
//!
//! Each side is a binary of its own, built alone, so that the features of one don't change the
//! other. It prints one line per shape; `compare` runs the sides in turn and prints their ratios.
//! A server alone is the main of [`serve`]; `bench-load` calls it from another process.

mod count;
mod in_process;
mod pairs;
mod serve;
pub mod shop;
pub mod token;
mod tonic_protos;

use std::future::Future;
use std::time::{Duration, Instant};

use tokio::runtime::Builder;
use tokio::task::JoinSet;

pub use count::{Count, Counting, Live, allocations, now as counted};
pub use in_process::{Answer, CORRELATION_ID, Calls, Whole, frame, in_process, now, read, request};
pub use pairs::{Ratio, mean_ratio, median, median_ratio};
pub use serve::{log_file, serve};

/// Concurrent callers, and calls in all.
const SHAPES: [(usize, usize); 3] = [(1, 10_000), (8, 40_000), (64, 60_000)];

/// Starts a server and a client of it, calls in every shape, and prints for each
/// `<callers> <nanoseconds per call> <allocations per call> <bytes allocated per call>`.
///
/// # Panics
///
/// When the runtime can't be built or a caller panics: a bench without its figure is of no use.
#[allow(
    clippy::expect_used,
    reason = "a bench without its figure is of no use"
)]
pub fn run<S, C, F>(start: impl FnOnce() -> S)
where
    S: Future<Output = C>,
    C: Fn() -> F + Clone + Send + 'static,
    F: Future<Output = ()> + Send,
{
    let runtime = Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let call = start().await;
        shape(&call, 64, 5_000).await;
        for (callers, calls) in SHAPES {
            let before = count::now();
            let elapsed = shape(&call, callers, calls).await;
            let counted = count::now().since(before);
            println!(
                "{callers} {} {:.2} {:.0}",
                elapsed.as_nanos() / calls as u128,
                counted.allocations as f64 / calls as f64,
                counted.bytes as f64 / calls as f64,
            );
        }
    });
    runtime.shutdown_timeout(Duration::from_secs(1));
}

#[allow(
    clippy::expect_used,
    reason = "a bench without its figure is of no use"
)]
async fn shape<C, F>(call: &C, callers: usize, calls: usize) -> Duration
where
    C: Fn() -> F + Clone + Send + 'static,
    F: Future<Output = ()> + Send,
{
    let started = Instant::now();
    let mut tasks = JoinSet::new();
    for _ in 0..callers {
        let call = call.clone();
        tasks.spawn(async move {
            for _ in 0..calls / callers {
                call().await;
            }
        });
    }
    while let Some(done) = tasks.join_next().await {
        done.expect("a caller");
    }
    started.elapsed()
}
