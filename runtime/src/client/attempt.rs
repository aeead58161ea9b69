//! [`Attempt`]: one try to carry a call, and how far it got.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::time::Instant;

use super::credentials::Number;
use super::trace::Verdict;
use crate::Code;
#[cfg(feature = "otel")]
use crate::interceptors::AttemptSpan;

/// One try to carry a call: what its [`Transport`](super::Transport) is told of it, and tells.
#[derive(Debug, Default)]
pub struct Attempt {
    tried: Vec<Arc<str>>,
    way: Way,
    wait_for_ready: bool,
    deadline: Option<Instant>,
    /// Its place among those that run beside it, if some do.
    abreast: Option<(Arc<Abreast>, usize)>,
    token: Number,
}

/// Where an attempt went, and how far.
#[derive(Clone, Debug, Default)]
pub(super) struct Way {
    pub(super) endpoint: Option<Arc<str>>,
    pub(super) reached: Reached,
    /// Whether it was given to the transport.
    pub(super) given: bool,
    /// The attempt's span, where it has one.
    #[cfg(feature = "otel")]
    pub(super) span: Option<AttemptSpan>,
}

/// The attempts of a hedged call, which run beside each other: each avoids the others' endpoints.
#[derive(Debug, Default)]
pub(super) struct Abreast(Mutex<Vec<Way>>);

/// How far an [`Attempt`] got.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Reached {
    /// Nothing is known: the transport doesn't tell.
    #[default]
    Nothing,
    /// The target's name is being resolved.
    Resolving,
    /// A connection is being made.
    Connecting,
    /// All connections have as many calls as their servers take.
    Queued,
    /// The request was handed to a connection.
    Sent,
    /// The head of an answer came.
    Answered,
}

impl Attempt {
    /// The first one of a call.
    #[must_use]
    pub fn first() -> Self {
        Self::default()
    }

    /// Begins the next one: another endpoint than the last one's is better.
    pub(super) fn next(&mut self) {
        self.tried.extend(self.way.endpoint.take());
        self.way = Way::default();
    }

    /// Another one of the same call, beside those that run.
    pub(super) fn beside(&self, abreast: &Arc<Abreast>) -> Self {
        let place = abreast.begin();
        Self {
            tried: Vec::new(),
            way: Way::default(),
            wait_for_ready: self.wait_for_ready,
            deadline: self.deadline,
            abreast: Some((Arc::clone(abreast), place)),
            token: Number::default(),
        }
    }

    /// The call waits for a connection as long as it has time, rather than failing when none can be
    /// made.
    pub(super) fn set_wait_for_ready(&mut self, wait: bool) {
        self.wait_for_ready = wait;
    }

    /// Whether it waits for a connection as long as it has time, rather than failing when none can
    /// be made.
    #[must_use]
    pub fn waits_for_ready(&self) -> bool {
        self.wait_for_ready
    }

    /// It is given up then. An endpoint on which that happens has not answered; who is given up for
    /// another reason says nothing of its endpoint.
    pub(super) fn set_deadline(&mut self, deadline: Option<Instant>) {
        self.deadline = deadline;
    }

    /// When it is given up.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    /// It goes with this token of the client's.
    pub(super) fn set_token(&mut self, token: Number) {
        self.token = token;
    }

    /// Which token of the client's it went with.
    pub(super) fn token(&self) -> Number {
        self.token
    }

    /// Whether another attempt of the call was sent to this endpoint, or is on its way there.
    #[must_use]
    pub fn has_tried(&self, endpoint: &str) -> bool {
        let beside = |(abreast, own): &(Arc<Abreast>, usize)| abreast.has(*own, endpoint);
        self.tried.iter().any(|tried| **tried == *endpoint)
            || self.abreast.as_ref().is_some_and(beside)
    }

    /// Says that it has got this far.
    pub fn set_reached(&mut self, reached: Reached) {
        self.way.reached = reached;
        self.show();
    }

    /// Says which endpoint it goes to.
    pub fn set_endpoint(&mut self, endpoint: &Arc<str>) {
        self.way.endpoint = Some(Arc::clone(endpoint));
        self.show();
    }

    /// It has this span.
    #[cfg(feature = "otel")]
    pub(super) fn set_span(&mut self, span: Option<AttemptSpan>) {
        if span.is_some() {
            self.way.span = span;
            self.show();
        }
    }

    /// It is given to the transport now.
    pub(super) fn give(&mut self) {
        self.way.given = true;
        self.show();
    }

    /// How far it got.
    #[must_use]
    pub fn reached(&self) -> Reached {
        self.way.reached
    }

    /// Which endpoint it went to, as far as the transport tells: `10.0.0.7:50051`.
    #[must_use]
    pub fn endpoint(&self) -> Option<&Arc<str>> {
        self.way.endpoint.as_ref()
    }

    /// Which one of those that run beside each other it is.
    pub(super) fn place(&self) -> usize {
        self.abreast.as_ref().map_or(0, |(_, place)| *place)
    }

    pub(super) fn way(&self) -> &Way {
        &self.way
    }

    /// Shows those that run beside it where it is.
    fn show(&self) {
        if let Some((abreast, place)) = &self.abreast {
            abreast.set(*place, &self.way);
        }
    }
}

impl Way {
    /// The attempt has ended so.
    pub(super) fn end(&self, code: Code, verdict: Option<Verdict>) {
        #[cfg(feature = "otel")]
        if let Some(span) = &self.span {
            span.end(self.endpoint.as_deref(), code, verdict);
        }
        #[cfg(not(feature = "otel"))]
        let _ = (code, verdict);
    }

    /// Whether a server may have seen it: a transport that doesn't tell may have sent it.
    pub(super) fn may_be_sent(&self) -> bool {
        match self.reached {
            Reached::Nothing => self.given,
            Reached::Resolving | Reached::Connecting | Reached::Queued => false,
            Reached::Sent | Reached::Answered => true,
        }
    }
}

impl Abreast {
    fn begin(&self) -> usize {
        let mut ways = self.ways();
        ways.push(Way::default());
        ways.len() - 1
    }

    fn set(&self, place: usize, way: &Way) {
        if let Some(own) = self.ways().get_mut(place) {
            own.clone_from(way);
        }
    }

    fn has(&self, own: usize, endpoint: &str) -> bool {
        let goes = |way: &Way| way.endpoint.as_deref() == Some(endpoint);
        let ways = self.ways();
        let mut others = ways.iter().enumerate().filter(|(place, _)| *place != own);
        others.any(|(_, way)| goes(way))
    }

    /// Where one of them is, of the order in which they began.
    pub(super) fn way(&self, place: usize) -> Way {
        self.ways().get(place).cloned().unwrap_or_default()
    }

    fn ways(&self) -> MutexGuard<'_, Vec<Way>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Display for Reached {
    /// As in "the deadline has passed while …".
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Nothing => "calling",
            Self::Resolving => "resolving the target's name",
            Self::Connecting => "connecting",
            Self::Queued => "waiting for a place on a connection",
            Self::Sent => "waiting for an answer",
            Self::Answered => "reading the answer",
        })
    }
}
