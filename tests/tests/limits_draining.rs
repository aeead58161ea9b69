//! Calls that come on a connection whose server has been told to stop.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod common;
mod wiretap;

use std::time::Duration;

use apibase::{Code, Interceptors, Refusal};
use common::{RetryInfo, Running, Scripted, Seen, ask, frame, post, recorder, soon};
use tokio::time::sleep;
use wiretap::{GOAWAY, PING};

const LONG: Duration = Duration::from_secs(3600);

/// Longer than a call may be on its way.
const KNOWN: Duration = Duration::from_millis(1500);

#[tokio::test]
async fn a_peer_that_does_not_hear_of_the_stop_is_served_at_first_and_then_told() {
    let (observer, mut recording) = recorder();
    let server = Running::with(Scripted::new(), |server| {
        let chain = Interceptors::none().with_observer(observer);
        server.grace(LONG).interceptors(chain)
    })
    .await;
    let (mut raw, mut heard) = wiretap::deaf_to(server.addr, &[GOAWAY, PING]).await;
    raw.lives().await;
    let stopping = server.stop();
    heard.next(GOAWAY).await;
    // It was on its way when the server began to stop.
    raw.lives().await;
    for _ in 0..4 {
        recording.next().await;
    }

    sleep(KNOWN).await;
    let answer = raw.call(post("Echo"), [frame(&ask(""))]).await;
    let failed = answer.failed();
    assert_eq!(failed.code, Code::Unavailable);
    assert_eq!(failed.info().reason, "DRAINING");
    assert_eq!(
        failed.find::<RetryInfo>(),
        None,
        "another server takes it at once"
    );
    let path = "/echo.EchoService/Echo".to_owned();
    let refused = Seen::Refused(path, Refusal::Draining, Code::Unavailable);
    assert_eq!(recording.next().await, refused);
    assert_eq!(recording.rest(), []);
    drop(raw);
    soon(stopping).await.unwrap();
}

#[tokio::test]
async fn a_peer_that_answers_the_ping_has_no_call_refused() {
    let (observer, mut recording) = recorder();
    let server = Running::with(Scripted::new(), |server| {
        let chain = Interceptors::none().with_observer(observer);
        server.grace(LONG).interceptors(chain)
    })
    .await;
    // It answers, and doesn't hear that it has to go. HTTP/2 itself ignores what it sends then.
    let (mut raw, mut heard) = wiretap::deaf_to(server.addr, &[GOAWAY]).await;
    let (chat, requests) = raw.open(post("Chat"), false).await;
    soon(chat).await.unwrap();
    let stopping = server.stop();
    heard.next(GOAWAY).await;
    // The second one names the last call that is taken.
    heard.next(GOAWAY).await;
    sleep(KNOWN).await;
    let (late, _body) = raw.open(post("Echo"), true).await;
    drop(requests);
    soon(late).await.unwrap_err();
    soon(stopping).await.unwrap();
    let seen = recording.rest();
    let of_chat =
        |seen: &Seen| matches!(seen, Seen::Started(_, "Chat") | Seen::Ended(_, "Chat", _));
    assert!(seen.len() == 2 && seen.iter().all(of_chat), "{seen:?}");
}
