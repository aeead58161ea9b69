//! [`Load`]: what the connections of a server know of each other.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;

use tokio::runtime::Handle;

use super::gate::Counted;
use super::pace::Pace;

/// What the connections of a server know of each other.
#[derive(Debug)]
pub(in crate::server) struct Load {
    /// Connections that have something to do.
    busy: AtomicUsize,
    /// Threads that could do it.
    workers: usize,
    /// By the index of a method's route.
    paces: Box<[Pace]>,
}

impl Load {
    /// For so many methods, on the runtime that this is called on.
    pub(in crate::server) fn new(methods: usize) -> Arc<Self> {
        let workers = Handle::try_current().map_or(1, |runtime| runtime.metrics().num_workers());
        Arc::new(Self {
            busy: AtomicUsize::new(0),
            workers: workers.max(1),
            paces: (0..methods).map(|_| Pace::default()).collect(),
        })
    }

    /// None where a request found no method: it is refused, which is quick.
    pub(super) fn pace(&self, route: usize) -> Option<&Pace> {
        self.paces.get(route)
    }

    /// How many of `burst` replies are written before they are sent.
    ///
    /// A caller that waits for them does nothing meanwhile, and on a machine where it and we take turns
    /// that would cost more than the flush: so what is held back is a quarter of the work in
    /// sight, rounded up, the other connections that wait for this thread included.
    pub(super) fn replies_a_flush(&self, burst: usize) -> usize {
        let connections = (self.busy.load(Relaxed) / self.workers).max(1);
        burst.saturating_mul(connections).div_ceil(4)
    }
}

impl Counted for Arc<Load> {
    fn busier(&self) {
        self.busy.fetch_add(1, Relaxed);
    }

    fn idler(&self) {
        self.busy.fetch_sub(1, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering::Relaxed;

    use super::*;

    #[test]
    fn a_quarter_of_the_work_is_held_back() {
        let load = Load::new(0);
        load.busy.store(1, Relaxed);
        assert_eq!(
            [1, 4, 5, 8, 64].map(|n| load.replies_a_flush(n)),
            [1, 1, 2, 2, 16]
        );
        load.busy.store(8, Relaxed);
        assert_eq!([1, 2, 8].map(|n| load.replies_a_flush(n)), [2, 4, 16]);
    }
}
