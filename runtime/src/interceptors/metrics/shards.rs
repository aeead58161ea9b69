//! [`Shards`]: the same thing several times, so that threads that count don't wait for each other.

use std::cell::Cell;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// As many at most: beyond that, threads share.
const MOST: usize = 16;

/// The same thing as many times as the machine has cores. What was counted is in all of them together.
///
/// Adding to what another core has just added to waits for its cache, longer than all else that is done
/// to count a call.
#[derive(Debug)]
pub(super) struct Shards<T> {
    first: Box<Apart<T>>,
    others: Box<[Apart<T>]>,
}

/// Two of these share no cache line, nor what is fetched with one.
#[derive(Debug)]
#[repr(align(128))]
struct Apart<T>(T);

impl<T> Shards<T> {
    pub(super) fn new(mut make: impl FnMut() -> T) -> Self {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        Self {
            first: Box::new(Apart(make())),
            others: (1..cores.min(MOST)).map(|_| Apart(make())).collect(),
        }
    }

    /// That of this thread.
    #[inline]
    pub(super) fn own(&self) -> &T {
        let place = number() % (self.others.len() + 1);
        // The first has no place among the others.
        let other = self.others.get(place.wrapping_sub(1));
        &other.unwrap_or(&self.first).0
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &T> {
        let others = self.others.iter().map(|other| &other.0);
        std::iter::once(&self.first.0).chain(others)
    }
}

/// Which thread this is, of those that have counted.
#[inline]
fn number() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static OWN: Cell<usize> = const { Cell::new(usize::MAX) };
    }
    OWN.with(|own| {
        if own.get() == usize::MAX {
            own.set(NEXT.fetch_add(1, Ordering::Relaxed));
        }
        own.get()
    })
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicU64;

    use super::*;

    #[test]
    fn threads_count_apart_and_nothing_is_lost() {
        let shards = Shards::new(AtomicU64::default);
        thread::scope(|scope| {
            for _ in 0..MOST * 2 {
                scope.spawn(|| {
                    for _ in 0..100 {
                        shards.own().fetch_add(1, Ordering::Relaxed);
                    }
                });
            }
        });
        let counts: Vec<_> = shards
            .iter()
            .map(|shard| shard.load(Ordering::Relaxed))
            .collect();
        assert_eq!(counts.iter().sum::<u64>(), 100 * 2 * MOST as u64);
        assert!(counts.iter().all(|count| *count > 0), "{counts:?}");
    }
}
