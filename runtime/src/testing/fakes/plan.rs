//! [`Plan`]: how one call is answered.

use std::pin::Pin;

use super::kinds::{FakeReplies, FakeRequests};
use crate::Context;

/// How one call is answered.
pub(super) enum Plan<Q: FakeRequests, R: FakeReplies<E>, E> {
    /// With this, once all its requests are read.
    Return(R::Given),
    Fail(E),
    With(Handler<Q, R, E>),
}

/// Plans for any number of calls.
pub(super) type Script<Q, R, E> = Box<dyn Fn() -> Plan<Q, R, E> + Send + Sync>;

type Handler<Q, R, E> = Box<
    dyn FnOnce(Context, <Q as FakeRequests>::Given) -> Answer<<R as FakeReplies<E>>::Given, E>
        + Send,
>;

type Answer<R, E> = Pin<Box<dyn Future<Output = Result<R, E>> + Send>>;
