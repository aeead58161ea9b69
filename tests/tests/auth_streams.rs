//! Streams whose tokens expire while they run. Time is virtual.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod common;
mod tokens;

use std::time::Duration;

use apibase::{Auth, AuthBuilder, Code, Interceptors, Refusal, Status, Streamed, TowerService};
use common::{EchoServiceServer, Scripted, Seen, recorder, reply};
use futures_util::{StreamExt as _, stream};
use serde_json::json;
use tokens::{Clock, Issuer, NOW, Signer, bearer, call, call_within, claims, claims_with};
use tokio::time::{Instant, sleep};

const SECRET: &[u8] = b"a secret of a test, which is long enough";
const COUNT: &str = "/echo.EchoService/Count";
const COLLECT: &str = "/echo.EchoService/Collect";
const ECHO: &str = "/echo.EchoService/Echo";

const SECOND: Duration = Duration::from_secs(1);

/// What the token of the day has left, and the leeway.
const LEFT: Duration = Duration::from_secs(3630);

type Echo = TowerService<EchoServiceServer<Scripted>>;

fn auth() -> AuthBuilder {
    Auth::jwt().hs256(SECRET).clock(Clock::default().read())
}

/// Every method takes two hours, a stream of replies after the first of them.
fn slow(chain: Interceptors) -> Echo {
    let scripted = Scripted::new()
        .on_count(|_, _| async {
            let second = async {
                sleep(7200 * SECOND).await;
                Ok(reply(2, ""))
            };
            let replies = stream::iter([Ok(reply(1, ""))]).chain(stream::once(second));
            Ok(Streamed::new(replies))
        })
        .on_collect(|_, _| async {
            sleep(7200 * SECOND).await;
            Ok(common::CollectReply::default())
        })
        .on_echo(|_, _| async {
            sleep(7200 * SECOND).await;
            Ok(reply(1, ""))
        });
    EchoServiceServer::new(scripted)
        .into_service(chain)
        .unwrap()
}

async fn with(service: &Echo, path: &str) -> (Status, Duration) {
    let token = bearer(&Signer::hs256("1", SECRET).token(&claims()));
    let started = Instant::now();
    let status = call(service, path, &[token]).await;
    (status, started.elapsed())
}

#[tokio::test(start_paused = true)]
async fn a_stream_ends_with_its_token_where_that_is_asked_for() {
    let (observer, mut recording) = recorder();
    let chain = Interceptors::none().with_auth(auth().end_streams_at_expiry().build().unwrap());
    let service = slow(chain.with_observer(observer));
    // The second time, the token is known.
    for path in [COUNT, COLLECT, COUNT] {
        let (status, after) = with(&service, path).await;
        assert_eq!(status.code(), Code::Unauthenticated, "{path}: {status:?}");
        assert!(status.message().contains("expired"), "{status:?}");
        assert_eq!(after.as_secs(), LEFT.as_secs(), "{path}");
        let refused = Seen::Refused(path.to_owned(), Refusal::TokenExpired, status.code());
        assert!(recording.rest().contains(&refused), "{path}");
    }
    let (status, after) = with(&service, ECHO).await;
    assert_eq!((status.code(), after.as_secs()), (Code::Ok, 7200));
}

#[tokio::test(start_paused = true)]
async fn a_stream_outlives_its_token_where_nobody_says_otherwise() {
    let service = slow(Interceptors::none().with_auth(auth().build().unwrap()));
    for path in [COUNT, COLLECT, ECHO] {
        let (status, after) = with(&service, path).await;
        assert_eq!((status.code(), after.as_secs()), (Code::Ok, 7200), "{path}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_waited_for_keys_ends_with_its_token_too() {
    let one = Signer::es256("1");
    let issuer = Issuer::slow(&[&one], SECOND);
    let auth = Auth::jwt().keys_from(issuer).clock(Clock::default().read());
    let auth = auth.leeway(Duration::ZERO).end_streams_at_expiry();
    let service = slow(Interceptors::none().with_auth(auth.build().unwrap()));
    let token = [bearer(&one.token(&claims_with("exp", json!(NOW + 60))))];
    let started = Instant::now();
    let status = call(&service, COUNT, &token).await;
    assert_eq!(status.code(), Code::Unauthenticated);
    // The clock of the test stands still: 60 seconds from when the keys had come.
    assert_eq!(started.elapsed().as_secs(), 61);
    // A deadline that comes before is what it is.
    let late = call_within(&service, COUNT, &token, Some("30S")).await;
    assert_eq!(late.code(), Code::DeadlineExceeded, "{late:?}");
}
