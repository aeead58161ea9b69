//! What a process holds.

use std::time::Duration;

use tokio::runtime::Handle;
use tokio::time::{Instant, sleep};

use super::servicer::running;

/// How far the heap may be from where it was.
const HEAP: u64 = 64 * 1024;
/// How often it is looked at.
const STEP: Duration = Duration::from_millis(100);

/// What a process holds at a moment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Level {
    /// Bytes that are allocated and not freed.
    heap: u64,
    descriptors: usize,
    tasks: usize,
    /// Calls that a servicer works on.
    calls: usize,
}

impl Level {
    /// The level once nothing has changed for a while; where that doesn't come within `time`, the level
    /// then.
    pub(crate) async fn at_first(time: Duration) -> Self {
        Self::once(time, |now, earlier| {
            now.counts() == earlier.counts() && now.heap == earlier.heap
        })
        .await
    }

    /// The level as soon as all counts are those of this one and the heap rests; where it doesn't come to
    /// that within `time`, the level then.
    pub(crate) async fn at_rest(&self, time: Duration) -> Self {
        Self::once(time, |now, earlier| {
            now.counts() == self.counts() && now.heap == earlier.heap
        })
        .await
    }

    pub(crate) fn assert_is(&self, before: &Self) {
        self.assert_has_as_many_as(before);
        assert!(
            self.heap <= before.heap + HEAP,
            "the heap has grown by {} bytes: {before:?} is now {self:?}",
            self.heap - before.heap
        );
    }

    /// All but the heap.
    pub(crate) fn assert_has_as_many_as(&self, before: &Self) {
        assert_eq!(self.counts(), before.counts(), "{before:?} is now {self:?}");
    }

    /// Looks until `rests` is true of what is now and what was a step earlier.
    async fn once(time: Duration, rests: impl Fn(&Self, &Self) -> bool) -> Self {
        let end = Instant::now() + time;
        let mut earlier = Self::now();
        loop {
            sleep(STEP).await;
            let now = Self::now();
            if rests(&now, &earlier) || Instant::now() > end {
                return now;
            }
            earlier = now;
        }
    }

    fn now() -> Self {
        Self {
            heap: bench_harness::counted().live,
            // One of them is that of the folder itself.
            descriptors: std::fs::read_dir("/proc/self/fd").unwrap().count() - 1,
            tasks: Handle::current().metrics().num_alive_tasks(),
            calls: running(),
        }
    }

    fn counts(&self) -> (usize, usize, usize) {
        (self.descriptors, self.tasks, self.calls)
    }
}
