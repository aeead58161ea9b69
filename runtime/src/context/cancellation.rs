//! The one event of a call: that it is over.

use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::Notify;

/// Set once, seen by all who wait.
#[derive(Debug, Default)]
pub(super) struct Cancellation {
    over: AtomicBool,
    notify: Notify,
}

impl Cancellation {
    pub(super) fn cancel(&self) {
        if !self.over.swap(true, Ordering::SeqCst) {
            self.notify.notify_waiters();
        }
    }

    pub(super) fn is_cancelled(&self) -> bool {
        self.over.load(Ordering::SeqCst)
    }

    pub(super) async fn cancelled(&self) {
        // Registered before the flag is read, so that a cancel in between is not missed.
        let notified = self.notify.notified();
        if !self.is_cancelled() {
            notified.await;
        }
    }
}
