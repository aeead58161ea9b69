//! [`TurnTimer`]: hyper's timer, for which it is as late as at the last look in a turn.

use std::pin::Pin;
use std::time::{Duration, Instant};

use hyper::rt::{Sleep, Timer};
use hyper_util::rt::TokioTimer;

use crate::clock;

/// tokio's timer, but for [`now`](Timer::now), which hyper asks for at each frame, to know when a connection is
/// idle: that is a matter of seconds.
#[derive(Clone)]
pub(super) struct TurnTimer(TokioTimer);

impl TurnTimer {
    pub(super) fn new() -> Self {
        Self(TokioTimer::new())
    }
}

impl Timer for TurnTimer {
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Sleep>> {
        self.0.sleep(duration)
    }

    fn sleep_until(&self, deadline: Instant) -> Pin<Box<dyn Sleep>> {
        self.0.sleep_until(deadline)
    }

    fn now(&self) -> Instant {
        clock::recent().into()
    }

    fn reset(&self, sleep: &mut Pin<Box<dyn Sleep>>, deadline: Instant) {
        self.0.reset(sleep, deadline);
    }
}
