//! [`Queue`]: lines on their way to the thread that writes them.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long the writer waits for more before it sleeps. While calls come one after the other, no call
/// has to wake it, and one write takes the lines of all that came meanwhile.
const LINGER: Duration = Duration::from_millis(10);

/// What lines may wait, where nobody says: what 100,000 calls a second leave in a tenth of one.
pub(super) const DEFAULT_CAPACITY: usize = 4 * 1024 * 1024;

/// Lines on their way to the thread that writes them: bytes one after the other, up to a limit. Who has
/// a line copies it in under a lock that nobody holds for longer than that, and never waits for the
/// writer: where there is no room, the line is lost and counted.
pub(super) struct Queue {
    state: Mutex<State>,
    /// Wakes the writer.
    wake: Condvar,
    /// Wakes who waits for the writer.
    settled: Condvar,
    /// In bytes.
    capacity: AtomicUsize,
    lost: AtomicU64,
}

struct State {
    lines: Vec<u8>,
    /// How many bytes were ever put in, and how many of those are dealt with: written, or lost.
    put: u64,
    settled: u64,
    /// Lines that were lost, and the log doesn't say so yet.
    untold: u64,
    writer: Writer,
    /// Somebody waits for the writer.
    is_urgent: bool,
    is_closed: bool,
}

/// What the writer does.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Writer {
    /// It waits for a first line.
    Sleeps,
    /// It waits a little for more lines.
    Lingers,
    /// It writes, or was woken.
    Works,
    /// There is none, or none any more.
    Gone,
}

/// What the writer has to do next.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Write what was taken, and say that this many lines were lost.
    Write {
        lost: u64,
    },
    Stop,
}

impl Queue {
    pub(super) fn new() -> Self {
        Self {
            state: Mutex::new(State {
                // All of it at once, so that no call grows it; what isn't used takes no memory.
                lines: Vec::with_capacity(DEFAULT_CAPACITY),
                put: 0,
                settled: 0,
                untold: 0,
                writer: Writer::Works,
                is_urgent: false,
                is_closed: false,
            }),
            wake: Condvar::new(),
            settled: Condvar::new(),
            capacity: AtomicUsize::new(DEFAULT_CAPACITY),
            lost: AtomicU64::new(0),
        }
    }

    pub(super) fn set_capacity(&self, bytes: usize) {
        self.capacity.store(bytes, Ordering::Relaxed);
        let mut state = self.state();
        let more = bytes.saturating_sub(state.lines.len());
        // What memory can't hold now is asked for when lines are there.
        let _ = state.lines.try_reserve(more);
    }

    /// Whether the writer has taken all.
    #[cfg(test)]
    pub(super) fn is_taken(&self) -> bool {
        self.state().lines.is_empty()
    }

    /// How many lines were lost until now.
    pub(super) fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }

    /// Puts a line in, if there is room.
    pub(super) fn put(&self, line: &[u8]) {
        let capacity = self.capacity.load(Ordering::Relaxed);
        let mut state = self.state();
        let size = state.lines.len() + line.len();
        if size > capacity || state.writer == Writer::Gone {
            state.untold += 1;
            drop(state);
            self.lost.fetch_add(1, Ordering::Relaxed);
            return;
        }
        state.lines.extend_from_slice(line);
        state.put += line.len() as u64;
        let wakes = match state.writer {
            Writer::Sleeps => true,
            Writer::Lingers => size > capacity / 2,
            Writer::Works | Writer::Gone => false,
        };
        if wakes {
            // So that nobody else wakes it.
            state.writer = Writer::Works;
        }
        drop(state);
        if wakes {
            self.wake.notify_one();
        }
    }

    /// Waits until all that is there now is written, no longer than `timeout`; whether it is.
    pub(super) fn flush(&self, timeout: Duration) -> bool {
        let state = self.state();
        self.wait(state, timeout)
    }

    /// No more lines come. Waits for the writer as [`flush`](Self::flush) does.
    pub(super) fn close(&self, timeout: Duration) {
        let mut state = self.state();
        state.is_closed = true;
        self.wait(state, timeout);
    }

    fn wait(&self, mut state: MutexGuard<'_, State>, timeout: Duration) -> bool {
        let until = Instant::now().checked_add(timeout);
        let goal = state.put;
        if state.writer != Writer::Gone {
            state.is_urgent = true;
            self.wake.notify_one();
        }
        while state.settled < goal {
            let left = until.map_or(timeout, |until| {
                until.saturating_duration_since(Instant::now())
            });
            if state.writer == Writer::Gone || left.is_zero() {
                return false;
            }
            let waited = self.settled.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }

    /// Takes all lines into `taken`, which is empty; waits for the first one.
    pub(super) fn take(&self, taken: &mut Vec<u8>) -> Next {
        let mut state = self.state();
        loop {
            if !state.lines.is_empty() || (state.is_closed && state.untold > 0) {
                std::mem::swap(&mut state.lines, taken);
                state.writer = Writer::Works;
                let lost = std::mem::take(&mut state.untold);
                return Next::Write { lost };
            }
            state.is_urgent = false;
            if state.is_closed {
                return Next::Stop;
            }
            state.writer = Writer::Sleeps;
            let woken = self.wake.wait(state);
            state = woken.unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// What was taken is dealt with; so many lines of it were lost, and so many that nobody was told of
    /// still are.
    pub(super) fn settle(&self, bytes: usize, lost: u64, untold: u64) {
        // Before, so that who has waited for the writer sees it.
        self.lost.fetch_add(lost, Ordering::Relaxed);
        let mut state = self.state();
        state.settled += bytes as u64;
        if !state.is_closed {
            state.untold += lost + untold;
        }
        drop(state);
        self.settled.notify_all();
    }

    /// Gives others the time to put more in, unless somebody waits.
    pub(super) fn linger(&self) {
        let mut state = self.state();
        if state.is_urgent || state.is_closed {
            return;
        }
        state.writer = Writer::Lingers;
        let woken = self.wake.wait_timeout(state, LINGER);
        let (mut state, _) = woken.unwrap_or_else(PoisonError::into_inner);
        state.writer = Writer::Works;
    }

    /// Whether no more lines come.
    pub(super) fn is_closed(&self) -> bool {
        self.state().is_closed
    }

    /// There is no writer any more: what is there is lost.
    pub(super) fn abandon(&self) {
        let mut state = self.state();
        state.writer = Writer::Gone;
        let lines = count_lines(&state.lines);
        state.lines.clear();
        drop(state);
        self.lost.fetch_add(lines, Ordering::Relaxed);
        self.settled.notify_all();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How many lines end in `bytes`.
pub(super) fn count_lines(bytes: &[u8]) -> u64 {
    bytes.iter().filter(|byte| **byte == b'\n').count() as u64
}
