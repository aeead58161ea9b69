//! What peers of other libraries expect of statuses and headers: the Connect project's conformance runner
//! asks the same and more.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod common;

use apibase::{Code, Streamed};
use bytes::Bytes;
use common::{
    Answer, ErrorInfo, RawClient, RequestInfo, Running, Scripted, ask, count, frame, post, reply,
    soon,
};
use futures_util::{StreamExt, stream};

const DETAILS: &str = "grpc-status-details-bin";

/// A connection to a server whose `Echo` never answers, and whose `Count` does once.
async fn connection() -> RawClient {
    let scripted = Scripted::new()
        .on_echo(|_, _| std::future::pending())
        .on_count(|_, _| async {
            let replies = stream::iter([Ok(reply(0, ""))]);
            Ok(Streamed::new(replies.chain(stream::pending())))
        });
    Running::start(scripted).await.raw().await
}

fn has_details(answer: &Answer) -> bool {
    let mut maps = [Some(&answer.headers), answer.trailers.as_ref()].into_iter();
    maps.any(|map| map.is_some_and(|map| map.contains_key(DETAILS)))
}

/// Callers may wait for the headers before they send or read anything else.
#[tokio::test]
async fn the_headers_of_a_stream_leave_before_its_first_message() {
    let scripted = Scripted::new().on_count(|ctx, _| async move {
        ctx.response().set_header("x-early", "yes")?;
        Ok(Streamed::new(stream::pending()))
    });
    let mut raw = Running::start(scripted).await.raw().await;
    let (response, mut body) = raw.open(post("Count"), false).await;
    body.send_data(frame(&count(1)), true).unwrap();
    let response = soon(response).await.unwrap();
    assert_eq!(response.headers()["x-early"], "yes");
}

#[tokio::test]
async fn another_number_of_requests_than_one_is_unimplemented() {
    let mut raw = Running::start(Scripted::new()).await.raw().await;
    for (method, request) in [("Echo", frame(&ask("a"))), ("Count", frame(&count(1)))] {
        for body in [vec![], vec![request.clone(), request.clone()]] {
            let sent = body.len();
            let answer = raw.call(post(method), body).await;
            assert_eq!(answer.code(), Code::Unimplemented, "{method}: {sent}");
            assert!(answer.body.is_empty(), "{method}: {sent}");
            assert!(!has_details(&answer), "{answer:?}");
        }
        raw.lives().await;
    }
}

#[tokio::test]
async fn what_a_code_says_by_itself_has_no_details() {
    let mut raw = connection().await;
    let hurried = |method: &str| post(method).header("grpc-timeout", "50m");
    let echo = frame(&ask("a"));
    for (what, head, body, code) in [
        (
            "no such method",
            post("Nowhere"),
            &echo,
            Code::Unimplemented,
        ),
        (
            "an encoding that is not known",
            post("Echo").header("grpc-encoding", "snappy"),
            &echo,
            Code::Unimplemented,
        ),
        ("late", hurried("Echo"), &echo, Code::DeadlineExceeded),
        (
            "late in the stream",
            hurried("Count"),
            &frame(&count(1)),
            Code::DeadlineExceeded,
        ),
    ] {
        let answer = raw.call(head, [Bytes::clone(body)]).await;
        assert_eq!(answer.code(), code, "{what}");
        assert!(!has_details(&answer), "{what}: {answer:?}");
    }
}

#[tokio::test]
async fn the_id_of_a_call_is_told_with_a_deadline_that_has_passed() {
    let mut raw = connection().await;
    let head = post("Echo")
        .header("grpc-timeout", "50m")
        .header("x-correlation-id", "c-7");
    let wire = raw.call(head, [frame(&ask("a"))]).await.failed();
    assert_eq!(wire.find::<RequestInfo>().unwrap().request_id, "c-7");
    assert_eq!(wire.find::<ErrorInfo>(), None);
}

#[tokio::test]
async fn a_refusal_for_a_reason_of_the_servers_own_tells_it() {
    let mut raw = connection().await;
    let head = post("Echo").header("grpc-timeout", "0n");
    let wire = raw.call(head, [frame(&ask("a"))]).await.failed();
    assert_eq!(wire.code, Code::DeadlineExceeded);
    assert_eq!(wire.info().reason, "DEADLINE_SPENT");
}
