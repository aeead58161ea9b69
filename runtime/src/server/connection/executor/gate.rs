//! [`Gate`]: a waker that knows what it wakes.

use std::sync::{Arc, PoisonError};
use std::task::{Wake, Waker};

use super::sync::{Mutex, MutexGuard};

/// Stands between a future and the task that polls it.
///
/// Who wakes a future that is being polled only says so, and the task decides what that means: a
/// stream that writes wakes its connection, and the connection that polls it knows already. And all
/// that have something to do are counted, so that others can tell whether to wait for them.
pub(super) struct Gate<C> {
    state: Mutex<State>,
    counted: C,
}

/// Where a [`Gate`] is counted while there is something to do.
pub(super) trait Counted {
    /// One more has something to do.
    fn busier(&self);

    /// One has nothing more to do.
    fn idler(&self);
}

struct State {
    phase: Phase,
    /// The task's own waker, of its last poll.
    task: Option<Waker>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Nothing to do until somebody wakes it: not counted.
    Idle,
    /// Woken, and not polled yet.
    Ready,
    /// Being polled.
    Polling,
    /// Being polled, and woken meanwhile.
    Woken,
    /// Never polled again: not counted.
    Closed,
}

impl<C: Counted> Gate<C> {
    /// Of a future that nobody has to wake for its first poll: it is counted from now on.
    pub(super) fn ready(counted: C) -> Self {
        counted.busier();
        let state = State {
            phase: Phase::Ready,
            task: None,
        };
        Self {
            state: Mutex::new(state),
            counted,
        }
    }

    /// The task polls: whoever wakes from now on is heard by [`rest`](Self::rest).
    pub(super) fn start(&self, task: &Waker) {
        let mut state = self.state();
        if !state.task.as_ref().is_some_and(|own| own.will_wake(task)) {
            state.task = Some(task.clone());
        }
        // A task can be polled though nobody woke it here: it may wait for more than this.
        if state.phase == Phase::Idle {
            self.counted.busier();
        }
        state.phase = Phase::Polling;
    }

    /// The task polls on: it sees what it was woken for so far.
    pub(super) fn poll(&self) {
        self.state().phase = Phase::Polling;
    }

    /// There is nothing more to do; `false` if somebody has woken it since it was polled, and it has
    /// to be polled again.
    pub(super) fn rest(&self) -> bool {
        let mut state = self.state();
        let rests = state.phase == Phase::Polling;
        if rests {
            state.phase = Phase::Idle;
            self.counted.idler();
        }
        rests
    }

    /// There is more to do, after others had their turn.
    pub(super) fn again(&self) {
        let mut state = self.state();
        state.phase = Phase::Ready;
        wake(state);
    }

    /// It is never polled again.
    pub(super) fn close(&self) {
        let mut state = self.state();
        if !matches!(state.phase, Phase::Idle | Phase::Closed) {
            self.counted.idler();
        }
        state.phase = Phase::Closed;
        let task = state.task.take();
        // What a waker holds is dropped when nobody waits for this.
        drop(state);
        drop(task);
    }

    pub(super) fn wake(&self) {
        let mut state = self.state();
        match state.phase {
            Phase::Idle => {
                state.phase = Phase::Ready;
                self.counted.busier();
                wake(state);
            }
            Phase::Polling => state.phase = Phase::Woken,
            Phase::Ready | Phase::Woken | Phase::Closed => {}
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Wakes the task, once nobody waits for the gate: a waker may do anything.
fn wake(state: MutexGuard<'_, State>) {
    let task = state.task.clone();
    drop(state);
    if let Some(task) = task {
        task.wake();
    }
}

impl<C: Counted + Send + Sync + 'static> Wake for Gate<C> {
    fn wake(self: Arc<Self>) {
        Self::wake(&self);
    }

    fn wake_by_ref(self: &Arc<Self>) {
        Self::wake(self);
    }
}
