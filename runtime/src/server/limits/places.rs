//! [`Places`]: how many calls may run at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// So many places, some of them taken. One atomic: no call waits for another one here.
#[derive(Debug)]
pub(in crate::server) struct Places {
    taken: AtomicUsize,
    max: usize,
}

/// A place that is taken, until this is dropped.
#[derive(Debug)]
pub(in crate::server) struct Taken(Arc<Places>);

impl Places {
    pub(in crate::server) fn new(max: usize) -> Arc<Self> {
        Arc::new(Self {
            taken: AtomicUsize::new(0),
            max,
        })
    }

    pub(in crate::server) fn max(&self) -> usize {
        self.max
    }

    /// How many are taken now.
    #[cfg(feature = "admin")]
    pub(in crate::server) fn taken(&self) -> usize {
        self.taken.load(Ordering::Relaxed)
    }

    /// A place, if there is one. Who gets none has never held one either: nobody is refused because
    /// of somebody else who was.
    pub(in crate::server) fn take(self: &Arc<Self>) -> Option<Taken> {
        // A count and nothing else: no other memory is ordered by it.
        self.taken
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |taken| {
                (taken < self.max).then_some(taken + 1)
            })
            .ok()
            .map(|_| Taken(Arc::clone(self)))
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        self.0.taken.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    #[test]
    fn there_are_as_many_places_as_said() {
        let places = Places::new(2);
        let taken = [(); 2].map(|()| places.take().unwrap());
        assert!(places.take().is_none());
        drop(taken);
        assert!(places.take().is_some());
        assert!(Places::new(0).take().is_none());
    }

    #[test]
    fn threads_never_take_more_than_there_are_and_leave_none_taken() {
        let (places, most) = (Places::new(3), AtomicUsize::new(0));
        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..10_000 {
                        let taken = places.take();
                        most.fetch_max(places.taken.load(Ordering::Relaxed), Ordering::Relaxed);
                        drop(taken);
                    }
                });
            }
        });
        assert!((1..=3).contains(&most.into_inner()));
        assert_eq!(places.taken.load(Ordering::Relaxed), 0);
    }
}
