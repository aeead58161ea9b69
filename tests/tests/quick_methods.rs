//! Calls of a quick method are answered on the task of their connection. Nobody can tell, but for the
//! speed.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod common;

use std::collections::HashSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use apibase::{CallOptions, Code, Context, DomainError};
use common::{EchoRequest, EchoServiceClient, Running, Scripted, ask, frame, post, reply, soon};
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::task::Id;

/// The tasks that calls were answered on, in their order.
type Tasks = Arc<Mutex<Vec<Id>>>;

/// What `Echo` does when it is told so; it answers at once otherwise.
async fn act(ctx: Context, request: EchoRequest) -> Result<common::EchoReply, DomainError> {
    match request.behaviour.as_str() {
        "panic" => panic!("on purpose"),
        "fail" => return Err(DomainError::conflict("so")),
        "yield" => tokio::task::yield_now().await,
        "sleep" => tokio::time::sleep(Duration::from_millis(1)).await,
        "never" => ctx.cancelled().await,
        // Longer than any call that is quick.
        "block" => std::thread::sleep(Duration::from_millis(2)),
        _ => {}
    }
    Ok(reply(0, request.payload))
}

fn told(behaviour: &str) -> EchoRequest {
    EchoRequest {
        payload: b"p".to_vec(),
        behaviour: behaviour.to_owned(),
    }
}

/// A server that writes down which tasks answer, and a client of it.
async fn server() -> (Running, EchoServiceClient, Tasks) {
    let tasks = Tasks::default();
    let written = Arc::clone(&tasks);
    let scripted = Scripted::new().on_echo(move |ctx, request| {
        written.lock().unwrap().push(tokio::task::id());
        act(ctx, request)
    });
    let running = Running::with(scripted, |server| server.max_concurrent_rpcs(1000)).await;
    let client = running.client().await;
    (running, client, tasks)
}

/// Calls until two calls in a row were answered on the same task: the connection's.
async fn warm(client: &EchoServiceClient, tasks: &Tasks) {
    soon(async {
        loop {
            client
                .echo(&Context::background(), ask("quick"))
                .await
                .unwrap();
            let tasks = tasks.lock().unwrap();
            if let [.., before, last] = tasks[..]
                && before == last
            {
                return;
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a_quick_method_is_answered_on_its_connections_task() {
    let (_running, client, tasks) = server().await;
    warm(&client, &tasks).await;
}

#[tokio::test]
async fn a_method_that_was_slow_once_has_tasks_of_its_own_again() {
    let (_running, client, tasks) = server().await;
    warm(&client, &tasks).await;
    let ctx = Context::background();
    soon(client.echo(&ctx, told("block"))).await.unwrap();
    tasks.lock().unwrap().clear();
    for _ in 0..200 {
        soon(client.echo(&ctx, ask("quick"))).await.unwrap();
    }
    let tasks: HashSet<Id> = tasks.lock().unwrap().iter().copied().collect();
    assert_eq!(tasks.len(), 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_method_that_blocks_its_thread_holds_up_no_other_call_of_its_connection() {
    let (free, freed) = mpsc::channel::<()>();
    let freed = Arc::new(Mutex::new(freed));
    let scripted = Scripted::new().on_echo(move |_, request| {
        let freed = Arc::clone(&freed);
        async move {
            freed.lock().unwrap().recv().unwrap();
            Ok(reply(0, request.payload))
        }
    });
    let running = Running::start(scripted).await;
    let client = running.client().await;
    let blocked = tokio::spawn({
        let client = client.clone();
        async move { client.echo(&Context::background(), ask("blocked")).await }
    });
    for _ in 0..20 {
        soon(client.ping(&Context::background(), ())).await.unwrap();
    }
    assert!(!blocked.is_finished());
    free.send(()).unwrap();
    soon(blocked).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_panic_on_the_connections_task_is_internal_and_the_connection_lives() {
    let (_running, client, tasks) = server().await;
    let ctx = Context::background();
    warm(&client, &tasks).await;
    let error = soon(client.echo(&ctx, told("panic"))).await.unwrap_err();
    assert_eq!(error.code(), Code::Internal);
    soon(client.echo(&ctx, ask("alive"))).await.unwrap();
}

#[tokio::test]
async fn a_quick_methods_call_that_waits_ends_by_its_deadline_and_by_its_callers_cancel() {
    let (running, client, tasks) = server().await;
    warm(&client, &tasks).await;
    let options = CallOptions::new().deadline(Duration::from_millis(50));
    let error = soon(
        client
            .with(options)
            .echo(&Context::background(), told("never")),
    )
    .await
    .unwrap_err();
    assert_eq!(error.code(), Code::DeadlineExceeded);

    let waiting = tokio::spawn({
        let client = client.clone();
        async move { client.echo(&Context::background(), told("never")).await }
    });
    tokio::time::sleep(Duration::from_millis(20)).await;
    waiting.abort();
    // It is over for the server too: it stops before its grace is.
    drop(client);
    soon(running.stop()).await.unwrap();
}

#[tokio::test]
async fn a_reply_that_nobody_reads_is_given_up_after_the_deadline() {
    let scripted = Scripted::new().on_echo(|_, _| async { Ok(reply(0, vec![0; 1 << 20])) });
    let running = Running::with(scripted, |server| server.max_concurrent_rpcs(1)).await;
    let mut raw = running.raw().await;
    // Its window is 64 KiB, and it never opens it.
    let head = post("Echo").header("grpc-timeout", "100m");
    let (response, mut body) = raw.open(head, false).await;
    body.send_data(frame(&ask("")), true).unwrap();
    let unread = soon(response).await.unwrap();
    let client = running.client().await;
    soon(async {
        while client.ping(&Context::background(), ()).await.is_err() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    })
    .await;
    drop(unread);
}

/// Many calls of all sorts at once, on runtimes of several sizes: each is answered as it should be.
fn churn(runtime: &tokio::runtime::Runtime) {
    const BEHAVIOURS: [&str; 6] = ["", "", "fail", "yield", "sleep", "panic"];
    let seed = fastrand_seed();
    println!("seed {seed}");
    let answered = AtomicUsize::new(0);
    runtime.block_on(async {
        let (running, _, _) = server().await;
        let clients = [running.client().await, running.client().await];
        let call = |index: u64| {
            let random = index.wrapping_add(seed).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32;
            let behaviour = BEHAVIOURS[usize::try_from(random % 6).unwrap()];
            let client = &clients[usize::try_from(random / 6 % 2).unwrap()];
            let answered = &answered;
            async move {
                let outcome = client.echo(&Context::background(), told(behaviour)).await;
                let code = outcome.map_or_else(|error| error.code(), |_| Code::Ok);
                let expected = match behaviour {
                    "fail" => Code::AlreadyExists,
                    "panic" => Code::Internal,
                    _ => Code::Ok,
                };
                assert_eq!(code, expected, "{behaviour}");
                answered.fetch_add(1, Ordering::Relaxed);
            }
        };
        let mut calls: FuturesUnordered<_> = (0..64).map(&call).collect();
        let mut next = 64;
        soon(async {
            while calls.next().await.is_some() {
                if next < 4000 {
                    calls.push(call(next));
                    next += 1;
                }
            }
        })
        .await;
    });
    assert_eq!(answered.into_inner(), 4000);
}

fn fastrand_seed() -> u64 {
    use std::hash::{BuildHasher, RandomState};
    RandomState::new().hash_one(0)
}

#[test]
fn all_sorts_of_calls_at_once_are_answered_by_one_worker() {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    churn(&builder.worker_threads(1).enable_all().build().unwrap());
}

#[test]
fn all_sorts_of_calls_at_once_are_answered_by_four_workers() {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    churn(&builder.worker_threads(4).enable_all().build().unwrap());
}

#[test]
fn all_sorts_of_calls_at_once_are_answered_without_other_threads() {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    churn(&builder.enable_all().build().unwrap());
}
