//! [`AttemptTrace`]: what became of the attempts of a call.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::attempt::Reached;
use crate::Code;

/// What became of the attempts of a call, each that did not succeed; no more than
/// [`MAX`](Self::MAX).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AttemptTrace {
    records: Vec<AttemptRecord>,
    left_out: u32,
}

/// What became of one attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttemptRecord {
    pub(super) endpoint: Option<Arc<str>>,
    pub(super) reached: Reached,
    pub(super) code: Code,
    pub(super) cause: String,
    pub(super) verdict: Verdict,
}

/// What was decided after an attempt, and by whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Verdict {
    /// Another one was made after this time.
    Again(Duration),
    /// Another one was made at once, which does not count: the server never saw this one (gRFC A6,
    /// "transparent").
    Unseen,
    /// The policy has no other attempt for such an end.
    Final,
    /// The policy allows no more attempts.
    Exhausted,
    /// Too many calls to the target fail: nothing is tried again until more succeed; or it accepts too few
    /// of them to be sent this one.
    Throttled,
    /// The server said not to try again.
    ServerSaidNo,
    /// The wait before the next attempt would be longer than what is left of the deadline.
    NoTime,
    /// Too much of the requests was sent to keep it for another attempt, or an answer had begun.
    Committed,
    /// The circuit breaker has opened.
    CircuitOpen,
    /// Another attempt of the same call was faster.
    Overtaken,
    /// Nobody waits for it any more: the call that it was made in is over, or it was dropped.
    Cancelled,
}

impl AttemptTrace {
    /// This many attempts are kept: the first ones, and the last.
    pub const MAX: usize = 8;

    /// What became of each attempt, in their order.
    #[must_use]
    pub fn records(&self) -> &[AttemptRecord] {
        &self.records
    }

    /// How many attempts stand between the last two records and were left out.
    #[must_use]
    pub fn left_out(&self) -> u32 {
        self.left_out
    }

    pub(super) fn push(&mut self, record: AttemptRecord) {
        if self.records.len() == Self::MAX {
            self.records.pop();
            self.left_out += 1;
        }
        self.records.push(record);
    }
}

impl AttemptRecord {
    /// Where it went: `10.0.0.7:50051`; `None` if it got nowhere, or the transport doesn't tell.
    #[must_use]
    pub fn endpoint(&self) -> Option<&str> {
        self.endpoint.as_deref()
    }

    /// How far it got.
    #[must_use]
    pub fn reached(&self) -> Reached {
        self.reached
    }

    /// How it ended.
    #[must_use]
    pub fn code(&self) -> Code {
        self.code
    }

    /// Why, in words.
    #[must_use]
    pub fn cause(&self) -> &str {
        &self.cause
    }

    /// What was decided then.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        self.verdict
    }
}

impl fmt::Display for AttemptTrace {
    /// One attempt a line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let last = self.records.len().saturating_sub(1);
        for (index, record) in self.records.iter().enumerate() {
            if index > 0 {
                writeln!(f)?;
            }
            if index == last && self.left_out > 0 {
                writeln!(f, "({} more)", self.left_out)?;
            }
            write!(f, "{record}")?;
        }
        Ok(())
    }
}

impl fmt::Display for AttemptRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let endpoint = self.endpoint().unwrap_or("-");
        write!(
            f,
            "{endpoint}: {:?} while {}: {}; {}",
            self.code, self.reached, self.cause, self.verdict
        )
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Again(delay) => return write!(f, "tried again after {delay:?}"),
            Self::Unseen => "tried again at once, the server never saw it",
            Self::Final => "not to be tried again",
            Self::Exhausted => "no attempt was left",
            Self::Throttled => "throttled, too many calls fail",
            Self::ServerSaidNo => "the server said not to try again",
            Self::NoTime => "no time was left for another attempt",
            Self::Committed => "committed",
            Self::CircuitOpen => "the circuit breaker has opened",
            Self::Overtaken => "another attempt was faster",
            Self::Cancelled => "nobody waited for it any more",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trace_is_bounded_and_keeps_the_last() {
        let mut trace = AttemptTrace::default();
        for number in 0..20 {
            trace.push(AttemptRecord {
                endpoint: None,
                reached: Reached::Sent,
                code: Code::Unavailable,
                cause: number.to_string(),
                verdict: Verdict::Unseen,
            });
        }
        let causes: Vec<_> = trace.records().iter().map(AttemptRecord::cause).collect();
        assert_eq!(causes, ["0", "1", "2", "3", "4", "5", "6", "19"]);
        assert_eq!(trace.left_out(), 12);
        assert!(trace.to_string().contains("(12 more)"), "{trace}");
    }
}
