//! [`Pace`]: whether a method's calls are so quick that its connection can wait for them.

use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;

/// One poll of a call that takes longer holds up the other calls of its connection more than a task
/// of its own costs. Where nothing is optimised, everything takes several times as long.
pub(super) const SLOW: Duration = Duration::from_micros(match cfg!(debug_assertions) {
    true => 1000,
    false => 100,
});

/// How many quick polls make up for a slow one: a method of which 1 call in 100 is slow is nearly
/// never taken for quick.
const PROBATION: u32 = 256;

/// How many quick polls a method needs before anything waits for it.
const PROOF: u32 = 8;

/// What the polls of a method's calls have shown so far, on all connections of a server.
#[derive(Debug)]
pub(in crate::server) struct Pace {
    /// How many more polls have to be quick.
    owed: AtomicU32,
}

impl Pace {
    pub(super) fn is_quick(&self) -> bool {
        self.owed.load(Relaxed) == 0
    }

    /// A call was polled, and this is how long it took.
    pub(super) fn took(&self, time: Duration) {
        if time > SLOW {
            self.owed.store(PROBATION, Relaxed);
            return;
        }
        // Nearly always 0 already, and then nothing is written.
        let _ = self
            .owed
            .fetch_update(Relaxed, Relaxed, |owed| owed.checked_sub(1));
    }
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            owed: AtomicU32::new(PROOF),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUICK: Duration = Duration::from_micros(3);

    #[test]
    fn a_method_is_quick_after_it_was_some_times() {
        let pace = Pace::default();
        for _ in 0..PROOF {
            assert!(!pace.is_quick());
            pace.took(QUICK);
        }
        assert!(pace.is_quick());
    }

    #[test]
    fn one_slow_call_in_a_hundred_keeps_a_method_slow() {
        let pace = Pace::default();
        let quick = (0..100_000).filter(|call| {
            let is_slow = call % 100 == 0;
            pace.took(if is_slow { SLOW * 2 } else { QUICK });
            pace.is_quick()
        });
        assert_eq!(quick.count(), 0);
    }
}
