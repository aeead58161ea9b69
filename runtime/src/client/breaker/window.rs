//! [`Window`]: how many calls of the last while there were, and how many of them failed.

/// In how many parts a window moves on.
const BUCKETS: u64 = 10;

/// The calls of the last while, counted in a ring of ten parts of it: what is older is forgotten, part
/// by part.
#[derive(Debug)]
pub(super) struct Window {
    /// How long one part is, in nanoseconds.
    width: u64,
    buckets: [Bucket; BUCKETS as usize],
}

/// The calls in one part of a window.
#[derive(Clone, Copy, Debug, Default)]
struct Bucket {
    /// Which part, counted from the beginning of time.
    tick: u64,
    calls: u64,
    failures: u64,
}

impl Window {
    /// The last `nanos` nanoseconds.
    pub(super) fn new(nanos: u64) -> Self {
        Self {
            width: (nanos / BUCKETS).max(1),
            buckets: Default::default(),
        }
    }

    /// A call has ended at `now`.
    pub(super) fn record(&mut self, now: u64, failed: bool) {
        let tick = now / self.width;
        let at = usize::try_from(tick % BUCKETS).unwrap_or_default();
        if let Some(bucket) = self.buckets.get_mut(at) {
            // Who was late to the lock must not bring back a part that is over.
            if bucket.tick < tick {
                *bucket = Bucket {
                    tick,
                    ..Bucket::default()
                };
            }
            bucket.calls += 1;
            bucket.failures += u64::from(failed);
        }
    }

    /// How many calls there were until `now`, and how many of them failed.
    pub(super) fn calls_and_failures(&self, now: u64) -> (u64, u64) {
        let tick = now / self.width;
        self.buckets
            .iter()
            .filter(|bucket| bucket.tick + BUCKETS > tick)
            .fold((0, 0), |(calls, failures), bucket| {
                (calls + bucket.calls, failures + bucket.failures)
            })
    }

    /// Forgets all calls.
    pub(super) fn clear(&mut self) {
        self.buckets = Default::default();
    }
}
