//! [`Interceptors`]: what stands around every call of a server or a client.
//!
//! A chain is prepared for each method when a server or a client is made of it ([`chain`]). What sees
//! calls come in and end ([`Watch`]) and what lets them in ([`Gate`]) does so in place; only what has to
//! be waited for is a future of its own, and meets what carries the call in [`meeting`].
//!
//! [`Watch`]: chain::Watch
//! [`Gate`]: chain::Gate

#[cfg(feature = "auth")]
mod auth;
mod chain;
mod interceptor;
mod logging;
mod meeting;
#[cfg(feature = "prometheus")]
mod metrics;
mod tally;
#[cfg(feature = "otel")]
mod tracing;
mod trail;

use std::error::Error;
use std::fmt;
#[cfg(feature = "server")]
use std::hash::Hash;
#[cfg(all(feature = "auth", feature = "server"))]
use std::hash::{BuildHasher as _, RandomState};
use std::sync::Arc;

#[cfg(feature = "auth")]
pub(crate) use self::auth::expired;
#[cfg(feature = "auth")]
pub use self::auth::{Auth, AuthBuilder, AuthError, KeySource, Principal};
pub(crate) use self::chain::{Came, Chain, MethodChain};
use self::chain::{Part, Standard, Step};
pub use self::interceptor::{Answer, CallEnd, InterceptedCall, Interceptor, Next};
pub use self::logging::Logging;
#[cfg(feature = "admin")]
pub(crate) use self::logging::timestamp;
pub(crate) use self::logging::{CORRELATION_ID, Correlation};
pub(crate) use self::meeting::{Through, through};
#[cfg(feature = "prometheus")]
pub use self::metrics::Metrics;
pub(crate) use self::tally::{Flow, Tally};
#[cfg(feature = "otel")]
pub(crate) use self::tracing::{AttemptSpan, headers_of, remote};
#[cfg(feature = "otel")]
pub use self::tracing::{Tracing, TracingGuard};
pub(crate) use self::trail::Trail;
#[cfg(feature = "server")]
use crate::Context;
use crate::Method;
#[cfg(feature = "client")]
use crate::client::ClientView;
use crate::errors::ErrorPolicy;
use crate::observe::{Observer, Side};
#[cfg(feature = "server")]
use crate::server::RateKey;
use crate::wire::compression::{Compression, Encodings};

/// What stands around every call of a server or a client, in the order in which it is added: a call
/// comes to what was added first before it comes to the rest, and an answer comes to it last.
///
/// At a server it makes no difference whether that is our own or one that a service is mounted in.
#[derive(Clone, Default)]
pub struct Interceptors {
    // None where nothing is set, so that a call pays nothing for it.
    chain: Option<Arc<Chain>>,
    parts: Vec<Part>,
    /// Whether something is set that does nothing at a client.
    has_servers_own: bool,
    is_guarded_elsewhere: bool,
    /// Whether this crate's own are in the order of the specification, however they are added.
    is_ordered: bool,
}

impl Interceptors {
    /// Nothing: calls go straight to the servicer.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// [`Logging`] to standard output, and the order of the specification for this crate's own,
    /// whenever each is added: errors, metrics, tracing, logging, auth. There is one of each then: a second
    /// one, of `with_logging` above all, stands in place of the first; but of two auths, both have to let a
    /// call in.
    ///
    /// [Interceptors of your own](Self::with) stand where they were added, behind those that were there by
    /// then. From [`none`](Self::none) on, the order is that of adding.
    #[must_use]
    pub fn standard() -> Self {
        let ordered = Self {
            is_ordered: true,
            ..Self::none()
        };
        ordered.with_logging(Logging::stdout())
    }

    /// These and an [`Observer`], which hears of every call and every refusal.
    #[must_use]
    pub fn with_observer(mut self, observer: Arc<dyn Observer>) -> Self {
        self.has_servers_own = true;
        self.change(|chain| chain.observers.push(observer));
        self
    }

    /// These and an [`ErrorPolicy`], in place of another one.
    #[must_use]
    pub fn with_errors(mut self, policy: ErrorPolicy) -> Self {
        self.has_servers_own = true;
        self.change(|chain| chain.errors = policy);
        self
    }

    /// These, and messages compressed so, as [`Server::compression`] says; for a service that is mounted
    /// in another server, which has no such setting.
    ///
    /// On a [`Server`], its own setting goes before, if code sets it.
    ///
    /// [`Server`]: crate::Server
    /// [`Server::compression`]: crate::Server::compression
    #[must_use]
    pub fn with_compression(mut self, encodings: impl IntoIterator<Item = Compression>) -> Self {
        self.has_servers_own = true;
        self.compress(Encodings::new(encodings));
        self
    }

    /// These and an [`Interceptor`], which calls come to after those that are there.
    #[must_use]
    pub fn with(mut self, interceptor: impl Interceptor) -> Self {
        self.parts.push(Part::User(Arc::new(interceptor)));
        self
    }

    /// These and [`Metrics`], which count what calls do. The same ones may be at any number of servers
    /// and clients.
    ///
    /// Before an interceptor that refuses calls they count what it refuses; after it, they don't. Where the
    /// same ones are there already, they stay there: a call counts once.
    #[cfg(feature = "prometheus")]
    #[must_use]
    pub fn with_metrics(self, metrics: &Metrics) -> Self {
        self.with_standard(Arc::new(metrics.clone()))
    }

    /// These and [`Logging`]: a line for each call that comes this far, and for each request that a server
    /// refuses before. Where one with the same sink is there already, that one stays, as it is.
    #[must_use]
    pub fn with_logging(self, logging: Logging) -> Self {
        self.with_standard(Arc::new(logging))
    }

    /// These and an [`Auth`], which asks each call for a token; what comes after it knows who calls.
    #[cfg(feature = "auth")]
    #[must_use]
    pub fn with_auth(self, auth: Auth) -> Self {
        self.with_standard(Arc::new(auth))
    }

    /// These, and limits of rates that are counted for each [`Principal`] with a subject, in place of its
    /// address: what [`with_rate_limit_key`](Self::with_rate_limit_key) does for a key of your own.
    #[cfg(all(feature = "auth", feature = "server"))]
    #[must_use]
    pub fn with_rate_limit_by_principal(self) -> Self {
        let hasher = RandomState::new();
        self.with_rate_limit_key(move |call| {
            let principal = call.principal()?;
            Some(hasher.hash_one((principal.issuer(), principal.subject()?)))
        })
    }

    /// These, around methods whose proto asks for a token or for scopes and which something else guards: an
    /// [`Interceptor`] of your own, a mesh, a test. Without this and without an `Auth`, they are not served.
    ///
    /// Where there is no `Auth` either, nothing here looks at tokens then, and nothing at scopes.
    #[must_use]
    pub fn guarded_elsewhere(mut self) -> Self {
        self.is_guarded_elsewhere = true;
        self
    }

    /// Whether callers are asked who they are.
    pub(crate) fn authenticate(&self) -> bool {
        self.is_guarded_elsewhere || self.parts.iter().any(Part::authenticates)
    }

    /// These and one of this crate's, unless that is there already.
    pub(crate) fn with_standard(mut self, standard: Arc<dyn Standard>) -> Self {
        self.put(standard);
        let standards = self.parts.iter().filter_map(Part::standard);
        let observers: Vec<_> = standards.filter_map(Standard::observer).collect();
        if !observers.is_empty() {
            self.change(|chain| chain.observers.set_beside_calls(observers));
        }
        self
    }

    /// Puts one of this crate's where it belongs.
    fn put(&mut self, standard: Arc<dyn Standard>) {
        let (place, sink) = (standard.place(), standard.sink());
        let part = Part::Standard(standard);
        if !self.is_ordered {
            let mut others = self.parts.iter().filter_map(Part::standard);
            if sink.is_none() || !others.any(|other| other.sink() == sink) {
                self.parts.push(part);
            }
            return;
        }
        let mut parts = self.parts.iter_mut();
        if !place.is_guard()
            && let Some(same) = parts.find(|other| other.place() == Some(place))
        {
            *same = part;
            return;
        }
        let mut parts = self.parts.iter();
        let later = parts.position(|other| other.place().is_some_and(|other| other > place));
        self.parts.insert(later.unwrap_or(self.parts.len()), part);
    }

    pub(crate) fn compress(&mut self, encodings: Encodings) {
        self.change(|chain| chain.encodings = encodings);
    }

    /// These and a function that tells apart whose rates are limited, in place of their addresses and
    /// of another function: the same key is the same caller. `None` leaves a call to its address.
    ///
    /// It is called for each call of a method that has a limit, and must not block. Of a key, only a
    /// hash is kept. A key that callers choose freely lets each of them have as many limits as it likes:
    /// take what somebody has verified.
    ///
    /// A service that is mounted in another server doesn't know addresses: there, without this, all
    /// callers of a method share its one limit.
    ///
    /// ```
    /// use apibase::Interceptors;
    ///
    /// // A gateway in front has authenticated whoever calls, and says so.
    /// let chain = Interceptors::none().with_rate_limit_key(|ctx| {
    ///     Some(ctx.metadata().get("x-principal")?.as_bytes().to_vec())
    /// });
    /// ```
    #[cfg(feature = "server")]
    #[must_use]
    pub fn with_rate_limit_key<K: Hash>(
        mut self,
        key: impl Fn(&Context) -> Option<K> + Send + Sync + 'static,
    ) -> Self {
        self.has_servers_own = true;
        let key = RateKey::new(key);
        self.change(|chain| chain.rate_key = Some(key));
        self
    }

    /// Tells apart whose rates are limited; None where their addresses do.
    #[cfg(feature = "server")]
    pub(crate) fn rate_key(&self) -> Option<&RateKey> {
        self.chain.as_ref()?.rate_key.as_ref()
    }

    /// Callers see what is redacted otherwise.
    #[cfg(feature = "server")]
    pub(crate) fn show_details(&mut self) {
        self.change(|chain| chain.errors = std::mem::take(&mut chain.errors).with_details());
    }

    fn change(&mut self, change: impl FnOnce(&mut Chain)) {
        let mut chain = self.chain.as_deref().cloned().unwrap_or_default();
        change(&mut chain);
        self.chain = Some(Arc::new(chain));
    }

    pub(crate) fn chain(&self) -> Option<&Arc<Chain>> {
        self.chain.as_ref()
    }

    /// Why they can't stand around the calls of a client; completes a sentence about them.
    #[cfg(feature = "client")]
    pub(crate) fn check_client(&self) -> Result<(), &'static str> {
        if self.has_servers_own {
            return Err(
                "have something that is for servers: observers, errors, compression or a rate's key",
            );
        }
        let mut parts = self.parts.iter();
        match parts.find_map(Part::only_for_servers) {
            Some(what) => Err(what),
            None => Ok(()),
        }
    }

    /// Who hears for them of what is no call, at a client.
    #[cfg(feature = "client")]
    pub(crate) fn observers_of_client(&self) -> impl Iterator<Item = Arc<dyn Observer>> {
        let standard = self.parts.iter().filter_map(Part::standard);
        standard.filter_map(Standard::observer)
    }

    /// A client has been made that they stand around the calls of.
    #[cfg(feature = "client")]
    pub(crate) fn opened(&self, client: &ClientView) {
        for standard in self.parts.iter().filter_map(Part::standard) {
            standard.opened(client);
        }
    }

    /// What they count, where they count at all.
    #[cfg(all(feature = "admin", feature = "prometheus"))]
    pub(crate) fn metrics(&self) -> Option<Metrics> {
        let mut standard = self.parts.iter().filter_map(Part::standard);
        standard.find_map(Standard::metrics)
    }

    /// What stands around the calls of a client's method at a target; `None` where nothing does.
    pub(crate) fn at_client(
        &self,
        target: &Arc<str>,
        method: &'static Method,
    ) -> Option<Arc<MethodChain>> {
        // Whatever could be wrong was said when the client was made.
        self.prepared(|part| part.step_at_client(target, method))
            .ok()
            .flatten()
    }

    /// What stands around the calls of one method; `None` where nothing does.
    ///
    /// # Errors
    ///
    /// Why its calls can't be served, or made; completes a sentence about it.
    pub(crate) fn of(
        &self,
        side: Side,
        method: &'static Method,
    ) -> Result<Option<Arc<MethodChain>>, String> {
        if side == Side::Server && method.needs_token() && !self.authenticate() {
            return Err(UNGUARDED.to_owned());
        }
        self.prepared(|part| part.step(side, method))
    }

    /// The steps that the parts are.
    fn prepared(
        &self,
        step: impl Fn(&Part) -> Result<Option<Step>, String>,
    ) -> Result<Option<Arc<MethodChain>>, String> {
        if self.chain.is_none() && self.parts.is_empty() {
            return Ok(None);
        }
        let mut steps = Vec::with_capacity(self.parts.len());
        for part in &self.parts {
            steps.extend(step(part)?);
        }
        let shared = self.chain.clone().unwrap_or_default();
        Ok(Some(Arc::new(MethodChain::new(shared, steps))))
    }
}

/// Why a method isn't served that anybody could call; completes a sentence about it.
const UNGUARDED: &str = "asks for a token in its proto, and nothing here asks callers for one: add \
    `Interceptors::with_auth` (apibase's feature `auth`), or say `Interceptors::guarded_elsewhere` where \
    something else does";

impl fmt::Debug for Interceptors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Interceptors")
            .field("chain", &self.chain)
            .field("parts", &self.parts)
            .finish()
    }
}

/// A service asks for what its [`Interceptors`] don't have, so it is not served at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChainError {
    service: &'static str,
    problem: String,
}

impl ChainError {
    /// `problem` completes a sentence about the service.
    pub(crate) fn new(service: &'static str, problem: String) -> Self {
        Self { service, problem }
    }

    /// `problem` completes a sentence about the method.
    pub(crate) fn of(method: &'static Method, problem: &str) -> Self {
        Self::new(method.service(), format!("`{method}` {problem}"))
    }

    /// The full name of the service.
    #[must_use]
    pub fn service(&self) -> &'static str {
        self.service
    }
}

impl fmt::Display for ChainError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` can't be served: {}", self.service, self.problem)
    }
}

impl Error for ChainError {}
