//! [`Method`]: what is known of an RPC before it is called.

use std::fmt;
use std::time::Duration;

use crate::{BreakerPolicy, HedgingPolicy, RateLimit, RetryPolicy, RetryThrottle};

/// One RPC of a service: its path, its kind and what the proto says of it.
///
/// Generated code has one constant per RPC; nothing of it is computed at call time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Method {
    path: &'static str,
    /// Where the last `/` of `path` is: between the service and the method.
    slash: usize,
    kind: Kind,
    idempotency: Idempotency,
    errors: &'static [&'static str],
    deadline_cap: Option<Duration>,
    detached: bool,
    rate_limit: Option<RateLimit>,
    callers: Callers,
    deadline: Option<Duration>,
    retry: Option<RetryPolicy>,
    hedging: Option<HedgingPolicy>,
    breaker: Option<BreakerPolicy>,
    retry_throttle: Option<RetryThrottle>,
}

/// Which side of a call streams.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// One request, one reply.
    Unary,
    /// One request, a stream of replies.
    ServerStream,
    /// A stream of requests, one reply.
    ClientStream,
    /// A stream of requests, a stream of replies.
    Bidi,
}

/// What the proto's `idempotency_level` promises.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Idempotency {
    /// Nothing: a second call may act twice.
    #[default]
    Unknown,
    /// A second call changes nothing more (`IDEMPOTENT`).
    Idempotent,
    /// No call changes anything (`NO_SIDE_EFFECTS`).
    NoSideEffects,
}

/// Who may call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
enum Callers {
    /// The proto doesn't say.
    #[default]
    Unsaid,
    Anybody,
    /// Who has a token with these scopes.
    WithToken(&'static [&'static str]),
}

impl Method {
    /// A unary RPC at `path`, which is `/package.Service/Method`.
    #[must_use]
    pub const fn unary(path: &'static str) -> Self {
        Self::new(path, Kind::Unary)
    }

    /// A server-streaming RPC at `path`.
    #[must_use]
    pub const fn server_stream(path: &'static str) -> Self {
        Self::new(path, Kind::ServerStream)
    }

    /// A client-streaming RPC at `path`.
    #[must_use]
    pub const fn client_stream(path: &'static str) -> Self {
        Self::new(path, Kind::ClientStream)
    }

    /// A bidirectional RPC at `path`.
    #[must_use]
    pub const fn bidi(path: &'static str) -> Self {
        Self::new(path, Kind::Bidi)
    }

    const fn new(path: &'static str, kind: Kind) -> Self {
        Self {
            path,
            slash: last_slash(path.as_bytes()),
            kind,
            idempotency: Idempotency::Unknown,
            errors: &[],
            deadline_cap: None,
            detached: false,
            rate_limit: None,
            callers: Callers::Unsaid,
            deadline: None,
            retry: None,
            hedging: None,
            breaker: None,
            retry_throttle: None,
        }
    }

    /// The same RPC, known to be idempotent.
    #[must_use]
    pub const fn idempotent(mut self) -> Self {
        self.idempotency = Idempotency::Idempotent;
        self
    }

    /// The same RPC, known to change nothing.
    #[must_use]
    pub const fn no_side_effects(mut self) -> Self {
        self.idempotency = Idempotency::NoSideEffects;
        self
    }

    /// The same RPC, which declares these reasons of its service's catalogue.
    #[must_use]
    pub const fn errors(mut self, reasons: &'static [&'static str]) -> Self {
        self.errors = reasons;
        self
    }

    /// The same RPC, on which its server works no longer than `cap`, whatever the caller says.
    #[must_use]
    pub const fn deadline_cap(mut self, cap: Duration) -> Self {
        self.deadline_cap = Some(cap);
        self
    }

    /// The same RPC, whose work goes on when its caller has gone.
    ///
    /// A cancel or the caller's deadline doesn't drop the servicer: it runs to its end, and what it
    /// answers then is dropped, a stream of replies too. It keeps its place among the calls that may run
    /// at once. [`Context::cancelled`](crate::Context::cancelled) tells that the caller has gone, a stream
    /// of requests that hasn't ended by then yields an error, and calls made with the servicer's own
    /// context end: those that should go on take [`Context::detach`](crate::Context::detach)'s.
    ///
    /// It is cut off by a deadline cap of its method or its server, and at the end of the server's grace.
    /// A service that is mounted in another server has only the former, its method's, and ends with the
    /// runtime; a stream of requests ends well there only where the server's bodies say that they have
    /// ended, as hyper's do, and tonic's and axum's.
    #[must_use]
    pub const fn detached(mut self) -> Self {
        self.detached = true;
        self
    }

    /// The same RPC, which its server takes no more often than `limit` of each caller.
    #[must_use]
    pub const fn rate_limit(mut self, limit: RateLimit) -> Self {
        self.rate_limit = Some(limit);
        self
    }

    /// The same RPC, which anybody may call, without a token.
    #[must_use]
    pub const fn public(mut self) -> Self {
        self.callers = Callers::Anybody;
        self
    }

    /// The same RPC, which takes a valid token to call: a server without authentication doesn't serve it.
    #[must_use]
    pub const fn authenticated(mut self) -> Self {
        self.callers = Callers::WithToken(&[]);
        self
    }

    /// The same RPC, which takes a valid token with all of these scopes to call: a server without
    /// authentication doesn't serve it.
    #[must_use]
    pub const fn scopes(mut self, scopes: &'static [&'static str]) -> Self {
        self.callers = Callers::WithToken(scopes);
        self
    }

    /// The same RPC, which takes no longer than this where its caller doesn't say.
    #[must_use]
    pub const fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = Some(deadline);
        self
    }

    /// The same RPC, whose requests are sent again so.
    #[must_use]
    pub const fn retry(mut self, policy: RetryPolicy) -> Self {
        self.retry = Some(policy);
        self
    }

    /// The same RPC, whose requests are sent again so before there is an answer.
    #[must_use]
    pub const fn hedging(mut self, policy: HedgingPolicy) -> Self {
        self.hedging = Some(policy);
        self
    }

    /// The same RPC, which clients stop calling for a while when it fails so.
    #[must_use]
    pub const fn breaker(mut self, policy: BreakerPolicy) -> Self {
        self.breaker = Some(policy);
        self
    }

    /// The same RPC, of a service that clients stop retrying so.
    #[must_use]
    pub const fn retry_throttle(mut self, throttle: RetryThrottle) -> Self {
        self.retry_throttle = Some(throttle);
        self
    }

    /// The path of its requests, `/package.Service/Method`.
    #[must_use]
    pub const fn path(&self) -> &'static str {
        self.path
    }

    /// The full name of its service, `package.Service`.
    #[must_use]
    pub fn service(&self) -> &'static str {
        self.path.get(1..self.slash).unwrap_or_default()
    }

    /// Its name as the proto spells it.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.path.get(self.slash + 1..).unwrap_or_default()
    }

    /// Which side streams.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// What a second call may do.
    #[must_use]
    pub const fn idempotency(&self) -> Idempotency {
        self.idempotency
    }

    /// The reasons of its service's catalogue that it declares; empty where it declares none, and can
    /// fail with all of them.
    #[must_use]
    pub const fn declared_errors(&self) -> &'static [&'static str] {
        self.errors
    }

    /// How long its server works on it at most; `None` if the proto doesn't say.
    #[must_use]
    pub const fn capped_at(&self) -> Option<Duration> {
        self.deadline_cap
    }

    /// Whether its work goes on when its caller has gone.
    #[must_use]
    pub const fn is_detached(&self) -> bool {
        self.detached
    }

    /// How often its server takes it of each caller; `None` if the proto doesn't say.
    #[must_use]
    pub const fn limited_to(&self) -> Option<RateLimit> {
        self.rate_limit
    }

    /// Whether the proto says that anybody may call it.
    #[must_use]
    pub const fn is_public(&self) -> bool {
        matches!(self.callers, Callers::Anybody)
    }

    /// Whether the proto says that it takes a token to call it.
    #[must_use]
    pub const fn needs_token(&self) -> bool {
        matches!(self.callers, Callers::WithToken(_))
    }

    /// The scopes that a token has to have, all of them; empty where the proto names none.
    #[must_use]
    pub const fn required_scopes(&self) -> &'static [&'static str] {
        match self.callers {
            Callers::WithToken(scopes) => scopes,
            Callers::Unsaid | Callers::Anybody => &[],
        }
    }

    /// How long it takes where its caller doesn't say; `None` if the proto doesn't say.
    #[must_use]
    pub const fn default_deadline(&self) -> Option<Duration> {
        self.deadline
    }

    /// When its requests are sent again; `None` if the proto doesn't say.
    #[must_use]
    pub const fn retry_policy(&self) -> Option<RetryPolicy> {
        self.retry
    }

    /// When its requests are sent again before there is an answer; `None` if the proto doesn't say.
    #[must_use]
    pub const fn hedging_policy(&self) -> Option<HedgingPolicy> {
        self.hedging
    }

    /// When clients stop calling it for a while; `None` if the proto doesn't say.
    #[must_use]
    pub const fn breaker_policy(&self) -> Option<BreakerPolicy> {
        self.breaker
    }

    /// When clients stop retrying its service; `None` if the proto doesn't say.
    #[must_use]
    pub const fn throttle(&self) -> Option<RetryThrottle> {
        self.retry_throttle
    }

    /// Whether calling twice is as good as calling once.
    #[must_use]
    pub const fn is_idempotent(&self) -> bool {
        !matches!(self.idempotency, Idempotency::Unknown)
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.path)
    }
}

#[allow(
    clippy::indexing_slicing,
    reason = "`get` is not const; the index is below the length by the loop's condition"
)]
const fn last_slash(path: &[u8]) -> usize {
    let mut at = path.len();
    while at > 0 {
        at -= 1;
        if path[at] == b'/' {
            return at;
        }
    }
    0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_splits_into_service_and_name() {
        let method = Method::unary("/examples.ItemService/GetItem");
        assert_eq!(method.service(), "examples.ItemService");
        assert_eq!(method.name(), "GetItem");
    }

    #[test]
    fn a_service_without_package_has_no_leading_dot() {
        let method = Method::bidi("/Echo/Chat");
        assert_eq!((method.service(), method.name()), ("Echo", "Chat"));
    }

    #[test]
    fn a_malformed_path_does_not_panic() {
        for path in ["", "/", "x", "//"] {
            let method = Method::unary(path);
            assert!(method.service().len() + method.name().len() <= path.len());
        }
    }
}
