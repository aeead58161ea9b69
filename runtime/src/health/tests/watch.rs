//! Watch, without a wire.

use std::future::poll_fn;
use std::pin::Pin;

use futures_core::Stream;
use tokio::time::timeout;

use super::super::messages::{HealthCheckRequest, HealthCheckResponse};
use super::*;
use crate::{Code, Context, DomainError, ServiceError, Streamed};

const SERVING: Option<Result<i32, Code>> = Some(Ok(1));
const NOT_SERVING: Option<Result<i32, Code>> = Some(Ok(2));
const UNKNOWN: Option<Result<i32, Code>> = Some(Ok(3));
const UNAVAILABLE: Option<Result<i32, Code>> = Some(Err(Code::Unavailable));

struct Watch(Streamed<HealthCheckResponse, DomainError>);

fn try_watch(health: &Health, name: &str) -> Result<Watch, DomainError> {
    let request = HealthCheckRequest {
        service: name.to_owned(),
    };
    health.watch(&Context::background(), request).map(Watch)
}

fn watch(health: &Health, name: &str) -> Watch {
    try_watch(health, name).unwrap()
}

impl Watch {
    /// What it says within a moment; `None` when it ends.
    async fn next(&mut self) -> Option<Result<i32, Code>> {
        let next = poll_fn(|cx| Pin::new(&mut self.0).poll_next(cx));
        let next = timeout(MOMENT, next).await.expect("it says nothing")?;
        Some(next.map(|reply| reply.status).map_err(|e| e.code()))
    }

    async fn says_nothing(&mut self) {
        let next = poll_fn(|cx| Pin::new(&mut self.0).poll_next(cx));
        let next = timeout(100 * SECOND, next).await;
        assert!(next.is_err(), "{next:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_first_message_comes_at_once_and_then_one_for_each_change() {
    let database = Switch::default();
    let health = Health::new().dependency("database", database.check());
    health.register("shop.Items");
    let mut watches = ["", "shop.Items"].map(|name| watch(&health, name));
    for watch in &mut watches {
        assert_eq!(watch.next().await, NOT_SERVING);
    }
    tokio::spawn(health.run());
    watches[0].says_nothing().await;
    for (up, status) in [(true, SERVING), (false, NOT_SERVING), (true, SERVING)] {
        database.set(up);
        tokio::time::sleep(10 * SECOND).await;
        for watch in &mut watches {
            assert_eq!(watch.next().await, status);
            watch.says_nothing().await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_is_said_twice_in_a_row() {
    let health = Health::new();
    let mut watch = watch(&health, "jobs");
    for (status, told) in [(Serving, SERVING), (NotServing, NOT_SERVING)] {
        for _ in 0..3 {
            health.set("jobs", status);
            health.set("others", status);
        }
        if watch.next().await == UNKNOWN {
            assert_eq!(watch.next().await, told);
        }
        watch.says_nothing().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_change_that_was_taken_back_before_it_was_read_is_not_told() {
    let health = Health::new().service("jobs");
    let mut watch = watch(&health, "jobs");
    assert_eq!(watch.next().await, NOT_SERVING);
    health.set("jobs", Serving);
    health.set("jobs", NotServing);
    watch.says_nothing().await;
}

#[tokio::test(start_paused = true)]
async fn a_slow_reader_gets_the_newest_alone() {
    let health = Health::new().service("jobs");
    let mut watch = watch(&health, "jobs");
    assert_eq!(watch.next().await, NOT_SERVING);
    for number in 0..1001 {
        health.set("jobs", ServingStatus::of(number % 2 == 0));
    }
    assert_eq!(watch.next().await, SERVING);
    watch.says_nothing().await;
}

#[tokio::test(start_paused = true)]
async fn a_name_that_is_unknown_may_become_known_and_unknown_again() {
    let health = running().await;
    let mut items = watch(&health, "shop.Items");
    let mut jobs = watch(&health, "jobs");
    for watch in [&mut items, &mut jobs] {
        assert_eq!(watch.next().await, UNKNOWN);
        watch.says_nothing().await;
    }
    health.register("shop.Items");
    assert_eq!(items.next().await, SERVING);
    health.set("jobs", NotServing);
    assert_eq!(jobs.next().await, NOT_SERVING);
    health.clear("jobs");
    assert_eq!(jobs.next().await, UNKNOWN);
    items.says_nothing().await;
}

#[tokio::test(start_paused = true)]
async fn who_watches_unknown_names_leaves_nothing_behind() {
    let health = Health::new();
    let before = format!("{health:?}");
    let mut watches = Vec::new();
    for number in 0..1000 {
        let mut watch = watch(&health, &format!("unknown {number}"));
        assert_eq!(watch.next().await, UNKNOWN);
        watches.push(watch);
    }
    let during = format!("{health:?}");
    assert_eq!(
        during.replace("watchers: 1000", "watchers: 0"),
        before,
        "no entry"
    );
    drop(watches);
    assert_eq!(format!("{health:?}"), before);
}

#[tokio::test(start_paused = true)]
async fn a_name_that_is_too_long_is_unknown_for_good() {
    let health = Health::new();
    let name = "n".repeat(1025);
    let mut watch = watch(&health, &name);
    assert_eq!(watch.next().await, UNKNOWN);
    health.set(name, Serving);
    watch.says_nothing().await;
}

#[tokio::test(start_paused = true)]
async fn draining_is_told_and_the_stream_stays_open() {
    let health = running().await;
    let mut early = watch(&health, "");
    assert_eq!(early.next().await, SERVING);
    health.drain();
    assert_eq!(early.next().await, NOT_SERVING);
    early.says_nothing().await;
    let mut late = watch(&health, "");
    assert_eq!(late.next().await, NOT_SERVING);
    late.says_nothing().await;
    health.shut_down();
    for watch in [&mut early, &mut late] {
        assert_eq!(watch.next().await, UNAVAILABLE);
        assert_eq!(watch.next().await, None);
    }
}

#[tokio::test(start_paused = true)]
async fn shutting_down_is_told_before_the_stream_ends_as_unavailable() {
    let health = running().await;
    let mut known = watch(&health, "");
    assert_eq!(known.next().await, SERVING);
    let mut unknown = watch(&health, "jobs");
    assert_eq!(unknown.next().await, UNKNOWN);
    let mut unread = watch(&health, "");
    health.shut_down();
    assert_eq!(known.next().await, NOT_SERVING);
    assert_eq!(unread.next().await, NOT_SERVING);
    for watch in [&mut known, &mut unknown, &mut unread] {
        assert_eq!(watch.next().await, UNAVAILABLE);
        assert_eq!(watch.next().await, None);
    }
    let late = try_watch(&health, "").map(|_| ());
    assert_eq!(late.unwrap_err().code(), Code::Unavailable);
}

#[tokio::test(start_paused = true)]
async fn a_watch_ends_when_nobody_holds_the_health_any_more() {
    let health = running().await;
    let mut watch = watch(&health, "");
    assert_eq!(watch.next().await, SERVING);
    drop(health);
    // The run ends and says so, or is gone already.
    let mut last = watch.next().await;
    if last == NOT_SERVING {
        last = watch.next().await;
    }
    assert_eq!(last, UNAVAILABLE);
}
