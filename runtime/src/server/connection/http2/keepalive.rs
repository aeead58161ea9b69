//! [`Keepalive`]: asks a client that says nothing whether it is there.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::task::{Context, Poll};
use std::time::Duration;

use h2::{Ping, PingPong};
use tokio::time::{Instant, Sleep, sleep_until};

use crate::clock;

/// How long a client may say nothing.
#[derive(Clone, Copy, Debug)]
pub(in crate::server::connection) struct Patience {
    /// Before it is asked.
    pub(in crate::server::connection) interval: Duration,
    /// Then.
    pub(in crate::server::connection) timeout: Duration,
}

/// When a client was heard last.
#[derive(Debug)]
pub(in crate::server::connection) struct Heard {
    opened: Instant,
    /// In nanoseconds from then on, of which 64 bits hold 584 years.
    last: AtomicU64,
}

impl Heard {
    pub(in crate::server::connection) fn new() -> Arc<Self> {
        Arc::new(Self {
            opened: clock::recent(),
            last: AtomicU64::new(0),
        })
    }

    /// Something has come.
    pub(in crate::server::connection) fn now(&self) {
        let since = clock::recent().saturating_duration_since(self.opened);
        self.last.store(since.as_nanos() as u64, Relaxed);
    }

    fn last(&self) -> Instant {
        let since = Duration::from_nanos(self.last.load(Relaxed));
        self.opened.checked_add(since).unwrap_or(self.opened)
    }
}

/// Asks a client that says nothing whether it is there. Whatever it says shows that it is.
pub(super) struct Keepalive {
    patience: Patience,
    pings: PingPong,
    heard: Arc<Heard>,
    /// When it was asked; None while it need not answer.
    asked: Option<Instant>,
    /// When to look next, and who wakes the connection then.
    next: Pin<Box<Sleep>>,
    /// Whether it does.
    is_set: bool,
}

impl Keepalive {
    pub(super) fn new(patience: Patience, pings: PingPong, heard: Arc<Heard>) -> Self {
        let next = clock::recent().checked_add(patience.interval);
        Self {
            patience,
            pings,
            heard,
            asked: None,
            next: Box::pin(sleep_until(next.unwrap_or_else(far))),
            is_set: false,
        }
    }

    /// Ready once the client has not answered.
    ///
    /// A connection polls this in each of its turns, always with the same waker.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        // Nothing waits for an answer, and it isn't time to ask: that is known without asking the timer.
        if self.is_set && self.asked.is_none() && clock::recent() < self.next.deadline() {
            return Poll::Pending;
        }
        loop {
            if self.asked.is_some() && self.pings.poll_pong(cx).is_ready() {
                self.asked = None;
                self.wait(self.patience.interval);
            }
            if self.next.as_mut().poll(cx).is_pending() {
                self.is_set = true;
                return Poll::Pending;
            }
            let heard = self.heard.last();
            match self.asked {
                None if heard + self.patience.interval > clock::recent() => {
                    self.wait_from(heard, self.patience.interval);
                }
                None => {
                    // Fails where one is on its way, or the connection is over: then others see it.
                    if self.pings.send_ping(Ping::opaque()).is_ok() {
                        self.asked = Some(clock::recent());
                        self.wait(self.patience.timeout);
                    } else {
                        self.wait(self.patience.interval);
                    }
                }
                Some(asked) => {
                    let silent_since = asked.max(heard);
                    if silent_since + self.patience.timeout <= clock::recent() {
                        return Poll::Ready(());
                    }
                    self.wait_from(silent_since, self.patience.timeout);
                }
            }
        }
    }

    fn wait(&mut self, time: Duration) {
        self.wait_from(clock::recent(), time);
    }

    fn wait_from(&mut self, from: Instant, time: Duration) {
        let next = from.checked_add(time).unwrap_or_else(far);
        self.next.as_mut().reset(next);
        self.is_set = false;
    }
}

/// A time that doesn't come: intervals can be longer than what a clock can say.
fn far() -> Instant {
    Instant::now() + Duration::from_secs(86400 * 365 * 30)
}
