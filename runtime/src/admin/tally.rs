//! [`Tally`]: what a server refuses, and the connections that it has, counted for the status page.

use std::fmt;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;

use crate::observe::{ConnectionChange, Event, Observer, Refusal};

/// More reasons than there are.
const MOST_REASONS: usize = 64;

/// Counts without a lock: under a flood it is what is asked most often.
pub(crate) struct Tally {
    begun: Instant,
    connections: AtomicI64,
    /// Connections that were closed as they came.
    refused: AtomicU64,
    /// In the order in which they were first seen.
    refusals: [OnceLock<Counted>; MOST_REASONS],
}

struct Counted {
    reason: Refusal,
    times: AtomicU64,
    /// When it was last, in milliseconds since the beginning.
    last: AtomicU64,
}

/// How often something was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Refused {
    pub(crate) reason: &'static str,
    pub(crate) times: u64,
    /// How long ago the last one was.
    pub(crate) last: Duration,
}

impl Tally {
    pub(crate) fn new() -> Self {
        Self {
            begun: Instant::now(),
            connections: AtomicI64::new(0),
            refused: AtomicU64::new(0),
            refusals: [const { OnceLock::new() }; MOST_REASONS],
        }
    }

    /// How many connections are open.
    pub(super) fn connections(&self) -> usize {
        usize::try_from(self.connections.load(Ordering::Relaxed)).unwrap_or(0)
    }

    /// How many were closed as they came.
    pub(super) fn refused_connections(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }

    /// What was refused, what was refused most often first.
    pub(super) fn refusals(&self) -> Vec<Refused> {
        let now = self.now();
        let known = self.refusals.iter().map_while(OnceLock::get);
        let mut refusals: Vec<_> = known
            .map(|counted| Refused {
                reason: counted.reason.as_str(),
                times: counted.times.load(Ordering::Relaxed),
                last: Duration::from_millis(
                    now.saturating_sub(counted.last.load(Ordering::Relaxed)),
                ),
            })
            .collect();
        refusals.sort_by_key(|refused| (std::cmp::Reverse(refused.times), refused.reason));
        refusals
    }

    fn refuse(&self, reason: Refusal) {
        for slot in &self.refusals {
            let counted = slot.get_or_init(|| Counted {
                reason,
                times: AtomicU64::new(0),
                last: AtomicU64::new(0),
            });
            if counted.reason == reason {
                counted.times.fetch_add(1, Ordering::Relaxed);
                counted.last.store(self.now(), Ordering::Relaxed);
                return;
            }
        }
    }

    fn now(&self) -> u64 {
        u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

impl Observer for Tally {
    fn observe(&self, event: &Event<'_>) {
        match event {
            Event::Refused { reason, .. } => self.refuse(*reason),
            Event::Connection { change, .. } => match change {
                ConnectionChange::Opened => {
                    self.connections.fetch_add(1, Ordering::Relaxed);
                }
                ConnectionChange::Closed => {
                    self.connections.fetch_sub(1, Ordering::Relaxed);
                }
                ConnectionChange::Refused => {
                    self.refused.fetch_add(1, Ordering::Relaxed);
                }
            },
            _ => {}
        }
    }
}

impl fmt::Debug for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tally")
            .field("connections", &self.connections())
            .field("refusals", &self.refusals())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Code;

    #[tokio::test(start_paused = true)]
    async fn refusals_are_counted_by_reason_with_the_time_of_the_last() {
        let tally = Tally::new();
        for reason in [
            Refusal::RateLimited,
            Refusal::Overloaded,
            Refusal::Overloaded,
        ] {
            tally.observe(&Event::Refused {
                path: "/t.T/T",
                context: None,
                peer: None,
                reason,
                code: Code::ResourceExhausted,
                started: false,
            });
            tokio::time::advance(Duration::from_secs(1)).await;
        }
        let seen: Vec<_> = tally.refusals();
        let refused = |reason, times, last| Refused {
            reason,
            times,
            last: Duration::from_secs(last),
        };
        assert_eq!(
            seen,
            [refused("OVERLOADED", 2, 1), refused("RATE_LIMITED", 1, 3)]
        );
    }
}
