//! [`Breaker`]: stops calls of a method to a target for a while, when they fail.
//!
//! It stands below retries: each attempt asks it. `machine.rs` has the states, `shared.rs` makes them
//! safe to ask from everywhere, `counts.rs` says what a failure is, `window.rs` counts for breakers
//! that open by rate. Times are tokio's.

mod counts;
mod machine;
mod shared;
#[cfg(test)]
mod tests;
mod window;

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

pub(super) use self::counts::{Who, outcome};
pub(super) use self::machine::Outcome;
pub use self::machine::{BreakerState, TransitionReason};
use self::machine::{Change, Rules, Ticket, Trips};
use self::shared::{Rejected, Shared};
use super::sync;

/// The least time that a breaker is open. With none, it would let everybody through to see.
const SHORTEST: Duration = Duration::from_millis(1);

/// The breaker of one method and one target.
pub(super) struct Breaker {
    shared: Shared,
    open_for: Duration,
    /// What times are counted from.
    start: Instant,
    listener: Box<dyn Fn(BreakerTransition) + Send + Sync>,
}

/// When a [`Breaker`] opens and closes.
#[derive(Clone, Copy, Debug)]
pub(super) struct BreakerSettings {
    pub(super) mode: BreakerMode,
    /// How long it is open, at least; up to a tenth longer, so that clients whose breakers opened
    /// together don't come back together. Less than a millisecond is as a millisecond.
    pub(super) open_for: Duration,
    /// How many calls are let through at once to see whether the target is well again.
    pub(super) probes: u32,
    /// How many of them have to succeed.
    pub(super) successes: u32,
}

/// What opens a [`Breaker`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum BreakerMode {
    /// So many failures with no success between them; 0 is as 1.
    Consecutive(u32),
    /// This part of the calls that ended within `window`, if there were at least `minimum`.
    Rate {
        ratio: f64,
        minimum: u32,
        window: Duration,
    },
}

/// A breaker is open: nothing is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Open {
    /// When a call may be let through again, if that is known: not while a probe is under way, and not
    /// when the breaker is forced open.
    pub(super) retry_in: Option<Duration>,
}

/// What an attempt is let through with. It is told how the attempt ended; dropped without, it gives a
/// probe's place back and counts nothing.
///
/// `B` is how the breaker is held: by reference for a call that awaits its reply, by `Arc` for a
/// stream that outlives the call.
pub(super) struct Permit<B: Deref<Target = Breaker>> {
    breaker: B,
    ticket: Option<Ticket>,
}

/// A circuit breaker went from one state to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BreakerTransition {
    /// The state that it was in.
    pub from: BreakerState,
    /// The state that it is in.
    pub to: BreakerState,
    /// Why.
    pub reason: TransitionReason,
    /// Which transition of this breaker it is, counted from 1. Two that happen at almost the same time
    /// may be told of in another order.
    pub sequence: u64,
}

/// The circuit breaker of one method and one target, for those who look at it or overrule it.
///
/// What is forced takes effect at once, for calls that start from then on, and lasts until
/// [`reset`](Self::reset). A call that was under way changes nothing any more.
#[derive(Clone, Debug)]
pub struct CircuitBreaker(Arc<Breaker>);

impl Breaker {
    /// Closed. `listener` hears of each transition, once, and must not block.
    pub(super) fn new(
        settings: BreakerSettings,
        listener: impl Fn(BreakerTransition) + Send + Sync + 'static,
    ) -> Self {
        Self {
            shared: Shared::new(settings.rules()),
            open_for: settings.open_for(),
            start: Instant::now(),
            listener: Box::new(listener),
        }
    }

    /// What it lets through.
    pub(super) fn state(&self) -> BreakerState {
        self.shared.state()
    }

    /// Lets nothing through from now on.
    pub(super) fn force_open(&self) {
        self.force(BreakerState::ForcedOpen);
    }

    /// Lets everything through from now on, whatever fails.
    pub(super) fn force_closed(&self) {
        self.force(BreakerState::ForcedClosed);
    }

    /// Begins anew: closed, with nothing counted.
    pub(super) fn reset(&self) {
        self.force(BreakerState::Closed);
    }

    fn force(&self, state: BreakerState) {
        self.tell(self.shared.force(state));
    }

    fn settle(&self, ticket: Ticket, outcome: Outcome) {
        let change = self
            .shared
            .settle(ticket, outcome, || self.now(), || self.jittered());
        self.tell(change);
    }

    fn tell(&self, change: Option<Change>) {
        if let Some(change) = change {
            (self.listener)(BreakerTransition {
                from: change.from,
                to: change.to,
                reason: change.reason,
                sequence: change.sequence,
            });
        }
    }

    /// In nanoseconds.
    fn now(&self) -> u64 {
        nanos(self.start.elapsed())
    }

    /// How long it stays open this time, in nanoseconds.
    fn jittered(&self) -> u64 {
        let open_for = nanos(self.open_for);
        open_for.saturating_add(fastrand::u64(0..=open_for / 10))
    }
}

impl BreakerSettings {
    fn open_for(&self) -> Duration {
        self.open_for.max(SHORTEST)
    }

    fn rules(&self) -> Rules {
        Rules {
            trips: match self.mode {
                BreakerMode::Consecutive(threshold) => Trips::Consecutive(threshold),
                BreakerMode::Rate {
                    ratio,
                    minimum,
                    window,
                } => Trips::Rate {
                    ratio,
                    minimum,
                    window: nanos(window),
                },
            },
            probes: usize::try_from(self.probes).unwrap_or(usize::MAX).max(1),
            successes: self.successes.max(1),
            probe_time: nanos(self.open_for()),
        }
    }
}

impl<B: Deref<Target = Breaker>> Permit<B> {
    /// Lets an attempt through.
    ///
    /// # Errors
    ///
    /// When `breaker` is open, or half open with as many probes as there may be.
    #[inline]
    pub(super) fn acquire(breaker: B) -> Result<Self, Open> {
        match breaker.shared.admit(|| breaker.now()) {
            Ok((ticket, change)) => {
                breaker.tell(change);
                Ok(Self {
                    breaker,
                    ticket: Some(ticket),
                })
            }
            Err(Rejected { wait }) => Err(Open {
                retry_in: wait.map(Duration::from_nanos),
            }),
        }
    }

    /// The attempt has ended so.
    #[inline]
    pub(super) fn settle(mut self, outcome: Outcome) {
        if let Some(ticket) = self.ticket.take() {
            self.breaker.settle(ticket, outcome);
        }
    }

    /// A message has come on a stream: the target works. A probe has seen enough then and need not wait
    /// for the stream's end, which may be hours away; how that ends counts as any other call.
    pub(super) fn answered(&mut self) {
        if let Some(ticket) = self.ticket
            && ticket.probe != 0
        {
            self.breaker.settle(ticket, Outcome::Success);
            self.ticket = self.breaker.shared.ticket();
        }
    }
}

impl<B: Deref<Target = Breaker>> Drop for Permit<B> {
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket.take() {
            self.breaker.settle(ticket, Outcome::Ignored);
        }
    }
}

impl CircuitBreaker {
    /// A handle to `breaker`.
    pub(super) fn new(breaker: Arc<Breaker>) -> Self {
        Self(breaker)
    }

    /// What it lets through. Open is half open only once its time has passed and a call has come.
    #[must_use]
    pub fn state(&self) -> BreakerState {
        self.0.state()
    }

    /// Lets no call through, until [`reset`](Self::reset).
    pub fn force_open(&self) {
        self.0.force_open();
    }

    /// Lets all calls through, whatever fails, until [`reset`](Self::reset).
    pub fn force_closed(&self) {
        self.0.force_closed();
    }

    /// Begins anew: closed, with nothing counted.
    pub fn reset(&self) {
        self.0.reset();
    }
}

impl BreakerState {
    /// Its name in logs and metrics: `HALF_OPEN`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Closed => "CLOSED",
            Self::Open => "OPEN",
            Self::HalfOpen => "HALF_OPEN",
            Self::ForcedOpen => "FORCED_OPEN",
            Self::ForcedClosed => "FORCED_CLOSED",
        }
    }
}

impl TransitionReason {
    /// Its name in logs and metrics: `PROBE_FAILED`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Failures => "FAILURES",
            Self::TimeoutPassed => "TIMEOUT_PASSED",
            Self::ProbeFailed => "PROBE_FAILED",
            Self::ProbesSucceeded => "PROBES_SUCCEEDED",
            Self::Forced => "FORCED",
        }
    }
}

impl fmt::Debug for Breaker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Breaker")
            .field("state", &self.state())
            .field("open_for", &self.open_for)
            .finish_non_exhaustive()
    }
}

/// In nanoseconds, of which 64 bits hold 584 years.
fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
