//! What code can set.

use std::num::NonZero;
use std::sync::Arc;
use std::time::Duration;

use super::ClientFactory;
use crate::client::balance::OutlierEjection;
use crate::client::channel::Connector;
use crate::client::config::{Balance, ClientSettings};
use crate::client::credentials::Credentials;
use crate::client::resolve::Resolver;
#[cfg(feature = "tls")]
use crate::client::tls::ClientTls;
use crate::policy::Thousandths;
use crate::{Interceptors, Observer, RetryThrottle};

/// The least time that can be set; the environment refuses none at all.
const SHORTEST: Duration = Duration::from_millis(1);

/// How often a server is asked at most whether it is there.
const MOST_OFTEN: Duration = Duration::from_secs(1);

/// What is set goes before what the proto says of a method, and the environment.
impl ClientFactory {
    /// Gives each call this long, from its start to its last trailer, streams included, or what its
    /// context leaves it if that is less. Default: 30 seconds for calls with one reply, where the proto
    /// doesn't say; a stream of replies has no default. At least a millisecond.
    #[must_use]
    pub fn default_timeout(self, timeout: Duration) -> Self {
        let timeout = timeout.max(SHORTEST);
        self.set(|settings| settings.default_timeout.set(Some(timeout)))
    }

    /// Lets each call take as long as its context leaves it.
    #[must_use]
    pub fn no_default_timeout(self) -> Self {
        self.set(|settings| settings.default_timeout.set(None))
    }

    /// Sends a call again up to this many times, or hedges it with as many; no call is sent more than
    /// five times. Default: 3, where the proto doesn't say.
    #[must_use]
    pub fn max_retries(self, retries: u32) -> Self {
        self.set(|settings| settings.max_retries.set(retries))
    }

    /// Waits `base` before the first retry, and `multiplier` (1 to 100) times as long before each
    /// further one, but no longer than `max`; each of it give or take 20%. Default: 1 second, 2, 30
    /// seconds, where the proto doesn't say.
    #[must_use]
    pub fn retry_backoff(self, base: Duration, multiplier: f64, max: Duration) -> Self {
        let multiplier = Thousandths::new(multiplier.clamp(1.0, 100.0));
        self.set(|settings| {
            settings.retry_backoff_base.set(base);
            settings.retry_backoff_multiplier.set(multiplier);
            settings.retry_backoff_max.set(max);
        })
    }

    /// Stops retrying a target's calls while too many fail. Default: 500 tokens and a ratio of 0.1,
    /// where the proto doesn't say.
    #[must_use]
    pub fn retry_throttle(self, throttle: RetryThrottle) -> Self {
        let (tokens, ratio) = throttle.parts();
        self.set(|settings| {
            settings.retry_throttle.set(true);
            settings.retry_throttle_tokens.set(tokens);
            settings.retry_throttle_ratio.set(ratio);
        })
    }

    /// Retries however many calls fail.
    #[must_use]
    pub fn no_retry_throttle(self) -> Self {
        self.set(|settings| settings.retry_throttle.set(false))
    }

    /// Sends a target little more than `multiplier` (1 to 100) times what it has accepted of the calls of
    /// the last two minutes, all methods together, and fails the others at once as a
    /// [`Failure`](crate::Failure) of the kind [`Refused`](crate::FailureKind::Refused); the chance of that is
    /// `(calls − multiplier · accepted) / (calls + 1)`, and one call a second is always sent (Google's
    /// "Site Reliability Engineering", "Handling Overload", which has a multiplier of 2). Not accepted is
    /// what the target answered with `RESOURCE_EXHAUSTED` or `UNAVAILABLE`, or not in time; retries are
    /// counted as calls. Default: whatever is called is sent.
    #[must_use]
    pub fn adaptive_throttle(self, multiplier: f64) -> Self {
        let multiplier = match multiplier.is_nan() {
            true => 1.0,
            false => multiplier.clamp(1.0, 100.0),
        };
        let multiplier = Thousandths::new(multiplier);
        self.set(|settings| settings.adaptive_throttle.set(Some(multiplier)))
    }

    /// Sends whatever is called, however little of it a target accepts.
    #[must_use]
    pub fn no_adaptive_throttle(self) -> Self {
        self.set(|settings| settings.adaptive_throttle.set(None))
    }

    /// Stops calling a method of a target after so many failures in a row, and lets a call through after
    /// `timeout`, a millisecond at least, to see. Default: 5 and 30 seconds, where the proto doesn't say.
    #[must_use]
    pub fn circuit_breaker(self, failures: NonZero<u32>, timeout: Duration) -> Self {
        let timeout = timeout.max(SHORTEST);
        self.set(|settings| {
            settings.circuit_breaker_threshold.set(Some(failures));
            settings.circuit_breaker_rate.set(None);
            settings.circuit_breaker_timeout.set(timeout);
        })
    }

    /// Stops calling a method of a target when at least `ratio` (0.001 to 1) of the calls that ended
    /// within `window`, a millisecond at least, have failed and there were `minimum_calls` or more, in
    /// place of so many failures in a row.
    #[must_use]
    pub fn circuit_breaker_by_rate(
        self,
        ratio: f64,
        minimum_calls: usize,
        window: Duration,
    ) -> Self {
        let ratio = Thousandths::new(ratio.clamp(0.001, 1.0));
        let (minimum, window) = (minimum_calls.max(1), window.max(SHORTEST));
        self.set(|settings| {
            settings.circuit_breaker_rate.set(Some(ratio));
            settings.circuit_breaker_minimum_calls.set(minimum);
            settings.circuit_breaker_window.set(window);
        })
    }

    /// Goes on calling however many calls fail.
    #[must_use]
    pub fn no_circuit_breaker(self) -> Self {
        self.set(|settings| {
            settings.circuit_breaker_threshold.set(None);
            settings.circuit_breaker_rate.set(None);
        })
    }

    /// Lets a call wait for a connection as long as it has time, where it would fail at once because
    /// none can be made. Default: it doesn't.
    #[must_use]
    pub fn wait_for_ready(self, yes: bool) -> Self {
        self.set(|settings| settings.wait_for_ready.set(yes))
    }

    /// Reads replies up to this many bytes; a larger one fails the call. Default: 4 MiB.
    #[must_use]
    pub fn max_message_size(self, bytes: usize) -> Self {
        self.set(|settings| settings.max_message_size.set(bytes))
    }

    /// Whether a target is TLS that doesn't say what it is, such as `items:50051`. Default: it is.
    #[must_use]
    pub fn secure(self, yes: bool) -> Self {
        self.set(|settings| settings.secure.set(yes))
    }

    /// Trusts those, and is who that says, in place of all that the settings say of it. Default: what
    /// `GRPC__CLIENT__TLS_CA_FILE` and those beside it say, and the CAs of the system where they say
    /// nothing.
    #[cfg(feature = "tls")]
    #[must_use]
    pub fn tls(mut self, tls: ClientTls) -> Self {
        self.tls = Some(tls);
        self.set(|settings| {
            settings.tls_ca_file.set(None);
            settings.tls_cert_file.set(None);
            settings.tls_key_file.set(None);
        })
    }

    /// Spreads calls over the endpoints of a target so. Default: in turn.
    #[must_use]
    pub fn balance(self, balance: Balance) -> Self {
        self.set(|settings| settings.lb_policy.set(balance))
    }

    /// Opens up to this many connections to each endpoint of a target, one more when all have as many
    /// calls as the endpoint takes on one. At least 1. Default: 4.
    #[must_use]
    pub fn max_connections(self, max: usize) -> Self {
        self.set(|settings| settings.max_connections.set(max.max(1)))
    }

    /// Lets up to this many calls on a channel wait for a place on its connections; one more fails at once
    /// with `RESOURCE_EXHAUSTED`. Default: 1000.
    #[must_use]
    pub fn max_waiting(self, max: usize) -> Self {
        self.set(|settings| settings.max_waiting.set(max))
    }

    /// Gives up making a connection after this time, with TLS and HTTP/2's first words; `connect` of a
    /// channel or a stub takes no longer than this in all. At least a millisecond. Default: 20 seconds.
    #[must_use]
    pub fn connect_timeout(self, timeout: Duration) -> Self {
        let timeout = timeout.max(SHORTEST);
        self.set(|settings| settings.connect_timeout.set(timeout))
    }

    /// Asks a server that is silent for `interval`, while calls run, whether it is still there, and
    /// closes the connection if it doesn't answer within `timeout`. At least a second and a millisecond.
    /// Default: 10 and 5 seconds.
    #[must_use]
    pub fn keepalive(self, interval: Duration, timeout: Duration) -> Self {
        let (interval, timeout) = (interval.max(MOST_OFTEN), timeout.max(SHORTEST));
        self.set(|settings| {
            settings.keepalive_interval.set(Some(interval));
            settings.keepalive_timeout.set(timeout);
        })
    }

    /// Asks no server whether it is still there.
    #[must_use]
    pub fn no_keepalive(self) -> Self {
        self.set(|settings| settings.keepalive_interval.set(None))
    }

    /// Whether servers are asked while no call runs, too, which they may take for an attack. Default:
    /// they aren't.
    #[must_use]
    pub fn keepalive_while_idle(self, yes: bool) -> Self {
        self.set(|settings| settings.keepalive_while_idle.set(yes))
    }

    /// Sends this token with each call that has no metadata `authorization` of its own.
    #[must_use]
    pub fn credentials(mut self, credentials: Credentials) -> Self {
        self.credentials = Some(credentials);
        self.renewed()
    }

    /// Tells `observer` of all calls, attempts and circuit breakers.
    #[must_use]
    pub fn observer(mut self, observer: Arc<dyn Observer>) -> Self {
        self.observers.push(observer);
        self.renewed()
    }

    /// Puts `interceptors` around all calls: a call comes to them once, whatever number of attempts it
    /// takes. Observers, errors, compression and the key of rates are a server's, and do nothing here.
    #[must_use]
    pub fn interceptors(mut self, interceptors: Interceptors) -> Self {
        if let Err(problem) = interceptors.check_client() {
            tracing::error!("a client's interceptors {problem}; that does nothing");
        }
        self.interceptors = interceptors;
        self.renewed()
    }

    /// Calls only endpoints that say that `service` is SERVING, by `grpc.health.v1.Health/Watch` on each
    /// connection (gRFC A17); an empty name is the server as a whole. One without a health service is
    /// taken for healthy. One that gives no answer within the
    /// [`connect_timeout`](Self::connect_timeout) is not: that is an event
    /// ([`Unhealthy`](crate::EndpointChange::Unhealthy)), calls fail that would have to wait for it, and
    /// it is asked again, after waits that grow to two minutes. Default: nobody is asked.
    #[must_use]
    pub fn health_check(mut self, service: &str) -> Self {
        self.health_check = Some(service.to_owned());
        self.renewed()
    }

    /// Leaves endpoints whose calls fail out so. Default: after 5 failures in a row, or most of many.
    #[must_use]
    pub fn outlier_ejection(mut self, ejection: OutlierEjection) -> Self {
        self.ejection = ejection;
        self.renewed()
    }

    /// Makes connections so, in place of TCP and Unix sockets.
    #[must_use]
    pub fn connector(mut self, connector: impl Connector) -> Self {
        self.connector = Some(Arc::new(connector));
        self.renewed()
    }

    /// Resolves the names of targets so, in place of the system's resolver.
    #[must_use]
    pub fn resolver(mut self, resolver: impl Resolver) -> Self {
        self.resolver = Some(Arc::new(resolver));
        self.renewed()
    }

    fn set(mut self, set: impl FnOnce(&mut ClientSettings)) -> Self {
        set(&mut self.settings);
        self.renewed()
    }

    /// Set otherwise, it makes channels of its own.
    fn renewed(mut self) -> Self {
        self.channels = Arc::default();
        self
    }
}
