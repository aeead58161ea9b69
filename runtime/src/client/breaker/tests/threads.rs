//! Many threads at once; `tests/interleavings` has few of them, in all interleavings.

use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::thread;

use super::*;

const THREADS: usize = 16;

#[test]
fn rule_20_threads_that_come_at_once_get_one_probe() {
    for _ in 0..50 {
        let shared = Shared::new(BUILT_IN.rules());
        for _ in 0..5 {
            let (ticket, _) = shared.admit(|| 0).unwrap();
            shared.settle(ticket, Outcome::Failure(None), || 0, || 100);
        }
        let (barrier, probes, changes) = (
            Barrier::new(THREADS),
            AtomicUsize::new(0),
            AtomicUsize::new(0),
        );
        thread::scope(|scope| {
            for _ in 0..THREADS {
                scope.spawn(|| {
                    barrier.wait();
                    for _ in 0..10_000 / THREADS {
                        if let Ok((_, change)) = shared.admit(|| 100) {
                            probes.fetch_add(1, SeqCst);
                            changes.fetch_add(usize::from(change.is_some()), SeqCst);
                        }
                    }
                });
            }
        });
        assert_eq!((probes.load(SeqCst), changes.load(SeqCst)), (1, 1));
    }
}

#[test]
fn failures_of_many_threads_open_it_once_and_none_is_lost() {
    for _ in 0..50 {
        let heard = Heard::new(BreakerSettings {
            mode: BreakerMode::Consecutive(4_000),
            ..BUILT_IN
        });
        let fail_on_all_threads = |each: usize| {
            thread::scope(|scope| {
                for _ in 0..THREADS {
                    scope.spawn(|| {
                        for _ in 0..each {
                            if let Ok(permit) = heard.acquire() {
                                permit.settle(Outcome::Failure(None));
                            }
                        }
                    });
                }
            });
        };
        // 3,984 and 4,000.
        fail_on_all_threads(249);
        assert_eq!(heard.state(), BreakerState::Closed);
        fail_on_all_threads(1);
        assert_eq!(heard.state(), BreakerState::Open);
        assert_eq!(heard.heard().len(), 1);
    }
}

/// What `asks` gives while somebody else has the lock.
fn while_locked<R: Send + 'static>(
    shared: &Arc<Shared>,
    asks: impl FnOnce(&Shared) -> R + Send + 'static,
) -> R {
    let _held = shared.hold();
    let (sender, answer) = std::sync::mpsc::channel();
    let other = Arc::clone(shared);
    thread::spawn(move || sender.send(asks(&other)));
    let answer = answer.recv_timeout(Duration::from_secs(20));
    answer.expect("it waits for the lock")
}

#[test]
fn calls_that_go_well_and_calls_that_are_rejected_take_no_lock() {
    let shared = Arc::new(Shared::new(BUILT_IN.rules()));
    let well = while_locked(&shared, |shared| {
        (0..1_000).all(|_| {
            let (ticket, change) = shared.admit(|| unreachable!("no clock either")).unwrap();
            let settled = shared.settle(
                ticket,
                Outcome::Success,
                || unreachable!("no clock either"),
                || unreachable!("nothing opens"),
            );
            change.is_none() && settled.is_none()
        })
    });
    assert!(well);
    for _ in 0..5 {
        let (ticket, _) = shared.admit(|| 0).unwrap();
        shared.settle(ticket, Outcome::Failure(None), || 0, || 100);
    }
    let rejected = while_locked(&shared, |shared| shared.admit(|| 40).unwrap_err());
    assert_eq!(rejected.wait, Some(60));
    // Nor while the one probe is under way.
    shared.admit(|| 100).unwrap();
    let rejected = while_locked(&shared, |shared| shared.admit(|| 101).unwrap_err());
    assert_eq!(rejected.wait, None);
}
