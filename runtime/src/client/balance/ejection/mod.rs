//! [`Ejector`]: leaves out endpoints whose calls fail, for a while (outlier ejection, gRFC A50).
//!
//! It ejects at once after failures in a row, and at each interval by the rates of failure, if the others
//! do better. A few at most are left out at once, so that no failure that all share takes the calls from
//! those that are left; an endpoint comes back by itself. When all are ejected the picker takes any.

mod policy;
mod record;

use std::fmt;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior, interval};

pub use self::policy::OutlierEjection;
pub(super) use self::record::Record;
use super::candidate::{Candidate, Ending};

/// Ejects endpoints of one target.
pub(crate) struct Ejector {
    policy: OutlierEjection,
    members: Mutex<Vec<Arc<Candidate>>>,
    tell: Box<dyn Fn(&Notice) + Send + Sync>,
}

/// An endpoint was ejected, or is back.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Notice {
    pub(crate) endpoint: Arc<str>,
    pub(crate) change: Change,
}

/// What became of an endpoint.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Change {
    /// It is left out.
    Ejected {
        /// Why.
        cause: Cause,
        /// How long.
        time: Duration,
    },
    /// It is picked again.
    Returned,
}

/// Why an endpoint is ejected.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Cause {
    /// So many of its calls failed one after the other.
    InRow(u32),
    /// So many percent of its calls in an interval failed.
    Percentage(f64),
    /// So many percent of its calls in an interval succeeded, far fewer than on the others.
    SuccessRate(f64),
}

/// How many of so many endpoints may be ejected at once.
fn max_ejected(members: usize) -> usize {
    match members {
        0 | 1 => 0,
        members => (members / 10).max(1),
    }
}

impl Ejector {
    /// Ejects as `policy` says, and tells what becomes of endpoints to `tell`, on the path of calls.
    pub(crate) fn new(
        policy: OutlierEjection,
        tell: impl Fn(&Notice) + Send + Sync + 'static,
    ) -> Self {
        Self {
            policy,
            members: Mutex::default(),
            tell: Box::new(tell),
        }
    }

    /// From now on these are the endpoints of the target, ready or not. One that was ejected stays so;
    /// one that is no longer there is forgotten. Those that are back since they are alone are to be told
    /// of, when no lock is held: who listens may do anything.
    #[must_use = "they are to be told"]
    pub(crate) fn set_members(&self, members: Vec<Arc<Candidate>>) -> Vec<Notice> {
        let can_eject = !self.policy.is_off() && members.len() > 1;
        let mut back = Vec::new();
        for member in &members {
            let record = &member.record;
            record.is_watched.store(can_eject, Ordering::Relaxed);
            if !can_eject && record.is_ejected() {
                back.push(release(member));
            }
        }
        *self.members() = members;
        back
    }

    /// Tells of what became of endpoints.
    pub(crate) fn tell(&self, notices: &[Notice]) {
        notices.iter().for_each(|notice| (self.tell)(notice));
    }

    /// A call on an endpoint ended.
    pub(crate) fn finished(&self, candidate: &Candidate, ending: Ending) {
        let record = &candidate.record;
        if !record.is_watched.load(Ordering::Relaxed) {
            return;
        }
        match ending {
            Ending::GivenUp => {}
            Ending::Well => {
                if self.policy.has_rates() {
                    record.well.fetch_add(1, Ordering::Relaxed);
                }
                // As long as all goes well there is nothing to write.
                if record.in_row.load(Ordering::Relaxed) != 0 {
                    record.in_row.store(0, Ordering::Relaxed);
                }
            }
            Ending::Badly => {
                record.badly.fetch_add(1, Ordering::Relaxed);
                let in_row = record.in_row.fetch_add(1, Ordering::Relaxed);
                let in_row = in_row.saturating_add(1);
                // Not at every failure beyond it: there may be no room to eject one more.
                if self
                    .policy
                    .in_row
                    .is_some_and(|bound| in_row.is_multiple_of(bound))
                {
                    self.eject_one(candidate, in_row);
                }
            }
        }
    }

    /// Looks at rates and at who comes back, at each interval, for ever.
    pub(crate) async fn run(&self) {
        if self.policy.is_off() {
            return std::future::pending().await;
        }
        let mut interval = interval(self.policy.interval);
        interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
        // The first tick is at once.
        interval.tick().await;
        loop {
            interval.tick().await;
            self.sweep(Instant::now());
        }
    }

    /// An interval has ended.
    pub(super) fn sweep(&self, now: Instant) {
        let members = self.members();
        let calls: Vec<_> = members.iter().map(|one| one.record.take_calls()).collect();
        let mut notices = Vec::new();
        for (at, cause) in self.outliers(&calls) {
            if let Some(candidate) = members.get(at) {
                notices.extend(self.eject(&members, candidate, cause, now));
            }
        }
        let back = members.iter().filter(|one| one.record.serve(now));
        notices.extend(back.map(|one| release(one)));
        // Who listens may take its time.
        drop(members);
        self.tell(&notices);
    }

    fn eject_one(&self, candidate: &Candidate, in_row: u32) {
        let cause = Cause::InRow(in_row);
        let notice = self.eject(&self.members(), candidate, cause, Instant::now());
        self.tell(notice.as_slice());
    }

    /// Ejects one, if it is there, isn't ejected yet, and one more may be. The lock of `members` is held.
    fn eject(
        &self,
        members: &[Arc<Candidate>],
        candidate: &Candidate,
        cause: Cause,
        now: Instant,
    ) -> Option<Notice> {
        let is_member = members.iter().any(|one| std::ptr::eq(&**one, candidate));
        let ejected = members.iter().filter(|one| one.is_ejected()).count();
        if !is_member || candidate.is_ejected() || ejected >= max_ejected(members.len()) {
            return None;
        }
        let time = candidate.record.eject(&self.policy, now);
        Some(Notice {
            endpoint: Arc::clone(candidate.name()),
            change: Change::Ejected { cause, time },
        })
    }

    /// Who failed too often, by the calls of all.
    fn outliers(&self, calls: &[(u32, u32)]) -> Vec<(usize, Cause)> {
        let mut found = Vec::new();
        if let Some(rate) = self.policy.deviation {
            let rates = rate.success_rates(calls);
            let count = rates.len().max(1) as f64;
            let mean = rates.iter().map(|(_, rate)| rate).sum::<f64>() / count;
            let squares = rates.iter().map(|(_, rate)| (rate - mean).powi(2));
            let least = mean - rate.bound * (squares.sum::<f64>() / count).sqrt();
            let below = rates.into_iter().filter(|(_, rate)| *rate < least);
            found.extend(below.map(|(at, rate)| (at, Cause::SuccessRate(rate))));
        }
        if let Some(rate) = self.policy.percentage {
            let failed = rate.success_rates(calls).into_iter();
            let failed = failed.map(|(at, rate)| (at, 100.0 - rate));
            let above = failed.filter(|(_, failed)| *failed >= rate.bound);
            found.extend(above.map(|(at, failed)| (at, Cause::Percentage(failed))));
        }
        found
    }

    fn members(&self) -> MutexGuard<'_, Vec<Arc<Candidate>>> {
        self.members.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Lets an endpoint be picked again.
fn release(candidate: &Candidate) -> Notice {
    candidate.record.release();
    Notice {
        endpoint: Arc::clone(candidate.name()),
        change: Change::Returned,
    }
}

impl fmt::Debug for Ejector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ejector")
            .field("policy", &self.policy)
            .finish_non_exhaustive()
    }
}
