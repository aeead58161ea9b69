//! [`Shared`]: a [`Machine`] that many ask at once.

use std::sync::PoisonError;

use super::machine::{BreakerState, Change, Machine, Outcome, Rules, Ticket};
use super::sync::{AtomicU64, Mutex, MutexGuard, Ordering};

/// A [`Machine`] behind a lock, and beside it what most need to know of it, in two words that are
/// written only under that lock.
///
/// A call that is let through and succeeds while nothing is wrong reads one word twice and writes
/// nothing, and one that is rejected takes no lock.
#[derive(Debug)]
pub(super) struct Shared {
    /// A [`Word`].
    word: AtomicU64,
    /// Until when no call is let through, if none is now. Written before `word`, so who has read that
    /// has this or a later one.
    shut_until: AtomicU64,
    machine: Mutex<Machine>,
}

/// No call is let through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rejected {
    /// For how long, in nanoseconds, as far as is known.
    pub(super) wait: Option<u64>,
}

/// The epoch in the upper half; below it the state, and whether successes have to be heard.
#[derive(Clone, Copy)]
struct Word(u64);

impl Shared {
    pub(super) fn new(rules: Rules) -> Self {
        let machine = Machine::new(rules);
        Self {
            word: AtomicU64::new(Word::of(&machine).0),
            shut_until: AtomicU64::new(machine.shut_until()),
            machine: Mutex::new(machine),
        }
    }

    pub(super) fn state(&self) -> BreakerState {
        self.word().state()
    }

    /// Lets a call through, or doesn't. The clock is read only if that matters.
    #[inline]
    pub(super) fn admit(
        &self,
        now: impl FnOnce() -> u64,
    ) -> Result<(Ticket, Option<Change>), Rejected> {
        let word = self.word();
        match word.is_let_through() {
            true => Ok((word.ticket(), None)),
            false => self.admit_slowly(word, now()),
        }
    }

    /// A ticket for what is let through already, if all are.
    pub(super) fn ticket(&self) -> Option<Ticket> {
        let word = self.word();
        word.is_let_through().then(|| word.ticket())
    }

    fn admit_slowly(&self, seen: Word, now: u64) -> Result<(Ticket, Option<Change>), Rejected> {
        let shut_until = self.shut_until.load(Ordering::Relaxed);
        if now < shut_until {
            return Err(Rejected::of(seen.state(), shut_until, now));
        }
        self.step(|machine| {
            let (ticket, change) = machine.admit(now);
            match ticket {
                Some(ticket) => Ok((ticket, change)),
                None => Err(Rejected::of(machine.state(), machine.shut_until(), now)),
            }
        })
    }

    /// A call that was let through has ended. Clock and `open_for` are asked only if that matters.
    #[inline]
    pub(super) fn settle(
        &self,
        ticket: Ticket,
        outcome: Outcome,
        now: impl FnOnce() -> u64,
        open_for: impl FnOnce() -> u64,
    ) -> Option<Change> {
        let word = self.word();
        let matters = word.epoch() == ticket.epoch
            && match outcome {
                Outcome::Success => word.hears_successes(),
                Outcome::Failure(_) => word.state() != BreakerState::ForcedClosed,
                // It gives its place back.
                Outcome::Ignored => ticket.probe != 0,
            };
        matters
            .then(|| {
                let (now, open_for) = (now(), open_for());
                self.step(|machine| machine.settle(ticket, outcome, now, open_for))
            })
            .flatten()
    }

    /// Goes to `state`, whatever it was in.
    pub(super) fn force(&self, state: BreakerState) -> Option<Change> {
        self.step(|machine| machine.force(state))
    }

    fn step<R>(&self, step: impl FnOnce(&mut Machine) -> R) -> R {
        let mut machine = self.machine();
        let result = step(&mut machine);
        self.shut_until
            .store(machine.shut_until(), Ordering::Relaxed);
        // Releases what is above.
        self.word.store(Word::of(&machine).0, Ordering::Release);
        result
    }

    /// Keeps everybody waiting who needs the lock.
    #[cfg(test)]
    pub(super) fn hold(&self) -> MutexGuard<'_, Machine> {
        self.machine()
    }

    fn machine(&self) -> MutexGuard<'_, Machine> {
        self.machine.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn word(&self) -> Word {
        Word(self.word.load(Ordering::Acquire))
    }
}

impl Rejected {
    fn of(state: BreakerState, until: u64, now: u64) -> Self {
        // Half open, a probe may end at any time; forced open, nobody knows.
        let known = state == BreakerState::Open && until != u64::MAX;
        Self {
            wait: known.then(|| until.saturating_sub(now)),
        }
    }
}

impl Word {
    const HEARS: u64 = 1;
    const STATE_SHIFT: u32 = 1;
    const STATE_MASK: u64 = 0b111;
    const EPOCH_SHIFT: u32 = 32;

    fn of(machine: &Machine) -> Self {
        let state: u64 = match machine.state() {
            BreakerState::Closed => 0,
            BreakerState::ForcedClosed => 1,
            BreakerState::Open => 2,
            BreakerState::HalfOpen => 3,
            BreakerState::ForcedOpen => 4,
        };
        let epoch = u64::from(machine.epoch());
        let hears = u64::from(machine.hears_successes());
        Self((epoch << Self::EPOCH_SHIFT) | (state << Self::STATE_SHIFT) | (hears * Self::HEARS))
    }

    fn state(self) -> BreakerState {
        match (self.0 >> Self::STATE_SHIFT) & Self::STATE_MASK {
            0 => BreakerState::Closed,
            1 => BreakerState::ForcedClosed,
            2 => BreakerState::Open,
            3 => BreakerState::HalfOpen,
            _ => BreakerState::ForcedOpen,
        }
    }

    fn is_let_through(self) -> bool {
        matches!(
            self.state(),
            BreakerState::Closed | BreakerState::ForcedClosed
        )
    }

    fn hears_successes(self) -> bool {
        self.0 & Self::HEARS != 0
    }

    fn epoch(self) -> u32 {
        (self.0 >> Self::EPOCH_SHIFT) as u32
    }

    /// For a call that is no probe.
    fn ticket(self) -> Ticket {
        Ticket {
            epoch: self.epoch(),
            probe: 0,
        }
    }
}
