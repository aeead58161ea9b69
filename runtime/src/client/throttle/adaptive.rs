//! [`Adaptive`]: sends less to a target that takes less.

use tokio::time::Instant;

use super::accepts::{Accepts, Counts, PART};
use super::sync::{AtomicU64, Ordering};

/// The adaptive throttle of a target (Google's "Site Reliability Engineering", chapter "Handling
/// Overload", "Client-Side Throttling"): of the attempts that would go out, so many are refused here
/// that little more goes out than K times what the target accepts.
///
/// All methods of a target share one. An attempt is counted when it is known how it ended, so that
/// those under way say nothing, and one that is refused here at once. Times are tokio's.
#[derive(Debug)]
pub(crate) struct Adaptive {
    accepts: Accepts,
    /// K: how many times as much may be sent as is accepted.
    multiplier: f64,
    start: Instant,
    /// The first second in which one more may be [let through all the same](Self::trickles).
    next_trickle: AtomicU64,
}

impl Adaptive {
    /// Sends `multiplier` times as much as is accepted; less than 1 is as 1.
    pub(crate) fn new(multiplier: f64) -> Self {
        Self {
            accepts: Accepts::new(),
            // NaN too is 1.
            multiplier: multiplier.max(1.0),
            start: Instant::now(),
            next_trickle: AtomicU64::new(0),
        }
    }

    /// Whether an attempt may go out. Random numbers are drawn only while the target accepts too little.
    ///
    /// # Errors
    ///
    /// What there was until now, when it may not: it is counted then, as one that was not accepted.
    pub(crate) fn admit(&self) -> Result<(), Counts> {
        let now = self.now();
        let counts = self.accepts.counts(now / PART);
        let chance = counts.chance_of_refusal(self.multiplier);
        if chance <= 0.0 || fastrand::f64() >= chance || self.trickles(now) {
            return Ok(());
        }
        self.accepts.record(now / PART, false);
        Err(counts)
    }

    /// An attempt that went out was accepted by the target, or not.
    pub(crate) fn heard(&self, accepted: bool) {
        self.accepts.record(self.now() / PART, accepted);
    }

    /// One in a second goes out whatever was accepted. Else a target that has accepted nothing would be
    /// asked about once in two minutes, whatever the rate of calls, to see whether it is well again.
    fn trickles(&self, now: u64) -> bool {
        let next = self.next_trickle.load(Ordering::Relaxed);
        next <= now
            && self
                .next_trickle
                .compare_exchange_weak(next, now + 1, Ordering::Relaxed, Ordering::Relaxed)
                .is_ok()
    }

    /// In seconds.
    fn now(&self) -> u64 {
        self.start.elapsed().as_secs()
    }
}
