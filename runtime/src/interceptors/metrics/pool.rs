//! [`Pool`]: what clients are like, asked when somebody wants to know. What is gone is not told of any
//! more, and nothing is kept up for it.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use super::events::of_target;
use super::family::{Family, Labels, Value};
use crate::Method;
use crate::client::{BreakerState, ClientView};

/// Of endpoints beyond this many, all clients together, nothing is told one by one: each is a series.
const MOST_ENDPOINTS: usize = 1000;

/// The clients that there are.
#[derive(Debug, Default)]
pub(super) struct Pool(Mutex<Vec<ClientView>>);

impl Pool {
    /// There is another one. Those that are gone are forgotten: there are never more than were open at
    /// once, and one.
    pub(super) fn add(&self, client: &ClientView) {
        let mut clients = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        clients.retain(ClientView::is_open);
        clients.push(client.clone());
    }

    pub(super) fn families(&self) -> Vec<Family> {
        let clients = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let clients = clients.clone();
        // Several clients may have the same target: their connections add up, and of their breakers the
        // worst is told.
        let (mut endpoints, mut breakers) = (BTreeMap::new(), BTreeMap::new());
        for client in clients.iter().filter_map(ClientView::state) {
            for endpoint in client.endpoints {
                let key = (client.target.clone(), endpoint.name);
                let (connections, ejected) = endpoints.entry(key).or_insert((0_i64, false));
                *connections += i64::try_from(endpoint.connections).unwrap_or(i64::MAX);
                *ejected |= endpoint.is_ejected;
            }
            for (path, state) in client.breakers {
                let worst = breakers.entry((client.target.clone(), path)).or_insert(0);
                *worst = level(state).max(*worst);
            }
        }
        let mut connections = Family::gauge(
            "grpc_client_connections",
            "Connections that are open to an endpoint of a target.",
        );
        let mut ejected = Family::gauge(
            "grpc_client_endpoint_ejected",
            "Whether an endpoint of a target is left out for now, since its calls failed: 0 or 1.",
        );
        for ((target, endpoint), (open, is_ejected)) in endpoints.iter().take(MOST_ENDPOINTS) {
            let labels = || -> Labels {
                let mut labels = of_target(target);
                labels.push(("endpoint", Cow::Owned(endpoint.to_string())));
                labels
            };
            connections.push(labels(), Value::Gauge(*open));
            ejected.push(labels(), Value::Gauge(i64::from(*is_ejected)));
        }
        let mut states = Family::gauge(
            "grpc_client_breaker_state",
            "The state of a circuit breaker: 0 closed, 1 half open, 2 open.",
        );
        for ((target, path), worst) in &breakers {
            let (mut labels, method) = (of_target(target), Method::unary(path));
            labels.push(("service", Cow::Borrowed(method.service())));
            labels.push(("method", Cow::Borrowed(method.name())));
            states.push(labels, Value::Gauge(*worst));
        }
        vec![connections, ejected, states]
    }
}

/// How bad the state of a breaker is.
const fn level(state: BreakerState) -> i64 {
    match state {
        BreakerState::Closed | BreakerState::ForcedClosed => 0,
        BreakerState::HalfOpen => 1,
        BreakerState::Open | BreakerState::ForcedOpen => 2,
    }
}
