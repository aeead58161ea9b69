//! [`Spawned`]: a stream with a task of its own.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep_until};

use super::gate::Gate;
use super::lane::{Lane, Note};
use crate::clock;

/// How long a call has after its deadline to say that it has passed.
///
/// A call sees its own deadline pass when it is polled. Nobody polls it while the peer's window
/// is closed: a peer that reads nothing would hold its stream, and its place among the calls that run,
/// for ever.
const SLACK: Duration = Duration::from_secs(1);

pin_project_lite::pin_project! {
    /// A stream with a task of its own.
    pub(super) struct Spawned<F> {
        #[pin]
        stream: F,
        note: Note,
        overdue: Overdue,
        lane: Arc<Lane>,
        // None where its connection doesn't wait for it: its method may be slow, or it is over.
        waits: Option<Waits>,
    }

    impl<F> PinnedDrop for Spawned<F> {
        fn drop(this: Pin<&mut Self>) {
            let this = this.project();
            if let Some(waits) = this.waits.take() {
                waits.gate.close();
                this.lane.gone(Instant::now());
            }
        }
    }
}

/// What tells its connection that it is about to write.
struct Waits {
    gate: Arc<Gate<Arc<Lane>>>,
    waker: Waker,
}

impl<F> Spawned<F> {
    pub(super) fn new(stream: F, note: Note, lane: Arc<Lane>) -> Self {
        let waits = lane.is_quick(&note).then(|| {
            let gate = Arc::new(Gate::ready(Arc::clone(&lane)));
            let waker = Waker::from(Arc::clone(&gate));
            Waits { gate, waker }
        });
        Self {
            stream,
            note,
            overdue: Overdue::new(note.deadline),
            lane,
            waits,
        }
    }
}

impl<F: Future<Output = ()>> Future for Spawned<F> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let mut this = self.project();
        let _turn = clock::turn();
        let started = clock::now();
        let mut own = Context::from_waker(cx.waker());
        if let Some(waits) = &*this.waits {
            waits.gate.start(cx.waker());
            own = Context::from_waker(&waits.waker);
        }
        let polled = this.overdue.poll(this.stream.as_mut(), &mut own);
        let now = clock::now();
        if let Some(pace) = this.lane.pace(this.note) {
            pace.took(now.saturating_duration_since(started));
        }
        if let Some(waits) = &*this.waits {
            if polled.is_ready() {
                waits.gate.close();
            } else if !waits.gate.rest() {
                waits.gate.again();
            }
            this.lane.polled(now);
        }
        if polled.is_ready() {
            *this.waits = None;
        }
        polled
    }
}

/// Wakes a call at its deadline, and ends it where that is of no use.
enum Overdue {
    Never,
    /// It was not polled yet, so that there is no timer.
    At(Instant),
    /// One box a call that has a deadline and waits: a timer must not move.
    Sleeping(Pin<Box<Sleep>>),
    /// The call was woken, and has its slack.
    Late(Pin<Box<Sleep>>),
}

impl Overdue {
    fn new(deadline: Option<Instant>) -> Self {
        deadline.map_or(Self::Never, Self::At)
    }

    fn poll<F>(&mut self, mut stream: Pin<&mut F>, cx: &mut Context<'_>) -> Poll<()>
    where
        F: Future<Output = ()>,
    {
        loop {
            if stream.as_mut().poll(cx).is_ready() {
                return Poll::Ready(());
            }
            if let Self::At(deadline) = self {
                *self = Self::Sleeping(Box::pin(sleep_until(*deadline)));
            }
            match std::mem::replace(self, Self::Never) {
                Self::Sleeping(mut sleep) => {
                    if sleep.as_mut().poll(cx).is_pending() {
                        *self = Self::Sleeping(sleep);
                        return Poll::Pending;
                    }
                    let Some(late) = sleep.deadline().checked_add(SLACK) else {
                        return Poll::Pending;
                    };
                    sleep.as_mut().reset(late);
                    *self = Self::Late(sleep);
                }
                Self::Late(mut sleep) => {
                    let is_over = sleep.as_mut().poll(cx);
                    *self = Self::Late(sleep);
                    ready!(is_over);
                    tracing::debug!(
                        "a stream was cut off: its deadline has passed and its peer reads nothing"
                    );
                    return Poll::Ready(());
                }
                Self::Never | Self::At(_) => return Poll::Pending,
            }
        }
    }
}
