//! [`Lane`]: what a connection and its streams share.

use std::sync::Arc;
use std::task::Waker;

use tokio::time::Instant;
use tokio_util::task::TaskTracker;

use super::gate::{Counted, Gate};
use super::hold::Hold;
use super::load::Load;
use super::pace::Pace;
use super::spawned::Spawned;

/// How long a connection waits for its streams, in nanoseconds.
const LONGEST_HOLD: u64 = 100_000;

/// What a connection and its streams share.
pub(super) struct Lane {
    pub(super) load: Arc<Load>,
    gate: Arc<Gate<Arc<Load>>>,
    hold: Hold,
    tracker: TaskTracker,
    opened: Instant,
}

/// What is known of a request when its stream is made.
#[derive(Clone, Copy)]
pub(in crate::server) struct Note {
    /// The index of its method's route.
    pub(in crate::server) route: usize,
    /// When its call has to be over.
    pub(in crate::server) deadline: Option<Instant>,
}

impl Default for Note {
    /// Of a request that is refused.
    fn default() -> Self {
        Self {
            route: usize::MAX,
            deadline: None,
        }
    }
}

impl Lane {
    pub(super) fn new(load: Arc<Load>, tracker: TaskTracker) -> Arc<Self> {
        Arc::new(Self {
            gate: Arc::new(Gate::ready(Arc::clone(&load))),
            load,
            hold: Hold::new(),
            tracker,
            opened: Instant::now(),
        })
    }

    pub(super) fn gate(&self) -> &Gate<Arc<Load>> {
        &self.gate
    }

    /// What wakes the connection.
    pub(super) fn waker(&self) -> Waker {
        Waker::from(Arc::clone(&self.gate))
    }

    pub(super) fn pace(&self, note: &Note) -> Option<&Pace> {
        self.load.pace(note.route)
    }

    pub(super) fn is_quick(&self, note: &Note) -> bool {
        self.pace(note).is_none_or(Pace::is_quick)
    }

    /// Gives a stream a task of its own.
    pub(super) fn spawn(
        self: &Arc<Self>,
        stream: impl Future<Output = ()> + Send + 'static,
        note: Note,
    ) {
        self.tracker
            .spawn(Spawned::new(stream, note, Arc::clone(self)));
    }

    /// Whether the connection waits for streams that are about to write.
    pub(super) fn holds(&self) -> bool {
        let limit = |burst| self.load.replies_a_flush(burst);
        self.hold
            .waits(LONGEST_HOLD, || self.nanos(Instant::now()), limit)
    }

    /// A stream with a task of its own was polled, and is at rest or over.
    pub(super) fn polled(&self, now: Instant) {
        if self.hold.polled(self.nanos(now)) {
            self.gate.wake();
        }
    }

    /// A stream with a task of its own is gone.
    pub(super) fn gone(&self, now: Instant) {
        if self.hold.gone(self.nanos(now)) {
            self.gate.wake();
        }
    }

    fn nanos(&self, now: Instant) -> u64 {
        let open = now.saturating_duration_since(self.opened);
        u64::try_from(open.as_nanos()).unwrap_or(u64::MAX)
    }
}

/// Streams are counted where their connection looks.
impl Counted for Arc<Lane> {
    fn busier(&self) {
        self.hold.busier();
    }

    fn idler(&self) {
        self.hold.idler();
    }
}
