//! [`Tally`]: counts the messages of a call on their way.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::trail::Trail;
use crate::Context;

/// So many are counted at most before they are told of, however fast they come.
const MOST: u64 = 128;

/// How many messages there were, of all calls of a method.
#[derive(Debug, Default)]
pub(crate) struct Messages {
    pub(crate) sent: AtomicU64,
    pub(crate) received: AtomicU64,
}

/// Counts the messages that go one way in a call, if anybody wants to know.
///
/// What was counted is told of when no further message is there: a stream that is slow is seen message
/// by message, one that is fast costs an addition each.
#[derive(Debug)]
pub(crate) struct Tally {
    call: Option<Whose>,
    flow: Flow,
    untold: u64,
}

/// Which way messages go.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Flow {
    Sent,
    Received,
}

/// Where a call has its trail.
#[derive(Debug)]
enum Whose {
    Incoming(Context),
    Outgoing(Arc<Trail>),
}

impl Tally {
    /// Of a call that came in.
    pub(crate) fn incoming(call: &Context, flow: Flow) -> Self {
        // Who counts has come by before.
        let is_counted = call.trail().meter().is_some();
        Self::new(is_counted.then(|| Whose::Incoming(call.clone())), flow)
    }

    /// Of a call that goes out, and may not have come to its interceptors yet.
    pub(crate) fn outgoing(trail: Option<&Arc<Trail>>, flow: Flow) -> Self {
        let trail = trail.map(Arc::clone);
        Self::new(trail.map(Whose::Outgoing), flow)
    }

    fn new(call: Option<Whose>, flow: Flow) -> Self {
        Self {
            call,
            flow,
            untold: 0,
        }
    }

    /// Another message.
    #[inline]
    pub(crate) fn count(&mut self) {
        if self.call.is_some() {
            self.untold += 1;
            if self.untold >= MOST {
                self.tell();
            }
        }
    }

    /// For now there are no more.
    #[inline]
    pub(crate) fn tell(&mut self) {
        if self.untold == 0 {
            return;
        }
        let trail = match &self.call {
            Some(Whose::Incoming(call)) => call.trail(),
            Some(Whose::Outgoing(trail)) => trail,
            None => return,
        };
        trail.count(self.flow, self.untold);
        self.untold = 0;
    }
}

impl Drop for Tally {
    fn drop(&mut self) {
        self.tell();
    }
}

impl Messages {
    pub(crate) fn add(&self, flow: Flow, count: u64) {
        let messages = match flow {
            Flow::Sent => &self.sent,
            Flow::Received => &self.received,
        };
        messages.fetch_add(count, Ordering::Relaxed);
    }
}
