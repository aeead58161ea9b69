//! [`Meeting`]: where a call that has come through all interceptors meets what carries it.
//!
//! What interceptors are is known at run time, so their futures are in boxes; what carries a call is
//! known by type, and neither can nor needs to be. Both run in one task: the chain hands over the call
//! and waits, [`through`] polls the exchange, and hands back how it ended.

use std::pin::{Pin, pin};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context as Task, Poll, Waker};

use super::chain::MethodChain;
use super::interceptor::{Answer, InterceptedCall};
use crate::{Code, Status};

/// Between the chain of a call and what carries it.
#[derive(Default)]
pub(crate) struct Meeting(Mutex<State>);

#[derive(Default)]
enum State {
    /// Nobody has come through the chain.
    #[default]
    Nobody,
    Arrived(Box<InterceptedCall>),
    Carried(Option<Waker>),
    Done(Result<(), Status>),
    /// Nobody waits any more.
    Left,
}

impl Meeting {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Hands over the call, and waits for what comes of it.
    pub(super) fn carry(&self, call: InterceptedCall) -> Carrying<'_> {
        *self.state() = State::Arrived(Box::new(call));
        Carrying { meeting: self }
    }

    /// The call that has arrived.
    fn arrived(&self) -> Option<InterceptedCall> {
        let mut state = self.state();
        match std::mem::take(&mut *state) {
            State::Arrived(call) => {
                *state = State::Carried(None);
                Some(*call)
            }
            other => {
                *state = other;
                None
            }
        }
    }

    fn is_left(&self) -> bool {
        matches!(*self.state(), State::Left)
    }

    fn done(&self, result: Result<(), Status>) {
        let before = std::mem::replace(&mut *self.state(), State::Done(result));
        if let State::Carried(Some(waker)) = before {
            waker.wake();
        }
    }
}

/// Waits for what comes of a call. Dropping it gives the call up.
pub(super) struct Carrying<'a> {
    meeting: &'a Meeting,
}

impl Future for Carrying<'_> {
    type Output = Result<Answer, Status>;

    fn poll(self: Pin<&mut Self>, cx: &mut Task<'_>) -> Poll<Self::Output> {
        let mut state = self.meeting.state();
        match &mut *state {
            State::Done(_) => match std::mem::take(&mut *state) {
                State::Done(result) => Poll::Ready(result.map(|()| Answer(()))),
                _ => Poll::Pending,
            },
            State::Carried(waker) => {
                *waker = Some(cx.waker().clone());
                Poll::Pending
            }
            // Whoever polls the chain looks for it at once.
            State::Nobody | State::Arrived(_) | State::Left => Poll::Pending,
        }
    }
}

impl Drop for Carrying<'_> {
    fn drop(&mut self) {
        let mut state = self.meeting.state();
        if matches!(*state, State::Arrived(_) | State::Carried(_)) {
            *state = State::Left;
        }
    }
}

/// How a call has gone that went through a chain.
pub(crate) enum Through<R, E> {
    /// As what carried it says; no interceptor has changed that.
    Carried(Result<R, E>),
    /// With another status, of an interceptor.
    Answered(Status),
}

/// Sends a call through the steps from `at` on, and carries it by `exchange` if it comes through all.
///
/// `told` says which status interceptors see of a failure.
pub(crate) async fn through<R, E, F>(
    chain: &MethodChain,
    at: usize,
    call: InterceptedCall,
    exchange: impl FnOnce(InterceptedCall) -> F,
    told: impl Fn(&E) -> Status,
) -> Through<R, E>
where
    F: Future<Output = Result<R, E>>,
{
    let meeting = Meeting::default();
    let mut passing = chain.pass(at, call, &meeting);
    let mut exchange = Some(exchange);
    let mut carrying = pin!(None);
    let mut carried = None;
    let passed = std::future::poll_fn(|cx| {
        loop {
            if let Poll::Ready(passed) = passing.as_mut().poll(cx) {
                return Poll::Ready(passed);
            }
            if let Some(call) = meeting.arrived()
                && let Some(exchange) = exchange.take()
            {
                carrying.set(Some(exchange(call)));
            }
            if meeting.is_left() {
                carrying.set(None);
            }
            let Some(exchange) = carrying.as_mut().as_pin_mut() else {
                return Poll::Pending;
            };
            let Poll::Ready(result) = exchange.poll(cx) else {
                return Poll::Pending;
            };
            carrying.set(None);
            meeting.done(result.as_ref().map(|_| ()).map_err(&told));
            carried = Some(result);
        }
    })
    .await;
    match (passed, carried) {
        (Ok(_), Some(Ok(reply))) => Through::Carried(Ok(reply)),
        (Err(status), Some(Err(failure))) if is_same(&status, &told(&failure)) => {
            Through::Carried(Err(failure))
        }
        (Err(status), _) => Through::Answered(status),
        // What it returned is the answer to another call.
        (Ok(_), _) => Through::Answered(Status::new(
            Code::Internal,
            "an interceptor answered for a call that has no reply",
        )),
    }
}

fn is_same(one: &Status, other: &Status) -> bool {
    one.code() == other.code()
        && one.message() == other.message()
        && one.details() == other.details()
}
