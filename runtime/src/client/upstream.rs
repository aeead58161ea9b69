//! [`Upstream`]: what all stubs of a target share.

use std::collections::HashMap;
use std::fmt;
use std::ptr;
use std::sync::{Arc, Mutex, PoisonError};

use http::HeaderValue;

#[cfg(feature = "client")]
use super::breaker::BreakerState;
use super::breaker::{Breaker, BreakerTransition, CircuitBreaker};
use super::config::ClientSettings;
use super::credentials::Credentials;
use super::effective::Effective;
use super::failure::Failure;
use super::throttle::{Adaptive, Throttle};
use crate::interceptors::{Interceptors, MethodChain};
use crate::observe::{Event, Observers};
use crate::wire::timeout;
use crate::{Code, Method, RetryThrottle, Status};

/// What is known of a target by all who call it: settings, circuit breakers, the throttles, who
/// observes, and the token that goes with calls. A [`ClientFactory`](super::ClientFactory) makes it,
/// and a [`Channel`](super::Channel) hands it out.
pub struct Upstream {
    target: Arc<str>,
    is_secure: bool,
    settings: ClientSettings,
    credentials: Option<Credentials>,
    observers: Option<Arc<Observers>>,
    interceptors: Interceptors,
    throttle: Option<Arc<Throttle>>,
    /// None where whatever is called is sent.
    adaptive: Option<Arc<Adaptive>>,
    /// By name. As many as the program has generated clients for.
    services: Mutex<HashMap<&'static str, Service>>,
}

/// One service at a target.
#[derive(Default)]
struct Service {
    /// Mostly one: several where crates of the program were generated from several versions of its
    /// proto.
    versions: Vec<Arc<ServiceState>>,
    /// By path, as the first version says that has one: a target is well or not, whoever calls it.
    breakers: HashMap<&'static str, Arc<Breaker>>,
    /// The one of those versions whose proto says one, likewise.
    throttle: Option<Arc<Throttle>>,
}

/// The methods of one version of a service at a target.
pub(super) struct ServiceState {
    methods: &'static [Method],
    /// Of `methods`, in their order.
    paths: Vec<&'static str>,
    states: Vec<MethodState>,
}

/// One method at a target.
pub(super) struct MethodState {
    pub(super) effective: Effective,
    /// The deadline that its calls have if nothing else counts, for the wire: a value that stays the
    /// same is sent as one byte (HPACK).
    pub(super) timeout: Option<HeaderValue>,
    pub(super) breaker: Option<Arc<Breaker>>,
    pub(super) throttle: Option<Arc<Throttle>>,
    /// The target's.
    pub(super) adaptive: Option<Arc<Adaptive>>,
    /// The interceptors; None where there are none.
    pub(super) chain: Option<Arc<MethodChain>>,
}

impl Upstream {
    pub(super) fn new(
        target: Arc<str>,
        is_secure: bool,
        settings: ClientSettings,
        credentials: Option<Credentials>,
        observers: Observers,
    ) -> Self {
        let throttle = settings.throttle().map(bucket);
        let multiplier = settings.adaptive_throttle();
        Self {
            target,
            is_secure,
            settings,
            credentials,
            observers: (!observers.is_empty()).then(|| Arc::new(observers)),
            interceptors: Interceptors::none(),
            throttle,
            adaptive: multiplier.map(|multiplier| Arc::new(Adaptive::new(multiplier))),
            services: Mutex::default(),
        }
    }

    /// What is known of a service; made when it is first asked for.
    pub(super) fn service(&self, methods: &'static [Method]) -> Arc<ServiceState> {
        let name = methods.first().map(Method::service).unwrap_or_default();
        let mut services = self.services.lock().unwrap_or_else(PoisonError::into_inner);
        services.entry(name).or_default().version(methods, self)
    }

    /// The same, with `interceptors` around its calls.
    #[cfg(feature = "client")]
    pub(super) fn with_interceptors(mut self, interceptors: Interceptors) -> Self {
        self.interceptors = interceptors;
        self
    }

    /// As its user wrote it.
    #[cfg(feature = "client")]
    pub(super) fn target(&self) -> &Arc<str> {
        &self.target
    }

    /// Each circuit breaker, by the path of its method.
    #[cfg(feature = "client")]
    pub(super) fn breakers(&self) -> Vec<(&'static str, BreakerState)> {
        let services = self.services.lock().unwrap_or_else(PoisonError::into_inner);
        let breakers = services.values().flat_map(|service| &service.breakers);
        breakers
            .map(|(path, breaker)| (*path, breaker.state()))
            .collect()
    }

    pub(super) fn observers(&self) -> Option<&Arc<Observers>> {
        self.observers.as_ref()
    }

    pub(super) fn credentials(&self) -> Option<&Credentials> {
        self.credentials.as_ref()
    }

    /// Whether nobody on the way can read what is sent.
    pub(super) fn is_secure(&self) -> bool {
        self.is_secure
    }

    /// The circuit breaker of a method, for who looks at it or overrules it; `None` where its calls have
    /// none, and before the first stub of its service was made.
    #[must_use]
    pub fn circuit_breaker(&self, method: &Method) -> Option<CircuitBreaker> {
        let services = self.services.lock().unwrap_or_else(PoisonError::into_inner);
        let service = services.get(method.service())?;
        let breaker = service.breakers.get(method.path())?;
        Some(CircuitBreaker::new(Arc::clone(breaker)))
    }
}

impl Service {
    /// The version with these methods; made when it is first asked for.
    fn version(&mut self, methods: &'static [Method], upstream: &Upstream) -> Arc<ServiceState> {
        // The same list may stand in several places.
        let is_it = |state: &&Arc<ServiceState>| {
            ptr::eq(state.methods, methods) || state.methods == methods
        };
        if let Some(known) = self.versions.iter().find(is_it) {
            return Arc::clone(known);
        }
        let throttle = self.throttle(methods, upstream);
        let state = |method: &'static Method| {
            let effective = Effective::of(method, &upstream.settings);
            let limit = effective.limit(None);
            MethodState {
                breaker: self.breaker(method, &effective, upstream),
                effective,
                timeout: limit.map(|limit| timeout::write(limit.duration)),
                throttle: throttle.clone(),
                adaptive: upstream.adaptive.clone(),
                chain: upstream.interceptors.at_client(&upstream.target, method),
            }
        };
        let version = Arc::new(ServiceState {
            methods,
            paths: methods.iter().map(Method::path).collect(),
            states: methods.iter().map(state).collect(),
        });
        self.versions.push(Arc::clone(&version));
        version
    }

    fn breaker(
        &mut self,
        method: &'static Method,
        effective: &Effective,
        upstream: &Upstream,
    ) -> Option<Arc<Breaker>> {
        let settings = effective.breaker?;
        let breaker = self.breakers.entry(method.path()).or_insert_with(|| {
            let target = Arc::clone(&upstream.target);
            let observers = upstream.observers.clone();
            Arc::new(Breaker::new(settings, move |transition| {
                tell(&target, method, transition, observers.as_deref());
            }))
        });
        Some(Arc::clone(breaker))
    }

    fn throttle(&mut self, methods: &[Method], upstream: &Upstream) -> Option<Arc<Throttle>> {
        // What the proto says of a throttle is of the service, as its calls are.
        let own = methods.iter().find_map(Method::throttle);
        if own.is_none() {
            return upstream.throttle.clone();
        }
        if self.throttle.is_none() {
            self.throttle = upstream.settings.throttle_of(own).map(bucket);
        }
        self.throttle.clone()
    }
}

impl ServiceState {
    /// # Errors
    ///
    /// When the method is none of the service's, which no generated code does.
    pub(super) fn method(&self, method: &Method) -> Result<&MethodState, Failure> {
        let path = method.path();
        // The constants of a crate have their paths in one place, and looking whether it is that is
        // quicker than reading them.
        let mut paths = self.paths.iter();
        let at = paths.position(|known| ptr::eq(*known, path));
        let at = at.or_else(|| self.paths.iter().position(|known| *known == path));
        at.and_then(|at| self.states.get(at)).ok_or_else(|| {
            let message = format!("`{path}` is none of the methods that its `Caller` was made for");
            Failure::encode(Status::new(Code::Internal, message))
        })
    }
}

impl Default for Upstream {
    /// Of a transport that says nothing of its target: built-in settings, nobody observes.
    fn default() -> Self {
        let settings = ClientSettings::default();
        Self::new(Arc::from(""), false, settings, None, Observers::default())
    }
}

impl fmt::Debug for Upstream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upstream")
            .field("target", &self.target)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for ServiceState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServiceState").finish_non_exhaustive()
    }
}

fn bucket(policy: RetryThrottle) -> Arc<Throttle> {
    let (max, ratio) = (policy.max_millitokens(), policy.millitokens_a_success());
    Arc::new(Throttle::new(max, ratio))
}

fn tell(
    target: &str,
    method: &Method,
    transition: BreakerTransition,
    observers: Option<&Observers>,
) {
    let (from, to) = (transition.from.as_str(), transition.to.as_str());
    let (path, reason) = (method.path(), transition.reason.as_str());
    tracing::warn!(target, method = path, from, to, reason, "circuit breaker");
    if let Some(observers) = observers {
        observers.observe(&Event::Breaker {
            target,
            method,
            transition,
        });
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{BreakerPolicy, BreakerState};

    const GET: Method = Method::unary("/x.Items/Get").retry_throttle(THROTTLE);
    const PUT: Method = Method::unary("/x.Items/Put").retry_throttle(THROTTLE);
    const LATER_GET: Method = GET.deadline(Duration::from_secs(2));
    const THROTTLE: RetryThrottle = RetryThrottle::new(10.0, 0.5);

    /// The service as one crate has it, and as another has it that was generated later.
    const EARLIER: &[Method] = &[GET];
    const LATER: &[Method] = &[LATER_GET, PUT];

    fn same<T>(one: &Option<Arc<T>>, other: &Option<Arc<T>>) -> bool {
        Arc::ptr_eq(one.as_ref().unwrap(), other.as_ref().unwrap())
    }

    #[tokio::test]
    async fn two_versions_of_a_service_have_their_own_methods() {
        let upstream = Upstream::default();
        let (earlier, later) = (upstream.service(EARLIER), upstream.service(LATER));
        let limit = |state: &MethodState| state.effective.limit(None).unwrap().duration;
        assert_eq!(
            limit(earlier.method(&GET).unwrap()),
            Duration::from_secs(30)
        );
        assert_eq!(limit(later.method(&GET).unwrap()), Duration::from_secs(2));
        assert!(later.method(&PUT).is_ok());
        let failure = earlier.method(&PUT).err().unwrap();
        assert!(failure.to_string().contains("`/x.Items/Put`"), "{failure}");
    }

    #[tokio::test]
    async fn two_versions_of_a_service_share_breakers_and_throttle() {
        let upstream = Upstream::default();
        let (earlier, later) = (upstream.service(EARLIER), upstream.service(LATER));
        let (one, other) = (earlier.method(&GET).unwrap(), later.method(&GET).unwrap());
        assert!(same(&one.breaker, &other.breaker));
        assert!(same(&one.throttle, &other.throttle));
        assert!(!same(&one.breaker, &later.method(&PUT).unwrap().breaker));
        for method in [GET, LATER_GET, PUT] {
            upstream.circuit_breaker(&method).unwrap().force_open();
        }
        for state in [one, other, later.method(&PUT).unwrap()] {
            let breaker = state.breaker.as_ref().unwrap();
            assert_eq!(breaker.state(), BreakerState::ForcedOpen);
        }
    }

    #[tokio::test]
    async fn a_version_may_have_a_breaker_where_another_has_none() {
        const NONE: &[Method] = &[GET.breaker(BreakerPolicy::after(0))];
        let upstream = Upstream::default();
        let none = upstream.service(NONE);
        assert!(upstream.circuit_breaker(&GET).is_none());
        let some = upstream.service(LATER);
        assert!(none.method(&GET).unwrap().breaker.is_none());
        assert!(some.method(&GET).unwrap().breaker.is_some());
        assert!(upstream.circuit_breaker(&GET).is_some());
    }

    #[tokio::test]
    async fn the_same_methods_are_one_version_wherever_they_stand() {
        let upstream = Upstream::default();
        let before = upstream.service(LATER);
        // As the compiler may put them into each crate that calls them.
        let elsewhere: &'static [Method] = Vec::leak(LATER.to_vec());
        assert!(Arc::ptr_eq(&before, &upstream.service(elsewhere)));
    }

    #[tokio::test]
    async fn a_method_is_found_wherever_its_path_stands() {
        let upstream = Upstream::default();
        let service = upstream.service(LATER);
        let path: &'static str = String::leak(PUT.path().to_owned());
        assert!(service.method(&Method::unary(path)).is_ok());
    }
}
