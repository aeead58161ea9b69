//! How long calls took.

use std::time::Duration;

/// Steps within each power of two, so a figure is right within 1.6%.
const STEPS: u64 = 64;
const STEP_BITS: u32 = STEPS.ilog2();

/// Counts by nanoseconds.
#[derive(Debug)]
pub(crate) struct Latencies {
    counts: Vec<u64>,
    all: u64,
}

impl Latencies {
    pub(crate) fn new() -> Self {
        Self {
            counts: vec![0; (STEPS * u64::from(u64::BITS)) as usize],
            all: 0,
        }
    }

    pub(crate) fn add(&mut self, time: Duration) {
        let place = place(time.as_nanos() as u64);
        if let Some(count) = self.counts.get_mut(place) {
            *count += 1;
            self.all += 1;
        }
    }

    pub(crate) fn clear(&mut self) {
        self.counts.fill(0);
        self.all = 0;
    }

    pub(crate) fn count(&self) -> u64 {
        self.all
    }

    /// In microseconds, what this share of all calls didn't take longer than; 0 where there is none.
    pub(crate) fn quantile(&self, share: f64) -> f64 {
        let wanted = (self.all as f64 * share).ceil().max(1.0) as u64;
        let mut passed = 0;
        for (place, count) in self.counts.iter().enumerate() {
            passed += count;
            if passed >= wanted {
                return value(place) as f64 / 1_000.0;
            }
        }
        0.0
    }
}

fn place(value: u64) -> usize {
    if value < STEPS {
        return value as usize;
    }
    let shift = value.ilog2() - STEP_BITS;
    (u64::from(shift + 1) * STEPS + (value >> shift) - STEPS) as usize
}

/// The least value that has this place.
fn value(place: usize) -> u64 {
    let place = place as u64;
    match (place / STEPS).checked_sub(1) {
        None | Some(0) => place,
        Some(shift) => (STEPS + place % STEPS) << shift,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_kept_within_a_step() {
        for exact in [
            0,
            1,
            63,
            64,
            65,
            127,
            128,
            129,
            1_000,
            123_456,
            1 << 40,
            3 << 50,
        ] {
            let kept = value(place(exact));
            assert!(
                kept <= exact && exact - kept <= exact / STEPS,
                "{exact}: {kept}"
            );
        }
    }

    #[test]
    fn quantiles_are_of_all_values() {
        let mut latencies = Latencies::new();
        for microseconds in 1..=1_000 {
            latencies.add(Duration::from_micros(microseconds));
        }
        for (share, exact) in [(0.5, 500.0), (0.9, 900.0), (0.99, 990.0), (0.0, 1.0)] {
            let found = latencies.quantile(share);
            assert!((exact - found).abs() <= exact / 50.0, "{share}: {found}");
        }
    }
}
