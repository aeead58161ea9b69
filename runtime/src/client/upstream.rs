//! [`Upstream`]: what all stubs of a target share.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use http::HeaderValue;

use super::breaker::{Breaker, BreakerTransition, CircuitBreaker};
use super::config::ClientSettings;
use super::credentials::Credentials;
use super::effective::Effective;
use super::failure::Failure;
use super::throttle::Throttle;
use crate::observe::{Event, Observers};
use crate::wire::timeout;
use crate::{Code, Method, RetryThrottle, Status};

/// What is known of a target by all who call it: settings, circuit breakers, the retry throttle, who
/// observes, and the token that goes with calls. A [`ClientFactory`](super::ClientFactory) makes it,
/// and a [`Channel`](super::Channel) hands it out.
pub struct Upstream {
    target: Arc<str>,
    is_secure: bool,
    settings: ClientSettings,
    credentials: Option<Credentials>,
    observers: Option<Arc<Observers>>,
    throttle: Option<Arc<Throttle>>,
    /// By name. As many as the program has generated clients for.
    services: Mutex<HashMap<&'static str, Arc<ServiceState>>>,
}

/// The methods of one service at a target.
pub(super) struct ServiceState {
    methods: HashMap<&'static str, MethodState>,
}

/// One method at a target.
pub(super) struct MethodState {
    pub(super) effective: Effective,
    /// The deadline that its calls have if nothing else counts, for the wire: a value that stays the
    /// same is sent as one byte (HPACK).
    pub(super) timeout: Option<HeaderValue>,
    pub(super) breaker: Option<Arc<Breaker>>,
    pub(super) throttle: Option<Arc<Throttle>>,
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
        Self {
            target,
            is_secure,
            settings,
            credentials,
            observers: (!observers.is_empty()).then(|| Arc::new(observers)),
            throttle,
            services: Mutex::default(),
        }
    }

    /// What is known of a service; made when it is first asked for.
    pub(super) fn service(&self, methods: &'static [Method]) -> Arc<ServiceState> {
        let name = methods.first().map(Method::service).unwrap_or_default();
        let mut services = self.services.lock().unwrap_or_else(PoisonError::into_inner);
        let state = services.entry(name).or_insert_with(|| {
            // What the proto says of a throttle is of the service, as its calls are.
            let throttle = match methods.iter().find_map(Method::throttle) {
                own @ Some(_) => self.settings.throttle_of(own).map(bucket),
                None => self.throttle.clone(),
            };
            let state = |method: &'static Method| {
                let throttle = throttle.clone();
                (method.path(), MethodState::new(self, method, throttle))
            };
            Arc::new(ServiceState {
                methods: methods.iter().map(state).collect(),
            })
        });
        Arc::clone(state)
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
        let state = services.get(method.service())?.methods.get(method.path())?;
        Some(CircuitBreaker::new(Arc::clone(state.breaker.as_ref()?)))
    }
}

impl ServiceState {
    /// # Errors
    ///
    /// When the method is none of the service's, which no generated code does.
    pub(super) fn method(&self, method: &Method) -> Result<&MethodState, Failure> {
        self.methods.get(method.path()).ok_or_else(|| {
            let path = method.path();
            let message = format!("`{path}` is none of the methods that its `Caller` was made for");
            Failure::encode(Status::new(Code::Internal, message))
        })
    }
}

impl MethodState {
    fn new(upstream: &Upstream, method: &'static Method, throttle: Option<Arc<Throttle>>) -> Self {
        let effective = Effective::of(method, &upstream.settings);
        let breaker = effective.breaker.map(|settings| {
            let target = Arc::clone(&upstream.target);
            let observers = upstream.observers.clone();
            Arc::new(Breaker::new(settings, move |transition| {
                tell(&target, method, transition, observers.as_deref());
            }))
        });
        let limit = effective.limit(None);
        Self {
            effective,
            timeout: limit.map(|limit| timeout::write(limit.duration)),
            breaker,
            throttle,
        }
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
