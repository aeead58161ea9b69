//! [`Queue`]: calls that wait for a place on a connection.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::{Mutex, Notify};

/// The calls of a channel that wait for a place, first come, first served.
#[derive(Debug)]
pub(super) struct Queue {
    waiting: AtomicUsize,
    max: usize,
    /// Who waits looks for a place while it holds this, and it is had in the order of asking for it.
    pub(super) turn: Mutex<()>,
    /// Whose turn it is is told of each place that is freed.
    pub(super) freed: Notify,
    /// All are told of everything else: an endpoint became ready, or failed, or takes more calls.
    pub(super) changed: Notify,
}

/// One call that waits.
#[derive(Debug)]
pub(super) struct Waiting(Arc<Queue>);

impl Queue {
    /// For so many calls at most.
    pub(super) fn new(max: usize) -> Self {
        Self {
            waiting: AtomicUsize::new(0),
            max,
            turn: Mutex::new(()),
            freed: Notify::new(),
            changed: Notify::new(),
        }
    }

    /// Whether nobody waits, so that who comes needn't.
    pub(super) fn is_empty(&self) -> bool {
        self.waiting.load(Ordering::SeqCst) == 0
    }

    pub(super) fn max(&self) -> usize {
        self.max
    }

    /// Waits from now on, unless too many do.
    pub(super) fn enter(self: &Arc<Self>) -> Option<Waiting> {
        let entered = self
            .waiting
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |waiting| {
                (waiting < self.max).then_some(waiting + 1)
            });
        entered.ok().map(|_| Waiting(Arc::clone(self)))
    }

    /// A place is free.
    pub(super) fn freed(&self) {
        // Who waits has said so before it last looked for a place, and this place was freed before
        // this looks: one of both sees the other.
        if !self.is_empty() {
            self.freed.notify_one();
        }
    }

    /// Everybody should look again.
    pub(super) fn changed(&self) {
        self.changed.notify_waiters();
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::SeqCst);
    }
}
