//! Who polls the streams of a connection, and when what they wrote is sent.
//!
//! Usually each stream has a task, each reply wakes the connection's task, and each is sent by itself:
//! at load, half of the time of a server goes into sending single replies. Here the connection's task
//! polls each new stream once, right after it has read it, and sends the replies of those that are
//! ready together. A stream that isn't ready, or whose method has shown itself to be slow, gets a task
//! of its own ([`Spawned`](spawned::Spawned)); where several of those are about to write, the connection
//! waits a moment for some of them ([`Hold`](hold::Hold)).
//!
//! How many replies go together is bounded by the work in sight ([`Load::replies_a_flush`]) and by
//! time: where nothing else is ready, each reply is sent at once.

mod gate;
mod hold;
mod lane;
mod load;
mod pace;
mod spawned;
mod sync;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tokio::task::coop;
use tokio::time::Instant;
use tokio_util::task::TaskTracker;

pub(in crate::server) use self::lane::Note;
use self::lane::{Lane, Queued};
pub(in crate::server) use self::load::Load;
use self::pace::SLOW;
use crate::clock;

/// How long a connection goes on before others have their turn.
const TURN: Duration = Duration::from_micros(300);

/// What a connection gives its streams to.
#[derive(Clone)]
pub(super) struct Executor(Arc<Lane>);

impl Executor {
    pub(super) fn new(load: Arc<Load>, tracker: TaskTracker) -> Self {
        Self(Lane::new(load, tracker))
    }

    /// A new stream, of a request of which this is known.
    pub(super) fn take(&self, stream: impl Future<Output = ()> + Send + 'static, note: Note) {
        self.0.take(stream, note);
    }

    /// Polls `connection` and the streams that it gives to this.
    pub(super) fn drive<C>(self, connection: C) -> Driver<C> {
        let waker = self.0.waker();
        let lane = self.0;
        Driver {
            connection,
            lane,
            waker,
        }
    }
}

pin_project_lite::pin_project! {
    /// A connection with those of its streams that have no task of their own.
    pub(super) struct Driver<C> {
        #[pin]
        connection: C,
        lane: Arc<Lane>,
        // The connection's: streams that it polls itself don't wake its task by it.
        waker: Waker,
    }

    impl<C> PinnedDrop for Driver<C> {
        fn drop(this: Pin<&mut Self>) {
            this.lane.close();
        }
    }
}

impl<C> Driver<C> {
    pub(super) fn connection(self: Pin<&mut Self>) -> Pin<&mut C> {
        self.project().connection
    }
}

impl<C: Future> Future for Driver<C> {
    type Output = C::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<C::Output> {
        let _turn = clock::turn();
        let mut this = self.project();
        let (lane, gate) = (&*this.lane, this.lane.gate());
        gate.start(cx.waker());
        while lane.holds() {
            if gate.rest() {
                return Poll::Pending;
            }
            gate.poll();
        }
        let mut own = Context::from_waker(this.waker);
        let mut turn = Turn::default();
        loop {
            // Reads, takes what came, and sends what was written by now.
            if let Poll::Ready(end) = this.connection.as_mut().poll(&mut own) {
                return Poll::Ready(end);
            }
            let queued = lane.queued();
            if queued == 0 {
                // Who wakes a connection that has nothing queued can be the connection itself, which
                // wants others to have their turn.
                if !gate.rest() {
                    gate.again();
                }
                return Poll::Pending;
            }
            let is_over = turn.batch(lane, queued);
            // The streams of a batch have written, so it is sent first; and each of them has used some
            // of what the runtime gives a task before it must let others in.
            if is_over || !coop::has_budget_remaining() {
                gate.again();
                return this.connection.as_mut().poll(&mut own);
            }
            gate.poll();
        }
    }
}

/// A connection's turn: the streams that it polls before others are let in.
#[derive(Default)]
struct Turn {
    /// When its first batch began.
    started: Option<Instant>,
    /// How many streams are polled between two flushes, at most: as its largest burst allows.
    limit: usize,
}

impl Turn {
    /// Polls streams that are sent together, out of so many; whether the turn is over.
    fn batch(&mut self, lane: &Arc<Lane>, queued: usize) -> bool {
        self.limit = self.limit.max(lane.load.replies_a_flush(queued));
        // Who has looked when the one stream was read need not look again.
        let started = match queued {
            1 => clock::recent(),
            _ => clock::now(),
        };
        let mut now = started;
        for _ in 0..self.limit.min(queued) {
            let Some(queued) = lane.next() else { break };
            now = poll_once(queued, lane, now);
            if now.saturating_duration_since(started) >= SLOW {
                // Other threads may be idle.
                while let Some(Queued { stream, note }) = lane.next() {
                    lane.spawn(stream, note);
                }
                break;
            }
        }
        let first = *self.started.get_or_insert(started);
        now.saturating_duration_since(first) >= TURN
    }
}

/// Polls a stream once; one that isn't ready gets a task of its own. The time afterwards.
fn poll_once(queued: Queued, lane: &Arc<Lane>, before: Instant) -> Instant {
    let Queued { mut stream, note } = queued;
    if !lane.is_quick(&note) {
        lane.spawn(stream, note);
        return before;
    }
    // Its task will poll it again, and then it wakes that.
    let mut cx = Context::from_waker(Waker::noop());
    // Servicers' panics are caught further in. As with a task of its own, the connection lives on, and
    // the stream is reset when it is dropped.
    let polled = catch_unwind(AssertUnwindSafe(|| stream.as_mut().poll(&mut cx)));
    let now = clock::now();
    if let Some(pace) = lane.pace(&note) {
        pace.took(now.saturating_duration_since(before));
    }
    if let Ok(Poll::Pending) = polled {
        lane.spawn(stream, note);
    }
    now
}

#[cfg(test)]
mod tests;
