//! [`ServerEvents`] and [`ClientEvents`]: what is counted that is no call.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use super::family::{Family, Labels, Value};
use crate::observe::{ConnectionChange, EndpointChange, Refusal};
use crate::{BreakerTransition, Method};

/// More reasons than there are.
const MOST_REASONS: usize = 64;

/// A program that calls more targets than that has the others counted as one.
const MOST_TARGETS: usize = 256;

/// What all targets beyond the most are called.
const OTHER: &str = "_OTHER";

/// What happens to a server beside its calls.
#[derive(Debug)]
pub(super) struct ServerEvents {
    /// Whether there is a server at all.
    is_there: AtomicBool,
    connections: AtomicI64,
    opened: AtomicU64,
    refused: AtomicU64,
    /// Calls, by reason, in the order in which those were first seen: under a flood they are counted
    /// without a lock.
    refusals: [OnceLock<(&'static str, AtomicU64)>; MOST_REASONS],
    /// Methods, by their path: as many as there are.
    undeclared: Mutex<BTreeMap<&'static str, (Method, u64)>>,
}

impl Default for ServerEvents {
    fn default() -> Self {
        Self {
            is_there: AtomicBool::new(false),
            connections: AtomicI64::new(0),
            opened: AtomicU64::new(0),
            refused: AtomicU64::new(0),
            refusals: [const { OnceLock::new() }; MOST_REASONS],
            undeclared: Mutex::default(),
        }
    }
}

impl ServerEvents {
    /// There is a server.
    pub(super) fn begin(&self) {
        self.is_there.store(true, Ordering::Relaxed);
    }

    pub(super) fn connection(&self, change: ConnectionChange) {
        match change {
            ConnectionChange::Opened => {
                self.connections.fetch_add(1, Ordering::Relaxed);
                self.opened.fetch_add(1, Ordering::Relaxed);
            }
            ConnectionChange::Closed => {
                self.connections.fetch_sub(1, Ordering::Relaxed);
            }
            ConnectionChange::Refused => {
                self.refused.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    pub(super) fn refusal(&self, reason: Refusal) {
        let reason = reason.as_str();
        for slot in &self.refusals {
            let (known, count) = slot.get_or_init(|| (reason, AtomicU64::default()));
            if *known == reason {
                count.fetch_add(1, Ordering::Relaxed);
                return;
            }
        }
    }

    pub(super) fn undeclared(&self, method: &Method) {
        let mut undeclared = lock(&self.undeclared);
        undeclared.entry(method.path()).or_insert((*method, 0)).1 += 1;
    }

    pub(super) fn families(&self) -> Vec<Family> {
        if !self.is_there.load(Ordering::Relaxed) {
            return Vec::new();
        }
        let mut connections = Family::gauge(
            "grpc_server_active_connections",
            "Connections that are open to this server.",
        );
        let open = self.connections.load(Ordering::Relaxed);
        connections.push(Labels::new(), Value::Gauge(open.max(0)));
        let mut opened = Family::counter(
            "grpc_server_connections_opened",
            "Connections that this server has accepted.",
        );
        let count = |count: &AtomicU64| Value::Counter(count.load(Ordering::Relaxed));
        opened.push(Labels::new(), count(&self.opened));
        let mut refused = Family::counter(
            "grpc_server_connections_refused",
            "Connections that were closed as they came, since there were too many.",
        );
        refused.push(Labels::new(), count(&self.refused));
        let mut refusals = Family::counter(
            "grpc_server_refused",
            "Requests that the server itself has refused, by its reason.",
        );
        let mut known: Vec<_> = self.refusals.iter().filter_map(OnceLock::get).collect();
        known.sort_by_key(|(reason, _)| *reason);
        for (reason, times) in known {
            let labels = vec![("reason", Cow::Borrowed(*reason))];
            refusals.push(labels, count(times));
        }
        let mut undeclared = Family::counter(
            "grpc_server_undeclared_errors",
            "Errors of servicers that their methods do not declare.",
        );
        for (method, times) in lock(&self.undeclared).values() {
            undeclared.push(of_method(Vec::new(), method), Value::Counter(*times));
        }
        vec![connections, opened, refused, refusals, undeclared]
    }
}

/// What happens to the targets of clients.
#[derive(Debug, Default)]
pub(super) struct ClientEvents(Mutex<BTreeMap<Arc<str>, Target>>);

/// What has happened to one.
#[derive(Debug, Default)]
struct Target {
    connected: u64,
    disconnected: u64,
    unreachable: u64,
    ejected: u64,
    unhealthy: u64,
    /// By the path of the method, and by the state that its breaker went to.
    transitions: BTreeMap<(&'static str, &'static str), (Method, u64)>,
}

impl ClientEvents {
    pub(super) fn endpoint(&self, target: &str, change: &EndpointChange<'_>) {
        self.of(target, |target| match change {
            EndpointChange::Connected { .. } => target.connected += 1,
            EndpointChange::Disconnected { .. } => target.disconnected += 1,
            EndpointChange::Unreachable { .. } => target.unreachable += 1,
            EndpointChange::Ejected { .. } => target.ejected += 1,
            EndpointChange::Unhealthy { .. } => target.unhealthy += 1,
            EndpointChange::Healthy | EndpointChange::Returned => {}
        });
    }

    pub(super) fn breaker(&self, target: &str, method: &Method, transition: BreakerTransition) {
        let key = (method.path(), transition.to.as_str());
        self.of(target, |target| {
            target.transitions.entry(key).or_insert((*method, 0)).1 += 1;
        });
    }

    fn of(&self, target: &str, change: impl FnOnce(&mut Target)) {
        let mut targets = lock(&self.0);
        let is_known = targets.contains_key(target);
        let name = match is_known || targets.len() < MOST_TARGETS {
            true => target,
            false => OTHER,
        };
        match targets.get_mut(name) {
            Some(known) => change(known),
            None => change(targets.entry(name.into()).or_default()),
        }
    }

    pub(super) fn families(&self) -> Vec<Family> {
        let mut transitions = Family::counter(
            "grpc_client_breaker_transitions",
            "Changes of the state of a circuit breaker, by the state that it went to.",
        );
        let targets = lock(&self.0);
        for (name, target) in targets.iter() {
            for ((_, to), (method, times)) in &target.transitions {
                let mut labels = of_method(of_target(name), method);
                labels.push(("to", Cow::Borrowed(to)));
                transitions.push(labels, Value::Counter(*times));
            }
        }
        let counter = |name, help, of: fn(&Target) -> u64| {
            let mut family = Family::counter(name, help);
            for (name, target) in targets.iter() {
                family.push(of_target(name), Value::Counter(of(target)));
            }
            family
        };
        vec![
            transitions,
            counter(
                "grpc_client_connections_opened",
                "Connections that were made to endpoints of a target.",
                |target| target.connected,
            ),
            counter(
                "grpc_client_connections_lost",
                "Connections to endpoints of a target that broke, or that their server closed.",
                |target| target.disconnected,
            ),
            counter(
                "grpc_client_connect_failures",
                "Attempts to connect to an endpoint of a target that failed.",
                |target| target.unreachable,
            ),
            counter(
                "grpc_client_ejections",
                "Endpoints of a target that were left out for a while, since their calls failed.",
                |target| target.ejected,
            ),
            counter(
                "grpc_client_unhealthy",
                "Endpoints of a target that said that they are not SERVING.",
                |target| target.unhealthy,
            ),
        ]
    }
}

pub(super) fn of_target(target: &str) -> Labels {
    vec![("target", Cow::Owned(target.to_owned()))]
}

fn of_method(mut labels: Labels, method: &Method) -> Labels {
    labels.push(("service", Cow::Borrowed(method.service())));
    labels.push(("method", Cow::Borrowed(method.name())));
    labels
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
