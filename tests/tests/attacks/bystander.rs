//! An honest client, which the attack is none of the business of.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use apibase::{Code, Context};

use crate::common::{EchoServiceClient, ask};

/// The deadline of its calls: far longer than any of them takes, even where the machine is busy.
pub(crate) const DEADLINE: Duration = Duration::from_secs(5);

/// The correlation id of its calls.
pub(crate) const HONEST: &str = "honest";

/// How long it rests after a call.
const REST: Duration = Duration::from_millis(10);

/// A client that calls again and again, on a thread of its own.
pub(crate) struct Bystander {
    done: Arc<AtomicBool>,
    thread: JoinHandle<Served>,
}

/// How a bystander was served.
#[derive(Debug, Default)]
pub(crate) struct Served {
    pub(crate) calls: usize,
    pub(crate) slowest: Duration,
}

/// One honest call over a connection of its own.
pub(crate) async fn is_served(addr: SocketAddr) {
    let client = connect(addr).await;
    served(&client).await;
}

pub(crate) async fn connect(addr: SocketAddr) -> EchoServiceClient {
    let connecting = EchoServiceClient::connect(format!("http://{addr}"));
    tokio::time::timeout(DEADLINE, connecting)
        .await
        .expect("nobody accepts")
        .unwrap()
}

/// One honest call. Where the attack has all the places, it tries again until its deadline.
pub(crate) async fn served(client: &EchoServiceClient) {
    let ctx = Context::background().with_timeout(DEADLINE);
    let ctx = ctx.with_correlation_id(HONEST);
    loop {
        match client.echo(&ctx, ask("honest")).await {
            Ok(reply) => return assert_eq!(reply.payload, b"honest"),
            Err(error) if error.code() == Code::ResourceExhausted => {
                tokio::time::sleep(REST).await;
            }
            Err(error) => panic!("an honest call failed: {error}"),
        }
    }
}

impl Bystander {
    pub(crate) fn start(addr: SocketAddr) -> Self {
        let done = Arc::<AtomicBool>::default();
        let is_done = Arc::clone(&done);
        let thread = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread();
            let runtime = { runtime }.enable_all().build().unwrap();
            runtime.block_on(call_on(addr, &is_done))
        });
        Self { done, thread }
    }

    /// How it was served; its calls end with the one that runs.
    pub(crate) fn stop(self) -> Served {
        self.done.store(true, Ordering::Relaxed);
        let served = self.thread.join();
        served.expect("an honest client was not served during the attack")
    }
}

async fn call_on(addr: SocketAddr, is_done: &AtomicBool) -> Served {
    let client = connect(addr).await;
    let mut all = Served::default();
    loop {
        let started = Instant::now();
        served(&client).await;
        all.calls += 1;
        all.slowest = all.slowest.max(started.elapsed());
        // An attack that is over at once has a call beside it too.
        if is_done.load(Ordering::Relaxed) {
            return all;
        }
        tokio::time::sleep(REST).await;
    }
}
