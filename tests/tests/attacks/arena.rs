//! A server that is attacked, and what has to hold meanwhile and afterwards.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Mutex, PoisonError, mpsc};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use apibase::{CallInFlight, Server, ServerHandle};
use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;

use super::bystander::{self, Bystander, HONEST};
use super::heap;
use crate::common::{EchoServiceServer, Scripted};

/// How long an attack has to wait to know that nothing moves any more.
pub(crate) const A_WHILE: Duration = Duration::from_millis(700);

/// What an attack may leave behind on the heap, for buffers that grew and stay.
const LEFT: usize = 64 * 1024;

/// When all has to be back.
const BACK_WITHIN: Duration = Duration::from_secs(5);

/// What an attack may make the process hold at any time: the connections' windows are less.
const MOST: usize = 32 * 1024 * 1024;

/// Far beyond what anything here takes: no test depends on how fast the machine is.
const FAILSAFE: Duration = Duration::from_secs(60);

/// The heap is counted for all of the process, so one attack runs at a time.
static ALONE: Mutex<()> = Mutex::new(());

/// Where the server runs.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Workers {
    /// On one worker of a multi-threaded runtime, as in a pod with one CPU.
    One,
    /// On a runtime of the current thread.
    None,
}

/// A server and what is known of it.
pub(crate) struct Arena {
    pub(crate) addr: SocketAddr,
    pub(crate) handle: ServerHandle,
    runtime: Handle,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// What a process holds.
#[derive(Clone, Copy, Debug)]
struct Held {
    heap: usize,
    descriptors: usize,
    tasks: usize,
    calls: usize,
}

/// What `future` gives; a test that would hang fails instead.
pub(crate) async fn soon<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(FAILSAFE, future)
        .await
        .expect("nothing happened for a minute")
}

/// Attacks a server with the defaults on each sort of small runtime.
///
/// Meanwhile an honest client calls on, and afterwards heap, descriptors, tasks and calls are what they
/// were before.
pub(crate) fn survives(attack: impl AsyncFn(&Arena)) {
    survives_with(|server| server, Scripted::new, attack);
}

/// The same, with what `settings` sets and this servicer.
pub(crate) fn survives_with(
    settings: impl Fn(Server) -> Server,
    scripted: impl Fn() -> Scripted,
    attack: impl AsyncFn(&Arena),
) {
    // An attack that failed says so itself.
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    for workers in [Workers::One, Workers::None] {
        let server = Server::new().add_servicer(EchoServiceServer::new(scripted()));
        let arena = Arena::start(settings(server), workers);
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(arena.withstands(&attack));
        drop(runtime);
        arena.stop();
    }
}

impl Arena {
    fn start(server: Server, workers: Workers) -> Self {
        let (started, is_started) = mpsc::channel();
        let (stop, stopped) = oneshot::channel();
        let thread = thread::spawn(move || {
            let mut runtime = match workers {
                Workers::One => Builder::new_multi_thread(),
                Workers::None => Builder::new_current_thread(),
            };
            if let Workers::One = workers {
                runtime.worker_threads(1);
            }
            let runtime = runtime.enable_all().build().unwrap();
            runtime.block_on(async {
                let server = server.host(Ipv4Addr::LOCALHOST).port(0);
                let bound = server.bind().await.unwrap();
                let there = (bound.local_addr(), bound.handle(), Handle::current());
                started.send(there).unwrap();
                // On the worker, as everything that it spawns.
                let serving = bound.serve_until(async { drop(stopped.await) });
                tokio::spawn(serving).await.unwrap();
            });
        });
        let (addr, handle, runtime) = is_started.recv().unwrap();
        Self {
            addr,
            handle,
            runtime,
            stop: Some(stop),
            thread: Some(thread),
        }
    }

    async fn withstands(&self, attack: &impl AsyncFn(&Self)) {
        // What is made once and stays is made before it is counted.
        let standing = bystander::connect(self.addr).await;
        for _ in 0..3 {
            bystander::served(&standing).await;
            bystander::is_served(self.addr).await;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
        let before = self.held();
        heap::forget_peak();
        let bystander = Bystander::start(self.addr);
        soon(attack(self)).await;
        let served = bystander.stop();
        assert!(served.slowest < bystander::DEADLINE, "{served:?}");
        let most = heap::peak() - before.heap;
        assert!(most < MOST, "{most} bytes were held during the attack");

        bystander::served(&standing).await;
        bystander::is_served(self.addr).await;
        self.is_back(before).await;
        if std::env::var_os("ATTACKS_TELL").is_some() {
            eprintln!("{served:?}, {most} bytes at most");
        }
    }

    /// Waits until the process holds what it held before.
    async fn is_back(&self, before: Held) {
        let started = Instant::now();
        loop {
            let now = self.held();
            if now.heap <= before.heap + LEFT
                && now.descriptors <= before.descriptors
                && now.tasks <= before.tasks
                && now.calls == 0
            {
                return;
            }
            assert!(
                started.elapsed() < BACK_WITHIN,
                "not given back: {now:?} is more than {before:?}"
            );
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    fn held(&self) -> Held {
        Held {
            heap: heap::live(),
            descriptors: fs::read_dir("/proc/self/fd").unwrap().count(),
            tasks: self.runtime.metrics().num_alive_tasks(),
            calls: self.handle.calls().len(),
        }
    }

    /// How many calls of the attack run.
    pub(crate) fn calls(&self) -> usize {
        let calls = self.handle.calls().into_iter();
        let of_attack = |call: &CallInFlight| call.correlation_id.as_deref() != Some(HONEST);
        calls.filter(of_attack).count()
    }

    /// Waits until so many calls of the attack run.
    pub(crate) async fn runs(&self, calls: usize) {
        let running = async {
            while self.calls() != calls {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        soon(running).await;
    }

    fn stop(mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            thread.join().expect("the server panicked");
        }
    }
}
