//! [`Backoff`]: how long to wait before the next try.

use std::time::Duration;

/// Waits that grow: the n-th is `base · multiplier^(n−1)`, at most `max`, times a random number from
/// 0.8 to 1.2 (gRFC A6), so that clients which failed together don't come back together. Jitter
/// comes last, so a wait may be a fifth longer than `max`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Backoff {
    base: Duration,
    multiplier: f64,
    max: Duration,
    /// How many waits there were.
    waits: u32,
}

impl Backoff {
    /// The first wait is `base`, each further one `multiplier` times as long, none longer than `max`,
    /// but for jitter. A multiplier below 1 counts as 1: waits don't shrink.
    pub(super) fn new(base: Duration, multiplier: f64, max: Duration) -> Self {
        Self {
            base,
            // NaN too is 1.
            multiplier: multiplier.max(1.0),
            max,
            waits: 0,
        }
    }

    /// Between tries to connect, to resolve a name, to watch a server's health: gRPC's
    /// connection-backoff.md.
    #[cfg(feature = "client")]
    pub(super) fn connecting() -> Self {
        Self::new(Duration::from_secs(1), 1.6, Duration::from_secs(120))
    }

    /// The next wait.
    pub(super) fn next(&mut self) -> Duration {
        self.waits = self.waits.saturating_add(1);
        self.delay(self.waits)
    }

    /// The next wait is the first one again.
    pub(super) fn reset(&mut self) {
        self.waits = 0;
    }

    /// The `n`-th wait, counted from 1. Random numbers are drawn here and nowhere else: who never
    /// waits never draws one.
    pub(super) fn delay(&self, n: u32) -> Duration {
        scaled(self.unjittered(n), 0.8 + 0.4 * fastrand::f64())
    }

    /// The `n`-th wait without jitter.
    fn unjittered(&self, n: u32) -> Duration {
        let exponent = i32::try_from(n.saturating_sub(1)).unwrap_or(i32::MAX);
        // Infinite from some exponent on, which nothing is scaled to but zero.
        scaled(self.base, self.multiplier.powi(exponent)).min(self.max)
    }
}

/// `duration` times `factor`, or the longest duration that there is.
fn scaled(duration: Duration, factor: f64) -> Duration {
    if duration.is_zero() {
        return Duration::ZERO;
    }
    Duration::try_from_secs_f64(duration.as_secs_f64() * factor).unwrap_or(Duration::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASE: Duration = Duration::from_secs(1);
    const MAX: Duration = Duration::from_secs(30);

    fn built_in() -> Backoff {
        Backoff::new(BASE, 2.0, MAX)
    }

    /// Whether `wait` is `exact`, give or take a fifth and what a float rounds.
    fn is_about(wait: Duration, exact: f64) -> bool {
        let wait = wait.as_secs_f64();
        let rounding = 2e-9 + exact * 1e-9;
        wait >= exact * 0.8 - rounding && wait <= exact * 1.2 + rounding
    }

    #[test]
    fn rule_02_waits_double_to_their_maximum_and_jitter_may_exceed_it() {
        let backoff = built_in();
        for (n, exact) in [
            (1, 1.0),
            (2, 2.0),
            (3, 4.0),
            (5, 16.0),
            (6, 30.0),
            (7, 30.0),
        ] {
            for _ in 0..100 {
                let wait = backoff.delay(n);
                assert!(is_about(wait, exact), "{n}: {wait:?}");
            }
        }
        let longest = (0..1000).map(|_| backoff.delay(9)).max().unwrap();
        assert!(longest > MAX && longest <= MAX.mul_f64(1.2), "{longest:?}");
    }

    #[test]
    fn rule_02_three_retries_wait_less_than_eight_and_a_half_seconds_in_all() {
        for _ in 0..100 {
            let mut backoff = built_in();
            let all: Duration = (0..3).map(|_| backoff.next()).sum();
            assert!(all <= Duration::from_millis(8400), "{all:?}");
        }
    }

    #[test]
    fn rule_02_the_thousandth_wait_and_the_last_one_overflow_nothing() {
        for multiplier in [1.0, 2.0, 1e300, f64::INFINITY] {
            for base in [Duration::ZERO, Duration::from_nanos(1), BASE, Duration::MAX] {
                for max in [Duration::ZERO, MAX, Duration::MAX] {
                    let backoff = Backoff::new(base, multiplier, max);
                    for n in [0, 1, 1000, u32::MAX] {
                        let wait = backoff.delay(n);
                        assert!(wait <= scaled(max, 1.21), "{base:?} {multiplier} {n}");
                        assert_eq!(wait.is_zero(), base.is_zero() || max.is_zero());
                    }
                }
            }
        }
    }

    #[test]
    fn a_multiplier_that_would_shrink_waits_counts_as_one() {
        for multiplier in [0.0, 0.5, -3.0, f64::NAN] {
            assert_eq!(Backoff::new(BASE, multiplier, MAX).unjittered(9), BASE);
        }
    }

    #[test]
    fn after_a_reset_the_first_wait_comes_again() {
        let mut backoff = built_in();
        for _ in 0..4 {
            backoff.next();
        }
        assert!(is_about(backoff.next(), 16.0));
        backoff.reset();
        assert!(is_about(backoff.next(), 1.0));
        assert!(is_about(backoff.next(), 2.0));
    }

    #[test]
    fn jitter_is_spread_over_its_whole_range() {
        // Ten parts of 0.04: with 2,000 draws none stays empty, but once in 10^90.
        let backoff = built_in();
        let mut parts = [0_u32; 10];
        for _ in 0..2000 {
            let of_base = backoff.delay(1).as_secs_f64();
            parts[(((of_base - 0.8) / 0.04) as usize).min(9)] += 1;
        }
        assert!(parts.iter().all(|part| *part > 100), "{parts:?}");
    }

    #[cfg(feature = "testing")]
    mod properties {
        use proptest::prelude::*;

        use super::*;

        proptest! {
            #![proptest_config(ProptestConfig::with_cases(512))]

            #[test]
            fn property_07_waits_follow_exponential_backoff_with_base_and_maximum(
                base in 1_u64..20_000_000_000,
                thousandths in 1000_u32..10_000,
                max in 1_u64..300_000_000_000,
                n in 1_u32..1000,
            ) {
                let multiplier = f64::from(thousandths) / 1000.0;
                let (base, max) = (Duration::from_nanos(base), Duration::from_nanos(max));
                let mut backoff = Backoff::new(base, multiplier, max);
                // By multiplying as often as there were waits, to have it from another side.
                let mut exact = base.as_secs_f64();
                let mut last = Duration::ZERO;
                for at in 1..=n.min(60) {
                    let wait = backoff.next();
                    let bound = exact.min(max.as_secs_f64());
                    prop_assert!(is_about(wait, bound), "{at}: {wait:?}, not about {bound} s");
                    prop_assert!(backoff.unjittered(at) >= last, "waits don't shrink");
                    last = backoff.unjittered(at);
                    exact *= multiplier;
                }
                prop_assert!(backoff.delay(n) <= max.mul_f64(1.2) + Duration::from_nanos(2));
                backoff.reset();
                let first = base.min(max).as_secs_f64();
                prop_assert!(is_about(backoff.next(), first));
            }
        }
    }
}
