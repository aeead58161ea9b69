//! Keys that an issuer publishes: when they are fetched, what happens when they can't be, and what
//! forgets a token that was found good. Time is virtual.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod common;
mod tokens;

use std::pin::pin;
use std::time::Duration;

use apibase::{Auth, AuthBuilder, Code, Interceptors, Status, TowerService};
use common::{EchoServiceServer, Scripted};
use futures_util::FutureExt as _;
use futures_util::future::join_all;
use serde_json::json;
use tokens::{
    AUDIENCE, Clock, ISSUER, Issuer, Signer, bearer, call, call_within, claims, claims_with,
};
use tokio::time::{Instant, advance, sleep};

const ECHO: &str = "/echo.EchoService/Echo";
const SECOND: Duration = Duration::from_secs(1);

type Echo = TowerService<EchoServiceServer<Scripted>>;

fn auth(issuer: &Issuer) -> AuthBuilder {
    let auth = Auth::jwt().keys_from(issuer.clone());
    auth.issuer(ISSUER).clock(Clock::default().read())
}

fn mounted(auth: AuthBuilder) -> Echo {
    let chain = Interceptors::none().with_auth(auth.build().unwrap());
    EchoServiceServer::new(Scripted::new())
        .into_service(chain)
        .unwrap()
}

/// Calls with the token of the day. Of `EdDSA` it is the same each time, of ES256 another one.
async fn with(service: &Echo, signer: &Signer) -> Status {
    call(service, ECHO, &[bearer(&signer.token(&claims()))]).await
}

#[tokio::test(start_paused = true)]
async fn many_calls_wait_for_one_fetch() {
    let one = Signer::es256("1");
    let issuer = Issuer::slow(&[&one], SECOND);
    let service = mounted(auth(&issuer));
    let started = Instant::now();
    let calls = (0..50).map(|_| with(&service, &one));
    for status in join_all(calls).await {
        assert_eq!(status.code(), Code::Ok, "{status:?}");
    }
    assert_eq!((issuer.asked(), started.elapsed()), (1, SECOND));
}

#[tokio::test(start_paused = true)]
async fn keys_are_fetched_before_the_first_call() {
    let one = Signer::es256("1");
    let issuer = Issuer::slow(&[&one], SECOND);
    let service = mounted(auth(&issuer));
    sleep(2 * SECOND).await;
    let started = Instant::now();
    assert_eq!(with(&service, &one).await.code(), Code::Ok);
    assert_eq!(started.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_key_that_is_new_is_found() {
    let (old, new) = (Signer::es256("1"), Signer::eddsa("2"));
    let issuer = Issuer::slow(&[&old], SECOND);
    let service = mounted(auth(&issuer));
    assert_eq!(with(&service, &old).await.code(), Code::Ok);
    issuer.publishes(&[&old, &new]);
    sleep(31 * SECOND).await;
    let calls = (0..10).map(|_| with(&service, &new));
    for status in join_all(calls).await {
        assert_eq!(status.code(), Code::Ok, "{status:?}");
    }
    assert_eq!(with(&service, &old).await.code(), Code::Ok);
    assert_eq!(issuer.asked(), 2);
}

#[tokio::test(start_paused = true)]
async fn unknown_keys_have_the_issuer_asked_every_30_seconds_at_most() {
    let (one, made_up) = (Signer::es256("1"), Signer::es256("made up"));
    let issuer = Issuer::new(&[&one]);
    let service = mounted(auth(&issuer).jwks_refresh(Duration::from_secs(86_400)));
    sleep(SECOND).await;
    assert_eq!(issuer.asked(), 1);
    for _ in 0..600 {
        let status = with(&service, &made_up).await;
        assert_eq!(status.code(), Code::Unauthenticated);
        // The others are not in the way.
        assert_eq!(with(&service, &one).await.code(), Code::Ok);
        sleep(SECOND).await;
    }
    assert!((20..=21).contains(&issuer.asked()), "{}", issuer.asked());
}

#[tokio::test(start_paused = true)]
async fn while_the_issuer_is_down_the_keys_of_last_time_stay() {
    let (one, made_up) = (Signer::es256("1"), Signer::es256("made up"));
    let issuer = Issuer::new(&[&one]);
    let service = mounted(auth(&issuer));
    assert_eq!(with(&service, &one).await.code(), Code::Ok);
    for is_hung in [false, true] {
        match is_hung {
            false => issuer.fails(),
            true => issuer.hangs(),
        }
        let before = issuer.asked();
        for _ in 0..60 {
            sleep(60 * SECOND).await;
            let started = Instant::now();
            assert_eq!(with(&service, &one).await.code(), Code::Ok);
            assert_eq!(started.elapsed(), Duration::ZERO, "nobody waits for it");
            let status = with(&service, &made_up).await;
            assert_eq!(status.code(), Code::Unauthenticated);
        }
        assert!(issuer.asked() > before + 20);
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_no_set_of_keys_changes_nothing() {
    let one = Signer::es256("1");
    let issuer = Issuer::new(&[&one]);
    let service = mounted(auth(&issuer));
    assert_eq!(with(&service, &one).await.code(), Code::Ok);
    let many: Vec<_> = (0..101).map(|_| one.jwk()).collect();
    for odd in [
        json!([]),
        json!({}),
        json!({ "keys": {} }),
        json!({ "keys": many }),
        json!("x"),
    ] {
        issuer.publishes_as_is(odd);
        sleep(301 * SECOND).await;
        assert_eq!(with(&service, &one).await.code(), Code::Ok);
        sleep(SECOND).await;
        assert_eq!(with(&service, &one).await.code(), Code::Ok);
    }
}

#[tokio::test(start_paused = true)]
async fn a_key_that_its_issuer_removes_is_refused_for_tokens_that_were_good() {
    let (old, new) = (Signer::eddsa("1"), Signer::eddsa("2"));
    let issuer = Issuer::new(&[&old, &new]);
    let service = mounted(auth(&issuer));
    for signer in [&old, &new] {
        assert_eq!(with(&service, signer).await.code(), Code::Ok);
    }
    issuer.publishes(&[&new]);
    sleep(301 * SECOND).await;
    // This one has the keys fetched.
    with(&service, &new).await;
    sleep(SECOND).await;
    assert_eq!(with(&service, &old).await.code(), Code::Unauthenticated);
    assert_eq!(with(&service, &new).await.code(), Code::Ok);
    // All of them.
    issuer.publishes(&[]);
    sleep(301 * SECOND).await;
    with(&service, &new).await;
    sleep(SECOND).await;
    assert_eq!(with(&service, &new).await.code(), Code::Unauthenticated);
}

#[tokio::test(start_paused = true)]
async fn another_key_by_the_same_name_is_another_key() {
    for (old, new) in [
        (Signer::eddsa("1"), Signer::eddsa("1")),
        (Signer::es256("1"), Signer::es256("1")),
        (Signer::rs256("1"), Signer::other_rs256("1")),
        (Signer::es256("1"), Signer::eddsa("1")),
    ] {
        let issuer = Issuer::new(&[&old]);
        let service = mounted(auth(&issuer));
        // This one is remembered.
        let token = [bearer(&old.token(&claims()))];
        assert_eq!(call(&service, ECHO, &token).await.code(), Code::Ok);
        issuer.publishes(&[&new]);
        sleep(301 * SECOND).await;
        // This one has the keys fetched.
        call(&service, ECHO, &token).await;
        sleep(SECOND).await;
        let status = call(&service, ECHO, &token).await;
        assert_eq!(status.code(), Code::Unauthenticated, "{}", old.alg());
        assert_eq!(with(&service, &new).await.code(), Code::Ok);
    }
}

#[tokio::test(start_paused = true)]
async fn while_the_issuer_hangs_made_up_keys_keep_no_call_waiting() {
    let (one, made_up) = (Signer::es256("1"), Signer::es256("made up"));
    let issuer = Issuer::new(&[&one]);
    let service = mounted(auth(&issuer));
    assert_eq!(with(&service, &one).await.code(), Code::Ok);
    issuer.hangs();
    sleep(31 * SECOND).await;
    let started = Instant::now();
    let status = with(&service, &made_up).await;
    assert_eq!(status.code(), Code::Unauthenticated);
    assert_eq!(started.elapsed(), 10 * SECOND, "nobody knew that it hangs");
    let asked = issuer.asked();
    for _ in 0..60 {
        sleep(SECOND).await;
        let started = Instant::now();
        let status = with(&service, &made_up).await;
        assert_eq!(status.code(), Code::Unauthenticated);
        assert_eq!(started.elapsed(), Duration::ZERO);
    }
    assert!(issuer.asked() > asked, "it is asked all the same");
    issuer.publishes(&[&one, &made_up]);
    sleep(60 * SECOND).await;
    with(&service, &made_up).await;
    sleep(SECOND).await;
    assert_eq!(with(&service, &made_up).await.code(), Code::Ok);
}

#[tokio::test(start_paused = true)]
async fn who_has_waited_in_vain_hears_that_there_are_no_keys() {
    let one = Signer::es256("1");
    let issuer = Issuer::new(&[&one]);
    issuer.hangs();
    let service = mounted(auth(&issuer));
    let mut waiting = pin!(with(&service, &one));
    assert!(waiting.as_mut().now_or_never().is_none());
    // The machine is busy: when the call comes to run, it is time to ask again.
    sleep(15 * SECOND).await;
    let status = waiting.await;
    assert_eq!(status.code(), Code::Unavailable, "{status:?}");
}

#[tokio::test(start_paused = true)]
async fn after_a_long_silence_a_call_waits_for_the_keys_of_now() {
    let (old, new) = (Signer::eddsa("1"), Signer::eddsa("2"));
    let issuer = Issuer::slow(&[&old], SECOND);
    let service = mounted(auth(&issuer));
    assert_eq!(with(&service, &old).await.code(), Code::Ok);
    issuer.publishes(&[&new]);
    sleep(3600 * SECOND).await;
    assert_eq!(with(&service, &old).await.code(), Code::Unauthenticated);
    assert_eq!(with(&service, &new).await.code(), Code::Ok);
    assert_eq!(issuer.asked(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_hung_fetch_ends_in_the_deadline() {
    let one = Signer::es256("1");
    let issuer = Issuer::new(&[]);
    issuer.hangs();
    let service = mounted(auth(&issuer));
    let token = bearer(&one.token(&claims()));
    let started = Instant::now();
    let late = call_within(&service, ECHO, &[token], Some("1S")).await;
    assert_eq!(late.code(), Code::DeadlineExceeded, "{late:?}");
    assert_eq!(started.elapsed(), SECOND);
}

#[tokio::test(start_paused = true)]
async fn without_any_keys_calls_are_unavailable_until_there_are_some() {
    let one = Signer::es256("1");
    let issuer = Issuer::new(&[&one]);
    issuer.hangs();
    let service = mounted(auth(&issuer));
    let started = Instant::now();
    let status = with(&service, &one).await;
    assert_eq!(status.code(), Code::Unavailable, "{status:?}");
    assert_eq!(started.elapsed(), 10 * SECOND, "a fetch has its own bound");
    for breaks in [Issuer::fails, Issuer::panics] {
        breaks(&issuer);
        sleep(2 * SECOND).await;
        assert_eq!(with(&service, &one).await.code(), Code::Unavailable);
    }
    // The next call within a second doesn't have it asked again.
    let asked = issuer.asked();
    assert_eq!(with(&service, &one).await.code(), Code::Unavailable);
    assert_eq!(issuer.asked(), asked);
    issuer.publishes(&[&one]);
    advance(SECOND).await;
    assert_eq!(with(&service, &one).await.code(), Code::Ok);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_gives_up_leaves_the_fetch_to_the_others() {
    let one = Signer::es256("1");
    let issuer = Issuer::slow(&[&one], 2 * SECOND);
    let service = mounted(auth(&issuer));
    let token = [bearer(&one.token(&claims()))];
    let (late, well) = tokio::join!(
        call_within(&service, ECHO, &token, Some("1S")),
        call(&service, ECHO, &token),
    );
    assert_eq!(
        (late.code(), well.code()),
        (Code::DeadlineExceeded, Code::Ok)
    );
    assert_eq!(issuer.asked(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_key_of_ones_own_waits_for_nobody() {
    let (own, other) = (Signer::es256("own"), Signer::es256("1"));
    let issuer = Issuer::new(&[&other]);
    issuer.hangs();
    let service = mounted(auth(&issuer).es256_pem(own.pem()).kid("own"));
    let started = Instant::now();
    assert_eq!(with(&service, &own).await.code(), Code::Ok);
    assert_eq!(started.elapsed(), Duration::ZERO);
    assert_eq!(with(&service, &other).await.code(), Code::Unavailable);
}

#[tokio::test(start_paused = true)]
async fn no_issuer_signs_in_the_name_of_another() {
    let (own, other) = (Signer::es256("own"), Signer::es256("1"));
    let auth = auth(&Issuer::new(&[&other]))
        .es256_pem(own.pem())
        .kid("own");
    let service = mounted(auth.issued_by("https://batch.example.com"));
    for (signer, issuer, code) in [
        (&own, json!("https://batch.example.com"), Code::Ok),
        (&own, json!(ISSUER), Code::Unauthenticated),
        (&own, json!(null), Code::Unauthenticated),
        (&other, json!(ISSUER), Code::Ok),
        (
            &other,
            json!("https://batch.example.com"),
            Code::Unauthenticated,
        ),
        (&other, json!(null), Code::Unauthenticated),
    ] {
        let token = [bearer(&signer.token(&claims_with("iss", issuer.clone())))];
        let status = call(&service, ECHO, &token).await;
        assert_eq!(status.code(), code, "{} as {issuer}", signer.kid);
    }
}

#[tokio::test(start_paused = true)]
async fn who_asks_hears_whether_there_are_keys() {
    let one = Signer::es256("1");
    let issuer = Issuer::new(&[&one]);
    issuer.fails();
    let remote = auth(&issuer).build().unwrap();
    let error = remote.check_keys().await.unwrap_err();
    assert!(error.to_string().contains("the issuer is down"), "{error}");
    issuer.publishes(&[&one]);
    sleep(2 * SECOND).await;
    assert!(remote.check_keys().await.is_ok());
    // Those of last time do.
    issuer.hangs();
    sleep(3600 * SECOND).await;
    let started = Instant::now();
    assert!(remote.check_keys().await.is_ok());
    assert_eq!(started.elapsed(), Duration::ZERO);
    let own = Auth::jwt().es256_pem(one.pem()).build().unwrap();
    assert!(own.check_keys().await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_token_that_was_good_expires() {
    let (one, clock) = (Signer::eddsa("1"), Clock::default());
    let service = mounted(auth(&Issuer::new(&[&one])).clock(clock.read()));
    assert_eq!(with(&service, &one).await.code(), Code::Ok);
    clock.advance(3629 * SECOND);
    assert_eq!(with(&service, &one).await.code(), Code::Ok);
    clock.advance(SECOND);
    assert_eq!(with(&service, &one).await.code(), Code::Unauthenticated);
}

#[tokio::test(start_paused = true)]
async fn another_setting_has_tokens_verified_by_itself() {
    let one = Signer::eddsa("1");
    let issuer = Issuer::new(&[&one]);
    let token = [bearer(&one.token(&claims_with("aud", json!("shop"))))];
    let any = mounted(auth(&issuer));
    assert_eq!(call(&any, ECHO, &token).await.code(), Code::Ok);
    let strict = mounted(auth(&issuer).audience(AUDIENCE));
    assert_eq!(
        call(&strict, ECHO, &token).await.code(),
        Code::Unauthenticated
    );
}

#[tokio::test(start_paused = true)]
async fn what_differs_in_one_letter_is_another_token() {
    let one = Signer::rs256("1");
    let service = mounted(auth(&Issuer::new(&[&one])));
    let token = one.token(&claims());
    assert_eq!(
        call(&service, ECHO, &[bearer(&token)]).await.code(),
        Code::Ok
    );
    for at in 0..token.len() {
        let mut other = token.clone().into_bytes();
        other[at] = if other[at] == b'A' { b'B' } else { b'A' };
        let other = String::from_utf8(other).unwrap();
        let status = call(&service, ECHO, &[bearer(&other)]).await;
        assert_eq!(status.code(), Code::Unauthenticated, "at {at}");
    }
}

#[tokio::test(start_paused = true)]
async fn without_a_cache_and_with_a_small_one_tokens_are_as_good() {
    let one = Signer::es256("1");
    for places in [0, 1] {
        let service = mounted(auth(&Issuer::new(&[&one])).cache(places));
        for round in 0..2 {
            for caller in 0..20 {
                let claims = claims_with("sub", json!(format!("caller {caller}")));
                let status = call(&service, ECHO, &[bearer(&one.token(&claims))]).await;
                assert_eq!(status.code(), Code::Ok, "{round} {caller}");
            }
        }
    }
}
