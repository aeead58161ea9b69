//! [`InFlight`]: the calls that run, for the person who asks what holds a server up.

use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::clock;
use crate::context::Peer;
use crate::{Context, Method};

/// Tables side by side, so that calls of different connections seldom wait for each other.
const SHARDS: usize = 16;

/// The calls that run on a server.
#[derive(Debug, Default)]
pub(crate) struct InFlight {
    shards: [Mutex<Shard>; SHARDS],
    next: AtomicUsize,
}

/// Places for calls; those that are free are used again, so that a table has no more of them than
/// there ever were calls at once.
#[derive(Debug, Default)]
struct Shard {
    places: Vec<Option<Entry>>,
    free: Vec<usize>,
}

#[derive(Debug)]
struct Entry {
    context: Context,
    started: Instant,
}

/// What a call is at. Part of its context, so that the table is left alone when it changes.
#[derive(Debug, Default)]
pub(crate) struct AtomicPhase(AtomicU8);

impl AtomicPhase {
    const ALL: [Phase; 3] = [Phase::Working, Phase::Replying, Phase::Detached];

    pub(crate) fn set(&self, phase: Phase) {
        self.0.store(phase as u8, Ordering::Relaxed);
    }

    fn get(&self) -> Phase {
        let phase = usize::from(self.0.load(Ordering::Relaxed));
        Self::ALL.get(phase).copied().unwrap_or(Phase::Working)
    }
}

/// A call that is in the table, until this is dropped.
#[derive(Debug)]
pub(crate) struct Running {
    table: Arc<InFlight>,
    shard: usize,
    place: usize,
}

/// A call that runs, as it was when somebody asked.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct CallInFlight {
    /// The RPC.
    pub method: Method,
    /// Who calls.
    pub peer: Option<Peer>,
    /// Since when it runs.
    pub age: Duration,
    /// How long it may go on: zero if its time is over, `None` if it may take for ever.
    pub remaining: Option<Duration>,
    /// What it is at.
    pub phase: Phase,
    /// Ties it to the log lines of whoever called.
    pub correlation_id: Option<String>,
    /// The trace that it belongs to, if there is one: 32 lower-case hexadecimal digits.
    pub trace_id: Option<String>,
}

/// What a call is at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Phase {
    /// Its servicer has not answered yet.
    Working,
    /// Its servicer has answered, and the replies are on their way.
    Replying,
    /// Its caller has gone, and its servicer works on: the method is `detached`.
    Detached,
}

impl InFlight {
    /// Puts a call in.
    pub(crate) fn start(self: &Arc<Self>, context: Context) -> Running {
        let shard = self.next.fetch_add(1, Ordering::Relaxed) % SHARDS;
        let entry = Entry {
            context,
            started: clock::recent(),
        };
        let place = self.shard(shard).map_or(0, |mut shard| shard.put(entry));
        Running {
            table: Arc::clone(self),
            shard,
            place,
        }
    }

    /// Those that run now, the oldest first.
    pub(crate) fn list(&self) -> Vec<CallInFlight> {
        let mut all = Vec::new();
        for shard in 0..SHARDS {
            let Some(shard) = self.shard(shard) else {
                continue;
            };
            all.extend(shard.places.iter().flatten().filter_map(Entry::seen));
        }
        all.sort_by_key(|call| std::cmp::Reverse(call.age));
        all
    }

    /// The oldest ones, at most `most` of them, and how many there are. However many run, no table is
    /// locked for longer than it takes to read when they started, and to copy so many out.
    #[cfg(feature = "admin")]
    pub(crate) fn oldest(&self, most: usize) -> (Vec<CallInFlight>, usize) {
        let (mut oldest, mut running) = (Vec::new(), 0);
        for shard in 0..SHARDS {
            let Some(shard) = self.shard(shard) else {
                continue;
            };
            let mut entries: Vec<_> = shard.places.iter().flatten().collect();
            running += entries.len();
            if entries.len() > most {
                entries.select_nth_unstable_by_key(most, |entry| entry.started);
                entries.truncate(most);
            }
            oldest.extend(entries.into_iter().filter_map(Entry::seen));
        }
        oldest.sort_by_key(|call| std::cmp::Reverse(call.age));
        oldest.truncate(most);
        (oldest, running)
    }

    fn shard(&self, shard: usize) -> Option<MutexGuard<'_, Shard>> {
        let shard = self.shards.get(shard)?;
        Some(shard.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Shard {
    fn put(&mut self, entry: Entry) -> usize {
        if let Some(place) = self.free.pop()
            && let Some(slot) = self.places.get_mut(place)
        {
            *slot = Some(entry);
            return place;
        }
        self.places.push(Some(entry));
        self.places.len() - 1
    }
}

impl Entry {
    fn seen(&self) -> Option<CallInFlight> {
        Some(CallInFlight {
            method: *self.context.method()?,
            peer: self.context.peer().cloned(),
            age: self.started.elapsed(),
            remaining: self.context.remaining(),
            phase: self.context.phase().get(),
            correlation_id: self.context.correlation_id().map(str::to_owned),
            trace_id: self.context.trace_id().map(str::to_owned),
        })
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let Some(mut shard) = self.table.shard(self.shard) else {
            return;
        };
        let entry = shard.places.get_mut(self.place).and_then(Option::take);
        if entry.is_some() {
            shard.free.push(self.place);
        }
        // What a context holds is dropped when nobody waits for the table.
        drop(shard);
        drop(entry);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const METHOD: Method = Method::unary("/t.T/T");

    fn call(timeout: Option<Duration>) -> Context {
        let deadline = timeout.map(|timeout| Instant::now() + timeout);
        let mut metadata = crate::MetadataMap::new();
        metadata.insert("x-correlation-id", "c-1".parse().unwrap());
        Context::incoming(&METHOD, Some(Peer::Unix), metadata, deadline, None)
    }

    #[tokio::test(start_paused = true)]
    async fn those_that_run_are_listed_the_oldest_first() {
        let table = Arc::<InFlight>::default();
        let old = table.start(call(Some(Duration::from_secs(9))));
        tokio::time::advance(Duration::from_secs(2)).await;
        let ctx = call(None);
        let new = table.start(ctx.clone());
        ctx.phase().set(Phase::Replying);
        let listed = table.list();
        let ages: Vec<_> = listed.iter().map(|call| call.age.as_secs()).collect();
        assert_eq!(ages, [2, 0]);
        assert_eq!(listed[0].remaining, Some(Duration::from_secs(7)));
        assert_eq!(listed[0].correlation_id.as_deref(), Some("c-1"));
        assert_eq!(
            [listed[0].phase, listed[1].phase],
            [Phase::Working, Phase::Replying]
        );
        drop(old);
        assert_eq!(table.list().len(), 1);
        drop(new);
        assert!(table.list().is_empty());
    }

    #[cfg(feature = "admin")]
    #[tokio::test(start_paused = true)]
    async fn of_many_the_oldest_are_listed_and_all_are_counted() {
        let table = Arc::<InFlight>::default();
        let mut running = Vec::new();
        for _ in 0..100 {
            running.push(table.start(call(None)));
            tokio::time::advance(Duration::from_secs(1)).await;
        }
        let (oldest, count) = table.oldest(7);
        let ages: Vec<_> = oldest.iter().map(|call| call.age.as_secs()).collect();
        assert_eq!((ages, count), (vec![100, 99, 98, 97, 96, 95, 94], 100));
        drop(running);
        assert_eq!(table.oldest(7).1, 0);
    }

    #[test]
    fn places_are_used_again() {
        let table = Arc::<InFlight>::default();
        for _ in 0..1000 {
            let running: Vec<_> = (0..SHARDS * 2).map(|_| table.start(call(None))).collect();
            drop(running);
        }
        let places: usize = (0..SHARDS)
            .map(|shard| table.shard(shard).unwrap().places.len())
            .sum();
        assert_eq!(places, SHARDS * 2);
    }
}
