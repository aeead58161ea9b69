//! [`Effective`]: what holds for the calls of a method.
//!
//! Precedence: an operator's override, the call, code, the proto, the environment, the file, the default.
//! All but the call is known before it and is resolved once per method and target; what a call says for
//! itself is given to each function here, and who says nothing gets what is there.

mod said;

use std::fmt;
use std::num::NonZero;
use std::time::Duration;

use self::said::{Said, SaidBy};
use super::breaker::{BreakerMode, BreakerSettings};
use super::config::ClientSettings;
use crate::policy::{RetryParts, Thousandths};
use crate::{
    BreakerPolicy, Code, CodeSet, HedgingPolicy, Kind, Method, RetryPolicy, RetryThrottle,
};

/// How often a call is sent at most, whoever says what (gRFC A6).
const MAX_ATTEMPTS: u32 = 5;

/// What holds for the calls of a method to a target.
#[derive(Clone, Copy, Debug)]
pub(super) struct Effective {
    deadline: Deadline,
    retry: Retry,
    hedging: Option<HedgingPolicy>,
    /// None where nothing stops calls.
    pub(super) breaker: Option<BreakerSettings>,
    wait_for_ready: Said<bool>,
    max_message_size: Said<usize>,
}

/// How long a call may take, and who says so: `30s (the default of GRPC__CLIENT__DEFAULT_TIMEOUT)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Limit {
    pub(super) duration: Duration,
    pub(super) by: SaidBy,
}

/// When and how often a call is sent again.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct EffectiveRetry {
    /// With the first one; from 1 to 5 (rule 1).
    pub(super) max_attempts: u32,
    pub(super) base: Duration,
    pub(super) max: Duration,
    pub(super) multiplier: f64,
    pub(super) attempt_timeout: Option<Duration>,
    /// The statuses after which it is sent again, though a server may have acted on it (rule 5).
    pub(super) codes: CodeSet,
    /// Whether it may be sent again where nobody knows what a server has done.
    pub(super) may_repeat: bool,
}

impl Effective {
    pub(super) fn of(method: &Method, settings: &ClientSettings) -> Self {
        let retry = Retry::of(method, settings);
        Self {
            deadline: Deadline::of(method, settings),
            retry,
            hedging: method.hedging_policy(),
            breaker: breaker(method.breaker_policy(), settings),
            wait_for_ready: Said::of(&settings.wait_for_ready),
            max_message_size: Said::of(&settings.max_message_size),
        }
    }

    /// How long a call may take that says this itself: `Some(None)` is as long as it likes.
    pub(super) fn limit(&self, own: Option<Option<Duration>>) -> Option<Limit> {
        let said = self.deadline.said.or_call(own);
        // A stream that lasts as long as it likes is let be: a watch isn't a call that hangs.
        let is_endless = self.deadline.of_stream && said.value.is_none();
        let said = match self.deadline.over {
            Some(value) if !is_endless => Said {
                value,
                by: SaidBy::Override,
            },
            _ => said,
        };
        let by = said.by;
        said.value.map(|duration| Limit { duration, by })
    }

    /// When and how often a call is sent again that says this itself.
    pub(super) fn retry(&self, own: Option<RetryPolicy>) -> EffectiveRetry {
        match own {
            None => self.retry.settled,
            Some(own) => self.retry.with(own.parts()),
        }
    }

    /// How a call is hedged that says this itself; None where it isn't.
    ///
    /// One that says how it is retried isn't hedged unless it says that too: gRFC A6 has one or the
    /// other. Who sets the number of retries above the proto sets that of hedges with it.
    pub(super) fn hedging(
        &self,
        own: Option<HedgingPolicy>,
        own_retry: Option<RetryPolicy>,
    ) -> Option<HedgingPolicy> {
        let attempts = self.retry.attempts;
        let (policy, by) = match own {
            Some(own) => (own, SaidBy::Call),
            None if own_retry.is_some() => return None,
            None => (self.hedging?, SaidBy::Proto),
        };
        let cap = match attempts.by > by {
            true => clamped(attempts.value),
            false => MAX_ATTEMPTS,
        };
        Some(policy.capped(cap)).filter(|policy| policy.max_attempts() > 1)
    }

    /// Whether a call waits for a connection as long as it has time, if it says this itself.
    pub(super) fn wait_for_ready(&self, own: Option<bool>) -> bool {
        self.wait_for_ready.or_call(own).value
    }

    /// How large a reply may be of a call that says this itself, in bytes.
    pub(super) fn max_message_size(&self, own: Option<usize>) -> usize {
        self.max_message_size.or_call(own).value
    }
}

impl ClientSettings {
    /// How retries to a target are throttled where no proto says.
    pub(super) fn throttle(&self) -> Option<RetryThrottle> {
        self.throttle_of(None)
    }

    /// How retries of a service to a target are throttled whose proto says this; None where they
    /// aren't.
    pub(super) fn throttle_of(&self, proto: Option<RetryThrottle>) -> Option<RetryThrottle> {
        let is_on = Said::of(&self.retry_throttle).or_proto(proto.map(|_| true));
        let parts = proto.map(RetryThrottle::parts);
        let tokens = Said::of(&self.retry_throttle_tokens).or_proto(parts.map(|parts| parts.0));
        let ratio = Said::of(&self.retry_throttle_ratio).or_proto(parts.map(|parts| parts.1));
        is_on
            .value
            .then(|| RetryThrottle::of(tokens.value, ratio.value))
    }

    /// How many times as much as a target accepts is sent to it while it accepts too little; None where
    /// whatever is called is sent. It is the target's, so no proto and no call says it.
    pub(super) fn adaptive_throttle(&self) -> Option<f64> {
        self.adaptive_throttle.get().map(Thousandths::get)
    }
}

impl fmt::Display for Limit {
    /// As in "the deadline of … has passed".
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} (", self.duration)?;
        f.write_str(match self.by {
            SaidBy::Default => "the default of GRPC__CLIENT__DEFAULT_TIMEOUT",
            SaidBy::File => "client.default_timeout of the file of settings",
            SaidBy::Env => "GRPC__CLIENT__DEFAULT_TIMEOUT",
            SaidBy::Proto => "as its proto says",
            SaidBy::Code => "as ClientFactory::default_timeout says",
            SaidBy::Call => "the call's own",
            SaidBy::Override => "GRPC__CLIENT__OVERRIDE__DEFAULT_TIMEOUT",
        })?;
        f.write_str(")")
    }
}

/// A method's deadline.
#[derive(Clone, Copy, Debug)]
struct Deadline {
    said: Said<Option<Duration>>,
    over: Option<Option<Duration>>,
    of_stream: bool,
}

impl Deadline {
    fn of(method: &Method, settings: &ClientSettings) -> Self {
        let of_stream = matches!(method.kind(), Kind::ServerStream | Kind::Bidi);
        let proto = method.default_deadline().map(Some);
        let said = Said::beneath(&settings.default_timeout).or_proto(proto);
        let is_default = said.by < SaidBy::Proto;
        Self {
            // A default is for calls that end by themselves.
            said: match of_stream && is_default {
                true => Said {
                    value: None,
                    by: SaidBy::Default,
                },
                false => said,
            },
            over: settings.default_timeout.overridden().copied(),
            of_stream,
        }
    }
}

/// How a method is retried.
#[derive(Clone, Copy, Debug)]
struct Retry {
    attempts: Said<u32>,
    base: Said<Duration>,
    max: Said<Duration>,
    multiplier: Said<f64>,
    attempt_timeout: Option<Duration>,
    /// All of that, and the rest, for a call that says nothing itself.
    settled: EffectiveRetry,
}

impl Retry {
    fn of(method: &Method, settings: &ClientSettings) -> Self {
        let proto = method.retry_policy().map(RetryPolicy::parts);
        let written = |part: fn(RetryParts) -> Option<Duration>| proto.and_then(part);
        let attempts = Said::of(&settings.max_retries).map(|retries| retries.saturating_add(1));
        let attempts = attempts.or_proto(proto.map(|proto| proto.max_attempts));
        let base = Said::of(&settings.retry_backoff_base);
        let base = base.or_proto(written(|proto| proto.initial_backoff));
        let max = Said::of(&settings.retry_backoff_max);
        let max = max.or_proto(written(|proto| proto.max_backoff));
        let multiplier = Said::of(&settings.retry_backoff_multiplier).map(Thousandths::get);
        let multiplier = multiplier.or_proto(proto.and_then(|proto| proto.multiplier));
        // What is written is the word of the one who answers for the method.
        let by_itself = match method.is_idempotent() {
            true => CodeSet::of(&[Code::Unavailable]),
            false => CodeSet::default(),
        };
        let codes = proto.map_or(by_itself, |proto| proto.codes);
        let may_repeat = method.is_idempotent() || codes.contains(Code::Unavailable);
        let attempt_timeout = written(|proto| proto.attempt_timeout);
        let settled = EffectiveRetry {
            max_attempts: clamped(attempts.value),
            base: base.value,
            max: max.value,
            multiplier: multiplier.value,
            attempt_timeout,
            codes,
            may_repeat,
        };
        Self {
            attempts,
            base,
            max,
            multiplier,
            attempt_timeout,
            settled,
        }
    }

    /// For a call that says this itself.
    fn with(&self, own: RetryParts) -> EffectiveRetry {
        let attempts = self.attempts.or_call(Some(own.max_attempts));
        // Who says "once" says nothing of what may be done twice.
        let (codes, may_repeat) = match own.max_attempts {
            0 | 1 => (self.settled.codes, self.settled.may_repeat),
            _ => (
                own.codes,
                own.codes.contains(Code::Unavailable) || self.settled.may_repeat,
            ),
        };
        EffectiveRetry {
            max_attempts: clamped(attempts.value),
            base: self.base.or_call(own.initial_backoff).value,
            max: self.max.or_call(own.max_backoff).value,
            multiplier: self.multiplier.or_call(own.multiplier).value,
            attempt_timeout: own.attempt_timeout.or(self.attempt_timeout),
            codes,
            may_repeat,
        }
    }
}

fn clamped(attempts: u32) -> u32 {
    attempts.clamp(1, MAX_ATTEMPTS)
}

/// When calls of a method are stopped whose proto says this.
fn breaker(proto: Option<BreakerPolicy>, settings: &ClientSettings) -> Option<BreakerSettings> {
    let open_for = Said::of(&settings.circuit_breaker_timeout);
    let open_for = open_for.or_proto(proto.and_then(BreakerPolicy::open_for));
    Some(BreakerSettings {
        mode: breaker_mode(proto, settings)?,
        open_for: open_for.value,
        probes: proto.map_or(1, BreakerPolicy::probes_at_once),
        successes: 1,
    })
}

fn breaker_mode(proto: Option<BreakerPolicy>, settings: &ClientSettings) -> Option<BreakerMode> {
    let written = proto.and_then(BreakerPolicy::rate);
    // A proto says one of the two.
    let threshold = proto.filter(|_| written.is_none());
    let threshold = Said::of(&settings.circuit_breaker_threshold)
        .or_proto(threshold.map(|proto| NonZero::new(proto.threshold())));
    let rate = Said::of(&settings.circuit_breaker_rate);
    let rate = rate.or_proto(written.map(|written| Some(written.ratio)));
    // Who says a rate means it in place of what is said of a threshold further down, and the other way
    // round.
    if let (Some(ratio), true) = (rate.value, rate.by >= threshold.by) {
        let minimum = Said::of(&settings.circuit_breaker_minimum_calls)
            .map(|calls| u32::try_from(calls).unwrap_or(u32::MAX));
        let window = Said::of(&settings.circuit_breaker_window);
        return Some(BreakerMode::Rate {
            ratio: ratio.get(),
            minimum: minimum
                .or_proto(written.and_then(|rate| rate.minimum))
                .value,
            window: window.or_proto(written.and_then(|rate| rate.window)).value,
        });
    }
    let threshold = threshold.value?;
    Some(BreakerMode::Consecutive(threshold.get()))
}

#[cfg(test)]
mod tests;
