//! Methods that are `detached`: their work goes on when their callers have gone, and is bounded all the
//! same.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod common;
mod ledger;

use std::time::Duration;

use apibase::{CallOptions, Code, Context, Phase, Server};
use common::{Answer, frame, log, soon};
use futures_util::{FutureExt, StreamExt, stream};
use ledger::{Kept, Ledger, Serving, ledger, part, post_ledger};
use tokio::time::sleep;

/// Longer than any test takes.
const LONG: Duration = Duration::from_secs(3600);

/// Starts a call of `Keep`, waits until its servicer is in, and gives it up.
async fn abandon(serving: &Serving, name: &str, book: &mut ledger::Book) {
    let client = serving.client().await;
    let part = part(name);
    let call = tokio::spawn(async move { client.keep(&Context::background(), part).await });
    assert_eq!(book.entries.next().await, "in");
    call.abort();
    assert_eq!(book.entries.next().await, "gone");
}

async fn start(ledger: Ledger) -> Serving {
    Serving::start(ledger, |server| server).await
}

#[tokio::test]
async fn who_waits_is_answered() {
    let (ledger, book) = ledger();
    let serving = start(ledger).await;
    let (client, ctx) = (serving.client().await, Context::background());
    book.gate.notify_one();
    assert_eq!(
        soon(client.keep(&ctx, part("a"))).await.unwrap(),
        Kept { parts: 1 }
    );
    let parts = || stream::iter(["a", "b"].map(part));
    let kept = soon(client.keep_all(&ctx, parts())).await.unwrap();
    assert_eq!(kept, Kept { parts: 2 });
    let replies = soon(client.keep_each(&ctx, parts())).await.unwrap();
    assert_eq!(soon(replies.count()).await, 2);
    serving.until(<[_]>::is_empty).await;
    assert_eq!(book.kept(), 3);
}

#[tokio::test]
async fn a_call_commits_once_though_its_caller_cancelled() {
    let (ledger, mut book) = ledger();
    let serving = start(ledger).await;
    abandon(&serving, "a", &mut book).await;
    serving.until(|calls| calls.len() == 1).await;
    book.gate.notify_one();
    assert_eq!(book.entries.next().await, "kept");
    serving.until(<[_]>::is_empty).await;
    assert_eq!((book.kept(), book.entries.rest()), (1, vec![]));
}

#[tokio::test]
async fn a_call_commits_though_its_callers_deadline_passed() {
    let (ledger, mut book) = ledger();
    let serving = start(ledger).await;
    let mut raw = serving.raw().await;
    let head = post_ledger("Keep").header("grpc-timeout", "500m");
    let answer = soon(raw.call(head, [frame(&part("a"))])).await;
    assert_eq!(answer.code(), Code::DeadlineExceeded);
    assert_eq!(book.entries.next().await, "in");
    assert_eq!(book.entries.next().await, "gone");
    serving
        .until(|calls| calls.iter().any(|call| call.phase == Phase::Detached))
        .await;
    let remaining = serving.calls().first().and_then(|call| call.remaining);
    assert_eq!(remaining, Some(Duration::ZERO));
    book.gate.notify_one();
    assert_eq!(book.entries.next().await, "kept");
    assert_eq!(book.kept(), 1);
}

#[tokio::test]
async fn a_call_keeps_its_place_until_its_work_has_ended() {
    let (ledger, mut book) = ledger();
    let serving = Serving::start(ledger, |server| server.max_concurrent_rpcs(1)).await;
    abandon(&serving, "a", &mut book).await;
    serving
        .until(|calls| calls.iter().any(|call| call.phase == Phase::Detached))
        .await;
    let (client, ctx) = (serving.client().await, Context::background());
    let refused = soon(client.keep(&ctx, part("b"))).await.unwrap_err();
    assert_eq!(refused.code(), Code::ResourceExhausted);
    book.gate.notify_one();
    assert_eq!(book.entries.next().await, "kept");
    serving.until(<[_]>::is_empty).await;
    for _ in 0..20 {
        // The place is free when the caller has its answer, each time.
        book.gate.notify_one();
        soon(client.keep(&ctx, part("b"))).await.unwrap();
    }
    assert_eq!(book.kept(), 21);
}

/// An upload of two parts that goes on.
async fn upload(serving: &Serving, method: &str, timeout: Option<&str>) -> Upload {
    let mut raw = serving.raw().await;
    let mut head = post_ledger(method);
    if let Some(timeout) = timeout {
        head = head.header("grpc-timeout", timeout);
    }
    let (response, mut body) = raw.open(head, false).await;
    for name in ["a", "b"] {
        body.send_data(frame(&part(name)), false).unwrap();
    }
    Upload {
        _raw: raw,
        response,
        body,
    }
}

struct Upload {
    _raw: common::RawClient,
    response: h2::client::ResponseFuture,
    body: h2::SendStream<bytes::Bytes>,
}

#[tokio::test]
async fn half_an_upload_is_not_committed_in_either_sort_of_method() {
    let (ledger, mut book) = ledger();
    let serving = start(ledger).await;
    for (method, end) in [("KeepAll", "failed: Cancelled"), ("KeepAllNow", "dropped")] {
        for reason in [Some(h2::Reason::CANCEL), Some(h2::Reason::NO_ERROR), None] {
            let mut upload = upload(&serving, method, None).await;
            assert_eq!(book.entries.next().await, "in");
            // So that the parts are read, and it waits for more.
            sleep(Duration::from_millis(50)).await;
            match reason {
                Some(reason) => upload.body.send_reset(reason),
                // The connection is gone with it.
                None => drop(upload),
            }
            assert_eq!(book.entries.next().await, end, "{method}, {reason:?}");
        }
    }
    serving.until(<[_]>::is_empty).await;
    assert_eq!(book.kept(), 0);
}

#[tokio::test]
async fn an_upload_that_ends_after_its_deadline_is_not_committed() {
    let (ledger, mut book) = ledger();
    let serving = start(ledger).await;
    for (method, end) in [
        ("KeepAll", "failed: DeadlineExceeded"),
        ("KeepAllNow", "dropped"),
    ] {
        let mut upload = upload(&serving, method, Some("500m")).await;
        assert_eq!(book.entries.next().await, "in");
        let answer = Answer::read(soon(&mut upload.response).await.unwrap()).await;
        assert_eq!(answer.code(), Code::DeadlineExceeded);
        // It may be reset by now.
        let _ = upload.body.send_data(frame(&part("c")), true);
        assert_eq!(book.entries.next().await, end, "{method}");
    }
    serving.until(<[_]>::is_empty).await;
    assert_eq!(book.kept(), 0);
}

#[tokio::test]
async fn a_request_that_never_comes_whole_holds_no_place() {
    let (ledger, mut book) = ledger();
    let serving = start(ledger).await;
    let mut raw = serving.raw().await;
    let head = post_ledger("Keep").header("grpc-timeout", "500m");
    let (response, mut body) = raw.open(head, false).await;
    body.send_data(frame(&part("half")).split_to(7), false)
        .unwrap();
    let answer = Answer::read(soon(response).await.unwrap()).await;
    assert_eq!(answer.code(), Code::DeadlineExceeded);
    serving.until(<[_]>::is_empty).await;
    assert_eq!(book.entries.rest(), Vec::<String>::new());
}

#[tokio::test]
async fn a_stream_of_replies_ends_with_its_caller() {
    let (ledger, mut book) = ledger();
    let serving = start(ledger).await;
    let client = serving.client().await;
    let parts = stream::iter([part("a")]).chain(stream::pending());
    let mut replies = soon(client.keep_each(&Context::background(), parts))
        .await
        .unwrap();
    assert_eq!(
        soon(replies.message()).await.unwrap(),
        Some(Kept { parts: 1 })
    );
    assert_eq!(
        serving.calls().first().map(|call| call.phase),
        Some(Phase::Replying)
    );
    drop(replies);
    assert_eq!(book.entries.next().await, "in");
    assert_eq!(book.entries.next().await, "dropped");
    serving.until(<[_]>::is_empty).await;
}

#[tokio::test]
async fn a_panic_that_nobody_hears_of_is_in_the_log() {
    let log = log();
    let (ledger, mut book) = ledger();
    let serving = start(ledger).await;
    abandon(&serving, "panic", &mut book).await;
    book.gate.notify_one();
    serving.until(<[_]>::is_empty).await;
    let lines = log.own_lines();
    assert!(
        lines.iter().any(|line| line.contains("a part that panics")),
        "{lines:?}"
    );
    let client = serving.client().await;
    book.gate.notify_one();
    let error = soon(client.keep(&Context::background(), part("panic")))
        .await
        .unwrap_err();
    assert_eq!(error.code(), Code::Internal);
}

#[tokio::test]
async fn a_server_that_stops_waits_for_it() {
    let (ledger, mut book) = ledger();
    let serving = Serving::start(ledger, |server| server.grace(LONG)).await;
    abandon(&serving, "a", &mut book).await;
    let mut stopping = serving.stop();
    sleep(Duration::from_millis(100)).await;
    assert!((&mut stopping).now_or_never().is_none(), "it still works");
    book.gate.notify_one();
    assert_eq!(book.entries.next().await, "kept");
    soon(stopping).await.unwrap();
}

#[tokio::test]
async fn a_server_that_is_forced_to_stop_cuts_it_off_and_says_so() {
    let log = log();
    let (ledger, mut book) = ledger();
    let grace = |server: Server| server.grace(Duration::from_millis(20));
    let serving = Serving::start(ledger, grace).await;
    abandon(&serving, "a", &mut book).await;
    serving
        .until(|calls| calls.iter().any(|call| call.phase == Phase::Detached))
        .await;
    soon(serving.stop()).await.unwrap();
    assert_eq!(book.entries.next().await, "dropped");
    let lines = log.own_lines();
    let cut = lines
        .iter()
        .find(|line| line.contains("a call is cut off"))
        .unwrap();
    assert!(cut.contains("/detached.LedgerService/Keep"), "{cut}");
    assert!(cut.contains("phase=Detached"), "{cut}");
    assert_eq!(book.kept(), 0);
}

#[tokio::test]
async fn the_servers_cap_is_for_the_work_too() {
    let (ledger, mut book) = ledger();
    let cap = |server: Server| server.deadline_cap(Duration::from_millis(500));
    let serving = Serving::start(ledger, cap).await;
    abandon(&serving, "a", &mut book).await;
    assert_eq!(book.entries.next().await, "dropped");
    serving.until(<[_]>::is_empty).await;
    let client = serving.client().await;
    let hour = CallOptions::new().deadline(LONG);
    let call = client.with(hour);
    let error = soon(call.keep(&Context::background(), part("a")))
        .await
        .unwrap_err();
    assert_eq!(error.code(), Code::DeadlineExceeded);
}
