//! [`Machine`]: the states of a breaker, one step at a time. It knows neither clock nor threads:
//! [`shared`](super::shared) has those.

use super::window::Window;

/// How many of the latest events are known, so that their failures count once: connections that are
/// lost at about the same time.
const EVENTS: usize = 8;

/// What a circuit breaker lets through.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum BreakerState {
    /// All calls; failures are counted.
    #[default]
    Closed,
    /// None, until a time has passed. It stays so until the next call comes.
    Open,
    /// A few calls, one unless set, to see whether the target is well again.
    HalfOpen,
    /// None, because somebody said so, until somebody says otherwise.
    ForcedOpen,
    /// All calls, because somebody said so; nothing is counted.
    ForcedClosed,
}

/// Why a circuit breaker went from one state to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TransitionReason {
    /// As many calls have failed as it takes.
    Failures,
    /// It was open for its time, and a call came.
    TimeoutPassed,
    /// A call that was let through to see has failed.
    ProbeFailed,
    /// The calls that were let through to see have succeeded.
    ProbesSucceeded,
    /// Somebody forced it open or closed, or ended that.
    Forced,
}

/// When a breaker opens and closes. Times are in nanoseconds.
#[derive(Debug)]
pub(super) struct Rules {
    pub(super) trips: Trips,
    /// How many probes there are at once; at least 1.
    pub(super) probes: usize,
    /// How many successes of probes close it; at least 1.
    pub(super) successes: u32,
    /// After this time a probe no longer keeps others from being made.
    pub(super) probe_time: u64,
}

/// What opens a breaker.
#[derive(Clone, Copy, Debug)]
pub(super) enum Trips {
    /// So many failures with no success between them.
    Consecutive(u32),
    /// So large a part of the calls in a window, when there are so many.
    Rate {
        ratio: f64,
        minimum: u32,
        window: u64,
    },
}

/// What a call was let through with: what becomes of it counts only in the same epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ticket {
    pub(super) epoch: u32,
    /// Which probe it is; 0 if it is none.
    pub(super) probe: u32,
}

/// A breaker has gone from one state to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Change {
    pub(super) from: BreakerState,
    pub(super) to: BreakerState,
    pub(super) reason: TransitionReason,
    /// The first is 1.
    pub(super) sequence: u64,
}

/// How a call ended, as a breaker sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Success,
    /// With what befell other calls too, if it did.
    Failure(Option<u64>),
    /// In a way that says nothing of the target.
    Ignored,
}

/// The states of a breaker.
#[derive(Debug)]
pub(super) struct Machine {
    rules: Rules,
    state: BreakerState,
    epoch: u32,
    changes: u64,
    /// In a row, while it is closed.
    failures: u32,
    window: Option<Window>,
    events: Events,
    /// While it is open: until then.
    until: u64,
    /// While it is half open: those that hold a place.
    probes: Vec<Probe>,
    successes: u32,
    last_probe: u32,
}

#[derive(Clone, Copy, Debug)]
struct Probe {
    id: u32,
    until: u64,
}

impl Machine {
    pub(super) fn new(rules: Rules) -> Self {
        let window = match rules.trips {
            Trips::Consecutive(_) => None,
            Trips::Rate { window, .. } => Some(Window::new(window)),
        };
        Self {
            rules,
            state: BreakerState::Closed,
            epoch: 0,
            changes: 0,
            failures: 0,
            window,
            events: Events::default(),
            until: 0,
            probes: Vec::new(),
            successes: 0,
            last_probe: 0,
        }
    }

    pub(super) fn state(&self) -> BreakerState {
        self.state
    }

    pub(super) fn epoch(&self) -> u32 {
        self.epoch
    }

    /// Until when no call is let through, if none is now; 0 otherwise.
    pub(super) fn shut_until(&self) -> u64 {
        match self.state {
            BreakerState::Closed | BreakerState::ForcedClosed => 0,
            BreakerState::Open => self.until,
            BreakerState::ForcedOpen => u64::MAX,
            BreakerState::HalfOpen if self.probes.len() < self.rules.probes => 0,
            BreakerState::HalfOpen => self
                .probes
                .iter()
                .map(|probe| probe.until)
                .min()
                .unwrap_or_default(),
        }
    }

    /// Whether it has to hear of successes.
    pub(super) fn hears_successes(&self) -> bool {
        match self.state {
            BreakerState::Closed => self.failures > 0 || self.window.is_some(),
            BreakerState::HalfOpen => true,
            BreakerState::Open | BreakerState::ForcedOpen | BreakerState::ForcedClosed => false,
        }
    }

    /// Lets a call through, or doesn't.
    pub(super) fn admit(&mut self, now: u64) -> (Option<Ticket>, Option<Change>) {
        match self.state {
            BreakerState::Closed | BreakerState::ForcedClosed => (Some(self.ticket(0)), None),
            BreakerState::ForcedOpen => (None, None),
            BreakerState::Open if now < self.until => (None, None),
            BreakerState::Open => {
                let change = self.turn(BreakerState::HalfOpen, TransitionReason::TimeoutPassed);
                (self.probe(now), change)
            }
            BreakerState::HalfOpen => (self.probe(now), None),
        }
    }

    /// A call that was let through has ended. If that opens the breaker, it stays so for `open_for`.
    pub(super) fn settle(
        &mut self,
        ticket: Ticket,
        outcome: Outcome,
        now: u64,
        open_for: u64,
    ) -> Option<Change> {
        if ticket.epoch != self.epoch {
            return None;
        }
        match self.state {
            BreakerState::Closed => self.count(outcome, now, open_for),
            BreakerState::HalfOpen => {
                self.probes.retain(|probe| probe.id != ticket.probe);
                self.judge(outcome, now, open_for)
            }
            BreakerState::Open | BreakerState::ForcedOpen | BreakerState::ForcedClosed => None,
        }
    }

    /// Goes to `state`, whatever it was in; forgets all that it has counted.
    pub(super) fn force(&mut self, state: BreakerState) -> Option<Change> {
        self.turn(state, TransitionReason::Forced)
    }

    /// An outcome while it is closed.
    fn count(&mut self, outcome: Outcome, now: u64, open_for: u64) -> Option<Change> {
        let failed = match outcome {
            Outcome::Ignored => return None,
            Outcome::Success => false,
            Outcome::Failure(Some(event)) if !self.events.is_new(event) => return None,
            Outcome::Failure(_) => true,
        };
        if let Some(window) = &mut self.window {
            window.record(now, failed);
        }
        if !failed {
            self.failures = 0;
            return None;
        }
        self.failures = self.failures.saturating_add(1);
        self.trips(now)
            .then(|| self.open(TransitionReason::Failures, now, open_for))
            .flatten()
    }

    /// Whether it has seen enough.
    fn trips(&self, now: u64) -> bool {
        match (self.rules.trips, &self.window) {
            (Trips::Rate { ratio, minimum, .. }, Some(window)) => {
                let (calls, failures) = window.calls_and_failures(now);
                calls >= u64::from(minimum) && failures as f64 >= ratio * calls as f64
            }
            (Trips::Rate { minimum, .. }, None) => self.failures >= minimum,
            (Trips::Consecutive(threshold), _) => self.failures >= threshold,
        }
    }

    /// The outcome of a probe.
    fn judge(&mut self, outcome: Outcome, now: u64, open_for: u64) -> Option<Change> {
        match outcome {
            Outcome::Ignored => None,
            // Of whichever event: it was let through after that.
            Outcome::Failure(_) => self.open(TransitionReason::ProbeFailed, now, open_for),
            Outcome::Success => {
                self.successes += 1;
                (self.successes >= self.rules.successes)
                    .then(|| self.turn(BreakerState::Closed, TransitionReason::ProbesSucceeded))
                    .flatten()
            }
        }
    }

    /// A place for a probe, if one is free. One whose probe has taken too long is.
    fn probe(&mut self, now: u64) -> Option<Ticket> {
        self.probes.retain(|probe| now < probe.until);
        if self.probes.len() >= self.rules.probes {
            return None;
        }
        self.last_probe = self.last_probe.checked_add(1).unwrap_or(1);
        self.probes.push(Probe {
            id: self.last_probe,
            until: now.saturating_add(self.rules.probe_time),
        });
        Some(self.ticket(self.last_probe))
    }

    fn ticket(&self, probe: u32) -> Ticket {
        Ticket {
            epoch: self.epoch,
            probe,
        }
    }

    fn open(&mut self, reason: TransitionReason, now: u64, open_for: u64) -> Option<Change> {
        self.until = now.saturating_add(open_for);
        self.turn(BreakerState::Open, reason)
    }

    /// Begins an epoch: all that was counted, and all that is still under way, is of the one before.
    fn turn(&mut self, to: BreakerState, reason: TransitionReason) -> Option<Change> {
        self.epoch = self.epoch.wrapping_add(1);
        self.failures = 0;
        self.successes = 0;
        self.probes.clear();
        self.events = Events::default();
        if let Some(window) = &mut self.window {
            window.clear();
        }
        let from = std::mem::replace(&mut self.state, to);
        if from == to {
            return None;
        }
        self.changes += 1;
        Some(Change {
            from,
            to,
            reason,
            sequence: self.changes,
        })
    }
}

/// The latest events whose failures were counted.
#[derive(Debug, Default)]
struct Events {
    known: [Option<u64>; EVENTS],
    next: usize,
}

impl Events {
    /// Whether `event` was not there yet. It is now, in place of the oldest.
    fn is_new(&mut self, event: u64) -> bool {
        if self.known.contains(&Some(event)) {
            return false;
        }
        if let Some(place) = self.known.get_mut(self.next) {
            *place = Some(event);
        }
        self.next = (self.next + 1) % EVENTS;
        true
    }
}
