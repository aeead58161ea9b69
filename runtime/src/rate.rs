//! [`RateLimit`]: how often a method may be called.

use std::fmt;
use std::time::Duration;

/// The longest time in which what was used up may be there again: a hundred years. Beyond it, the
/// limiter's 64 bits of nanoseconds would not do.
#[cfg(feature = "server")]
const LONGEST: u128 = 100 * 365 * 24 * 3600 * 1_000_000_000;

/// How often one caller may call a method: so many calls in each period, and some more at once.
///
/// A caller who was quiet may make `requests` and `burst` calls at once; what is used up comes back
/// evenly, `requests` in each period. So in any time there are no more calls than `requests + burst`
/// and those that the rate gives for that time.
///
/// ```
/// use std::time::Duration;
/// use apibase::RateLimit;
///
/// let limit = RateLimit::new(100, Duration::from_secs(1)).burst(20);
/// assert_eq!(limit.to_string(), "100 calls in 1s, and 20 more at once");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RateLimit {
    requests: u32,
    per: Duration,
    burst: u32,
}

impl RateLimit {
    /// This many calls in each period `per`. Neither is 0: a server with such a limit doesn't start.
    #[must_use]
    pub const fn new(requests: u32, per: Duration) -> Self {
        Self {
            requests,
            per,
            burst: 0,
        }
    }

    /// The same, and this many more at once, saved up while there were none. Default: none.
    #[must_use]
    pub const fn burst(mut self, burst: u32) -> Self {
        self.burst = burst;
        self
    }

    /// How many calls a caller may make at once who was quiet.
    #[cfg(feature = "server")]
    pub(crate) fn at_once(self) -> u32 {
        self.requests.saturating_add(self.burst)
    }

    /// How long one call takes to come back. Rounded up, so that there are never too many.
    #[cfg(feature = "server")]
    pub(crate) fn spacing(self) -> Duration {
        let nanos = self.spacing_in_nanos();
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }

    /// What is wrong with it, so that it completes "it".
    #[cfg(feature = "server")]
    pub(crate) fn problem(self) -> Option<&'static str> {
        if self.requests == 0 {
            Some("has no calls, so that nobody could call; give it 1 at least")
        } else if self.per.is_zero() {
            Some("has a period of 0; give it a length, a second for example")
        } else if self.spacing_in_nanos() * u128::from(self.at_once()) > LONGEST {
            Some("takes more than a hundred years to come back; shorten the period or the burst")
        } else {
            None
        }
    }

    #[cfg(feature = "server")]
    fn spacing_in_nanos(self) -> u128 {
        let requests = u128::from(self.requests.max(1));
        self.per.as_nanos().div_ceil(requests).max(1)
    }
}

impl fmt::Display for RateLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let calls = if self.requests == 1 { "call" } else { "calls" };
        write!(f, "{} {calls} in {:?}", self.requests, self.per)?;
        match self.burst {
            0 => Ok(()),
            burst => write!(f, ", and {burst} more at once"),
        }
    }
}

#[cfg(test)]
#[cfg(feature = "server")]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn what_a_limit_saves_up_counts_at_once() {
        assert_eq!(RateLimit::new(3, SECOND).burst(2).at_once(), 5);
        assert_eq!(
            RateLimit::new(u32::MAX, SECOND).burst(2).at_once(),
            u32::MAX
        );
    }

    #[test]
    fn the_spacing_is_never_too_short() {
        let spacing = |requests, per| RateLimit::new(requests, per).spacing();
        assert_eq!(spacing(4, SECOND), SECOND / 4);
        assert_eq!(spacing(3, SECOND), Duration::from_nanos(333_333_334));
        let nano = Duration::from_nanos(1);
        assert_eq!(spacing(u32::MAX, nano), nano);
    }

    #[test]
    fn a_limit_that_cannot_be_kept_is_said() {
        let problem = |requests, per, burst| RateLimit::new(requests, per).burst(burst).problem();
        assert_eq!(problem(1, SECOND, 0), None);
        assert_eq!(problem(u32::MAX, SECOND, u32::MAX), None);
        assert!(problem(0, SECOND, 9).unwrap().contains("no calls"));
        assert!(problem(1, Duration::ZERO, 9).unwrap().contains("of 0"));
        for (per, burst) in [(Duration::MAX, u32::MAX), (SECOND * 86_400, u32::MAX)] {
            assert!(problem(1, per, burst).unwrap().contains("hundred years"));
        }
    }
}
