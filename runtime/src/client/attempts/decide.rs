//! Whether there is another attempt.

use std::ops::Deref;

use super::Attempts;
use crate::client::attempt::Reached;
use crate::client::backoff::Backoff;
use crate::client::breaker::Breaker;
use crate::client::requests::Requests;
use crate::client::runtime;
use crate::client::setback::{Pushback, Setback};
use crate::client::trace::Verdict;
use crate::client::transport::Progress;
use crate::{Code, Kind};

impl<B: Deref<Target = Breaker>> Attempts<'_, B> {
    /// What to do after an attempt that ended so.
    pub(super) fn decide(&mut self, setback: &Setback, requests: &Requests) -> Verdict {
        if matches!(setback, Setback::Final(_)) {
            return Verdict::Final;
        }
        if self.is_unseen(setback) && requests.halt() {
            self.repeated = true;
            return Verdict::Unseen;
        }
        let pushback = setback.pushback();
        if pushback == Some(Pushback::Never) {
            self.take_token(setback);
            return Verdict::ServerSaidNo;
        }
        // Without a runtime there is nothing to wait with.
        if !self.could_help(setback) || runtime::check().is_err() {
            if setback.code() == Code::ResourceExhausted {
                self.take_token(setback);
            }
            return Verdict::Final;
        }
        if !requests.halt() {
            return Verdict::Committed;
        }
        if !self.take_token(setback) {
            return Verdict::Throttled;
        }
        let retry = self.call.retry(self.method);
        if self.made + 1 >= retry.max_attempts {
            return Verdict::Exhausted;
        }
        let backoff = self
            .backoff
            .get_or_insert_with(|| Backoff::new(retry.base, retry.multiplier, retry.max));
        let delay = match pushback {
            Some(Pushback::After(delay)) => {
                backoff.reset();
                delay
            }
            _ => backoff.next(),
        };
        match self.call.remaining() {
            Some(remaining) if delay >= remaining => Verdict::NoTime,
            _ => Verdict::Again(delay),
        }
    }

    /// Whether a server's HTTP/2 has turned the attempt away before its gRPC saw it, for the first time
    /// in this call.
    pub(super) fn is_unseen(&self, setback: &Setback) -> bool {
        is_refused(setback) && !self.repeated
    }

    /// Whether another attempt could end otherwise, and does no harm.
    fn could_help(&self, setback: &Setback) -> bool {
        if setback.is_unprocessed() {
            return true;
        }
        let retry = self.call.retry(self.method);
        match setback {
            Setback::Status {
                after_head: true, ..
            }
            | Setback::Final(_) => false,
            Setback::Status { status, .. } => retry.codes.contains(status.code()),
            Setback::TimedOut(_) => retry.may_repeat && self.is_uncommitted(),
            Setback::Transport(error) => {
                retry.may_repeat && self.is_uncommitted() && !is_told(error.code())
            }
        }
    }

    /// Whether nobody has seen anything of an answer.
    ///
    /// gRFC A6 commits a call to the attempt whose head has come, because the head is the
    /// application's from then on. The one reply of an idempotent method is handed out whole or not at
    /// all, so that here an answer that breaks off in the middle may come from another server.
    pub(super) fn is_uncommitted(&self) -> bool {
        let method = self.call.method();
        let one_reply = matches!(method.kind(), Kind::Unary | Kind::ClientStream);
        one_reply && method.is_idempotent() || self.attempt.reached() < Reached::Answered
    }

    /// Takes a token for a failure that a server was part of. Whether there may be another attempt, as
    /// far as that goes.
    pub(super) fn take_token(&self, setback: &Setback) -> bool {
        let unsent =
            matches!(setback, Setback::Transport(error) if error.progress() == Progress::Unsent);
        match &self.method.throttle {
            // Nothing reached a server, and how often connections are tried has a bound of its own.
            Some(throttle) if !unsent => throttle.failed(),
            _ => true,
        }
    }
}

/// Whether a server's HTTP/2 has turned it away before its gRPC saw it.
fn is_refused(setback: &Setback) -> bool {
    matches!(setback, Setback::Transport(error) if error.progress() == Progress::Refused)
}

/// Whether a broken transport is the peer's way of saying that another attempt is of no use.
fn is_told(code: Code) -> bool {
    matches!(
        code,
        Code::ResourceExhausted | Code::PermissionDenied | Code::DeadlineExceeded
    )
}
