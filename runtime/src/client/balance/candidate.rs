//! [`Candidate`]: what choosing an endpoint goes by.

use std::sync::Arc;

use tokio::time::Instant;

use super::Balance;
use super::ejection::Record;
use super::load::Load;
use crate::policy::CodeSet;
use crate::{Attempt, Code};

/// What calls say of their endpoint when they fail for what may be its own fault; of the other codes the
/// caller is the cause, or the service as it should be.
const FAULTS: CodeSet = CodeSet::of(&[
    Code::Unavailable,
    Code::DeadlineExceeded,
    Code::Internal,
    Code::Unknown,
    Code::DataLoss,
]);

/// An endpoint, to who chooses among several.
#[derive(Debug)]
pub(crate) struct Candidate {
    name: Arc<str>,
    load: Load,
    /// Whether anybody asks how busy it is.
    is_loaded: bool,
    pub(super) record: Record,
}

/// A call that is under way.
#[derive(Clone, Copy, Debug)]
#[must_use = "the call has to be finished"]
pub(crate) struct Started(Option<Instant>);

/// How a call ended for its endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    Well,
    /// With a status that may be the endpoint's fault.
    Badly,
    /// The caller didn't wait for its end.
    GivenUp,
}

/// How good it is to pick a candidate; less is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Rank {
    Good,
    /// An earlier attempt of the call went there.
    Tried,
    /// Ejected: it is picked when all are.
    Ejected,
    EjectedAndTried,
}

impl Candidate {
    /// That of the endpoint of this name, which is what [`Attempt::endpoint`] says.
    pub(crate) fn new(name: Arc<str>, balance: Balance) -> Self {
        Self {
            name,
            load: Load::new(Instant::now()),
            is_loaded: balance == Balance::LeastLoaded,
            record: Record::default(),
        }
    }

    pub(crate) fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// Whether it is left out for a while.
    pub(crate) fn is_ejected(&self) -> bool {
        self.record.is_ejected()
    }

    /// A call begins. Where nobody asks how busy the endpoint is, nothing is written.
    pub(crate) fn started(&self) -> Started {
        Started(self.is_loaded.then(|| {
            self.load.started();
            Instant::now()
        }))
    }

    /// The call ended; each one that was started does so once. The ejector hears of it as well.
    pub(crate) fn finished(&self, started: Started, ending: Ending) {
        if let Started(Some(started)) = started {
            let now = Instant::now();
            self.load.finished(now.duration_since(started), ending, now);
        }
    }

    /// Whether there is nothing against it for this attempt: it isn't left out, and was not tried.
    pub(crate) fn is_good(&self, attempt: &Attempt) -> bool {
        self.rank(attempt) == Rank::Good
    }

    pub(super) fn rank(&self, attempt: &Attempt) -> Rank {
        match (self.is_ejected(), attempt.has_tried(&self.name)) {
            (false, false) => Rank::Good,
            (false, true) => Rank::Tried,
            (true, false) => Rank::Ejected,
            (true, true) => Rank::EjectedAndTried,
        }
    }

    pub(super) fn cost(&self, now: Instant) -> f32 {
        self.load.cost(now)
    }
}

impl Ending {
    /// That of a call with this final status; without one its caller gave it up. A deadline that passed
    /// while it waited is `DEADLINE_EXCEEDED`, or an endpoint that hangs would never be found out.
    pub(crate) fn of(code: Option<Code>) -> Self {
        match code {
            None => Self::GivenUp,
            Some(code) if FAULTS.contains(code) => Self::Badly,
            Some(_) => Self::Well,
        }
    }
}
