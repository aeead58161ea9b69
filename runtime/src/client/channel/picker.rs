//! Choosing among the endpoints that are ready.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::options::Balance;
use crate::client::Attempt;

/// What choosing goes by.
#[derive(Debug, Default)]
pub(crate) struct Candidate {
    in_flight: AtomicUsize,
}

/// Chooses one of the endpoints that are ready.
#[derive(Debug)]
pub(crate) struct Picker {
    balance: Balance,
    next: AtomicUsize,
}

impl Candidate {
    pub(super) fn started(&self) {
        self.in_flight.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn finished(&self) {
        self.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Picker {
    pub(crate) fn new(balance: Balance) -> Self {
        Self {
            balance,
            next: AtomicUsize::new(0),
        }
    }

    /// The index of one, rather one that the call's earlier attempts weren't sent to.
    pub(crate) fn pick<E>(
        &self,
        ready: &[Arc<E>],
        name: impl Fn(&E) -> &str,
        candidate: impl Fn(&E) -> &Candidate,
        attempt: &Attempt,
    ) -> Option<usize> {
        match ready {
            [] => return None,
            [_] => return Some(0),
            _ => {}
        }
        let first = match self.balance {
            Balance::RoundRobin => self.next.fetch_add(1, Ordering::Relaxed) % ready.len(),
            Balance::PickFirst => 0,
            Balance::LeastLoaded => {
                let load = |e: &Arc<E>| candidate(e).in_flight.load(Ordering::Relaxed);
                let least = ready.iter().enumerate().min_by_key(|(_, e)| load(e));
                least.map_or(0, |(at, _)| at)
            }
        };
        let untried = (0..ready.len())
            .map(|step| (first + step) % ready.len())
            .find(|at| ready.get(*at).is_some_and(|e| !attempt.has_tried(name(e))));
        Some(untried.unwrap_or(first))
    }
}
