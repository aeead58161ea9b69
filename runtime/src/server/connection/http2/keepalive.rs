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
        let next = after(clock::recent(), patience.interval);
        Self {
            patience,
            pings,
            heard,
            asked: None,
            next: Box::pin(sleep_until(next)),
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
                None if !is_over(heard, self.patience.interval) => {
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
                    if is_over(silent_since, self.patience.timeout) {
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
        self.next.as_mut().reset(after(from, time));
        self.is_set = false;
    }
}

/// Whether so much time is over.
fn is_over(from: Instant, time: Duration) -> bool {
    clock::recent().saturating_duration_since(from) >= time
}

/// When it will be; what is more than a clock can say is thirty years, and then looked at again.
fn after(from: Instant, time: Duration) -> Instant {
    const FAR: Duration = Duration::from_secs(86400 * 365 * 30);
    let at = from.checked_add(time).or_else(|| from.checked_add(FAR));
    at.unwrap_or(from)
}

#[cfg(test)]
mod tests {
    use std::future::{pending, poll_fn};

    use bytes::Bytes;
    use tokio::io::duplex;
    use tokio::time::{sleep, timeout};

    use super::*;

    const PATIENCE: Patience = Patience {
        interval: Duration::from_secs(60),
        timeout: Duration::from_secs(20),
    };

    /// When a client is given up that answers or doesn't, and says something at these times; within an hour.
    async fn lost_after(patience: Patience, answers: bool, says: &[u64]) -> Option<u64> {
        let (ours, theirs) = duplex(1024);
        tokio::spawn(async move {
            let (_requests, connection) = h2::client::handshake(theirs).await.unwrap();
            match answers {
                true => connection.await.unwrap(),
                // Not dropped, which would close it.
                false => pending::<()>().await,
            }
        });
        let mut connection: h2::server::Connection<_, Bytes> =
            h2::server::handshake(ours).await.unwrap();
        let (pings, heard, start) = (connection.ping_pong(), Heard::new(), Instant::now());
        let mut keepalive = Keepalive::new(patience, pings.unwrap(), Arc::clone(&heard));
        let says = says.to_owned();
        tokio::spawn(async move {
            for at in says {
                sleep_until(start + Duration::from_secs(at)).await;
                heard.now();
            }
        });
        let lost = poll_fn(|cx| {
            let lost = keepalive.poll(cx);
            assert!(connection.poll_accept(cx).is_pending());
            lost
        });
        let lost = timeout(Duration::from_secs(3600), lost).await;
        lost.ok().map(|()| start.elapsed().as_secs())
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_says_nothing_is_asked_and_then_given_up() {
        assert_eq!(lost_after(PATIENCE, false, &[]).await, Some(80));
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_answers_is_kept() {
        assert_eq!(lost_after(PATIENCE, true, &[]).await, None);
    }

    #[tokio::test(start_paused = true)]
    async fn whatever_a_client_says_shows_that_it_is_there() {
        // Before it is asked, and then.
        assert_eq!(lost_after(PATIENCE, false, &[30]).await, Some(110));
        assert_eq!(lost_after(PATIENCE, false, &[30, 100]).await, Some(120));
    }

    #[tokio::test(start_paused = true)]
    async fn times_beyond_the_clock_are_as_good_as_none() {
        let endless = Patience {
            interval: Duration::MAX,
            timeout: Duration::MAX,
        };
        assert_eq!(lost_after(endless, false, &[]).await, None);
        sleep(Duration::from_secs(1)).await;
    }
}
