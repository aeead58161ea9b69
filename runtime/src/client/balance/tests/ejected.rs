//! Who is left out, for how long, and who hears of it.

use std::sync::Mutex;
use std::time::Duration;

use tokio::time::{Instant, advance};

use super::*;
use crate::client::balance::ejection::Cause;

type Notices = Arc<Mutex<Vec<Notice>>>;

/// So many endpoints under a policy, and what was told.
fn watched(count: usize, policy: OutlierEjection) -> (Vec<Arc<Candidate>>, Arc<Ejector>, Notices) {
    let notices = Notices::default();
    let told = Arc::clone(&notices);
    let tell = move |notice: &Notice| told.lock().unwrap().push(notice.clone());
    let ejector = Arc::new(Ejector::new(policy, tell));
    let all = endpoints(count, Balance::RoundRobin);
    assert!(ejector.set_members(all.clone()).is_empty());
    (all, ejector, notices)
}

fn calls(ejector: &Ejector, candidate: &Candidate, well: u32, badly: u32) {
    // In turns: none of them fails in a row.
    for at in 0..well.max(badly) {
        if at < badly {
            ejector.finished(candidate, Ending::Badly);
        }
        if at < well {
            ejector.finished(candidate, Ending::Well);
        }
    }
}

fn ejected(all: &[Arc<Candidate>]) -> Vec<usize> {
    let ejected = all.iter().enumerate().filter(|(_, one)| one.is_ejected());
    ejected.map(|(at, _)| at).collect()
}

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test(start_paused = true)]
async fn rule_22_the_fifth_failure_in_a_row_ejects_and_a_success_resets() {
    let (all, ejector, notices) = watched(3, OutlierEjection::new());
    for _ in 0..20 {
        calls(&ejector, &all[0], 0, 4);
        calls(&ejector, &all[0], 1, 0);
    }
    // What its callers give up says nothing.
    calls(&ejector, &all[0], 0, 4);
    ejector.finished(&all[0], Ending::GivenUp);
    assert_eq!(ejected(&all), [0; 0]);
    ejector.finished(&all[0], Ending::Badly);
    assert_eq!(ejected(&all), [0]);
    let notice = Notice {
        endpoint: "10.0.0.0:1".into(),
        change: Change::Ejected {
            cause: Cause::InRow(5),
            time: 30 * SECOND,
        },
    };
    assert_eq!(*notices.lock().unwrap(), [notice]);
    // Those that were under way fail, too.
    calls(&ejector, &all[0], 0, 100);
    assert_eq!(notices.lock().unwrap().len(), 1);
}

#[test]
fn rule_17_only_what_may_be_the_endpoints_fault_counts() {
    let codes = (0..=16).map(crate::Code::from_i32);
    let bad = codes.filter(|code| Ending::of(Some(*code)) == Ending::Badly);
    let bad: Vec<_> = bad.map(|code| code as i32).collect();
    // UNKNOWN, DEADLINE_EXCEEDED, INTERNAL, UNAVAILABLE, DATA_LOSS.
    assert_eq!(bad, [2, 4, 13, 14, 15]);
    assert_eq!(Ending::of(None), Ending::GivenUp);
}

#[tokio::test(start_paused = true)]
async fn rule_22_a_tenth_is_ejected_at_most_and_one_at_least() {
    for (count, most) in [(1, 0), (2, 1), (3, 1), (10, 1), (19, 1), (20, 2), (100, 10)] {
        let (all, ejector, _) = watched(count, OutlierEjection::new());
        for candidate in &all {
            calls(&ejector, candidate, 0, 50);
        }
        assert_eq!(ejected(&all).len(), most, "of {count}");
    }
}

#[tokio::test(start_paused = true)]
async fn rule_22_an_ejected_endpoint_returns_by_itself_and_later_each_time() {
    let (all, ejector, notices) = watched(2, OutlierEjection::new());
    let running = Arc::clone(&ejector);
    let task = tokio::spawn(async move { running.run().await });
    tokio::task::yield_now().await;
    let mut times = Vec::new();
    for _ in 0..12 {
        calls(&ejector, &all[1], 0, 5);
        let ejected_at = Instant::now();
        while all[1].is_ejected() {
            advance(SECOND).await;
            tokio::task::yield_now().await;
        }
        times.push(ejected_at.elapsed().as_secs());
    }
    // It is looked at every 10 seconds, and fails again as soon as it is back.
    assert_eq!(
        times,
        [30, 60, 90, 120, 150, 180, 210, 240, 270, 300, 300, 300]
    );
    let notices = notices.lock().unwrap();
    assert_eq!(notices.len(), 24);
    for pair in notices.chunks(2) {
        assert!(matches!(pair[0].change, Change::Ejected { .. }));
        assert_eq!(pair[1].change, Change::Returned);
    }
    task.abort();
}

/// How many intervals the endpoint is left out, once it fails.
async fn left_out(ejector: &Ejector, candidate: &Candidate) -> u32 {
    calls(ejector, candidate, 0, 5);
    let mut intervals = 0;
    while candidate.is_ejected() {
        advance(10 * SECOND).await;
        ejector.sweep(Instant::now());
        intervals += 1;
    }
    intervals
}

#[tokio::test(start_paused = true)]
async fn intervals_without_a_failure_make_the_next_time_shorter() {
    let (all, ejector, _) = watched(2, OutlierEjection::new());
    assert_eq!(left_out(&ejector, &all[0]).await, 3);
    assert_eq!(left_out(&ejector, &all[0]).await, 6);
    // One time is forgotten: it is as the second.
    ejector.sweep(Instant::now());
    assert_eq!(left_out(&ejector, &all[0]).await, 6);
    for _ in 0..5 {
        ejector.sweep(Instant::now());
    }
    assert_eq!(left_out(&ejector, &all[0]).await, 3);
}

#[tokio::test(start_paused = true)]
async fn who_fails_most_of_an_interval_is_ejected_if_there_are_enough_calls_and_others() {
    // (endpoints, calls of the others, calls of the first: well, badly, whether it is ejected)
    for (count, others, well, badly, is_ejected) in [
        (5, 50, 7, 43, true),
        (5, 50, 8, 42, false),
        (5, 50, 7, 42, false),
        (5, 49, 7, 43, false),
        (4, 50, 7, 43, false),
    ] {
        let (all, ejector, _) = watched(count, OutlierEjection::new().in_row(0));
        for candidate in &all[1..] {
            calls(&ejector, candidate, others, 0);
        }
        calls(&ejector, &all[0], well, badly);
        assert!(ejected(&all).is_empty());
        ejector.sweep(Instant::now());
        assert_eq!(
            !ejected(&all).is_empty(),
            is_ejected,
            "{count} {others} {well} {badly}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn what_failed_in_an_interval_is_forgotten_in_the_next() {
    let (all, ejector, _) = watched(5, OutlierEjection::new().in_row(0));
    for _ in 0..3 {
        all.iter().for_each(|one| calls(&ejector, one, 0, 25));
        ejector.sweep(Instant::now());
    }
    assert!(ejected(&all).is_empty());
    all.iter().for_each(|one| calls(&ejector, one, 0, 50));
    ejector.sweep(Instant::now());
    assert_eq!(ejected(&all).len(), 1);
}

#[tokio::test(start_paused = true)]
async fn who_succeeds_far_below_the_mean_is_ejected_if_that_is_asked_for() {
    let policy = OutlierEjection::new().in_row(0).percentage(100, 1000);
    for (policy, is_ejected) in [(policy.success_rate(1.9, 100), true), (policy, false)] {
        let (all, ejector, notices) = watched(10, policy);
        all.iter().for_each(|one| calls(&ejector, one, 99, 1));
        ejector.sweep(Instant::now());
        assert!(ejected(&all).is_empty(), "all do as well");
        all[1..].iter().for_each(|one| calls(&ejector, one, 99, 1));
        calls(&ejector, &all[0], 80, 20);
        ejector.sweep(Instant::now());
        assert_eq!(!ejected(&all).is_empty(), is_ejected);
        if let Some(notice) = notices.lock().unwrap().first() {
            let Change::Ejected {
                cause: Cause::SuccessRate(rate),
                ..
            } = notice.change
            else {
                panic!("{notice:?}");
            };
            assert!((rate - 80.0).abs() < 1e-9);
        }
    }
}

#[test]
fn what_is_off_ejects_nobody() {
    let (all, ejector, _) = watched(10, OutlierEjection::off());
    all.iter().for_each(|one| calls(&ejector, one, 0, 1000));
    ejector.sweep(Instant::now());
    assert!(ejected(&all).is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_that_is_left_alone_or_goes_makes_room() {
    let (all, ejector, _) = watched(2, OutlierEjection::new());
    calls(&ejector, &all[0], 0, 5);
    assert_eq!(ejected(&all), [0]);
    // The other one goes: it is better than none.
    let back = ejector.set_members(vec![Arc::clone(&all[0])]);
    assert_eq!((back.len(), back[0].change), (1, Change::Returned));
    assert!(ejected(&all).is_empty());
    assert!(ejector.set_members(all.clone()).is_empty());
    calls(&ejector, &all[0], 0, 5);
    assert_eq!(ejected(&all), [0]);
    // The ejected one goes, and its place goes to another one.
    let new = endpoints(3, Balance::RoundRobin);
    let back = ejector.set_members(vec![Arc::clone(&all[1]), Arc::clone(&new[2])]);
    assert!(back.is_empty());
    calls(&ejector, &new[2], 0, 5);
    assert!(new[2].is_ejected());
    // A call on the one that is gone ends.
    calls(&ejector, &all[0], 0, 100);
}

#[test]
fn at_the_edges_nothing_overflows() {
    let policy = OutlierEjection::new().time(Duration::MAX, Duration::MAX);
    let (all, ejector, _) = watched(2, policy);
    for _ in 0..3 {
        calls(&ejector, &all[0], 0, 5);
        ejector.sweep(Instant::now());
        assert_eq!(ejected(&all), [0], "it is left out for ever");
    }
}

#[test]
fn of_many_threads_failures_one_ejects() {
    let (all, ejector, notices) = watched(20, OutlierEjection::new());
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| all.iter().for_each(|one| calls(&ejector, one, 0, 1000)));
        }
    });
    assert_eq!(ejected(&all).len(), 2);
    assert_eq!(notices.lock().unwrap().len(), 2);
}
