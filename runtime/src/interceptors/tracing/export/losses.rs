//! [`Losses`]: spans that nobody gets, counted and told of.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// What happens again is not said more often.
const SAID_EVERY: Duration = Duration::from_secs(60);

/// How many spans nobody gets, and how many of those the process's log tells of.
#[derive(Debug, Default)]
pub(super) struct Losses {
    /// They found no room in the queue.
    full: AtomicU64,
    /// The collector didn't take them.
    failed: AtomicU64,
    told: Mutex<Told>,
}

#[derive(Debug, Default)]
struct Told {
    full: u64,
    failed: u64,
    /// Why the last ones failed.
    why: String,
    last: Option<Instant>,
}

impl Losses {
    /// How many there are.
    pub(super) fn all(&self) -> u64 {
        self.full.load(Ordering::Relaxed) + self.failed.load(Ordering::Relaxed)
    }

    /// A span found no room.
    pub(super) fn full(&self) {
        self.full.fetch_add(1, Ordering::Relaxed);
    }

    /// So many spans could not be exported.
    pub(super) fn failed(&self, spans: u64, why: String) {
        self.failed.fetch_add(spans, Ordering::Relaxed);
        self.told.lock().unwrap_or_else(PoisonError::into_inner).why = why;
    }

    /// Tells the log of what it doesn't know, if it wasn't told lately.
    pub(super) fn tell(&self) {
        self.tell_unless(|last| last.elapsed() < SAID_EVERY);
    }

    /// Tells it of all that it doesn't know.
    pub(super) fn tell_last(&self) {
        self.tell_unless(|_| false);
    }

    fn tell_unless(&self, is_told: impl FnOnce(Instant) -> bool) {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let (full, failed) = (
            self.full.load(Ordering::Relaxed),
            self.failed.load(Ordering::Relaxed),
        );
        let (of_full, of_failed) = (full - told.full, failed - told.failed);
        if of_full + of_failed == 0 || told.last.is_some_and(is_told) {
            return;
        }
        if of_full > 0 {
            tracing::warn!(
                lost = of_full,
                "spans were lost, since their queue was full: `OTEL_BSP_MAX_QUEUE_SIZE` makes it longer"
            );
        }
        if of_failed > 0 {
            tracing::warn!(lost = of_failed, why = %told.why, "spans could not be exported");
        }
        (told.full, told.failed, told.last) = (full, failed, Some(Instant::now()));
    }
}
