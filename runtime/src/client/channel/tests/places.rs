//! Servers that take so many calls on a connection and no more.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};

use super::net::{Answers, Host, Net, Server};
use super::{ChannelOptions, Done, call, channel, settle, unary};
use crate::Code;
use crate::client::failure::{Failure, FailureKind};
use crate::client::transport::Progress;
use crate::client::{Attempt, Channel, Reached, Transport};

/// A server of two calls at once, and a channel with so many connections and calls that wait.
async fn crowded(max_connections: usize, max_waiting: usize) -> (Net, Server, Channel) {
    let net = Net::default();
    let server = net.serve_at_once("a:1", Answers::Held, Some(2));
    let options = ChannelOptions {
        max_connections,
        max_waiting,
        ..net.options()
    };
    let channel = channel("a:1", options);
    channel.ready().await.unwrap();
    (net, server, channel)
}

fn start(channel: &Channel, calls: usize) -> Vec<JoinHandle<Done>> {
    let start = |_| {
        let channel = channel.clone();
        tokio::spawn(async move { call(&channel).await })
    };
    (0..calls).map(start).collect()
}

#[tokio::test(start_paused = true)]
async fn rule_29_more_connections_are_made_when_streams_run_out_and_no_more_than_are_set() {
    let (net, server, channel) = crowded(3, 1000).await;
    let calls = start(&channel, 10);
    settle().await;
    assert_eq!(net.dials("a:1").len(), 3);
    assert_eq!((server.connections(), server.held()), (3, 6));
    while server.held() > 0 {
        server.release();
        settle().await;
    }
    for call in calls {
        call.await.unwrap().by("a:1");
    }
}

#[tokio::test(start_paused = true)]
async fn rule_29_calls_that_wait_for_a_place_get_it_in_their_turn() {
    let (_net, server, channel) = crowded(1, 1000).await;
    let mut held = start(&channel, 2);
    settle().await;
    for waiting in 0..20 {
        held.extend(start(&channel, 1));
        settle().await;
        assert_eq!(server.calls(), 2, "{waiting} wait");
    }
    for (turn, call) in held.into_iter().enumerate() {
        assert_eq!(server.held(), if turn == 21 { 1 } else { 2 });
        server.release_one();
        timeout(Duration::from_millis(5), call)
            .await
            .unwrap()
            .unwrap()
            .by("a:1");
        settle().await;
    }
}

/// A caller whose next call follows on its last one at once, and how many have ended.
fn restless(channel: &Channel) -> (JoinHandle<()>, Arc<AtomicUsize>) {
    let ended = Arc::new(AtomicUsize::new(0));
    let calling = {
        let (channel, ended) = (channel.clone(), Arc::clone(&ended));
        tokio::spawn(async move {
            loop {
                call(&channel).await.by("a:1");
                ended.fetch_add(1, Ordering::SeqCst);
            }
        })
    };
    (calling, ended)
}

/// A channel to a server that takes one call at once, and a millisecond for it.
async fn narrow() -> Channel {
    let net = Net::default();
    let millisecond = Answers::After(Duration::from_millis(1));
    net.serve_at_once("a:1", millisecond, Some(1));
    let options = ChannelOptions {
        max_connections: 1,
        ..net.options()
    };
    let channel = channel("a:1", options);
    channel.ready().await.unwrap();
    channel
}

#[tokio::test(start_paused = true)]
async fn rule_29_a_call_that_waits_comes_before_the_next_of_a_caller_that_never_rests() {
    let channel = narrow().await;
    let (calling, ended) = restless(&channel);
    sleep(Duration::from_millis(20)).await;
    let before = ended.load(Ordering::SeqCst);
    let waited = timeout(Duration::from_millis(100), call(&channel)).await;
    waited.expect("it never has its turn").by("a:1");
    let between = ended.load(Ordering::SeqCst) - before;
    assert!(between <= 2, "{between} calls came before it");
    calling.abort();
}

#[tokio::test(start_paused = true)]
async fn rule_29_callers_that_never_rest_share_a_place_evenly() {
    let channel = narrow().await;
    let callers: Vec<_> = (0..5).map(|_| restless(&channel)).collect();
    sleep(Duration::from_millis(200)).await;
    let ended = callers
        .iter()
        .map(|(_, ended)| ended.load(Ordering::SeqCst));
    let ended: Vec<_> = ended.collect();
    let (least, most) = (ended.iter().min().unwrap(), ended.iter().max().unwrap());
    assert!(*least > 10 && most - least <= 1, "{ended:?}");
    for (calling, _) in callers {
        calling.abort();
    }
}

#[tokio::test(start_paused = true)]
async fn rule_29_a_call_that_nobody_polls_does_not_hold_up_those_behind_it() {
    let (_net, server, channel) = crowded(1, 1000).await;
    let held = start(&channel, 2);
    settle().await;
    let mut attempts = [Attempt::first(), Attempt::first()];
    let unpolled = attempts.iter_mut();
    let mut unpolled: Vec<_> = unpolled
        .map(|attempt| Box::pin(channel.send(unary(), attempt)))
        .collect();
    std::future::poll_fn(|cx| {
        let mut pending = unpolled.iter_mut().map(|call| call.as_mut().poll(cx));
        assert!(pending.all(|polled| polled.is_pending()));
        std::task::Poll::Ready(())
    })
    .await;
    let behind = start(&channel, 2);
    settle().await;
    server.release();
    for call in held {
        call.await.unwrap().by("a:1");
    }
    sleep(Duration::from_millis(250)).await;
    assert_eq!(server.held(), 2, "they wait behind calls that don't go on");
    server.release();
    for call in behind {
        call.await.unwrap().by("a:1");
    }
}

#[tokio::test(start_paused = true)]
async fn rule_29_a_failed_dial_does_not_end_the_tries_for_more_places() {
    let (net, server, channel) = crowded(2, 1000).await;
    let mut calls = start(&channel, 2);
    settle().await;
    net.put("a:1", Host::Refuses);
    calls.extend(start(&channel, 2));
    settle().await;
    assert_eq!((server.held(), net.dials("a:1").len()), (2, 2));
    net.put("a:1", Host::Serves(server.clone()));
    sleep(Duration::from_secs(2)).await;
    assert_eq!((server.held(), net.dials("a:1").len()), (4, 3));
    server.release();
    for call in calls {
        call.await.unwrap().by("a:1");
    }
}

#[tokio::test(start_paused = true)]
async fn rule_15_a_place_that_is_free_when_the_time_is_over_is_not_taken() {
    let (_net, server, channel) = crowded(1, 1000).await;
    let held = start(&channel, 2);
    settle().await;
    let late = {
        let channel = channel.clone();
        tokio::spawn(async move {
            let mut attempt = Attempt::first();
            attempt.set_deadline(Some(Instant::now() + Duration::from_millis(10)));
            channel.send(unary(), &mut attempt).await.map(|_| ())
        })
    };
    sleep(Duration::from_millis(20)).await;
    server.release();
    for call in held {
        call.await.unwrap().by("a:1");
    }
    settle().await;
    assert_eq!(server.calls(), 2, "one was sent without any time");
    let more = start(&channel, 2);
    settle().await;
    assert_eq!(server.held(), 2, "a place is lost");
    late.abort();
    server.release();
    for call in more {
        call.await.unwrap().by("a:1");
    }
}

#[tokio::test(start_paused = true)]
async fn rule_29_a_call_that_waits_says_so_and_leaves_without_a_trace() {
    let (_net, server, channel) = crowded(1, 1000).await;
    let held = start(&channel, 2);
    settle().await;
    let mut attempt = Attempt::first();
    let send = channel.send(unary(), &mut attempt);
    timeout(Duration::from_secs(1), send).await.unwrap_err();
    assert_eq!(attempt.reached(), Reached::Queued);
    server.release();
    for call in held {
        call.await.unwrap().by("a:1");
    }
    let more = start(&channel, 2);
    settle().await;
    assert_eq!(server.held(), 2, "its place isn't lost");
    server.release();
    for call in more {
        call.await.unwrap().by("a:1");
    }
}

#[tokio::test(start_paused = true)]
async fn rule_29_no_more_calls_wait_than_are_set() {
    let (_net, server, channel) = crowded(1, 5).await;
    let calls = start(&channel, 10);
    settle().await;
    let (refused, waiting): (Vec<_>, Vec<_>) = calls.into_iter().partition(JoinHandle::is_finished);
    assert_eq!((refused.len(), waiting.len()), (3, 7));
    for call in refused {
        let done = call.await.unwrap();
        let error = done.result.unwrap_err();
        assert_eq!(error.code(), Code::ResourceExhausted);
        assert_eq!(error.progress(), Progress::Unsent);
        assert!(error.to_string().contains("5 calls wait"), "{error}");
        assert_eq!(Failure::transport(error).kind(), FailureKind::Refused);
    }
    while server.held() > 0 {
        server.release();
        settle().await;
    }
    for call in waiting {
        call.await.unwrap().by("a:1");
    }
}

#[tokio::test(start_paused = true)]
async fn calls_go_to_who_has_room_before_they_wait() {
    let net = Net::default();
    let one = net.serve_at_once("a:1", Answers::Held, Some(2));
    let other = net.serve_at_once("b:1", Answers::Held, Some(6));
    let options = ChannelOptions {
        max_connections: 1,
        ..net.options()
    };
    let channel = channel("a:1,b:1", options);
    channel.ready().await.unwrap();
    settle().await;
    let calls = start(&channel, 8);
    settle().await;
    assert_eq!((one.held(), other.held()), (2, 6));
    one.release();
    other.release();
    for call in calls {
        call.await.unwrap().result.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn calls_that_are_given_up_together_make_room_for_others() {
    let (_net, server, channel) = crowded(1, 1000).await;
    for _ in 0..50 {
        let calls = start(&channel, 2);
        settle().await;
        assert_eq!(server.held(), 2);
        for call in &calls {
            call.abort();
        }
        for call in calls {
            call.await.map(|_| ()).unwrap_err();
        }
        // Their resets are not written yet.
        let next = start(&channel, 2);
        settle().await;
        assert_eq!(server.held(), 2);
        server.release();
        for call in next {
            call.await.unwrap().by("a:1");
        }
    }
}
