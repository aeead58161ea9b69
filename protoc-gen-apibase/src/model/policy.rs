//! What services and methods are declared to do, as plain data, checked.

use std::time::Duration;

use heck::ToShoutySnakeCase as _;

pub(crate) use crate::descriptors::rules::Code;

/// The name of a code in protos: `NOT_FOUND`.
pub(crate) fn proto_name(code: Code) -> String {
    format!("{code:?}").to_shouty_snake_case()
}

/// A time in the unit that reads best: `250 ms`, `8.4 s`.
pub(crate) fn shown(time: Duration) -> String {
    if time < Duration::from_secs(1) {
        format!("{} ms", time.as_secs_f64() * 1000.0)
    } else {
        format!("{} s", time.as_secs_f64())
    }
}

/// How often a request is sent at most, whatever is said (gRFC A6).
pub(crate) const MOST_ATTEMPTS: u32 = 5;

/// What the runtime does where nothing else is said.
pub(crate) mod built_in {
    use std::time::Duration;

    use super::{Code, Retry, RetryThrottle};

    /// How often it sends what is idempotent, the first time included.
    const MAX_ATTEMPTS: u32 = 4;
    /// The wait before the second attempt.
    pub(crate) const INITIAL_BACKOFF: Duration = Duration::from_secs(1);
    /// The longest wait, but for jitter.
    pub(crate) const MAX_BACKOFF: Duration = Duration::from_secs(30);
    /// How much longer each wait is than the one before.
    pub(crate) const BACKOFF_MULTIPLIER: f64 = 2.0;
    /// How much longer a wait can get by chance (gRFC A6).
    pub(crate) const LONGEST_JITTER: f64 = 1.2;
    /// When it stops retrying.
    pub(crate) const THROTTLE: RetryThrottle = RetryThrottle {
        max_tokens: 500.0,
        token_ratio: 0.1,
    };

    /// When it sends again what is idempotent.
    pub(crate) fn retry() -> Retry {
        Retry {
            max_attempts: MAX_ATTEMPTS,
            initial_backoff: Some(INITIAL_BACKOFF),
            max_backoff: Some(MAX_BACKOFF),
            backoff_multiplier: Some(BACKOFF_MULTIPLIER),
            attempt_timeout: None,
            codes: vec![Code::Unavailable],
        }
    }
}

/// What holds for all methods of a service that don't say otherwise.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct ServicePolicy {
    /// How long a call may take when neither the caller nor the method says.
    pub(crate) deadline: Option<Duration>,
    /// The full name of its error catalogue.
    pub(crate) errors: Option<String>,
    /// When clients stop calling for a while.
    pub(crate) breaker: Option<Breaker>,
    /// When clients stop retrying.
    pub(crate) retry_throttle: Option<RetryThrottle>,
    /// Who may call.
    pub(crate) auth: Option<Auth>,
}

/// What holds for one method, what its service says for all of them included. What is none is the
/// runtime's own.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct MethodPolicy {
    /// How long a call may take when the caller doesn't say.
    pub(crate) deadline: Option<Duration>,
    /// Whether the proto says that there is none: nobody else's is taken for it.
    pub(crate) no_deadline: bool,
    /// How long the server works on a call at most.
    pub(crate) deadline_cap: Option<Duration>,
    /// When a client sends the request again.
    pub(crate) retry: Option<Retry>,
    /// When a client sends the request again before it has an answer.
    pub(crate) hedging: Option<Hedging>,
    /// Whether a service config says that it is retried, while the proto doesn't promise that a second
    /// call does no harm.
    pub(crate) repeated_by_config: bool,
    /// When clients stop calling it for a while.
    pub(crate) breaker: Option<Breaker>,
    /// When clients stop retrying its service.
    pub(crate) retry_throttle: Option<RetryThrottle>,
    /// The reasons of the service's catalogue that it fails with: `ITEM_NOT_FOUND`.
    pub(crate) errors: Vec<String>,
    /// Who may call.
    pub(crate) auth: Option<Auth>,
    /// How often it may be called.
    pub(crate) rate_limit: Option<RateLimit>,
    /// The work goes on when the caller has gone.
    pub(crate) detached: bool,
}

/// When a client sends a request again (gRFC A6). What is none is the runtime's own.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Retry {
    /// The first time included; 2 to [`MOST_ATTEMPTS`].
    pub(crate) max_attempts: u32,
    /// The wait before the second attempt.
    pub(crate) initial_backoff: Option<Duration>,
    /// The longest wait, but for jitter.
    pub(crate) max_backoff: Option<Duration>,
    /// How much longer each wait is than the one before; 1 to 100.
    pub(crate) backoff_multiplier: Option<f64>,
    /// An attempt is given up after this time.
    pub(crate) attempt_timeout: Option<Duration>,
    /// The codes that are tried again; never empty.
    pub(crate) codes: Vec<Code>,
}

impl Retry {
    /// All waits between its attempts, each as long as chance can make it. None where it doesn't say
    /// how long the first one is: an operator may.
    pub(crate) fn longest_waits(&self) -> Option<Duration> {
        let first = self.initial_backoff?.as_secs_f64();
        let longest = self.max_backoff.unwrap_or(built_in::MAX_BACKOFF);
        let multiplier = self.backoff_multiplier;
        let multiplier = multiplier.unwrap_or(built_in::BACKOFF_MULTIPLIER);
        let waits = std::iter::successors(Some(first), |wait| Some(wait * multiplier))
            .map(|wait| wait.min(longest.as_secs_f64()) * built_in::LONGEST_JITTER);
        let retries = self.max_attempts.saturating_sub(1).min(MOST_ATTEMPTS);
        let all = waits.take(usize::try_from(retries).ok()?).sum();
        Duration::try_from_secs_f64(all).ok()
    }
}

impl Hedging {
    /// The wait between the first and the last attempt.
    pub(crate) fn all_delays(&self) -> Duration {
        let delay = self.delay.unwrap_or_default();
        delay.saturating_mul(self.max_attempts.saturating_sub(1))
    }
}

/// When a client sends a request again before it has an answer (gRFC A6).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Hedging {
    /// The first time included; 2 to [`MOST_ATTEMPTS`].
    pub(crate) max_attempts: u32,
    /// The wait before each further attempt; none sends all at once.
    pub(crate) delay: Option<Duration>,
    /// The codes after which the other attempts go on.
    pub(crate) non_fatal_codes: Vec<Code>,
}

/// When clients stop retrying (gRFC A6).
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct RetryThrottle {
    /// From 0.001 to 1000.
    pub(crate) max_tokens: f64,
    /// From 0.001 to 1000.
    pub(crate) token_ratio: f64,
}

/// When clients stop calling for a while. What is none is the runtime's own.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Breaker {
    /// What opens it.
    pub(crate) opens: Opens,
    /// How long it stays open.
    pub(crate) timeout: Option<Duration>,
    /// How many calls it lets through at once to see.
    pub(crate) half_open_probes: Option<u32>,
}

/// What opens a breaker.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Opens {
    /// This many failures in a row; at least 1.
    After(u32),
    /// So large a part of the calls.
    At(FailureRate),
}

/// The part of the calls that fails when a breaker opens. What is none is the runtime's own.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct FailureRate {
    /// From 0.001 to 1.
    pub(crate) threshold: f64,
    /// It doesn't open while there are fewer calls.
    pub(crate) minimum_calls: Option<u32>,
    /// The calls that ended within this time count.
    pub(crate) window: Option<Duration>,
}

/// Who may call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Auth {
    /// Whoever has a valid token.
    Required,
    /// Anybody.
    Public,
    /// Whoever has a valid token with all of these scopes.
    Scopes(Vec<String>),
}

/// How often a method may be called by one principal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RateLimit {
    /// This many calls in each period; at least 1.
    pub(crate) requests: u32,
    /// The period.
    pub(crate) per: Duration,
    /// This many more at once.
    pub(crate) burst: u32,
}
