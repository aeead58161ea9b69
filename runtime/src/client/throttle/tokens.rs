//! [`Throttle`]: how many tokens there are.

use super::sync::{AtomicU32, Ordering};

/// One token, in thousandths: ratios have three decimals.
const TOKEN: u32 = 1000;

/// The retry throttle of a target (gRFC A6): each retryable failure takes a token, each success gives
/// a part of one back, and at half of them or less nothing is retried.
///
/// All methods of a target share one. A success where no token is missing writes nothing, so that
/// calls which go well share the cache line and nothing else.
#[derive(Debug)]
pub(crate) struct Throttle {
    /// What is there, in thousandths of a token.
    tokens: AtomicU32,
    max: u32,
    ratio: u32,
}

impl Throttle {
    /// `max` tokens are there at the start and at most; a success gives `ratio` of one back. Both are
    /// in thousandths of a token.
    pub(crate) fn new(max: u32, ratio: u32) -> Self {
        Self {
            tokens: AtomicU32::new(max),
            max,
            ratio,
        }
    }

    /// An attempt failed in a way that would be retried, or the server asked not to come back. Whether
    /// it may be retried, as far as the throttle goes.
    pub(crate) fn failed(&self) -> bool {
        let mut now = self.tokens.load(Ordering::Relaxed);
        loop {
            let left = now.saturating_sub(TOKEN);
            match self.exchange(now, left) {
                Ok(()) => return self.allows(left),
                Err(other) => now = other,
            }
        }
    }

    /// An attempt has succeeded.
    pub(crate) fn succeeded(&self) {
        let mut now = self.tokens.load(Ordering::Relaxed);
        while now < self.max {
            let more = now.saturating_add(self.ratio).min(self.max);
            match self.exchange(now, more) {
                Ok(()) => return,
                Err(other) => now = other,
            }
        }
    }

    /// Whether there are enough tokens for another attempt, a hedged one for example.
    pub(crate) fn has_tokens(&self) -> bool {
        self.allows(self.tokens.load(Ordering::Relaxed))
    }

    /// What is there, in thousandths of a token.
    #[cfg(test)]
    pub(crate) fn millitokens(&self) -> u32 {
        self.tokens.load(Ordering::Relaxed)
    }

    /// More than half of all, without losing the half of an odd number.
    fn allows(&self, tokens: u32) -> bool {
        tokens > self.max - tokens.min(self.max)
    }

    /// The count is all that is shared, so no order with other memory is needed.
    fn exchange(&self, from: u32, to: u32) -> Result<(), u32> {
        if from == to {
            return Ok(());
        }
        self.tokens
            .compare_exchange_weak(from, to, Ordering::Relaxed, Ordering::Relaxed)
            .map(drop)
    }
}
