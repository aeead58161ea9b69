//! [`Hold`]: how long a connection waits with its flush for streams that are about to write.

use std::sync::PoisonError;

use super::sync::{Mutex, MutexGuard};

/// What a connection and those of its streams that have tasks of their own know of each other.
///
/// A handler that awaited something wakes its stream, the stream writes and wakes the connection. If
/// others have been woken with it, the connection would flush once for each; so it holds its flush
/// until some more have been polled.
pub(super) struct Hold(Mutex<State>);

#[derive(Default)]
struct State {
    /// Streams that have something to do. Each of them will be polled or dropped, and then tells so.
    busy: usize,
    /// Streams that were polled since the last flush.
    polled: usize,
    /// How many of those the connection waits for; 0 if it doesn't.
    wanted: usize,
    /// When it stops waiting for them, in nanoseconds of the connection's own clock.
    until: u64,
}

impl Hold {
    pub(super) fn new() -> Self {
        Self(Mutex::new(State::default()))
    }

    /// One stream more has something to do.
    pub(super) fn busier(&self) {
        self.state().busy += 1;
    }

    /// One stream less has.
    pub(super) fn idler(&self) {
        let mut state = self.state();
        state.busy = state.busy.saturating_sub(1);
    }

    /// Whether the connection should wait for its streams, for this long at most. `limit` says for how
    /// many of so many.
    ///
    /// After `true` somebody wakes the connection: the stream that ends the wait.
    pub(super) fn waits(
        &self,
        longest: u64,
        now: impl FnOnce() -> u64,
        limit: impl FnOnce(usize) -> usize,
    ) -> bool {
        let mut state = self.state();
        if state.busy > 0 {
            let now = now();
            if state.wanted == 0 {
                state.until = now.saturating_add(longest);
            }
            state.wanted = limit(state.busy + state.polled).max(1);
            if !state.is_over(now) {
                return true;
            }
        }
        // It flushes.
        state.wanted = 0;
        state.polled = 0;
        false
    }

    /// A stream was polled, and is counted as it is now. Whether it has to wake the connection.
    pub(super) fn polled(&self, now: u64) -> bool {
        let mut state = self.state();
        state.polled += 1;
        state.is_over(now)
    }

    /// A stream is gone that was to be polled. Whether it has to wake the connection.
    pub(super) fn gone(&self, now: u64) -> bool {
        self.state().is_over(now)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Whether the connection waits, and has to no longer.
    fn is_over(&self, now: u64) -> bool {
        self.wanted > 0 && (self.polled >= self.wanted || self.busy == 0 || now >= self.until)
    }
}
