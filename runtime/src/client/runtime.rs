//! Whether there is a tokio runtime, which timers and connections need: tokio panics where there is none.

use std::fmt;

use tokio::runtime::Handle;
use tokio::task;

use super::failure::{Failure, FailureKind};
use crate::{Code, Status};

/// There is no tokio runtime.
#[derive(Clone, Copy, Debug)]
pub(super) struct Missing;

/// Whether there is one.
///
/// It is asked before something is made that would panic without.
pub(super) fn check() -> Result<(), Missing> {
    // Most calls are made in a task: that has one, and is asked for without touching what all threads
    // share.
    match task::try_id().is_some() || Handle::try_current().is_ok() {
        true => Ok(()),
        false => Err(Missing),
    }
}

impl Missing {
    pub(super) const WORDS: &str = "it was made outside of a tokio runtime, which deadlines, waits and \
        connections need: make it within one, under `#[tokio::main]` for example or while a guard of \
        `Handle::enter` is there";
}

impl fmt::Display for Missing {
    /// As in "the call failed: …".
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(Self::WORDS)
    }
}

impl From<Missing> for Failure {
    #[cold]
    fn from(missing: Missing) -> Self {
        let status = Status::new(Code::Internal, format!("the call can't be made: {missing}"));
        Self::unsent(FailureKind::Runtime, status)
    }
}
