//! [`Deadline`]: when a call is over, and who wakes it then.

use std::pin::Pin;
use std::task::Context as Task;

use tokio::time::{Instant, Sleep, sleep_until};

#[cfg(feature = "server")]
use crate::clock;

/// When a call is over, and who wakes it then.
pub(crate) enum Deadline {
    Never,
    /// Who polls the call wakes it: a call of our own server that is ready at once needs no timer.
    #[cfg(feature = "server")]
    Woken(Instant),
    /// Nobody else does. One box a call that has a deadline: a timer must not move.
    Timed(Pin<Box<Sleep>>),
}

impl Deadline {
    #[cfg(feature = "server")]
    pub(crate) fn woken(deadline: Option<Instant>) -> Self {
        deadline.map_or(Self::Never, Self::Woken)
    }

    pub(crate) fn timed(deadline: Option<Instant>) -> Self {
        deadline.map_or(Self::Never, |deadline| {
            Self::Timed(Box::pin(sleep_until(deadline)))
        })
    }

    /// Whether it has passed; if not, the call is woken when it does.
    pub(crate) fn has_passed(&mut self, cx: &mut Task<'_>) -> bool {
        match self {
            Self::Never => false,
            #[cfg(feature = "server")]
            Self::Woken(deadline) => clock::recent() >= *deadline,
            Self::Timed(sleep) => sleep.as_mut().poll(cx).is_ready(),
        }
    }
}
