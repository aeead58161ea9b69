//! [`Shards`]: the same counts several times, so that threads that count don't wait for each other.

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::thread;

/// As many threads at most count alone.
const MOST: usize = 16;

/// The same counts for each of the first threads that count, twice as many as the machine has cores, and
/// once more for all others. What was counted is in all of them together.
///
/// Adding to what another core has just added to waits for its cache, longer than all else that is done
/// to count a call; and what one thread alone writes takes no locked instruction.
#[derive(Debug)]
pub(super) struct Shards<T> {
    alone: Box<[Apart<T>]>,
    others: Box<Apart<T>>,
}

/// Two of these share no cache line, nor what is fetched with one.
#[derive(Debug)]
#[repr(align(128))]
struct Apart<T>(T);

/// The counts that a thread adds to.
pub(super) struct Shard<'a, T> {
    counts: &'a T,
    /// Whether no other thread does.
    is_alone: bool,
}

impl<T> Shards<T> {
    pub(super) fn new(mut make: impl FnMut() -> T) -> Self {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        Self {
            alone: (0..MOST.min(cores * 2)).map(|_| Apart(make())).collect(),
            others: Box::new(Apart(make())),
        }
    }

    /// That of this thread.
    #[inline]
    pub(super) fn own(&self) -> Shard<'_, T> {
        let alone = self.alone.get(number());
        Shard {
            counts: &alone.unwrap_or(&self.others).0,
            is_alone: alone.is_some(),
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &T> {
        let alone = self.alone.iter().map(|alone| &alone.0);
        alone.chain(std::iter::once(&self.others.0))
    }
}

impl<T> Shard<'_, T> {
    /// Adds to one of the counts, if there is that one.
    #[inline]
    pub(super) fn add<'t>(&'t self, which: impl FnOnce(&'t T) -> Option<&'t AtomicU64>, more: u64) {
        let Some(count) = which(self.counts) else {
            return;
        };
        if self.is_alone {
            let sum = count.load(Ordering::Relaxed).wrapping_add(more);
            count.store(sum, Ordering::Relaxed);
        } else {
            count.fetch_add(more, Ordering::Relaxed);
        }
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
    use super::*;

    #[test]
    fn threads_count_apart_and_nothing_is_lost() {
        let shards = Shards::new(AtomicU64::default);
        thread::scope(|scope| {
            for _ in 0..MOST * 3 {
                scope.spawn(|| {
                    for _ in 0..1000 {
                        shards.own().add(Some, 1);
                    }
                });
            }
        });
        let counts = shards.iter().map(|shard| shard.load(Ordering::Relaxed));
        assert_eq!(counts.sum::<u64>(), 1000 * 3 * MOST as u64);
        // There are more threads than can count alone.
        assert!(shards.others.0.load(Ordering::Relaxed) > 0);
    }

    #[test]
    fn a_thread_that_counts_alone_loses_nothing_to_who_reads() {
        let shards = Shards::new(AtomicU64::default);
        let own = Shard {
            counts: &shards.alone[0].0,
            is_alone: true,
        };
        for more in 1..=3 {
            own.add(Some, more);
        }
        own.add(|_| None, 1);
        assert_eq!(shards.alone[0].0.load(Ordering::Relaxed), 6);
    }
}
