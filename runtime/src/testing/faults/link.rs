//! [`Link`]: the connection that a client would have.

use std::time::Duration;

use tokio::time::Instant;

use crate::client::next_event;

/// The wait between two dials (gRPC's connection-backoff.md), without jitter.
const FIRST_WAIT: Duration = Duration::from_secs(1);
const MULTIPLIER: f64 = 1.6;
const LONGEST_WAIT: Duration = Duration::from_secs(120);

/// The connection that a client would have: what happens to it happens to all calls on it, and is one
/// event to a circuit breaker.
pub(super) struct Link {
    /// What the loss of the connection would be.
    connection: u64,
    failed: Option<Dial>,
}

/// A dial that came to nothing, which is an event for all calls until the next one.
struct Dial {
    event: u64,
    wait: Duration,
    next: Instant,
}

impl Link {
    pub(super) fn new() -> Self {
        Self {
            connection: next_event(),
            failed: None,
        }
    }

    /// The connection, which is there.
    pub(super) fn connection(&mut self) -> u64 {
        self.failed = None;
        self.connection
    }

    /// That connection is lost; who comes next has another one.
    pub(super) fn lose(&mut self, connection: u64) {
        if self.connection == connection {
            self.connection = next_event();
        }
    }

    /// There is no connection: what the last dial was.
    pub(super) fn fail(&mut self) -> u64 {
        let now = Instant::now();
        let wait = match &self.failed {
            Some(dial) if now < dial.next => return dial.event,
            Some(dial) => dial.wait.mul_f64(MULTIPLIER).min(LONGEST_WAIT),
            None => FIRST_WAIT,
        };
        let event = next_event();
        self.failed = Some(Dial {
            event,
            wait,
            next: now + wait,
        });
        event
    }
}
