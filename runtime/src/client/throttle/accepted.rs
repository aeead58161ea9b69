//! What an attempt says of how much its target takes, and what doesn't.

use std::time::Duration;

use crate::Code;
use crate::client::breaker::{Outcome, Who, outcome};
use crate::client::failure::FailureKind;
use crate::client::setback::Setback;

/// Whether the target has accepted an attempt that ended so; None where that says nothing of it.
///
/// Any answer but `RESOURCE_EXHAUSTED` and `UNAVAILABLE` is one of a target that takes what it gets, an
/// error too. Where no server was reached there is nothing to be spared, and how often connections are
/// tried has a bound of its own. What the caller ended, and what the client itself refused, says
/// nothing. `sent` is whether a server may have seen the attempt, `inherited` how long it had, if that
/// was what its caller's own call left it.
pub(crate) fn accepted(setback: &Setback, sent: bool, inherited: Option<Duration>) -> Option<bool> {
    match setback {
        _ if setback.is_unsent() => None,
        Setback::Transport(error) if error.code() == Code::DeadlineExceeded => {
            unanswered(sent, inherited)
        }
        Setback::Transport(_) | Setback::Status { .. } => Some(is_taken(setback.code())),
        Setback::TimedOut(_) => unanswered(sent, None),
        Setback::Final(failure) => match failure.kind() {
            FailureKind::Decode | FailureKind::Status => Some(is_taken(setback.code())),
            FailureKind::Transport => Some(is_taken(setback.code())),
            FailureKind::Deadline => unanswered(sent, inherited),
            _ => None,
        },
    }
}

/// The same of one whose time was over before there was an answer: not accepted, but where it had so
/// little time that this says nothing of the target, as for its circuit breaker.
pub(crate) fn unanswered(sent: bool, inherited: Option<Duration>) -> Option<bool> {
    let counts = outcome(Code::DeadlineExceeded, Who::Deadline, inherited, None);
    (sent && counts != Outcome::Ignored).then_some(false)
}

fn is_taken(code: Code) -> bool {
    !matches!(code, Code::ResourceExhausted | Code::Unavailable)
}
