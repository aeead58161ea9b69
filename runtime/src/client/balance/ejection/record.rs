//! [`Record`]: what the ejector knows of an endpoint.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::policy::OutlierEjection;

/// What the ejector knows of an endpoint.
#[derive(Debug, Default)]
pub(in crate::client::balance) struct Record {
    /// Whether there are others, so that it can be ejected.
    pub(super) is_watched: AtomicBool,
    is_ejected: AtomicBool,
    /// Failures in a row.
    pub(super) in_row: AtomicU32,
    /// Of this interval.
    pub(super) well: AtomicU32,
    pub(super) badly: AtomicU32,
    sentence: Mutex<Sentence>,
}

/// How long an endpoint is left out.
#[derive(Clone, Copy, Debug, Default)]
struct Sentence {
    until: Option<Instant>,
    /// How often it was; each interval without takes one away.
    times: u32,
}

impl Record {
    pub(in crate::client::balance) fn is_ejected(&self) -> bool {
        self.is_ejected.load(Ordering::Relaxed)
    }

    fn sentence(&self) -> MutexGuard<'_, Sentence> {
        self.sentence.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The calls of an interval that ends: those that ended well, and badly.
    pub(super) fn take_calls(&self) -> (u32, u32) {
        let well = self.well.swap(0, Ordering::Relaxed);
        (well, self.badly.swap(0, Ordering::Relaxed))
    }

    pub(super) fn eject(&self, policy: &OutlierEjection, now: Instant) -> Duration {
        let mut sentence = self.sentence();
        sentence.times = sentence.times.saturating_add(1);
        let time = policy.time_of(sentence.times);
        // What is beyond the clock is for ever.
        sentence.until = now.checked_add(time);
        self.is_ejected.store(true, Ordering::Relaxed);
        time
    }

    pub(super) fn release(&self) {
        self.sentence().until = None;
        self.in_row.store(0, Ordering::Relaxed);
        let _ = self.take_calls();
        self.is_ejected.store(false, Ordering::Relaxed);
    }

    /// Whether its time is over. An interval in which it isn't ejected makes its next time shorter.
    pub(super) fn serve(&self, now: Instant) -> bool {
        if !self.is_ejected() {
            let mut sentence = self.sentence();
            sentence.times = sentence.times.saturating_sub(1);
            return false;
        }
        self.sentence().until.is_some_and(|until| until <= now)
    }
}
