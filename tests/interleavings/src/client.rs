//! The client's breaker and its throttles, which all calls to a target share.

#![allow(
    dead_code,
    unreachable_pub,
    reason = "the files are the runtime's, and not all of them is tried here"
)]

#[path = "../../../runtime/src/client/throttle/accepts.rs"]
mod accepts;
#[path = "../../../runtime/src/client/breaker/machine.rs"]
mod machine;
#[path = "../../../runtime/src/client/breaker/shared.rs"]
mod shared;
#[path = "../../../runtime/src/client/throttle/tokens.rs"]
mod tokens;
#[path = "../../../runtime/src/client/breaker/window.rs"]
mod window;

/// What the files are made of.
mod sync {
    pub(crate) use loom::sync::atomic::{AtomicU32, AtomicU64, Ordering};
    pub(crate) use loom::sync::{Mutex, MutexGuard};
}

use std::sync::Arc;

use loom::thread;

use super::model;
use accepts::{Accepts, Counts};
use machine::{BreakerState, Change, Outcome, Rules, Ticket, Trips};
use shared::Shared;
use tokens::Throttle;

/// What one of the threads does.
type Part<R> = Box<dyn FnOnce(&Shared) -> R + Send>;

/// How long a breaker is open, and a probe has a place.
const TIME: u64 = 100;

fn breaker(threshold: u32) -> Arc<Shared> {
    Arc::new(Shared::new(Rules {
        trips: Trips::Consecutive(threshold),
        probes: 1,
        successes: 1,
        probe_time: TIME,
    }))
}

/// One that has opened at time 0.
fn open() -> Arc<Shared> {
    let breaker = breaker(1);
    let (ticket, _) = admit(&breaker, 0).expect("closed");
    settle(&breaker, ticket, Outcome::Failure(None), 0).expect("it opens");
    breaker
}

/// Runs all of `parts` at once, each with the breaker, and gives what they came to.
fn at_once<R: 'static>(breaker: &Arc<Shared>, parts: Vec<Part<R>>) -> Vec<R> {
    let threads: Vec<_> = parts
        .into_iter()
        .map(|part| {
            let breaker = Arc::clone(breaker);
            thread::spawn(move || part(&breaker))
        })
        .collect();
    threads
        .into_iter()
        .map(|thread| thread.join().unwrap())
        .collect()
}

fn admit(breaker: &Shared, now: u64) -> Option<(Ticket, Option<Change>)> {
    breaker.admit(|| now).ok()
}

fn settle(breaker: &Shared, ticket: Ticket, outcome: Outcome, now: u64) -> Option<Change> {
    breaker.settle(ticket, outcome, || now, || TIME)
}

#[test]
fn after_its_time_a_breaker_lets_one_probe_through_whoever_comes() {
    model(|| {
        let breaker = open();
        let ask = || -> Part<_> { Box::new(|breaker| admit(breaker, TIME)) };
        let probes = at_once(&breaker, vec![ask(), ask(), ask()]);
        let probes: Vec<_> = probes.into_iter().flatten().collect();
        assert_eq!(probes.len(), 1);
        assert_ne!(probes[0].0.probe, 0);
        assert_eq!(probes[0].1.unwrap().to, BreakerState::HalfOpen);
    });
}

#[test]
fn failures_at_once_are_all_counted_and_open_it_once() {
    model(|| {
        let breaker = breaker(2);
        let fail = || -> Part<_> {
            Box::new(|breaker| {
                let (ticket, _) = admit(breaker, 0)?;
                settle(breaker, ticket, Outcome::Failure(None), 0)
            })
        };
        let changes = at_once(&breaker, vec![fail(), fail()]);
        assert_eq!(changes.into_iter().flatten().count(), 1);
        assert_eq!(breaker.state(), BreakerState::Open);
        // Who comes now is told for how long.
        let rejected = breaker.admit(|| 1).unwrap_err();
        assert_eq!(rejected.wait, Some(TIME - 1));
    });
}

#[test]
fn failures_of_one_event_at_once_count_once() {
    model(|| {
        let breaker = breaker(2);
        let fail = || -> Part<_> {
            Box::new(|breaker| {
                let (ticket, _) = admit(breaker, 0)?;
                settle(breaker, ticket, Outcome::Failure(Some(7)), 0)
            })
        };
        let changes = at_once(&breaker, vec![fail(), fail(), fail()]);
        assert_eq!(changes.into_iter().flatten().count(), 0);
        let (ticket, _) = admit(&breaker, 0).unwrap();
        settle(&breaker, ticket, Outcome::Failure(None), 0).expect("the second failure");
    });
}

#[test]
fn a_success_from_before_it_opened_never_closes_it() {
    model(|| {
        let breaker = breaker(2);
        let (stale, _) = admit(&breaker, 0).unwrap();
        let (failing, _) = admit(&breaker, 0).unwrap();
        // From now on successes are heard, so the stale one may wait for the lock.
        assert_eq!(settle(&breaker, failing, Outcome::Failure(None), 0), None);
        let settled = at_once(
            &breaker,
            vec![
                Box::new(move |breaker| {
                    settle(breaker, stale, Outcome::Success, 0)
                        .into_iter()
                        .collect()
                }),
                Box::new(move |breaker| {
                    // The stale success may come first, and is none then: two more failures do.
                    let opened =
                        (0..2).find_map(|_| settle(breaker, failing, Outcome::Failure(None), 0));
                    let probe = admit(breaker, TIME).expect("its time has passed");
                    opened.into_iter().chain(probe.1).collect::<Vec<_>>()
                }),
            ],
        );
        assert_eq!(settled.into_iter().flatten().count(), 2);
        assert_eq!(breaker.state(), BreakerState::HalfOpen);
        assert!(admit(&breaker, TIME).is_none(), "the probe has its place");
    });
}

#[test]
fn a_probe_that_ends_as_it_times_out_leaves_one_probe_at_most() {
    for outcome in [Outcome::Ignored, Outcome::Success, Outcome::Failure(None)] {
        model(move || {
            let breaker = open();
            let (probe, _) = admit(&breaker, TIME).unwrap();
            let tickets = at_once(
                &breaker,
                vec![
                    Box::new(move |breaker: &Shared| {
                        settle(breaker, probe, outcome, 2 * TIME);
                        None
                    }) as Part<_>,
                    Box::new(|breaker| admit(breaker, 2 * TIME)),
                    Box::new(|breaker| admit(breaker, 2 * TIME)),
                ],
            );
            let probes = tickets
                .into_iter()
                .flatten()
                .filter(|(ticket, _)| ticket.probe != 0);
            // Whether or not it gave its place back, that was free by then.
            let expected = usize::from(outcome == Outcome::Ignored);
            let probes = probes.count();
            assert!(
                probes <= 1 && probes >= expected,
                "{probes} after {outcome:?}"
            );
            let state = match outcome {
                Outcome::Ignored => BreakerState::HalfOpen,
                Outcome::Success => BreakerState::Closed,
                Outcome::Failure(_) => BreakerState::Open,
            };
            assert_eq!(breaker.state(), state);
        });
    }
}

#[test]
fn a_probe_and_somebody_who_forces_it_open_leave_it_forced_open() {
    model(|| {
        let breaker = open();
        let (probe, _) = admit(&breaker, TIME).unwrap();
        let changes = at_once(
            &breaker,
            vec![
                Box::new(move |breaker: &Shared| settle(breaker, probe, Outcome::Success, TIME))
                    as Part<_>,
                Box::new(|breaker| breaker.force(BreakerState::ForcedOpen)),
            ],
        );
        assert_eq!(breaker.state(), BreakerState::ForcedOpen);
        assert!(admit(&breaker, u64::MAX - 1).is_none());
        // Each change begins where the one before ended.
        let mut changes: Vec<_> = changes.into_iter().flatten().collect();
        changes.sort_by_key(|change| change.sequence);
        assert_eq!(changes[0].from, BreakerState::HalfOpen);
        for pair in changes.windows(2) {
            assert_eq!(pair[0].to, pair[1].from);
        }
    });
}

#[test]
fn what_is_forced_open_is_seen_by_who_comes_after() {
    model(|| {
        let breaker = breaker(1);
        let other = Arc::clone(&breaker);
        let change = thread::spawn(move || other.force(BreakerState::ForcedOpen));
        change.join().unwrap().expect("it was closed");
        assert!(admit(&breaker, 0).is_none());
    });
}

#[test]
fn no_token_is_lost_or_given_twice() {
    model(|| {
        let throttle = Arc::new(Throttle::new(4_000, 500));
        let threads: Vec<_> = (0..3)
            .map(|thread| {
                let throttle = Arc::clone(&throttle);
                thread::spawn(move || match thread {
                    0 => throttle.succeeded(),
                    _ => drop(throttle.failed()),
                })
            })
            .collect();
        for thread in threads {
            thread.join().unwrap();
        }
        // The success gives nothing where it comes first, and a half otherwise.
        assert!([2_000, 2_500].contains(&throttle.millitokens()));
    });
}

#[test]
fn of_failures_at_once_one_sees_that_half_of_the_tokens_are_gone() {
    model(|| {
        let throttle = Arc::new(Throttle::new(4_000, 500));
        let other = Arc::clone(&throttle);
        let other = thread::spawn(move || other.failed());
        let here = throttle.failed();
        let there = other.join().unwrap();
        // 3 of 4 may be retried, 2 of 4 not: one of them sees each.
        assert!(here != there);
        assert!(!throttle.has_tokens());
    });
}

#[test]
fn requests_that_begin_a_part_of_the_window_at_once_are_all_counted() {
    model(|| {
        let window = Arc::new(Accepts::new());
        // A lap ago, at the place of the part that begins.
        window.record(1, true);
        let record = |accepted| {
            let window = Arc::clone(&window);
            thread::spawn(move || window.record(13, accepted))
        };
        let threads = [record(true), record(false)];
        // Requests and accepts are seen together, whoever is under way.
        let Counts { requests, accepts } = window.counts(13);
        assert!(requests <= 2 && accepts <= requests.min(1));
        for thread in threads {
            thread.join().unwrap();
        }
        let (requests, accepts) = (2, 1);
        assert_eq!(window.counts(13), Counts { requests, accepts });
    });
}
