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
mod streams;
mod sync;

use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tokio::task::coop;
use tokio::time::Instant;
use tokio_util::task::TaskTracker;

use self::lane::Lane;
pub(in crate::server) use self::lane::Note;
pub(in crate::server) use self::load::Load;
use self::pace::SLOW;
use self::streams::Queued;
pub(super) use self::streams::Streams;
use crate::clock;

/// How long a connection goes on before others have their turn.
const TURN: Duration = Duration::from_micros(300);

/// A connection, as its [`Driver`] polls it.
pub(super) trait Connection {
    /// What it ends with.
    type End;

    /// Reads, and sends what was written by now; ready with the next stream that has come, which is then
    /// in `streams`, or at the connection's end.
    fn poll_stream(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        streams: &mut Streams,
    ) -> Poll<ControlFlow<Self::End>>;
}

pin_project_lite::pin_project! {
    /// A connection with those of its streams that have no task of their own.
    pub(super) struct Driver<C> {
        #[pin]
        connection: C,
        lane: Arc<Lane>,
        streams: Streams,
        // How many streams come in a turn, as far as is known.
        burst: usize,
        // The connection's: streams that it polls itself don't wake its task by it.
        waker: Waker,
    }

    impl<C> PinnedDrop for Driver<C> {
        fn drop(this: Pin<&mut Self>) {
            this.lane.gate().close();
        }
    }
}

impl<C> Driver<C> {
    /// Of a server with this load, which waits for the tasks of this tracker.
    pub(super) fn new(connection: C, load: Arc<Load>, tracker: TaskTracker) -> Self {
        let lane = Lane::new(load, tracker);
        Self {
            connection,
            streams: Streams::new(Arc::clone(&lane)),
            burst: 0,
            waker: lane.waker(),
            lane,
        }
    }

    pub(super) fn connection(self: Pin<&mut Self>) -> Pin<&mut C> {
        self.project().connection
    }
}

impl<C: Connection> Future for Driver<C> {
    type Output = C::End;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<C::End> {
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
        let mut turn = Turn::after(*this.burst);
        loop {
            match this.connection.as_mut().poll_stream(&mut own, this.streams) {
                Poll::Ready(ControlFlow::Break(end)) => return Poll::Ready(end),
                Poll::Ready(ControlFlow::Continue(())) => {
                    turn.came += 1;
                    if turn.gathers(&lane.load) || this.streams.len() == 0 {
                        continue;
                    }
                }
                Poll::Pending if this.streams.len() == 0 => {
                    *this.burst = turn.burst();
                    // Who wakes a connection that has nothing queued can be the connection itself, which
                    // wants others to have their turn.
                    if !gate.rest() {
                        gate.again();
                    }
                    return Poll::Pending;
                }
                Poll::Pending => {}
            }
            let is_over = turn.batch(lane, this.streams);
            // The streams of a batch have written, so it is sent first; and each of them has used some
            // of what the runtime gives a task before it must let others in.
            if is_over || !coop::has_budget_remaining() {
                *this.burst = turn.burst();
                gate.again();
                return match this.connection.as_mut().poll_stream(&mut own, this.streams) {
                    Poll::Ready(ControlFlow::Break(end)) => Poll::Ready(end),
                    Poll::Ready(ControlFlow::Continue(())) | Poll::Pending => Poll::Pending,
                };
            }
            gate.poll();
        }
    }
}

/// A connection's turn: the streams that it polls before others are let in.
struct Turn {
    /// How many streams came in those before it, as far as is known.
    before: usize,
    /// How many have come in this one.
    came: usize,
    /// When its first batch began.
    started: Option<Instant>,
    /// How many streams are polled between two flushes, at most: as its largest burst allows.
    limit: usize,
}

impl Turn {
    fn after(burst: usize) -> Self {
        Self {
            before: burst,
            came: 0,
            started: None,
            limit: 0,
        }
    }

    /// How many streams come at once: as many as in this turn, or nearly as many as before.
    fn burst(&self) -> usize {
        match self.came {
            0 => self.before,
            came => came.max(self.before.saturating_sub(1)),
        }
    }

    /// Whether all streams that there are are taken before the first of them is polled: to see how many
    /// replies may go together.
    ///
    /// To ask for one more stream is to poll all of the connection. Where replies go alone in any case, each
    /// stream is polled as soon as it is there, and the next look for one sends its reply.
    fn gathers(&self, load: &Load) -> bool {
        let burst = self.came.max(self.before);
        burst > 1 && load.replies_a_flush(burst) > 1
    }

    /// Polls streams that are sent together; whether the turn is over.
    fn batch(&mut self, lane: &Arc<Lane>, streams: &mut Streams) -> bool {
        let queued = streams.len();
        self.limit = self.limit.max(lane.load.replies_a_flush(queued));
        // Who has looked when the one stream was read need not look again.
        let started = match queued {
            1 => clock::recent(),
            _ => clock::now(),
        };
        let mut now = started;
        for _ in 0..self.limit.min(queued) {
            let Some(queued) = streams.next() else { break };
            now = poll_once(queued, lane, now);
            if now.saturating_duration_since(started) >= SLOW {
                // Other threads may be idle.
                while let Some(Queued { stream, note }) = streams.next() {
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
