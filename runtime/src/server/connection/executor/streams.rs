//! [`Streams`]: those that a connection polls itself.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;

use super::lane::{Lane, Note};

/// A stream of a connection, from the request to the last trailer.
pub(super) type Stream = Pin<Box<dyn Future<Output = ()> + Send>>;

/// What a connection gives its streams to: those that it polls itself wait here for that.
pub(in crate::server::connection) struct Streams {
    lane: Arc<Lane>,
    /// The one that is next: who calls once at a time needs no more room than this.
    first: Option<Queued>,
    /// Those behind it.
    others: VecDeque<Queued>,
}

/// A stream that was never polled.
pub(super) struct Queued {
    pub(super) stream: Stream,
    pub(super) note: Note,
}

impl Streams {
    pub(super) fn new(lane: Arc<Lane>) -> Self {
        Self {
            lane,
            first: None,
            others: VecDeque::new(),
        }
    }

    /// A new stream, of a request of which this is known: it waits for the connection to poll it, or has a
    /// task of its own where its method may be slow.
    pub(in crate::server::connection) fn take(
        &mut self,
        stream: impl Future<Output = ()> + Send + 'static,
        note: Note,
    ) {
        if !self.lane.is_quick(&note) {
            self.lane.spawn(stream, note);
            return;
        }
        let stream = Box::pin(stream);
        let queued = Queued { stream, note };
        match &self.first {
            None => self.first = Some(queued),
            Some(_) => self.others.push_back(queued),
        }
    }

    pub(super) fn len(&self) -> usize {
        usize::from(self.first.is_some()) + self.others.len()
    }

    pub(super) fn next(&mut self) -> Option<Queued> {
        let next = self.first.take();
        self.first = self.others.pop_front();
        next
    }
}
