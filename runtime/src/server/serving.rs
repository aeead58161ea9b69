//! [`Serving`]: a call being answered, with its deadline and its panics.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context as Task, Poll};

use http::Response;

use super::body::ReplyBody;
use super::call::Reply;
use super::deadline::Deadline;
use super::guard::CallGuard;
use crate::errors;
use crate::{Code, Context, Status};

pin_project_lite::pin_project! {
    /// Answers one call: the dispatch's reply, or a status when it panics or its deadline passes,
    /// upon which the servicer's future is dropped.
    pub(crate) struct Serving<F> {
        #[pin]
        dispatch: Option<F>,
        guard: Option<CallGuard>,
        deadline: Deadline,
    }
}

impl<F> Serving<F> {
    pub(crate) fn new(dispatch: F, guard: CallGuard, deadline: Deadline) -> Self {
        Self {
            dispatch: Some(dispatch),
            guard: Some(guard),
            deadline,
        }
    }
}

impl<F: Future<Output = Reply>> Future for Serving<F> {
    type Output = Response<ReplyBody>;

    fn poll(self: Pin<&mut Self>, cx: &mut Task<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let late = this.deadline.has_passed(cx);
        let call = this.guard.as_ref().map(CallGuard::context);
        let reply = if late {
            Reply::failed(deadline_exceeded(call))
        } else if let Some(dispatch) = this.dispatch.as_mut().as_pin_mut() {
            match catch_unwind(AssertUnwindSafe(|| dispatch.poll(cx))) {
                Ok(Poll::Pending) => return Poll::Pending,
                Ok(Poll::Ready(reply)) => reply,
                Err(payload) => Reply::failed(panicked(&*payload, call)),
            }
        } else {
            return Poll::Pending;
        };
        // The servicer is dropped before its caller hears of the end.
        this.dispatch.set(None);
        Poll::Ready(match this.guard.take() {
            Some(guard) => {
                let deadline = std::mem::replace(this.deadline, Deadline::Never);
                ReplyBody::respond(reply, guard, deadline)
            }
            None => Response::new(ReplyBody::empty()),
        })
    }
}

/// The deadline has passed.
pub(super) fn deadline_exceeded(call: Option<&Context>) -> Status {
    let code = Code::DeadlineExceeded;
    let nobodys = Context::background();
    let call = call.unwrap_or(&nobodys);
    errors::plain(code, errors::name(code), "the deadline has passed", call)
}

/// A servicer has panicked. What it said stays in the process: it can hold anything.
pub(super) fn panicked(payload: &(dyn Any + Send), call: Option<&Context>) -> Status {
    let nobodys = Context::background();
    errors::panicked(payload, call.unwrap_or(&nobodys))
}
