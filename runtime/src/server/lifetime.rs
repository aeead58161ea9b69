//! Calls that end when who calls isn't let in any longer.

use std::pin::Pin;
use std::task::{Context as Task, Poll};

use bytes::BytesMut;
use tokio::time::{Instant, Sleep, sleep_until, timeout_at};

use super::call::{Answer, Reply};
use super::service::BoxDispatch;
use crate::Context;
use crate::interceptors::expired;
use crate::wire::encode::{Fill, Source};

/// What `dispatch` answers, as long as its caller is let in; most calls have no such end, and pay nothing.
pub(super) fn within(
    context: Context,
    dispatch: impl FnOnce(Context) -> BoxDispatch,
) -> BoxDispatch {
    match context.trail().end() {
        None => dispatch(context),
        Some(end) => Box::pin(until(end, context.clone(), dispatch(context))),
    }
}

async fn until(end: Instant, call: Context, dispatch: BoxDispatch) -> Reply {
    let Ok(mut reply) = timeout_at(end, dispatch).await else {
        return Reply::failed(expired(&call));
    };
    if let Answer::Stream(source) = reply.answer {
        let end = Box::pin(sleep_until(end));
        reply.answer = Answer::Stream(Box::new(Ending { source, end, call }));
    }
    reply
}

/// The replies of a stream, until its end at the latest.
struct Ending {
    source: Box<dyn Source>,
    end: Pin<Box<Sleep>>,
    call: Context,
}

impl Source for Ending {
    fn poll_fill(&mut self, cx: &mut Task<'_>, buffer: &mut BytesMut) -> Poll<Fill> {
        if self.end.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Fill::End(Err(expired(&self.call))));
        }
        self.source.poll_fill(cx, buffer)
    }
}
