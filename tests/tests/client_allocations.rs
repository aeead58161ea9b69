//! What a call costs its client in allocations: no more than tonic's with a deadline, though ours has
//! retries, a breaker, a throttle, an observer and a balancer as well.
//!
//! Both are compiled alike and call the same server, which has a thread of its own, so that what is
//! compared depends neither on the machine nor on the profile.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod common;

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use apibase::{Channel, ClientFactory, Context, Event, Observer};
use apibase_tests::tonic_echo::echo::echo_service_client::EchoServiceClient as TonicsClient;
use bench_harness::{Counting, allocations};
use common::{EchoServiceClient, Running, Scripted, ask};
use tokio::runtime::{Builder, Runtime};
use tonic::transport::Endpoint;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const WARM_UP: usize = 200;
const CALLS: usize = 401;
const DEADLINE: Duration = Duration::from_secs(30);
const SIZES: [usize; 2] = [16, 1024];

/// What a call of ours makes with everything on. Fewer are welcome: lower it then.
const OURS: u64 = 13;

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

/// A server of its own thread.
fn server() -> SocketAddr {
    let (there, is_there) = mpsc::channel();
    thread::spawn(move || {
        runtime().block_on(async {
            let running = Running::start(Scripted::new()).await;
            there.send(running.addr).unwrap();
            running.serving.await.unwrap();
        });
    });
    is_there.recv().unwrap()
}

/// How many allocations half of the calls don't exceed. Now and then there are more: tables grow.
fn median(mut call: impl FnMut()) -> u64 {
    for _ in 0..WARM_UP {
        call();
    }
    let mut counts: Vec<_> = (0..CALLS).map(|_| allocations(&mut call).0).collect();
    counts.sort_unstable();
    println!("{:?} to {:?}", counts.first(), counts.last());
    counts[CALLS / 2]
}

#[derive(Default)]
struct Ended(AtomicU64);

impl Observer for Ended {
    fn observe(&self, event: &Event<'_>) {
        if let Event::Ended { .. } = event {
            self.0.fetch_add(1, Relaxed);
        }
    }
}

/// A call by our stub, with all that a client has by default, and an observer.
fn ours(addr: SocketAddr, size: usize) -> u64 {
    let runtime = runtime();
    let ended = Arc::new(Ended::default());
    let factory = ClientFactory::new().observer(Arc::<Ended>::clone(&ended));
    let channel = factory.connect(format!("http://{addr}"));
    let channel: Channel = runtime.block_on(channel).unwrap();
    let client = EchoServiceClient::new(channel);
    let mut payloads = payloads(size);
    let median = median(|| {
        let request = ask(payloads.pop().unwrap());
        let ctx = Context::background();
        let answer = runtime.block_on(client.echo(&ctx, request)).unwrap();
        assert_eq!(answer.payload.len(), size);
    });
    assert_eq!(ended.0.load(Relaxed), (WARM_UP + CALLS) as u64);
    median
}

/// The same by tonic's generated client.
fn tonics(addr: SocketAddr, size: usize) -> u64 {
    let runtime = runtime();
    let endpoint = Endpoint::from_shared(format!("http://{addr}")).unwrap();
    let channel = runtime.block_on(endpoint.timeout(DEADLINE).connect());
    let client = TonicsClient::new(channel.unwrap());
    let mut payloads = payloads(size);
    median(|| {
        let mut request = tonic::Request::new(ask(payloads.pop().unwrap()));
        request.set_timeout(DEADLINE);
        let mut client = client.clone();
        let answer = runtime.block_on(client.echo(request)).unwrap();
        assert_eq!(answer.into_inner().payload.len(), size);
    })
}

/// Made before it counts.
fn payloads(size: usize) -> Vec<Vec<u8>> {
    vec![vec![7; size]; WARM_UP + CALLS]
}

#[test]
fn a_call_makes_no_more_allocations_than_tonics_with_a_deadline() {
    let addr = server();
    for size in SIZES {
        let (ours, tonics) = (ours(addr, size), tonics(addr, size));
        println!("{size} bytes: {ours} allocations, by tonic {tonics}");
        assert!(ours > 0, "they are not counted");
        assert!(ours <= tonics, "{ours} allocations, by tonic {tonics}");
        assert!(ours <= OURS, "{ours} allocations, once {OURS}");
    }
}
