//! What services and methods are declared to do, as plain data: checked, and not yet enforced by all
//! that the runtime has (`policies::enforced` says which).
#![allow(
    dead_code,
    reason = "a policy is read where it is enforced, and `policies::enforced` lists what isn't"
)]

use std::time::Duration;

pub(crate) use crate::descriptors::rules::Code;

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

/// What holds for one method. What it doesn't say is the service's, then the runtime's own.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct MethodPolicy {
    /// How long a call may take when the caller doesn't say.
    pub(crate) deadline: Option<Duration>,
    /// How long the server works on a call at most.
    pub(crate) deadline_cap: Option<Duration>,
    /// When a client sends the request again.
    pub(crate) retry: Option<Retry>,
    /// When a client sends the request again before it has an answer.
    pub(crate) hedging: Option<Hedging>,
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
    /// The first time included; at least 2.
    pub(crate) max_attempts: u32,
    /// The wait before the second attempt.
    pub(crate) initial_backoff: Option<Duration>,
    /// The longest wait.
    pub(crate) max_backoff: Option<Duration>,
    /// How much longer each wait is than the one before; at least 1.
    pub(crate) backoff_multiplier: Option<f64>,
    /// The codes that are tried again; never empty.
    pub(crate) codes: Vec<Code>,
}

/// When a client sends a request again before it has an answer (gRFC A6).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Hedging {
    /// The first time included; at least 2.
    pub(crate) max_attempts: u32,
    /// The wait before each further attempt; none sends all at once.
    pub(crate) delay: Option<Duration>,
    /// The codes after which the other attempts go on.
    pub(crate) non_fatal_codes: Vec<Code>,
}

/// When clients stop retrying (gRFC A6).
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct RetryThrottle {
    /// More than 0, at most 1000.
    pub(crate) max_tokens: f64,
    /// More than 0.
    pub(crate) token_ratio: f64,
}

/// When clients stop calling for a while. What is none is the runtime's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Breaker {
    /// It opens after this many failures in a row; at least 1.
    pub(crate) failure_threshold: u32,
    /// How long it stays open.
    pub(crate) timeout: Option<Duration>,
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
