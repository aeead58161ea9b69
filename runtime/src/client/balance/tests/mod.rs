//! Choosing among endpoints, in virtual time.

mod ejected;
mod least;
mod turns;

use std::sync::Arc;

use super::*;
use crate::{Attempt, Balance};

/// So many endpoints, `10.0.0.0:1` the first.
fn endpoints(count: usize, balance: Balance) -> Vec<Arc<Candidate>> {
    let names = (0..count).map(|last| format!("10.0.0.{last}:1").into());
    names
        .map(|name| Arc::new(Candidate::new(name, balance)))
        .collect()
}

/// The endpoint of a call that was nowhere before.
fn pick(picker: &Picker, endpoints: &[Arc<Candidate>]) -> usize {
    picker
        .pick(endpoints, |one| one, &Attempt::first())
        .unwrap()
}

/// The attempt of a call that was at these endpoints before.
fn after(tried: impl IntoIterator<Item = usize>) -> Attempt {
    let mut attempt = Attempt::first();
    for last in tried {
        attempt.set_endpoint(&format!("10.0.0.{last}:1").into());
        attempt.next();
    }
    attempt
}

/// Ejects these of them; the policy lets so many at once only one by one.
fn eject(endpoints: &[Arc<Candidate>], which: impl IntoIterator<Item = usize>) {
    for at in which {
        let ejector = Ejector::new(OutlierEjection::new(), |_| {});
        let other = Arc::new(Candidate::new("another".into(), Balance::RoundRobin));
        let back = ejector.set_members(vec![Arc::clone(&endpoints[at]), other]);
        assert!(back.is_empty());
        for _ in 0..5 {
            ejector.finished(&endpoints[at], Ending::Badly);
        }
        assert!(endpoints[at].is_ejected());
    }
}
