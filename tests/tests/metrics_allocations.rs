//! What is counted of a call is counted without an allocation, at a server and at a client.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod common;

use apibase::testing::InProcess;
use apibase::{CallOptions, ClientFactory, Context, Interceptors, Metrics, Over};
use bench_harness::{Counting, allocations};
use common::{EchoServiceClient, EchoServiceServer, Scripted, ask, count};
use futures_util::StreamExt;
use tokio::runtime::Builder;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const WARM_UP: usize = 100;
const CALLS: usize = 201;

type Client = EchoServiceClient<Over<InProcess>>;

/// A server and a client on this thread, each counted so many times.
fn client(times: usize) -> Client {
    let metrics: Vec<_> = (0..times).map(|_| Metrics::new()).collect();
    let chain = metrics.iter().fold(Interceptors::none(), |chain, metrics| {
        chain.with_metrics(metrics)
    });
    let server = EchoServiceServer::new(Scripted::new());
    let served = InProcess::behind(chain.clone(), server).unwrap();
    let clients = ClientFactory::new().interceptors(chain);
    let traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    EchoServiceClient::new(clients.over("echo", served))
        .with(CallOptions::new().metadata("traceparent", traceparent))
}

/// How many allocations half of the calls don't exceed. Now and then there are more: tables grow.
fn median(mut call: impl FnMut()) -> u64 {
    for _ in 0..WARM_UP {
        call();
    }
    let mut counts: Vec<_> = (0..CALLS).map(|_| allocations(&mut call).0).collect();
    counts.sort_unstable();
    counts[CALLS / 2]
}

/// Of a call with one reply, and of one with a stream of them.
fn of_calls(times: usize) -> [u64; 2] {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let client = runtime.block_on(async { client(times) });
    let ctx = Context::background();
    let echo = median(|| {
        runtime.block_on(client.echo(&ctx, ask("x"))).unwrap();
    });
    let stream = median(|| {
        runtime.block_on(async {
            let mut replies = client.count(&ctx, count(10)).await.unwrap();
            while replies.next().await.is_some() {}
        });
    });
    [echo, stream]
}

#[test]
fn counting_a_call_allocates_nothing() {
    let (once, often) = (of_calls(1), of_calls(4));
    println!(
        "without {:?}, counted once {once:?}, four times {often:?}",
        of_calls(0)
    );
    assert!(once[0] > 0, "they are not counted");
    assert_eq!(once, often);
}
