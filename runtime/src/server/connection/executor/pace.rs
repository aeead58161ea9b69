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

/// For so many polls after a slow one another slow one counts. A single one says nothing of its method: the
/// thread may have had to give way to another one, such as the one that writes the log.
const DOUBT: u32 = 256;

/// How many quick polls a method needs before anything waits for it.
const PROOF: u32 = 8;

/// What the polls of a method's calls have shown so far, on all connections of a server.
#[derive(Debug)]
pub(in crate::server) struct Pace {
    /// How many more polls have to be quick: for nobody to wait for the method's calls down to [`DOUBT`], and
    /// from there on for a slow one to be the first again.
    owed: AtomicU32,
}

impl Pace {
    pub(super) fn is_quick(&self) -> bool {
        self.owed.load(Relaxed) <= DOUBT
    }

    /// A call was polled, and this is how long it took.
    pub(super) fn took(&self, time: Duration) {
        if time > SLOW {
            let is_first = self.owed.load(Relaxed) == 0;
            let owed = DOUBT + if is_first { 0 } else { PROBATION };
            self.owed.store(owed, Relaxed);
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
            owed: AtomicU32::new(DOUBT + PROOF),
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

    fn one_slow_in(calls: usize) -> Vec<usize> {
        let pace = Pace::default();
        let quick = (0..100_000).filter(|call| {
            let is_slow = call % calls == calls - 1;
            pace.took(if is_slow { SLOW * 2 } else { QUICK });
            pace.is_quick()
        });
        quick.collect()
    }

    #[test]
    fn one_slow_call_in_a_hundred_makes_a_method_slow_and_keeps_it_so() {
        let quick = one_slow_in(100);
        assert_eq!(quick.last(), Some(&98));
    }

    #[test]
    fn one_slow_call_in_a_thousand_is_nobodys_fault() {
        let quick = one_slow_in(1000);
        assert_eq!(quick.len(), 100_000 - PROOF as usize + 1);
    }
}
