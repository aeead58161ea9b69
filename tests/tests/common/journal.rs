//! A journal of what happened, in order, that a test can wait on.

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::soon;

/// Where things are written down.
#[derive(Clone)]
pub(crate) struct Journal(UnboundedSender<String>);

/// What was written down.
pub(crate) struct Entries(UnboundedReceiver<String>);

/// Writes its entry when it is dropped.
pub(crate) struct OnDrop {
    journal: Journal,
    entry: Option<&'static str>,
}

/// A journal and its entries.
pub(crate) fn journal() -> (Journal, Entries) {
    let (sender, receiver) = unbounded_channel();
    (Journal(sender), Entries(receiver))
}

impl Journal {
    pub(crate) fn write(&self, entry: impl Into<String>) {
        // A test that has ended reads no more.
        let _ = self.0.send(entry.into());
    }

    pub(crate) fn on_drop(&self, entry: &'static str) -> OnDrop {
        OnDrop {
            journal: self.clone(),
            entry: Some(entry),
        }
    }
}

impl Entries {
    /// Waits for the next entry.
    pub(crate) async fn next(&mut self) -> String {
        soon(self.0.recv()).await.expect("the journal is closed")
    }

    /// What is there and was not read yet.
    pub(crate) fn rest(&mut self) -> Vec<String> {
        std::iter::from_fn(|| self.0.try_recv().ok()).collect()
    }
}

impl OnDrop {
    /// Writes nothing.
    pub(crate) fn disarm(mut self) {
        self.entry = None;
    }
}

impl Drop for OnDrop {
    fn drop(&mut self) {
        if let Some(entry) = self.entry {
            self.journal.write(entry);
        }
    }
}
