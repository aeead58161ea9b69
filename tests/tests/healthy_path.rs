//! While all is well, the breaker and the throttle of a client are read and not written: calls that go
//! well on many cores share their cache lines, and nobody takes one away.
//!
//! The files are the runtime's own, made of atomics and a lock that count who writes.

#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::panic,
    reason = "not all of the files is tried here, and a test fails by panicking"
)]

#[path = "../../runtime/src/client/breaker/machine.rs"]
mod machine;
#[path = "../../runtime/src/client/breaker/shared.rs"]
mod shared;
#[path = "../../runtime/src/client/throttle/tokens.rs"]
mod tokens;
#[path = "../../runtime/src/client/breaker/window.rs"]
mod window;

use machine::{BreakerState, Outcome, Rules, Trips};
use shared::Shared;
use sync::writes;
use tokens::Throttle;

/// What the files are made of: the standard library's, and each write is counted.
mod sync {
    use std::cell::Cell;
    pub(crate) use std::sync::MutexGuard;
    pub(crate) use std::sync::atomic::Ordering;
    use std::sync::{LockResult, atomic};

    thread_local! {
        static WRITES: Cell<usize> = const { Cell::new(0) };
    }

    /// How often `run` writes, whatever it writes; taking a lock is a write.
    pub(crate) fn writes(run: impl FnOnce()) -> usize {
        let before = WRITES.get();
        run();
        WRITES.get() - before
    }

    fn written() {
        WRITES.set(WRITES.get() + 1);
    }

    macro_rules! atomics {
        ($($name:ident: $int:ty),*) => {$(
            #[derive(Debug)]
            pub(crate) struct $name(atomic::$name);

            /// Those methods of the standard library's that the files have any use for; another one
            /// would not compile here until somebody says whether it writes.
            impl $name {
                pub(crate) fn new(value: $int) -> Self {
                    Self(atomic::$name::new(value))
                }

                pub(crate) fn load(&self, order: Ordering) -> $int {
                    self.0.load(order)
                }

                pub(crate) fn store(&self, value: $int, order: Ordering) {
                    written();
                    self.0.store(value, order);
                }

                /// Takes the cache line whether or not it succeeds.
                pub(crate) fn compare_exchange_weak(
                    &self,
                    from: $int,
                    to: $int,
                    success: Ordering,
                    failure: Ordering,
                ) -> Result<$int, $int> {
                    written();
                    self.0.compare_exchange_weak(from, to, success, failure)
                }
            }
        )*};
    }

    atomics!(AtomicU32: u32, AtomicU64: u64);

    #[derive(Debug)]
    pub(crate) struct Mutex<T>(std::sync::Mutex<T>);

    impl<T> Mutex<T> {
        pub(crate) fn new(value: T) -> Self {
            Self(std::sync::Mutex::new(value))
        }

        pub(crate) fn lock(&self) -> LockResult<MutexGuard<'_, T>> {
            written();
            self.0.lock()
        }
    }
}

const CALLS: usize = 1_000;

fn breaker(trips: Trips) -> Shared {
    Shared::new(Rules {
        trips,
        probes: 1,
        successes: 1,
        probe_time: 100,
    })
}

fn call(breaker: &Shared, outcome: Outcome) {
    let now = || panic!("a call that goes well has no use for the time");
    let (ticket, change) = breaker.admit(now).unwrap();
    let time = || match outcome {
        Outcome::Failure(_) => 0,
        _ => now(),
    };
    let changed = breaker.settle(ticket, outcome, time, || 0);
    assert_eq!((change, changed), (None, None));
}

/// A call that goes well, of a client with a breaker and a throttle.
fn well(breaker: &Shared, throttle: &Throttle) {
    call(breaker, Outcome::Success);
    throttle.succeeded();
    assert!(throttle.has_tokens());
}

#[test]
fn calls_that_go_well_write_to_no_cache_line_that_others_read() {
    let (breaker, throttle) = (breaker(Trips::Consecutive(5)), Throttle::new(10_000, 100));
    let written = writes(|| {
        for _ in 0..CALLS {
            well(&breaker, &throttle);
        }
    });
    assert_eq!(written, 0);
    // A caller who gives up says nothing of the target.
    assert_eq!(writes(|| call(&breaker, Outcome::Ignored)), 0);
}

#[test]
fn after_a_failure_one_success_writes_and_those_after_it_do_not() {
    let (breaker, throttle) = (breaker(Trips::Consecutive(5)), Throttle::new(10_000, 1_000));
    let failed = writes(|| {
        call_fails(&breaker);
        throttle.failed();
    });
    // The lock, both words of the breaker, and the token.
    assert_eq!(failed, 4);
    let mended = writes(|| {
        let (ticket, _) = breaker.admit(|| 0).unwrap();
        breaker.settle(ticket, Outcome::Success, || 0, || 0);
        throttle.succeeded();
    });
    assert_eq!(mended, 4);
    assert_eq!(writes(|| well(&breaker, &throttle)), 0);
}

fn call_fails(breaker: &Shared) {
    call(breaker, Outcome::Failure(None));
}

#[test]
fn a_breaker_that_is_forced_closed_is_written_by_nobody() {
    let breaker = breaker(Trips::Consecutive(1));
    breaker.force(BreakerState::ForcedClosed);
    let written = writes(|| {
        for _ in 0..CALLS {
            call_fails(&breaker);
            call(&breaker, Outcome::Success);
        }
    });
    assert_eq!(written, 0);
}

#[test]
fn calls_that_an_open_breaker_rejects_take_no_lock() {
    let breaker = breaker(Trips::Consecutive(1));
    let (ticket, _) = breaker.admit(|| 0).unwrap();
    breaker.settle(ticket, Outcome::Failure(None), || 0, || 100);
    assert_eq!(breaker.state(), BreakerState::Open);
    let written = writes(|| {
        for _ in 0..CALLS {
            breaker.admit(|| 99).unwrap_err();
        }
    });
    assert_eq!(written, 0);
    // Its time has passed: who comes now is counted.
    let probe = || assert!(breaker.admit(|| 100).is_ok());
    assert!(writes(probe) > 0);
}

/// A window counts each call, so the price of a rate is a lock that all calls take.
#[test]
fn a_breaker_by_rate_does_write() {
    let breaker = breaker(Trips::Rate {
        ratio: 0.5,
        minimum: 10,
        window: 1_000,
    });
    let written = writes(|| {
        let (ticket, _) = breaker.admit(|| 0).unwrap();
        breaker.settle(ticket, Outcome::Success, || 0, || 0);
    });
    assert!(written > 0);
}
