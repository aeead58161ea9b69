//! A server that goes and comes back, under load, over real sockets.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::SeqCst};
use std::time::Duration;

use apibase::{CallInfo, CallOptions, Context, Server};
use common::{EchoServiceClient, EchoServiceServer, Nobody, Running, Scripted, ask, reply, soon};
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinHandle;
use tokio::time::sleep;

const TASKS: usize = 16;

/// Tasks that call all the time, until they are told to stop.
struct Load {
    stop: Arc<AtomicBool>,
    tasks: Vec<JoinHandle<()>>,
    tally: Arc<Tally>,
}

#[derive(Default)]
struct Tally {
    calls: AtomicU32,
    attempts: AtomicU32,
    /// How many calls of each task have ended.
    ended: [AtomicU32; TASKS],
    failed: std::sync::Mutex<Vec<String>>,
}

impl Load {
    /// `Echo` has no side effects, so it is called again with the built-in policy.
    fn start(client: &EchoServiceClient) -> Self {
        let (stop, tally) = (Arc::new(AtomicBool::new(false)), Arc::new(Tally::default()));
        let tasks = (0..TASKS)
            .map(|task| {
                let info = CallInfo::new();
                let client = client.with(CallOptions::new().info(&info));
                let (stop, tally) = (Arc::clone(&stop), Arc::clone(&tally));
                tokio::spawn(async move {
                    while !stop.load(SeqCst) {
                        tally.call(&client, &info).await;
                        tally.ended[task].fetch_add(1, SeqCst);
                        sleep(Duration::from_millis(10)).await;
                    }
                })
            })
            .collect();
        Self { stop, tasks, tally }
    }

    /// Waits until each task has made this many calls more: none of those that met the last restart is
    /// still under way.
    async fn goes_on(&self, calls: u32) {
        let ended = || self.tally.ended.each_ref().map(|ended| ended.load(SeqCst));
        let before = ended();
        let has_gone_on = || {
            ended()
                .iter()
                .zip(before)
                .all(|(now, then)| *now >= then + calls)
        };
        while !has_gone_on() {
            sleep(Duration::from_millis(20)).await;
        }
    }

    /// Stops it. No call has failed, and few were sent again.
    async fn ends_well(self) {
        self.stop.store(true, SeqCst);
        for task in self.tasks {
            soon(task).await.unwrap();
        }
        let (calls, attempts) = (&self.tally.calls, &self.tally.attempts);
        let (calls, attempts) = (calls.load(SeqCst), attempts.load(SeqCst));
        let failed = self.tally.failed.lock().unwrap();
        let some = &failed[..failed.len().min(5)];
        println!("{calls} calls, {attempts} attempts");
        assert_eq!(failed.len(), 0, "{some:#?}");
        assert!(attempts - calls < calls / 10, "{attempts} for {calls}");
    }
}

impl Tally {
    async fn call(&self, client: &EchoServiceClient, info: &CallInfo) {
        let ctx = Context::background();
        match client.echo(&ctx, ask("again")).await {
            Ok(got) => assert_eq!(got, reply(0, "again")),
            Err(error) => self.failed.lock().unwrap().push(format!("{error:?}")),
        }
        self.attempts.fetch_add(info.attempts(), SeqCst);
        self.calls.fetch_add(1, SeqCst);
    }
}

/// A handler that is slow enough for calls to be under way whenever something happens.
fn slow() -> Scripted {
    Scripted::new().on_echo(|_, request| async {
        sleep(Duration::from_millis(20)).await;
        Ok(reply(0, request.payload))
    })
}

fn server() -> Server {
    Server::new().add_servicer(EchoServiceServer::new(slow()))
}

#[tokio::test]
async fn a_server_that_restarts_gracefully_costs_no_call() {
    let nobody = Nobody::new();
    let mut running = Running::on(server(), nobody.addr.port()).await;
    let client = soon(EchoServiceClient::connect(running.target()))
        .await
        .unwrap();
    let load = Load::start(&client);
    for _ in 0..3 {
        soon(load.goes_on(25)).await;
        soon(running.stop()).await.unwrap();
        running = Running::on(server(), nobody.addr.port()).await;
    }
    soon(load.goes_on(25)).await;
    load.ends_well().await;
}

/// A server with threads of its own, so that it can die with all its connections.
fn doomed(port: u16) -> Runtime {
    let runtime = Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    let running = runtime.block_on(Running::on(server(), port));
    std::mem::forget(running);
    runtime
}

/// Waits until its sockets are closed.
async fn kill(runtime: Runtime) {
    let killed =
        tokio::task::spawn_blocking(move || runtime.shutdown_timeout(Duration::from_secs(60)));
    killed.await.unwrap();
}

#[tokio::test]
async fn a_server_that_is_killed_and_comes_back_costs_no_idempotent_call() {
    let nobody = Nobody::new();
    let port = nobody.addr.port();
    let start = move || tokio::task::spawn_blocking(move || doomed(port));
    let mut running = start().await.unwrap();
    let target = nobody.target();
    let client = soon(EchoServiceClient::connect(target)).await.unwrap();
    let load = Load::start(&client);
    for _ in 0..3 {
        soon(load.goes_on(25)).await;
        kill(running).await;
        running = start().await.unwrap();
    }
    soon(load.goes_on(25)).await;
    load.ends_well().await;
    kill(running).await;
}
