//! [`Picker`]: chooses one of the endpoints that are ready.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::time::Instant;

use super::Balance;
use super::candidate::{Candidate, Rank};
use crate::Attempt;

/// Up to here the least of all is looked for, which costs less than it spares; beyond, the better one of
/// two (Mitzenmacher, "The Power of Two Choices").
const MAX_SCANNED: usize = 16;

/// Chooses one of the endpoints that are ready: one that is not ejected, and to which no earlier attempt
/// of the call went, if there is one.
#[derive(Debug)]
pub(crate) struct Picker {
    balance: Balance,
    next: AtomicUsize,
    /// Whose turn it is among the others, where the one whose turn it is isn't good.
    next_other: AtomicUsize,
}

impl Picker {
    pub(crate) fn new(balance: Balance) -> Self {
        Self {
            balance,
            next: AtomicUsize::new(0),
            next_other: AtomicUsize::new(0),
        }
    }

    /// The index of the endpoint for an attempt; None where there is none. `of` is what is known of one.
    pub(crate) fn pick<E>(
        &self,
        ready: &[Arc<E>],
        of: impl Fn(&E) -> &Candidate,
        attempt: &Attempt,
    ) -> Option<usize> {
        // A target with one endpoint is the common case: nothing is counted.
        if ready.len() < 2 {
            return (!ready.is_empty()).then_some(0);
        }
        let ranked = |at: usize| ready.get(at).map(|endpoint| of(endpoint).rank(attempt));
        match self.balance {
            Balance::RoundRobin => {
                let turn = self.next.fetch_add(1, Ordering::Relaxed) % ready.len();
                match ranked(turn) {
                    Some(Rank::Good) => Some(turn),
                    _ => self.pick_other(ready.len(), ranked),
                }
            }
            // `min_by_key` takes the first of equals.
            Balance::PickFirst => (0..ready.len()).min_by_key(|at| ranked(*at)),
            Balance::LeastLoaded => {
                let now = Instant::now();
                let costs = |at: usize| {
                    let candidate = of(ready.get(at)?);
                    Some((candidate.rank(attempt), candidate.cost(now)))
                };
                pick_least(ready.len(), costs)
            }
        }
    }

    /// One of the best others, each in turn: what is not to be picked is spread over all of them, and
    /// not put on its neighbour.
    fn pick_other(&self, count: usize, ranked: impl Fn(usize) -> Option<Rank>) -> Option<usize> {
        let best = (0..count).filter_map(&ranked).min()?;
        let is_best = |at: &usize| ranked(*at) == Some(best);
        let among = (0..count).filter(is_best).count();
        let turn = self.next_other.fetch_add(1, Ordering::Relaxed) % among.max(1);
        // Another thread may have ejected one since they were counted.
        let nth = (0..count).filter(is_best).nth(turn);
        nth.or_else(|| (0..count).min_by_key(|at| ranked(*at)))
    }
}

/// The one that costs the least. Whoever is looked at first is so by chance: of those that cost the same
/// it isn't always the first that gets the calls.
fn pick_least(count: usize, costs: impl Fn(usize) -> Option<(Rank, f32)>) -> Option<usize> {
    if count > MAX_SCANNED {
        let one = fastrand::usize(..count);
        let other = (one + fastrand::usize(1..count)) % count;
        let least = least_of([one, other].into_iter(), &costs)?;
        if matches!(costs(least), Some((Rank::Good, _))) {
            return Some(least);
        }
    }
    let first = fastrand::usize(..count);
    least_of((first..count).chain(0..first), &costs)
}

fn least_of(
    all: impl Iterator<Item = usize>,
    costs: impl Fn(usize) -> Option<(Rank, f32)>,
) -> Option<usize> {
    let costs = all.filter_map(|at| Some((at, costs(at)?)));
    let least = costs.min_by(|(_, (rank, cost)), (_, (other_rank, other_cost))| {
        rank.cmp(other_rank).then(cost.total_cmp(other_cost))
    });
    least.map(|(at, _)| at)
}
