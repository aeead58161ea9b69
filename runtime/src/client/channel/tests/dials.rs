//! When endpoints are dialled, and what calls hear meanwhile.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};

use super::endpoints::Told;
use super::net::{Answers, Host, Net};
use super::{ChannelOptions, Done, call, channel, settle, unary};
use crate::Code;
use crate::client::resolve::{Resolver, Resolving};
use crate::client::transport::Progress;
use crate::client::{Attempt, Channel, Reached, Transport};

async fn call_for(channel: &Channel, time: Duration, every: Duration) -> (usize, Vec<Done>) {
    let (started, mut failed, mut calls) = (Instant::now(), Vec::new(), 0);
    while started.elapsed() < time {
        let done = call(channel).await;
        calls += 1;
        if done.result.is_err() {
            failed.push(done);
        }
        sleep(every).await;
    }
    (calls, failed)
}

/// Whether each gap is what the backoff says.
#[track_caller]
fn follows_backoff(dials: &[Instant]) {
    let mut nominal = 1.0_f64;
    for pair in dials.windows(2) {
        let gap = (pair[1] - pair[0]).as_secs_f64();
        assert!(
            (0.79 * nominal..1.21 * nominal).contains(&gap),
            "{gap} after {nominal}"
        );
        nominal = (nominal * 1.6).min(120.0);
    }
}

#[tokio::test(start_paused = true)]
async fn rule_25_dials_follow_the_backoff_whatever_the_rate_of_calls() {
    for host in [Host::Refuses, Host::Closes] {
        let net = Net::default();
        net.put("a:1", host);
        let channel = net.channel("a:1");
        let minute = Duration::from_secs(60);
        let (calls, failed) = call_for(&channel, minute, Duration::from_millis(10)).await;
        assert!(calls > 5_000);
        assert_eq!(failed.len(), calls);
        let dials = net.dials("a:1");
        assert!((6..=9).contains(&dials.len()), "{} dials", dials.len());
        follows_backoff(&dials);
    }
}

#[tokio::test(start_paused = true)]
async fn rule_25_a_server_that_settles_and_closes_is_not_dialled_without_end() {
    let net = Net::default();
    net.put("a:1", Host::ClosesSettled);
    let channel = net.channel("a:1");
    call_for(&channel, Duration::from_secs(60), Duration::from_millis(10)).await;
    let dials = net.dials("a:1");
    assert!((4..=10).contains(&dials.len()), "{} dials", dials.len());
    follows_backoff(&dials[1..]);
}

#[tokio::test(start_paused = true)]
async fn rule_25_backoff_starts_anew_after_a_connection_that_was_of_use() {
    let net = Net::default();
    net.put("a:1", Host::Refuses);
    let channel = net.channel("a:1");
    call_for(
        &channel,
        Duration::from_secs(30),
        Duration::from_millis(100),
    )
    .await;
    let server = net.serve("a:1", Answers::AtOnce);
    call_for(
        &channel,
        Duration::from_secs(60),
        Duration::from_millis(100),
    )
    .await;
    assert!(server.calls() > 0);
    net.put("a:1", Host::Refuses);
    let before = net.dials("a:1").len();
    server.say_goodbye(h2::Reason::NO_ERROR);
    call_for(
        &channel,
        Duration::from_secs(10),
        Duration::from_millis(100),
    )
    .await;
    let dials = net.dials("a:1");
    assert!(
        dials.len() >= before + 4,
        "at once, and a second later again"
    );
    follows_backoff(&dials[before..]);
}

#[tokio::test(start_paused = true)]
async fn a_failure_to_connect_says_where_why_and_when_the_next_try_is() {
    let net = Net::default();
    let channel = net.channel("a:1");
    let done = call(&channel).await;
    let error = done.error();
    let words = error.to_string();
    for part in ["`a:1`", "a:1: connection refused", "the next try is in"] {
        assert!(words.contains(part), "{words}");
    }
    assert_eq!(error.code(), Code::Unavailable);
    assert_eq!(error.progress(), Progress::Unsent);
    assert_eq!(done.attempt.reached(), Reached::Connecting);
    let again = call(&channel).await;
    assert_eq!(
        again.error().event(),
        error.event(),
        "one dial is one event"
    );
    assert!(error.event().is_some());
    sleep(Duration::from_secs(2)).await;
    assert_ne!(call(&channel).await.error().event(), error.event());
}

#[tokio::test(start_paused = true)]
async fn a_call_in_time_waits_for_a_connection_that_is_being_made() {
    let net = Net::default();
    net.put("a:1", Host::Hangs);
    let channel = net.channel("a:1");
    let mut attempt = Attempt::first();
    let sent = timeout(Duration::from_secs(5), channel.send(unary(), &mut attempt)).await;
    assert!(sent.is_err(), "the deadline ends it");
    assert_eq!(attempt.reached(), Reached::Connecting);
    let started = Instant::now();
    let done = call(&channel).await;
    assert!(
        done.error().to_string().contains("timed out"),
        "{:?}",
        done.error()
    );
    assert_eq!(
        started.elapsed(),
        Duration::from_secs(15),
        "20 since the first call"
    );
    assert_eq!(net.dials("a:1").len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_never_says_a_word_was_not_connected_to() {
    let net = Net::default();
    net.put("a:1", Host::Mute);
    let started = Instant::now();
    let done = call(&net.channel("a:1")).await;
    assert!(
        done.error().to_string().contains("timed out"),
        "{:?}",
        done.error()
    );
    assert_eq!(started.elapsed(), Duration::from_secs(20));
}

#[tokio::test(start_paused = true)]
async fn who_waits_for_ready_is_not_failed_by_failed_dials() {
    let net = Net::default();
    let channel = net.channel("a:1");
    call(&channel).await.result.unwrap_err();
    let waiting = tokio::spawn({
        let channel = channel.clone();
        async move {
            let mut attempt = Attempt::first();
            attempt.set_wait_for_ready(true);
            channel.send(unary(), &mut attempt).await.map(|_| ())
        }
    });
    sleep(Duration::from_secs(10)).await;
    assert!(!waiting.is_finished());
    net.serve("a:1", Answers::AtOnce);
    sleep(Duration::from_secs(20)).await;
    waiting.await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_lazy_channel_dials_when_it_is_called() {
    let net = Net::default();
    net.serve("a:1", Answers::AtOnce);
    let channel = net.channel("a:1");
    sleep(Duration::from_secs(5)).await;
    assert!(net.dials("a:1").is_empty());
    call(&channel).await.by("a:1");
    assert_eq!(net.dials("a:1").len(), 1);
}

#[tokio::test(start_paused = true)]
async fn connecting_in_time_is_ready_and_connecting_to_nobody_an_error() {
    let net = Net::default();
    net.serve("a:1", Answers::AtOnce);
    net.channel("a:1").ready().await.unwrap();
    let error = net.channel("b:1").ready().await.unwrap_err();
    assert!(!error.is_target());
    assert!(error.to_string().contains("connection refused"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_channel_that_is_dropped_dials_no_more() {
    let net = Net::default();
    let channel = net.channel("a:1");
    call(&channel).await.result.unwrap_err();
    drop(channel);
    settle().await;
    let before = net.dials("a:1").len();
    sleep(Duration::from_secs(600)).await;
    assert_eq!(net.dials("a:1").len(), before);
}

#[test]
fn a_channel_outlives_the_runtime_that_it_was_first_used_on() {
    let net = Net::default();
    net.serve("a:1", Answers::AtOnce);
    let channel = net.channel("a:1");
    for _ in 0..3 {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = runtime.enable_all().build().unwrap();
        let minute = Duration::from_secs(60);
        let called = async { timeout(minute, call(&channel)).await };
        let done = runtime.block_on(called).unwrap();
        done.by("a:1");
    }
    assert_eq!(net.dials("a:1").len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_name_that_has_no_address_is_said_to_have_none() {
    let options = ChannelOptions {
        resolver: Some(Arc::new(Told::default())),
        ..Net::default().options()
    };
    let done = call(&channel("items.invalid:1", options)).await;
    let words = done.error().to_string();
    assert!(
        words.contains("`items.invalid` can't be resolved"),
        "{words}"
    );
    assert_eq!(done.attempt.reached(), Reached::Resolving);
}

/// Never answers.
struct Hangs;

impl Resolver for Hangs {
    fn resolve<'a>(&'a self, _: &'a str, _: u16) -> Resolving<'a> {
        Box::pin(std::future::pending())
    }
}

#[tokio::test(start_paused = true)]
async fn connecting_takes_no_longer_than_it_may_whatever_it_waits_for() {
    let net = Net::default();
    net.put("mute:1", Host::Mute);
    // Takes the question for its health, and never answers it.
    net.serve("doubtful:1", Answers::HeadThenHeld);
    let with = |resolver, health_check: Option<&str>| ChannelOptions {
        resolver,
        health_check: health_check.map(str::to_owned),
        connect_timeout: Duration::from_secs(7),
        ..net.options()
    };
    let hangs = Arc::new(Hangs) as Arc<dyn Resolver>;
    for (host, options, says) in [
        (
            "items:1",
            with(Some(hangs), None),
            "its name is being resolved",
        ),
        ("mute:1", with(None, None), "mute:1"),
        (
            "doubtful:1",
            with(None, Some("")),
            "says that it is SERVING",
        ),
    ] {
        let started = Instant::now();
        let channel = channel(host, options);
        let ready = timeout(Duration::from_secs(60), channel.ready()).await;
        let error = ready.expect("it takes for ever").unwrap_err().to_string();
        assert_eq!(started.elapsed(), Duration::from_secs(7), "{error}");
        assert!(error.contains(host) && error.contains(says), "{error}");
    }
}
