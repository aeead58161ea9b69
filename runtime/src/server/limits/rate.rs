//! [`Limiter`]: the rate limit of one method, for all its callers.

use std::time::Duration;

use governor::clock::Clock;
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::{Quota, RateLimiter};
use tokio::time::Instant;

use super::key::RateKey;
use super::keys::{Caller, Keys, MOST};
use crate::RateLimit;

/// How often the server looks for callers that can be forgotten.
pub(super) const SWEEP: Duration = Duration::from_secs(30);

/// The rate limit of one method, for all its callers.
#[derive(Debug)]
pub(in crate::server) struct Limiter {
    limit: RateLimit,
    calls: RateLimiter<Caller, Keys, TokioClock, NoOpMiddleware<Nanos>>,
    keys: Keys,
    key: Option<RateKey>,
}

impl Limiter {
    /// What keeps `limit` for each caller as `key` tells them apart; or what is wrong with the limit.
    pub(in crate::server) fn new(
        limit: RateLimit,
        key: Option<RateKey>,
    ) -> Result<Self, &'static str> {
        Self::with_keys(limit, key, Keys::new(MOST))
    }

    fn with_keys(limit: RateLimit, key: Option<RateKey>, keys: Keys) -> Result<Self, &'static str> {
        if let Some(problem) = limit.problem() {
            return Err(problem);
        }
        // Neither is 0, as there is no problem.
        let at_once = limit.at_once().try_into().map_err(|_| "has no calls")?;
        let quota = Quota::with_period(limit.spacing()).ok_or("has no period")?;
        let quota = quota.allow_burst(at_once);
        let calls = RateLimiter::new(quota, keys.clone(), TokioClock(Instant::now()));
        Ok(Self {
            limit,
            calls,
            keys,
            key,
        })
    }

    pub(super) fn key(&self) -> Option<&RateKey> {
        self.key.as_ref()
    }

    pub(in crate::server) fn limit(&self) -> RateLimit {
        self.limit
    }

    /// How many callers it knows now: those who have called lately.
    #[cfg(feature = "admin")]
    pub(in crate::server) fn callers(&self) -> usize {
        use governor::state::keyed::ShrinkableKeyedStateStore as _;

        self.keys.len()
    }

    /// Counts a call, or tells how long its caller has to wait for another try.
    pub(super) fn count(&self, caller: Caller) -> Result<(), Duration> {
        let outcome = self.calls.check_key(&caller);
        if self.keys.is_due() {
            self.sweep();
        }
        outcome.map_err(|until| until.wait_time_from(self.calls.clock().now()))
    }

    /// Forgets the callers whose calls are all back.
    pub(super) fn sweep(&self) {
        self.calls.retain_recent();
    }
}

/// tokio's clock, which tests can set: the time since the limiter was made.
#[derive(Clone, Debug)]
struct TokioClock(Instant);

impl Clock for TokioClock {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        // Enough for 584 years.
        Nanos::from(u64::try_from(self.0.elapsed().as_nanos()).unwrap_or(u64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use governor::state::keyed::ShrinkableKeyedStateStore;
    use tokio::time::{advance, sleep};

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn limiter(limit: RateLimit, most: usize) -> Limiter {
        Limiter::with_keys(limit, None, Keys::new(most)).unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn who_waits_as_long_as_told_is_taken() {
        let limiter = limiter(RateLimit::new(2, SECOND).burst(1), 9);
        let caller = Caller::Named(1);
        for _ in 0..3 {
            limiter.count(caller).unwrap();
        }
        for _ in 0..5 {
            let wait = limiter.count(caller).unwrap_err();
            assert_eq!(wait, SECOND / 2);
            advance(wait - Duration::from_nanos(1)).await;
            limiter.count(caller).unwrap_err();
            advance(Duration::from_nanos(1)).await;
            limiter.count(caller).unwrap();
        }
    }

    /// In any time there are no more calls of a caller than may be at once and the rate gives for that
    /// time, whatever the limit is and however callers come.
    #[tokio::test(start_paused = true)]
    async fn whatever_the_limit_it_is_kept_for_each_caller() {
        for seed in 0..256 {
            let mut random = fastrand::Rng::with_seed(seed);
            let (requests, burst) = (random.u32(1..20), random.u32(0..10));
            let per = Duration::from_micros(random.u64(1..5_000_000));
            let limiter = limiter(RateLimit::new(requests, per).burst(burst), 9);
            let mut taken = [const { Vec::new() }; 3];
            let started = Instant::now();
            for _ in 0..120 {
                advance(per.mul_f64(random.f64() * 0.2)).await;
                let caller = random.usize(0..3);
                if limiter.count(Caller::Named(caller as u64)).is_ok() {
                    taken[caller].push(started.elapsed().as_nanos());
                }
            }
            for taken in taken {
                for (first, from) in taken.iter().enumerate() {
                    for (last, to) in taken.iter().enumerate().skip(first) {
                        let beyond = (last - first + 1) as i128 - i128::from(requests + burst);
                        let earned = (to - from) * u128::from(requests);
                        let most = beyond.max(0) as u128 * per.as_nanos();
                        assert!(most <= earned, "seed {seed}: {taken:?}");
                    }
                }
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn who_keeps_to_the_rate_is_never_refused() {
        let limit = RateLimit::new(7, SECOND);
        let limiter = limiter(limit, 9);
        for _ in 0..1000 {
            limiter.count(Caller::Unknown).unwrap();
            advance(limit.spacing()).await;
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_refused_call_costs_nothing() {
        let limiter = limiter(RateLimit::new(1, SECOND), 9);
        limiter.count(Caller::Unknown).unwrap();
        for _ in 0..100 {
            assert_eq!(limiter.count(Caller::Unknown), Err(SECOND));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn newcomers_share_one_place_where_all_others_are_taken() {
        let limiter = limiter(RateLimit::new(1, SECOND * 10).burst(1), 4);
        for caller in 0..4 {
            limiter.count(Caller::Named(caller)).unwrap();
        }
        for newcomer in [4, 5] {
            limiter.count(Caller::Named(newcomer)).unwrap();
        }
        limiter.count(Caller::Named(6)).unwrap_err();
        limiter.count(Caller::Named(0)).unwrap();
        assert_eq!(limiter.keys.len(), 4, "no more than there may be");
    }

    #[tokio::test(start_paused = true)]
    async fn a_full_table_makes_room_once_calls_are_back() {
        let limiter = limiter(RateLimit::new(1, SECOND), 4);
        for caller in 0..5 {
            let _ = limiter.count(Caller::Named(caller));
        }
        advance(SECOND * 3).await;
        // Who comes first has it looked through, and shares a place this once.
        limiter.count(Caller::Named(10)).unwrap();
        assert_eq!(limiter.keys.len(), 0);
        for caller in 11..15 {
            limiter.count(Caller::Named(caller)).unwrap();
        }
        assert_eq!(limiter.keys.len(), 4);
    }

    #[tokio::test(start_paused = true)]
    async fn callers_who_come_once_are_forgotten_as_others_come() {
        let limiter = limiter(RateLimit::new(1, SECOND / 1000), MOST);
        for caller in 0..20_000 {
            limiter.count(Caller::Named(caller)).unwrap();
            if caller % 500 == 0 {
                sleep(SECOND).await;
            }
            assert!(limiter.keys.len() <= 2048, "{}", limiter.keys.len());
        }
        sleep(SECOND).await;
        limiter.sweep();
        assert!(limiter.keys.is_empty());
    }

    #[test]
    fn a_limit_that_cannot_be_kept_is_refused() {
        let new = |requests, per| Limiter::new(RateLimit::new(requests, per), None);
        new(0, SECOND).unwrap_err();
        new(1, Duration::ZERO).unwrap_err();
        new(u32::MAX, Duration::from_nanos(1)).unwrap();
    }
}
