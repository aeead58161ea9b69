//! [`Load`]: how busy an endpoint is, by calls in flight and how long calls took of late.
//!
//! The cost of an endpoint is a peak-sensitive moving average of its latency times its calls in flight
//! with one more, as Finagle and linkerd have it: what gets slow is left alone at once, and tried again
//! when what is known of it has faded.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;

use super::candidate::Ending;

/// In which time what is known of a latency fades to 1/e, in seconds.
const DECAY: f32 = 10.0;

/// What an endpoint costs of which nothing is known but that a call is under way: more than any other.
const UNKNOWN: f32 = 1e6;

/// A failure counts as twice of what the endpoint costs, between these, in seconds: else one that fails
/// faster than others answer would draw all calls.
const MIN_FAILURE: f32 = 0.001;
const MAX_FAILURE: f32 = 10.0;

/// How busy an endpoint is.
#[derive(Debug)]
pub(super) struct Load {
    born: Instant,
    in_flight: AtomicU32,
    /// The average of its latency and when it was written, which only count together.
    recent: AtomicU64,
}

/// The average of a latency.
#[derive(Clone, Copy)]
struct Recent {
    /// Milliseconds from the load's birth, and one more: none is 0. It starts anew after 49 days, when an
    /// endpoint that had no call for so long may seem to have had one just now.
    at: u32,
    /// In seconds.
    latency: f32,
}

impl Load {
    pub(super) fn new(born: Instant) -> Self {
        Self {
            born,
            in_flight: AtomicU32::new(0),
            recent: AtomicU64::new(0),
        }
    }

    pub(super) fn started(&self) {
        self.in_flight.fetch_add(1, Ordering::Relaxed);
    }

    /// A call that took this long.
    pub(super) fn finished(&self, latency: Duration, ending: Ending, now: Instant) {
        self.in_flight.fetch_sub(1, Ordering::Relaxed);
        let (latency, at) = (latency.as_secs_f32(), self.at(now));
        // Who writes first wins, the other counts what it then finds.
        let _ = self
            .recent
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |packed| {
                let recent = Recent::unpack(packed);
                let next = recent.map_or_else(
                    || Recent::first(latency, ending, at),
                    |recent| recent.next(latency, ending, at),
                );
                next.map(Recent::pack)
            });
    }

    /// What one more call costs here.
    pub(super) fn cost(&self, now: Instant) -> f32 {
        #[allow(
            clippy::cast_precision_loss,
            reason = "of 16 million calls in flight one more or less is none"
        )]
        let in_flight = self.in_flight.load(Ordering::Relaxed) as f32;
        match Recent::unpack(self.recent.load(Ordering::Relaxed)) {
            Some(recent) => recent.faded(self.at(now)) * (in_flight + 1.0),
            // It is tried by one call, and no other before that has told.
            None if in_flight > 0.0 => UNKNOWN + in_flight,
            None => 0.0,
        }
    }

    #[allow(
        clippy::cast_possible_truncation,
        reason = "it is meant to start anew, as `Recent` says"
    )]
    fn at(&self, now: Instant) -> u32 {
        let millis = now.saturating_duration_since(self.born).as_millis() as u32;
        // 0 stands for nothing.
        millis.wrapping_add(1).max(1)
    }
}

impl Recent {
    /// What the first call makes known; nothing if it was given up at once.
    fn first(latency: f32, ending: Ending, at: u32) -> Option<Self> {
        let latency = match ending {
            Ending::Well => latency,
            Ending::Badly => latency.max(MIN_FAILURE),
            Ending::GivenUp => return None,
        };
        Some(Self { at, latency })
    }

    /// What another call makes of it; None where that is the same.
    fn next(self, latency: f32, ending: Ending, at: u32) -> Option<Self> {
        let latency = match ending {
            Ending::Well => latency,
            Ending::Badly => latency.max((2.0 * self.latency).clamp(MIN_FAILURE, MAX_FAILURE)),
            // It took that long at least.
            Ending::GivenUp if latency < self.latency => return None,
            Ending::GivenUp => latency,
        };
        if latency >= self.latency {
            return Some(Self { at, latency });
        }
        // Within the millisecond one call stands for all: no two need to write.
        let weight = self.weight(at);
        (weight < 1.0).then_some(Self {
            at,
            latency: latency + (self.latency - latency) * weight,
        })
    }

    fn faded(self, at: u32) -> f32 {
        self.latency * self.weight(at)
    }

    /// What is left of it, of 1.
    #[allow(
        clippy::cast_precision_loss,
        reason = "after hours a millisecond more is none"
    )]
    fn weight(self, at: u32) -> f32 {
        let past = at.wrapping_sub(self.at);
        // Half the circle and more: another thread's clock was read a moment earlier.
        let past = if past > u32::MAX / 2 { 0 } else { past };
        (-(past as f32) / 1000.0 / DECAY).exp()
    }

    fn pack(self) -> u64 {
        u64::from(self.at) << 32 | u64::from(self.latency.to_bits())
    }

    #[allow(clippy::cast_possible_truncation, reason = "the halves of a word")]
    fn unpack(packed: u64) -> Option<Self> {
        let at = (packed >> 32) as u32;
        let latency = f32::from_bits(packed as u32);
        (at != 0).then_some(Self { at, latency })
    }
}
