//! [`FakeCall`]: what a fake remembers of a call.

use std::collections::VecDeque;
use std::fmt;

use super::kinds::{FakeRequests, Many, One};
use crate::Context;

/// How many calls a method remembers.
const REMEMBERED: usize = 1024;

/// A call of a fake's method.
pub struct FakeCall<Q: FakeRequests> {
    context: Context,
    kept: Q::Kept,
}

/// The calls of a method.
pub(super) struct Recorded<Q: FakeRequests> {
    last: VecDeque<FakeCall<Q>>,
    count: u64,
}

impl<Q: FakeRequests> Recorded<Q> {
    pub(super) fn new() -> Self {
        Self {
            last: VecDeque::new(),
            count: 0,
        }
    }

    pub(super) fn push(&mut self, context: Context, kept: Q::Kept) {
        self.count += 1;
        if self.last.len() == REMEMBERED {
            self.last.pop_front();
        }
        self.last.push_back(FakeCall { context, kept });
    }

    pub(super) fn calls(&self) -> Vec<FakeCall<Q>> {
        self.last.iter().cloned().collect()
    }

    pub(super) fn count(&self) -> u64 {
        self.count
    }
}

impl<Q: FakeRequests> FakeCall<Q> {
    /// The call's context, as its servicer had it: metadata, deadline, whether its caller has
    /// gone.
    #[must_use]
    pub fn context(&self) -> &Context {
        &self.context
    }
}

impl<T: Send + Sync + 'static> FakeCall<One<T>> {
    /// The request.
    #[must_use]
    pub fn request(&self) -> &T {
        &self.kept
    }
}

impl<T: Send + Sync + 'static> FakeCall<Many<T>> {
    /// The requests; none until all are read, and if a function answered, or an error came at once.
    #[must_use]
    pub fn requests(&self) -> &[T] {
        self.kept.get().map_or(&[], Vec::as_slice)
    }
}

impl<Q: FakeRequests> Clone for FakeCall<Q> {
    fn clone(&self) -> Self {
        Self {
            context: self.context.clone(),
            kept: self.kept.clone(),
        }
    }
}

impl<Q: FakeRequests> fmt::Debug for FakeCall<Q> {
    /// Shows no request: it may hold secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FakeCall")
            .field("context", &self.context)
            .finish_non_exhaustive()
    }
}
