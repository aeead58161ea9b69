//! An observer that remembers.

use std::sync::Arc;

use apibase::{Code, Event, Observer, Refusal, Side};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::soon;

/// What an observer saw.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    Started(Side, &'static str),
    Ended(Side, &'static str, Code),
    Refused(String, Refusal, Code),
    Undeclared(&'static str, &'static str),
}

/// What a recorder saw, in order.
pub(crate) struct Recording(UnboundedReceiver<Seen>);

struct Recorder(UnboundedSender<Seen>);

/// An observer, and what it saw.
pub(crate) fn recorder() -> (Arc<dyn Observer>, Recording) {
    let (sender, receiver) = unbounded_channel();
    (Arc::new(Recorder(sender)), Recording(receiver))
}

impl Observer for Recorder {
    fn observe(&self, event: &Event<'_>) {
        let seen = match event {
            Event::Started { side, method, .. } => Seen::Started(*side, method.name()),
            Event::Ended {
                side, method, code, ..
            } => Seen::Ended(*side, method.name(), *code),
            Event::Refused {
                path, reason, code, ..
            } => Seen::Refused((*path).to_owned(), *reason, *code),
            Event::Undeclared { method, reason, .. } => Seen::Undeclared(method.name(), reason),
            _ => return,
        };
        // A test that has ended reads no more.
        let _ = self.0.send(seen);
    }
}

impl Recording {
    /// Waits for what comes next.
    pub(crate) async fn next(&mut self) -> Seen {
        soon(self.0.recv()).await.expect("the recorder is gone")
    }

    /// What is there and was not read yet.
    pub(crate) fn rest(&mut self) -> Vec<Seen> {
        std::iter::from_fn(|| self.0.try_recv().ok()).collect()
    }
}
