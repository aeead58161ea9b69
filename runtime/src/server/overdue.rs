//! [`Overdue`]: a call's task that ends when its stream can't.
//!
//! A body sees its own deadline pass when it is asked for more. hyper doesn't ask while the peer's
//! window is closed: a peer that reads nothing would hold its stream, and its place among the calls
//! that run, for ever.

use std::cell::Cell;
use std::pin::Pin;
use std::task::{Context as Task, Poll, ready};
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep_until};

/// How long a stream has after its deadline to say that it has passed.
const SLACK: Duration = Duration::from_secs(1);

thread_local! {
    /// Set by a body while its task is polled.
    static DEADLINE: Cell<Option<Instant>> = const { Cell::new(None) };
}

/// The task that is being polled sends a stream, and this is its deadline.
pub(super) fn watch(deadline: Instant) {
    DEADLINE.set(Some(deadline));
}

pin_project_lite::pin_project! {
    /// A call's task, and what ends it.
    pub(super) struct Overdue<F> {
        #[pin]
        task: F,
        // One box a stream that has a deadline.
        sleep: Option<Pin<Box<Sleep>>>,
    }
}

impl<F> Overdue<F> {
    pub(super) fn new(task: F) -> Self {
        Self { task, sleep: None }
    }
}

impl<F: Future<Output = ()>> Future for Overdue<F> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Task<'_>) -> Poll<()> {
        let this = self.project();
        DEADLINE.set(None);
        if this.task.poll(cx).is_ready() {
            return Poll::Ready(());
        }
        if let Some(late) = DEADLINE.take().and_then(|at| at.checked_add(SLACK)) {
            *this.sleep = Some(Box::pin(sleep_until(late)));
        }
        let Some(sleep) = this.sleep else {
            return Poll::Pending;
        };
        ready!(sleep.as_mut().poll(cx));
        tracing::debug!("a stream was cut off: its deadline has passed and its peer reads nothing");
        Poll::Ready(())
    }
}
