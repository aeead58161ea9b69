//! What says something of a target's health, and what doesn't.

use std::time::Duration;

use super::machine::Outcome;
use crate::Code;

/// A call that had less time than this because its caller had says nothing of the target, when that
/// time passes.
const SHORTEST_INHERITED: Duration = Duration::from_millis(100);

/// By whom an attempt was ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Who {
    /// A status came from the server, well or not.
    Server,
    /// No answer came, or it broke off: no connection, a lost one, a reset.
    Transport,
    /// The deadline passed, here.
    Deadline,
    /// The call that it was made in is over, or it was dropped, or can't be said or understood here.
    Caller,
    /// The client itself refused: a limit, a throttle, this breaker.
    Client,
    /// Nobody has acted on it, and it is sent again as if it had not been.
    Resent,
}

/// What an attempt that ended with `code` says of its target. `inherited` is how long it had, if that
/// was what its caller's own call left it.
///
/// An answer that is no sign of trouble is a success: `NOT_FOUND` shows that the server works.
/// `CANCELLED` and `RESOURCE_EXHAUSTED` are neither: what is too much isn't broken, and isn't well.
pub(crate) fn outcome(
    code: Code,
    who: Who,
    inherited: Option<Duration>,
    event: Option<u64>,
) -> Outcome {
    match (who, code) {
        (Who::Caller | Who::Client | Who::Resent, _) => Outcome::Ignored,
        (_, Code::DeadlineExceeded) if inherited.is_some_and(|had| had < SHORTEST_INHERITED) => {
            Outcome::Ignored
        }
        (_, code) if counts(code) => Outcome::Failure(event),
        (_, Code::Cancelled | Code::ResourceExhausted) => Outcome::Ignored,
        (Who::Server, _) => Outcome::Success,
        (Who::Transport | Who::Deadline, _) => Outcome::Ignored,
    }
}

/// Whether a status is the target's trouble, not its caller's.
fn counts(code: Code) -> bool {
    matches!(
        code,
        Code::Unavailable
            | Code::DeadlineExceeded
            | Code::Internal
            | Code::Unknown
            | Code::DataLoss
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const COUNTED: [Code; 5] = [
        Code::Unavailable,
        Code::DeadlineExceeded,
        Code::Internal,
        Code::Unknown,
        Code::DataLoss,
    ];

    fn codes() -> impl Iterator<Item = Code> {
        (0..=16).map(Code::from_i32)
    }

    #[test]
    fn rule_17_five_codes_count_as_failures_and_the_callers_errors_as_successes() {
        for code in codes() {
            let expected = match code {
                code if COUNTED.contains(&code) => Outcome::Failure(None),
                Code::Cancelled | Code::ResourceExhausted => Outcome::Ignored,
                _ => Outcome::Success,
            };
            assert_eq!(outcome(code, Who::Server, None, None), expected, "{code:?}");
        }
    }

    #[test]
    fn rule_17_a_cancel_an_own_rejection_and_what_is_sent_again_never_count() {
        for who in [Who::Caller, Who::Client, Who::Resent] {
            for code in codes() {
                assert_eq!(outcome(code, who, None, Some(1)), Outcome::Ignored);
            }
        }
    }

    #[test]
    fn rule_17_inherited_deadlines_count_from_a_floor_on() {
        for who in [Who::Server, Who::Deadline] {
            let short = SHORTEST_INHERITED - Duration::from_millis(1);
            for (inherited, expected) in [
                (None, Outcome::Failure(None)),
                (Some(SHORTEST_INHERITED), Outcome::Failure(None)),
                (Some(short), Outcome::Ignored),
            ] {
                let outcome = outcome(Code::DeadlineExceeded, who, inherited, None);
                assert_eq!(outcome, expected, "{who:?} {inherited:?}");
            }
            // What else went wrong in so short a time counts.
            let broken = outcome(Code::Unavailable, who, Some(short), None);
            assert_eq!(broken, Outcome::Failure(None));
        }
    }

    #[test]
    fn a_broken_transport_is_a_failure_of_its_event_and_never_a_success() {
        for code in codes() {
            let outcome = outcome(code, Who::Transport, None, Some(7));
            match COUNTED.contains(&code) {
                true => assert_eq!(outcome, Outcome::Failure(Some(7))),
                false => assert_eq!(outcome, Outcome::Ignored, "{code:?}"),
            }
        }
    }
}
