//! [`InFlight`]: the calls that run, for the person who asks what holds a server up.

use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::clock;
use crate::context::Peer;
use crate::{Context, Method};

/// Tables side by side, so that calls of different connections seldom wait for each other.
const TABLES: usize = 16;

/// The calls that run on a server.
#[derive(Debug, Default)]
pub(crate) struct InFlight {
    tables: [Arc<Table>; TABLES],
    next: AtomicUsize,
}

/// The calls that run on some of its connections.
#[derive(Debug, Default)]
pub(crate) struct Table(Mutex<Places>);

/// Places for calls; those that are free are used again, so that a table has no more of them than
/// there ever were calls at once.
#[derive(Debug, Default)]
struct Places {
    all: Vec<Option<Entry>>,
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

/// A call that is in a table, until this is dropped.
#[derive(Debug)]
pub(crate) struct Running {
    table: Arc<Table>,
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
    /// Where the calls of a further connection are put. Always in the same table, which its threads have at
    /// hand.
    pub(crate) fn table(&self) -> Arc<Table> {
        let next = self.next.fetch_add(1, Ordering::Relaxed) % TABLES;
        self.tables.get(next).cloned().unwrap_or_default()
    }

    /// Those that run now, the oldest first.
    pub(crate) fn list(&self) -> Vec<CallInFlight> {
        let mut all = Vec::new();
        for table in &self.tables {
            all.extend(table.places().all.iter().flatten().filter_map(Entry::seen));
        }
        all.sort_by_key(|call| std::cmp::Reverse(call.age));
        all
    }

    /// The oldest ones, at most `most` of them, and how many there are. However many run, no table is
    /// locked for longer than it takes to read when they started, and to copy so many out.
    #[cfg(feature = "admin")]
    pub(crate) fn oldest(&self, most: usize) -> (Vec<CallInFlight>, usize) {
        let (mut oldest, mut running) = (Vec::new(), 0);
        for table in &self.tables {
            let places = table.places();
            let mut entries: Vec<_> = places.all.iter().flatten().collect();
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
}

impl Table {
    /// Puts a call in.
    pub(crate) fn start(self: &Arc<Self>, context: Context) -> Running {
        let entry = Entry {
            context,
            started: clock::recent(),
        };
        Running {
            place: self.places().put(entry),
            table: Arc::clone(self),
        }
    }

    fn places(&self) -> MutexGuard<'_, Places> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Places {
    fn put(&mut self, entry: Entry) -> usize {
        if let Some(place) = self.free.pop()
            && let Some(slot) = self.all.get_mut(place)
        {
            *slot = Some(entry);
            return place;
        }
        self.all.push(Some(entry));
        self.all.len() - 1
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
        let mut places = self.table.places();
        let entry = places.all.get_mut(self.place).and_then(Option::take);
        if entry.is_some() {
            places.free.push(self.place);
        }
        // What a context holds is dropped when nobody waits for the table.
        drop(places);
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
        let calls = InFlight::default();
        let old = calls.table().start(call(Some(Duration::from_secs(9))));
        tokio::time::advance(Duration::from_secs(2)).await;
        let ctx = call(None);
        let new = calls.table().start(ctx.clone());
        ctx.phase().set(Phase::Replying);
        let listed = calls.list();
        let ages: Vec<_> = listed.iter().map(|call| call.age.as_secs()).collect();
        assert_eq!(ages, [2, 0]);
        assert_eq!(listed[0].remaining, Some(Duration::from_secs(7)));
        assert_eq!(listed[0].correlation_id.as_deref(), Some("c-1"));
        assert_eq!(
            [listed[0].phase, listed[1].phase],
            [Phase::Working, Phase::Replying]
        );
        drop(old);
        assert_eq!(calls.list().len(), 1);
        drop(new);
        assert!(calls.list().is_empty());
    }

    #[cfg(feature = "admin")]
    #[tokio::test(start_paused = true)]
    async fn of_many_the_oldest_are_listed_and_all_are_counted() {
        let calls = InFlight::default();
        let tables: Vec<_> = (0..3).map(|_| calls.table()).collect();
        let mut running = Vec::new();
        for call_number in 0..100 {
            running.push(tables[call_number % 3].start(call(None)));
            tokio::time::advance(Duration::from_secs(1)).await;
        }
        let (oldest, count) = calls.oldest(7);
        let ages: Vec<_> = oldest.iter().map(|call| call.age.as_secs()).collect();
        assert_eq!((ages, count), (vec![100, 99, 98, 97, 96, 95, 94], 100));
        drop(running);
        assert_eq!(calls.oldest(7).1, 0);
    }

    #[test]
    fn places_are_used_again() {
        let table = Arc::<Table>::default();
        for _ in 0..1000 {
            let running: Vec<_> = (0..9).map(|_| table.start(call(None))).collect();
            drop(running);
        }
        assert_eq!(table.places().all.len(), 9);
    }

    #[test]
    fn connections_are_spread_over_the_tables() {
        let calls = InFlight::default();
        let tables: Vec<_> = (0..TABLES * 2).map(|_| calls.table()).collect();
        let (first, second) = tables.split_at(TABLES);
        assert!(!Arc::ptr_eq(&first[0], &first[1]));
        for (one, other) in first.iter().zip(second) {
            assert!(Arc::ptr_eq(one, other));
        }
    }
}
