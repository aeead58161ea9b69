//! [`Lane`]: what a connection and its streams share.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
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

/// A stream of a connection, from the request to the last trailer.
pub(super) type Stream = Pin<Box<dyn Future<Output = ()> + Send>>;

/// What a connection and its streams share.
pub(super) struct Lane {
    pub(super) load: Arc<Load>,
    gate: Arc<Gate<Arc<Load>>>,
    hold: Hold,
    /// Only the connection's own task takes it.
    queue: Mutex<Queue>,
    /// How many are in it, for its own task to read without the lock.
    queued: AtomicUsize,
    tracker: TaskTracker,
    opened: Instant,
}

#[derive(Default)]
struct Queue {
    /// The one that is next: who calls once at a time needs no more room than this.
    first: Option<Queued>,
    /// Those behind it.
    others: VecDeque<Queued>,
}

impl Queue {
    fn len(&self) -> usize {
        usize::from(self.first.is_some()) + self.others.len()
    }

    fn push(&mut self, queued: Queued) {
        if self.first.is_none() {
            self.first = Some(queued);
        } else {
            self.others.push_back(queued);
        }
    }

    fn pop(&mut self) -> Option<Queued> {
        let others = &mut self.others;
        let next = self.first.take();
        self.first = others.pop_front();
        next
    }
}

/// A stream that was never polled.
pub(super) struct Queued {
    pub(super) stream: Stream,
    pub(super) note: Note,
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
            queue: Mutex::default(),
            queued: AtomicUsize::new(0),
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

    /// A new stream: it waits for the connection to poll it, or has a task of its own
    /// where its method may be slow.
    pub(super) fn take(
        self: &Arc<Self>,
        stream: impl Future<Output = ()> + Send + 'static,
        note: Note,
    ) {
        if self.is_quick(&note) {
            let stream = Box::pin(stream);
            let mut queue = self.queue();
            queue.push(Queued { stream, note });
            self.queued.store(queue.len(), Relaxed);
        } else {
            self.spawn(stream, note);
        }
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

    pub(super) fn queued(&self) -> usize {
        self.queued.load(Relaxed)
    }

    pub(super) fn next(&self) -> Option<Queued> {
        let mut queue = self.queue();
        let next = queue.pop();
        self.queued.store(queue.len(), Relaxed);
        next
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

    /// The connection is gone: nobody polls what is queued, which holds this.
    pub(super) fn close(&self) {
        self.gate.close();
        let queue = std::mem::take(&mut *self.queue());
        drop(queue);
    }

    fn nanos(&self, now: Instant) -> u64 {
        let open = now.saturating_duration_since(self.opened);
        u64::try_from(open.as_nanos()).unwrap_or(u64::MAX)
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
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
