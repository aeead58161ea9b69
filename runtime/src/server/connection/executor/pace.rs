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

/// That takes no longer than this: one poll that does is enough.
const GIVING_WAY: Duration = SLOW.saturating_mul(10);

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
            let is_excused = time <= GIVING_WAY && self.owed.load(Relaxed) == 0;
            let owed = DOUBT + if is_excused { 0 } else { PROBATION };
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

    /// The calls that a method is taken for quick at, one of so many calls of which takes this long.
    fn quick(calls: usize, slow: Duration) -> Vec<usize> {
        let pace = Pace::default();
        let quick = (0..100_000).filter(|call| {
            let is_slow = call % calls == 0;
            pace.took(if is_slow { slow } else { QUICK });
            pace.is_quick()
        });
        quick.collect()
    }

    #[test]
    fn one_slow_call_in_a_hundred_keeps_a_method_slow() {
        assert_eq!(quick(100, SLOW * 2).len(), 0);
        assert_eq!(quick(100, GIVING_WAY * 2).len(), 0);
    }

    #[test]
    fn one_slow_call_in_a_thousand_can_be_anybodys_fault() {
        let quick = quick(1000, SLOW * 2);
        // The first one is slow, when nothing is known of the method.
        let proven = PROBATION as usize;
        assert_eq!(quick.len(), 100_000 - proven);
    }

    #[test]
    fn one_call_that_takes_long_is_enough() {
        let pace = Pace::default();
        for _ in 0..1000 {
            pace.took(QUICK);
        }
        pace.took(GIVING_WAY);
        assert!(pace.is_quick());
        for _ in 0..DOUBT {
            pace.took(QUICK);
        }
        pace.took(GIVING_WAY * 2);
        assert!(!pace.is_quick());
    }
}
