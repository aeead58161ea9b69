//! Calls of `detached` methods: their servicers work on when their callers have gone.
//!
//! The servicer has a task of its own, and the call waits for it. Who stops waiting, because its
//! caller cancelled or its deadline passed, drops the wait and nothing else.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::task::{Context as Task, Poll, ready};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::{Instant, timeout_at};
#[cfg(feature = "server")]
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::call::Reply;
#[cfg(feature = "server")]
use super::guard::Place;
#[cfg(feature = "server")]
use super::in_flight::Phase;
use super::serving::{deadline_exceeded, panicked};
use crate::{Code, Context, Method, errors};

/// A dispatch on its way to a task of its own.
pub(super) struct Detached<F> {
    dispatch: F,
    context: Context,
    /// When the work is cut off, whoever waits for it: at the cap of its method or its server, and not
    /// at its caller's deadline.
    until: Option<Instant>,
    /// Held until the work has ended, and then until the reply has.
    #[cfg(feature = "server")]
    place: Option<Box<Place>>,
}

/// The call, which waits for its servicer.
pub(super) struct Waiting {
    reply: oneshot::Receiver<Reply>,
    context: Context,
}

/// Where the work of a server is done: it waits for it when it stops, and ends it when it is killed.
#[cfg(feature = "server")]
pub(super) struct Workshop {
    pub(super) tracker: TaskTracker,
    pub(super) kill: CancellationToken,
}

impl<F: Future<Output = Reply>> Detached<F> {
    pub(super) fn new(dispatch: F, context: Context, cap: Option<Duration>) -> Self {
        Self {
            dispatch,
            context,
            until: cap.and_then(|cap| Instant::now().checked_add(cap)),
            #[cfg(feature = "server")]
            place: None,
        }
    }

    /// The same, at this place.
    #[cfg(feature = "server")]
    pub(super) fn at(mut self, place: Place) -> Self {
        self.place = Some(Box::new(place));
        self
    }

    /// The work, for a task, and what waits for it.
    pub(super) fn split(self) -> (impl Future<Output = ()>, Waiting) {
        let (caller, reply) = oneshot::channel();
        let context = self.context.clone();
        (self.work(caller), Waiting { reply, context })
    }

    async fn work(self, mut caller: oneshot::Sender<Reply>) {
        #[cfg(feature = "server")]
        let place = self.place;
        let left = || {
            #[cfg(feature = "server")]
            self.context.phase().set(Phase::Detached);
        };
        let answer = answer(self.dispatch, &self.context, &mut caller, left);
        let answered = match self.until {
            Some(until) => timeout_at(until, answer).await.ok(),
            None => Some(answer.await),
        };
        let reply = answered.unwrap_or_else(|| cut_off(&self.context));
        #[cfg(feature = "server")]
        let reply = reply.at(place);
        // Where nobody waits any more it is dropped, and its place with it.
        let _ = caller.send(reply);
    }
}

/// What `dispatch` answers; calls `left` when nobody waits for that any more.
async fn answer(
    dispatch: impl Future<Output = Reply>,
    context: &Context,
    caller: &mut oneshot::Sender<Reply>,
    left: impl Fn(),
) -> Reply {
    let mut dispatch = pin!(dispatch);
    let mut has_left = false;
    std::future::poll_fn(|cx| {
        if !has_left && caller.poll_closed(cx).is_ready() {
            has_left = true;
            left();
        }
        let polled = catch_unwind(AssertUnwindSafe(|| dispatch.as_mut().poll(cx)));
        polled.unwrap_or_else(|payload| {
            // It is in the log, whether its caller hears of it or not.
            Poll::Ready(Reply::failed(panicked(&*payload, Some(context))))
        })
    })
    .await
}

#[cold]
fn cut_off(call: &Context) -> Reply {
    tracing::warn!(
        method = call.method().map(Method::path),
        correlation_id = call.correlation_id(),
        "a detached call was cut off: its deadline cap has passed"
    );
    Reply::failed(deadline_exceeded(Some(call)))
}

impl Future for Waiting {
    type Output = Reply;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Task<'_>) -> Poll<Reply> {
        let reply = ready!(Pin::new(&mut self.reply).poll(cx));
        // Its task is dropped when the server, or the runtime, is killed.
        Poll::Ready(reply.unwrap_or_else(|_| {
            let (code, message) = (Code::Unavailable, "the server has stopped");
            let status = errors::plain(code, errors::name(code), message, &self.context);
            Reply::failed(status)
        }))
    }
}

#[cfg(feature = "server")]
impl Workshop {
    /// Has this done, whoever waits for it.
    pub(super) fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        let kill = self.kill.clone();
        self.tracker
            .spawn(async move { kill.run_until_cancelled(work).await });
    }
}
