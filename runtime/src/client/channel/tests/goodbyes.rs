//! Servers that say goodbye, and connections that break.

use std::time::Duration;

use h2::Reason;
use tokio::time::{Instant, sleep};

use super::net::{Answers, Net};
use super::{call, settle};
use crate::Code;

#[tokio::test(start_paused = true)]
async fn rule_27_calls_in_flight_finish_after_a_goodbye_and_new_ones_go_elsewhere() {
    for answers in [Answers::Held, Answers::HeadThenHeld] {
        let net = Net::default();
        let server = net.serve("a:1", answers);
        let channel = net.channel("a:1");
        let before = tokio::spawn({
            let channel = channel.clone();
            async move { call(&channel).await }
        });
        settle().await;
        assert_eq!(server.held(), 1);
        let next = net.serve("a:1", Answers::AtOnce);
        server.say_goodbye(Reason::NO_ERROR);
        settle().await;
        call(&channel).await.by("a:1");
        assert_eq!((server.held(), next.calls()), (1, 1));
        server.release();
        before.await.unwrap().by("a:1");
    }
}

#[tokio::test(start_paused = true)]
async fn rule_27_rotation_under_load_fails_no_call() {
    let net = Net::default();
    let server = net.serve("a:1", Answers::After(Duration::from_millis(7)));
    let channel = net.channel("a:1");
    let started = Instant::now();
    let callers: Vec<_> = (0..16)
        .map(|_| {
            let channel = channel.clone();
            tokio::spawn(async move {
                let mut calls = 0;
                while started.elapsed() < Duration::from_secs(2) {
                    call(&channel).await.by("a:1");
                    calls += 1;
                }
                calls
            })
        })
        .collect();
    while started.elapsed() < Duration::from_secs(2) {
        sleep(Duration::from_millis(200)).await;
        server.say_goodbye(Reason::NO_ERROR);
    }
    let mut calls = 0;
    for caller in callers {
        calls += caller.await.unwrap();
    }
    assert!(calls > 2_000, "{calls}");
    assert!(net.dials("a:1").len() > 7);
}

#[tokio::test(start_paused = true)]
async fn calls_that_are_lost_with_their_connection_are_one_event() {
    let net = Net::default();
    let server = net.serve("a:1", Answers::Held);
    let channel = net.channel("a:1");
    let calls: Vec<_> = (0..10)
        .map(|_| {
            let channel = channel.clone();
            tokio::spawn(async move { call(&channel).await })
        })
        .collect();
    settle().await;
    server.say_goodbye(Reason::INTERNAL_ERROR);
    let mut events = Vec::new();
    for call in calls {
        let done = call.await.unwrap();
        assert_eq!(done.code(), Code::Unavailable, "{:?}", done.error());
        events.push(done.error().event().unwrap());
    }
    events.dedup();
    assert_eq!(events.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_reset_of_one_call_is_no_event_of_the_connection() {
    let net = Net::default();
    let server = net.serve("a:1", Answers::Held);
    let channel = net.channel("a:1");
    let one = tokio::spawn({
        let channel = channel.clone();
        async move { call(&channel).await }
    });
    settle().await;
    server.reset_all(Reason::INTERNAL_ERROR);
    let done = one.await.unwrap();
    assert_eq!(done.code(), Code::Internal);
    assert_eq!(done.error().event(), None);
    assert_eq!(server.connections(), 1);
}
