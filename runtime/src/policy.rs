//! What a proto says of how clients call: retries, hedging, breakers. Generated code writes it into
//! [`Method`](crate::Method)s.

use std::fmt;
use std::time::Duration;

use crate::Code;

/// When a client sends a request again (gRFC A6). What is unset is the client's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RetryPolicy {
    max_attempts: u32,
    initial_backoff: Option<Duration>,
    max_backoff: Option<Duration>,
    multiplier: Option<Thousandths>,
    attempt_timeout: Option<Duration>,
    codes: CodeSet,
}

/// When a client sends a request again before it has an answer (gRFC A6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct HedgingPolicy {
    max_attempts: u32,
    delay: Duration,
    non_fatal: CodeSet,
}

/// When a client stops calling for a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct BreakerPolicy {
    threshold: u32,
    timeout: Option<Duration>,
    rate: Option<FailureRate>,
    probes: u32,
}

/// Which part of the calls may fail. What is unset is the client's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct FailureRate {
    pub(crate) ratio: Thousandths,
    pub(crate) minimum: Option<u32>,
    pub(crate) window: Option<Duration>,
}

/// When a client stops retrying (gRFC A6): each failure takes a token, each success gives a part of
/// one back, and at half of them or less nothing is retried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RetryThrottle {
    max_tokens: Thousandths,
    token_ratio: Thousandths,
}

/// A set of status codes.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct CodeSet(u32);

/// A number with three decimals, as gRFC A6 has it for ratios; so policies can be compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Thousandths(u32);

impl RetryPolicy {
    /// Sends a request up to `max_attempts` times, the first one included, and tries UNAVAILABLE
    /// again. No method is tried more than five times.
    #[must_use]
    pub const fn up_to(max_attempts: u32) -> Self {
        Self {
            max_attempts,
            initial_backoff: None,
            max_backoff: None,
            multiplier: None,
            attempt_timeout: None,
            codes: CodeSet::of(&[Code::Unavailable]),
        }
    }

    /// Waits this long before the second attempt.
    #[must_use]
    pub const fn initial_backoff(mut self, backoff: Duration) -> Self {
        self.initial_backoff = Some(backoff);
        self
    }

    /// Waits no longer than this, but for jitter.
    #[must_use]
    pub const fn max_backoff(mut self, backoff: Duration) -> Self {
        self.max_backoff = Some(backoff);
        self
    }

    /// Each wait is this many times as long as the one before; at least 1.
    #[must_use]
    pub const fn multiplier(mut self, multiplier: f64) -> Self {
        self.multiplier = Some(Thousandths::new(multiplier));
        self
    }

    /// Gives up an attempt after this time, and makes the next one.
    #[must_use]
    pub const fn attempt_timeout(mut self, timeout: Duration) -> Self {
        self.attempt_timeout = Some(timeout);
        self
    }

    /// Tries these codes again, in place of UNAVAILABLE alone.
    #[must_use]
    pub const fn codes(mut self, codes: &[Code]) -> Self {
        self.codes = CodeSet::of(codes);
        self
    }

    pub(crate) fn parts(self) -> RetryParts {
        RetryParts {
            max_attempts: self.max_attempts,
            initial_backoff: self.initial_backoff,
            max_backoff: self.max_backoff,
            multiplier: self.multiplier.map(Thousandths::get),
            attempt_timeout: self.attempt_timeout,
            codes: self.codes,
        }
    }
}

/// What a [`RetryPolicy`] says.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RetryParts {
    pub(crate) max_attempts: u32,
    pub(crate) initial_backoff: Option<Duration>,
    pub(crate) max_backoff: Option<Duration>,
    pub(crate) multiplier: Option<f64>,
    pub(crate) attempt_timeout: Option<Duration>,
    pub(crate) codes: CodeSet,
}

impl HedgingPolicy {
    /// Sends a request up to `max_attempts` times, the first one included, each `delay` after the
    /// one before. No method is tried more than five times.
    #[must_use]
    pub const fn up_to(max_attempts: u32, delay: Duration) -> Self {
        Self {
            max_attempts,
            delay,
            non_fatal: CodeSet::of(&[]),
        }
    }

    /// Goes on with the other attempts after these codes; any other ends the call.
    #[must_use]
    pub const fn non_fatal(mut self, codes: &[Code]) -> Self {
        self.non_fatal = CodeSet::of(codes);
        self
    }

    /// The same with no more attempts than this.
    pub(crate) const fn capped(mut self, max_attempts: u32) -> Self {
        if self.max_attempts > max_attempts {
            self.max_attempts = max_attempts;
        }
        self
    }

    /// How often a request is sent at most.
    #[must_use]
    pub const fn max_attempts(&self) -> u32 {
        self.max_attempts
    }

    /// The wait between two attempts.
    #[must_use]
    pub const fn delay(&self) -> Duration {
        self.delay
    }

    /// The codes after which the other attempts go on.
    #[must_use]
    pub const fn non_fatal_codes(&self) -> CodeSet {
        self.non_fatal
    }
}

impl BreakerPolicy {
    /// Opens after `threshold` failures in a row.
    #[must_use]
    pub const fn after(threshold: u32) -> Self {
        Self {
            threshold,
            timeout: None,
            rate: None,
            probes: 1,
        }
    }

    /// Opens when at least `ratio` of the calls that ended within the last while have failed. The ratio
    /// is from 0 to 1 and has three decimals.
    ///
    /// Failures that have successes between them open it too, and calls that go well are counted: each
    /// of them takes a lock, which those of [`after`](Self::after) don't.
    #[must_use]
    pub const fn at_rate(ratio: f64) -> Self {
        Self {
            threshold: 0,
            timeout: None,
            rate: Some(FailureRate {
                ratio: Thousandths::new(ratio),
                minimum: None,
                window: None,
            }),
            probes: 1,
        }
    }

    /// Doesn't open [at a rate](Self::at_rate) as long as fewer calls than this have ended within the
    /// window. Default: the client's.
    #[must_use]
    pub const fn minimum_calls(mut self, calls: u32) -> Self {
        if let Some(rate) = &mut self.rate {
            rate.minimum = Some(calls);
        }
        self
    }

    /// Counts the calls that ended within this time for [its rate](Self::at_rate). Default: the
    /// client's.
    #[must_use]
    pub const fn window(mut self, window: Duration) -> Self {
        if let Some(rate) = &mut self.rate {
            rate.window = Some(window);
        }
        self
    }

    /// Lets so many calls through at once to see. Default: 1, and 0 is as 1.
    #[must_use]
    pub const fn probes(mut self, probes: u32) -> Self {
        self.probes = probes;
        self
    }

    /// Lets a call through to see after this time; less than a millisecond is as a millisecond. Default:
    /// the client's.
    #[must_use]
    pub const fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    pub(crate) const fn threshold(self) -> u32 {
        self.threshold
    }

    pub(crate) const fn open_for(self) -> Option<Duration> {
        self.timeout
    }

    /// What opens it in place of the threshold.
    pub(crate) const fn rate(self) -> Option<FailureRate> {
        self.rate
    }

    pub(crate) const fn probes_at_once(self) -> u32 {
        self.probes
    }
}

impl RetryThrottle {
    /// `max_tokens` are there at the start, more than 0 and at most 1000; a success gives
    /// `token_ratio` of one back. Both have three decimals, the rest is dropped.
    #[must_use]
    pub const fn new(max_tokens: f64, token_ratio: f64) -> Self {
        Self {
            max_tokens: Thousandths::new(max_tokens),
            token_ratio: Thousandths::new(token_ratio),
        }
    }

    pub(crate) const fn of(max_tokens: Thousandths, token_ratio: Thousandths) -> Self {
        Self {
            max_tokens,
            token_ratio,
        }
    }

    pub(crate) const fn parts(self) -> (Thousandths, Thousandths) {
        (self.max_tokens, self.token_ratio)
    }

    /// Tokens at the start, in thousandths.
    pub(crate) const fn max_millitokens(self) -> u32 {
        self.max_tokens.0
    }

    /// What a success gives back, in thousandths of a token.
    pub(crate) const fn millitokens_a_success(self) -> u32 {
        self.token_ratio.0
    }
}

impl CodeSet {
    /// These codes.
    #[must_use]
    #[allow(
        clippy::indexing_slicing,
        reason = "`get` is not const; the index is below the length by the loop's condition"
    )]
    pub const fn of(codes: &[Code]) -> Self {
        let mut bits = 0;
        let mut at = 0;
        while at < codes.len() {
            bits |= 1 << (codes[at] as u32);
            at += 1;
        }
        Self(bits)
    }

    /// Whether `code` is one of them.
    #[must_use]
    pub const fn contains(self, code: Code) -> bool {
        self.0 & (1 << (code as u32)) != 0
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }
}

impl fmt::Debug for CodeSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let codes = (0..=16).map(Code::from_i32);
        f.debug_set()
            .entries(codes.filter(|code| self.contains(*code)))
            .finish()
    }
}

impl Thousandths {
    /// So many of them.
    pub(crate) const fn of(thousandths: u32) -> Self {
        Self(thousandths)
    }

    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a float's cast saturates, and what is below zero is zero"
    )]
    pub(crate) const fn new(value: f64) -> Self {
        // Half of a thousandth, so that 0.3 is not 0.299.
        Self((value * 1000.0 + 0.000_5) as u32)
    }

    pub(crate) fn get(self) -> f64 {
        f64::from(self.0) / 1000.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_decimals_are_kept() {
        for value in [0.0, 0.001, 0.1, 0.3, 1.0, 1.3, 1.6, 2.0, 1000.0] {
            assert!((Thousandths::new(value).get() - value).abs() < 1e-9);
        }
        assert_eq!(Thousandths::new(-1.0).get(), 0.0);
        assert_eq!(Thousandths::new(0.0019), Thousandths::new(0.001));
    }

    #[test]
    fn a_set_has_the_codes_that_it_is_made_of() {
        let set = CodeSet::of(&[Code::Unavailable, Code::Unauthenticated]);
        assert!(set.contains(Code::Unavailable) && set.contains(Code::Unauthenticated));
        assert!(!set.contains(Code::Ok) && !set.is_empty());
        assert_eq!(format!("{set:?}"), "{Unavailable, Unauthenticated}");
    }
}
