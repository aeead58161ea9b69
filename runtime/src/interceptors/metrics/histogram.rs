//! [`Histogram`]: how long calls took, counted without a lock.
//!
//! prometheus-client's takes one for each observation, and gives exemplars only with a second one.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, SystemTime};

use super::family::{Exemplar, Snapshot};
use super::shards::Shards;

/// Where a request's duration falls: the buckets of the specification.
const REQUESTS: [u64; 14] = [
    5, 10, 25, 50, 75, 100, 250, 500, 750, 1_000, 2_500, 5_000, 7_500, 10_000,
];

/// Where a stream's does, in milliseconds: up to six hours.
const STREAMS: [u64; 14] = [
    10, 100, 500, 1_000, 5_000, 15_000, 30_000, 60_000, 300_000, 900_000, 1_800_000, 3_600_000,
    10_800_000, 21_600_000,
];

/// More buckets than that are left away: each is a series.
const MOST_BOUNDS: usize = 64;

/// The upper bounds of a histogram's buckets, from the least on; what is longer has one more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Bounds(Arc<[u64]>);

/// How long calls took.
#[derive(Debug)]
pub(super) struct Histogram {
    bounds: Bounds,
    shards: Shards<Cells>,
    /// One a bucket, the last; none as long as no call has a trace.
    exemplars: OnceLock<Box<[Mutex<Option<Exemplar>>]>>,
}

#[derive(Debug)]
struct Cells {
    /// The whole seconds of all, and what each had beyond those, in nanoseconds: numbers that a call adds to
    /// without a conversion.
    seconds: AtomicU64,
    nanos: AtomicU64,
    /// One a bucket, and not those below with it.
    counts: Box<[AtomicU64]>,
}

impl Bounds {
    pub(super) fn of_requests() -> Self {
        Self::new(REQUESTS.map(Duration::from_millis))
    }

    pub(super) fn of_streams() -> Self {
        Self::new(STREAMS.map(Duration::from_millis))
    }

    /// In whatever order, the same one more than once.
    pub(super) fn new(bounds: impl IntoIterator<Item = Duration>) -> Self {
        let mut bounds: Vec<_> = bounds.into_iter().map(nanos).collect();
        bounds.sort_unstable();
        bounds.dedup();
        // No duration is below zero.
        bounds.retain(|bound| *bound > 0);
        bounds.truncate(MOST_BOUNDS);
        Self(bounds.into())
    }

    /// The bucket of `elapsed`, counted from 0.
    fn bucket(&self, elapsed: u64) -> usize {
        // Most calls are quick, so this is quicker than halving.
        let found = self.0.iter().position(|bound| elapsed <= *bound);
        found.unwrap_or(self.0.len())
    }

    /// In seconds.
    pub(super) fn iter(&self) -> impl Iterator<Item = f64> {
        let bounds = self.0.iter();
        bounds.map(|bound| Duration::from_nanos(*bound).as_secs_f64())
    }
}

impl Histogram {
    pub(super) fn new(bounds: &Bounds) -> Self {
        let buckets = bounds.0.len() + 1;
        Self {
            bounds: bounds.clone(),
            shards: Shards::new(|| Cells {
                seconds: AtomicU64::default(),
                nanos: AtomicU64::default(),
                counts: (0..buckets).map(|_| AtomicU64::default()).collect(),
            }),
            exemplars: OnceLock::new(),
        }
    }

    /// A call has taken this long, in this trace.
    pub(super) fn observe(&self, elapsed: Duration, trace: Option<&str>) {
        let bucket = self.bounds.bucket(nanos(elapsed));
        let cells = self.shards.own();
        cells.add(|cells| cells.counts.get(bucket), 1);
        if elapsed.as_secs() > 0 {
            cells.add(|cells| Some(&cells.seconds), elapsed.as_secs());
        }
        cells.add(|cells| Some(&cells.nanos), elapsed.subsec_nanos().into());
        if let Some(trace) = trace {
            self.exemplify(bucket, elapsed.as_secs_f64(), trace);
        }
    }

    /// The bucket's exemplar is this, unless somebody else is at it: one is as good as the other, and
    /// nobody waits.
    fn exemplify(&self, bucket: usize, seconds: f64, trace: &str) {
        let Ok(trace_id) = trace.as_bytes().try_into() else {
            return;
        };
        let exemplars = self.exemplars.get_or_init(|| {
            let buckets = 0..=self.bounds.0.len();
            buckets.map(|_| Mutex::default()).collect()
        });
        if let Some(mut exemplar) = exemplars.get(bucket).and_then(|one| one.try_lock().ok()) {
            *exemplar = Some(Exemplar {
                trace_id,
                seconds,
                at: SystemTime::now(),
            });
        }
    }

    pub(super) fn snapshot(&self) -> Snapshot {
        let mut counts = vec![0_u64; self.bounds.0.len() + 1];
        let mut sum = Duration::ZERO;
        for cells in self.shards.iter() {
            sum = sum.saturating_add(cells.sum());
            for (count, cell) in counts.iter_mut().zip(&cells.counts) {
                *count += cell.load(Ordering::Relaxed);
            }
        }
        let exemplars = self.exemplars.get().map(|exemplars| {
            let copied = exemplars
                .iter()
                .map(|one| *one.lock().unwrap_or_else(PoisonError::into_inner));
            copied.collect()
        });
        Snapshot {
            bounds: self.bounds.iter().collect(),
            counts,
            sum: sum.as_secs_f64(),
            exemplars: exemplars.unwrap_or_default(),
        }
    }
}

impl Cells {
    fn sum(&self) -> Duration {
        let [seconds, nanos] =
            [&self.seconds, &self.nanos].map(|count| count.load(Ordering::Relaxed));
        Duration::from_secs(seconds).saturating_add(Duration::from_nanos(nanos))
    }
}

/// In nanoseconds, of which 64 bits hold 584 years.
fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

    fn millis(bounds: &[u64]) -> Bounds {
        Bounds::new(bounds.iter().copied().map(Duration::from_millis))
    }

    #[test]
    fn bounds_are_in_order_without_repeats_and_few() {
        assert_eq!(millis(&[50, 5, 0, 50]), millis(&[5, 50]));
        let many: Vec<_> = (1..1000).collect();
        assert_eq!(millis(&many).iter().count(), MOST_BOUNDS);
    }

    #[test]
    fn the_buckets_are_those_of_the_specification() {
        let bounds: Vec<_> = Bounds::of_requests().iter().collect();
        let specified = [
            0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0,
        ];
        assert_eq!(bounds, specified);
    }

    #[test]
    fn a_bucket_takes_what_is_as_long_as_its_bound() {
        let histogram = Histogram::new(&millis(&[5, 50]));
        for micros in [0, 5_000, 5_001, 50_000, 50_001, 9_000_000] {
            histogram.observe(Duration::from_micros(micros), None);
        }
        let seen = histogram.snapshot();
        assert_eq!(seen.counts, [2, 2, 2]);
        assert!((seen.sum - 9.110_002).abs() < 1e-9, "{}", seen.sum);
        assert!(seen.exemplars.is_empty());
    }

    #[test]
    fn a_bucket_keeps_its_last_trace() {
        let histogram = Histogram::new(&millis(&[5, 50]));
        let other = "0af7651916cd43dd8448eb211c80319c";
        histogram.observe(Duration::from_millis(1), Some(TRACE));
        histogram.observe(Duration::from_millis(2), Some(other));
        histogram.observe(Duration::from_millis(9), Some("no trace"));
        histogram.observe(Duration::from_secs(9), Some(TRACE));
        let seen = histogram.snapshot();
        let of = |bucket: usize| {
            let exemplar: Option<Exemplar> = seen.exemplars[bucket];
            exemplar.map(|exemplar| (exemplar.trace().to_owned(), exemplar.seconds))
        };
        assert_eq!(of(0), Some((other.to_owned(), 0.002)));
        assert_eq!(of(1), None);
        assert_eq!(of(2), Some((TRACE.to_owned(), 9.0)));
    }

    #[test]
    fn nobody_waits_for_an_exemplar() {
        let histogram = Histogram::new(&millis(&[5]));
        histogram.observe(Duration::ZERO, Some(TRACE));
        let held = histogram.exemplars.get().unwrap()[0].lock().unwrap();
        histogram.observe(Duration::from_millis(1), Some(TRACE));
        assert_eq!(held.unwrap().seconds, 0.0);
        drop(held);
        assert_eq!(histogram.snapshot().counts, [2, 0]);
    }
}
