//! [`Attempt`]: one try to carry a call, and how far it got.

use std::fmt;
use std::sync::Arc;

use tokio::time::Instant;

/// One try to carry a call: what its [`Transport`](super::Transport) is told of it, and tells.
#[derive(Debug, Default)]
pub struct Attempt {
    tried: Vec<Arc<str>>,
    endpoint: Option<Arc<str>>,
    reached: Reached,
    wait_for_ready: bool,
    deadline: Option<Instant>,
}

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

    #[allow(
        dead_code,
        reason = "the client that makes further attempts is being built"
    )]
    /// Begins the next one: another endpoint than the last one's is better.
    pub(super) fn next(&mut self) {
        self.tried.extend(self.endpoint.take());
        self.reached = Reached::Nothing;
    }

    #[allow(
        dead_code,
        reason = "the client that makes further attempts is being built"
    )]
    /// Another one of the same call, beside this one: it avoids the same endpoints.
    pub(super) fn sibling(&self) -> Self {
        let mut sibling = Self {
            tried: self.tried.clone(),
            endpoint: self.endpoint.clone(),
            reached: Reached::Nothing,
            wait_for_ready: self.wait_for_ready,
            deadline: self.deadline,
        };
        sibling.next();
        sibling
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

    /// Whether an earlier attempt of the call was sent to this endpoint.
    #[must_use]
    pub fn has_tried(&self, endpoint: &str) -> bool {
        self.tried.iter().any(|tried| **tried == *endpoint)
    }

    /// Says that it has got this far.
    pub fn set_reached(&mut self, reached: Reached) {
        self.reached = reached;
    }

    /// Says which endpoint it goes to.
    pub fn set_endpoint(&mut self, endpoint: &Arc<str>) {
        self.endpoint = Some(Arc::clone(endpoint));
    }

    /// How far it got.
    #[must_use]
    pub fn reached(&self) -> Reached {
        self.reached
    }

    /// Which endpoint it went to, as far as the transport tells: `10.0.0.7:50051`.
    #[must_use]
    pub fn endpoint(&self) -> Option<&Arc<str>> {
        self.endpoint.as_ref()
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
