//! Asking a server that says nothing whether it is still there.

use std::sync::Arc;
use std::time::Duration;

use h2::{Ping, PingPong};
use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep, timeout};

use super::line::Line;

/// What a connection's keepalive is set to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Keepalive {
    pub(super) interval: Duration,
    pub(super) timeout: Duration,
    pub(super) while_idle: bool,
}

impl Keepalive {
    /// Watches a connection until it is over, and ends it by `driver` when its server doesn't answer.
    pub(super) async fn watch(self, mut pings: PingPong, line: Arc<Line>, driver: AbortHandle) {
        tokio::select! {
            () = line.over.notified() => {}
            () = self.lost(&mut pings, &line) => {
                line.end_because("the server did not answer a keepalive ping in time");
                // Drops the connection, and with it all its streams.
                driver.abort();
            }
        }
    }

    /// Ready once the server has not answered.
    async fn lost(self, pings: &mut PingPong, line: &Line) {
        loop {
            // Whatever the server says shows that it is there.
            let left = self.interval.saturating_sub(line.heard().elapsed());
            if !left.is_zero() {
                sleep(left).await;
                continue;
            }
            // Pings with no call in flight look like an attack to it (gRFC A8).
            let may_ask = self.while_idle || line.in_flight() > 0;
            if !may_ask || pings.send_ping(Ping::opaque()).is_err() {
                sleep(self.interval).await;
                continue;
            }
            let asked = Instant::now();
            let mut pong = std::pin::pin!(std::future::poll_fn(|cx| pings.poll_pong(cx)));
            loop {
                let silent = asked.max(line.heard()).elapsed();
                let left = self.timeout.saturating_sub(silent);
                if left.is_zero() {
                    return;
                }
                if timeout(left, pong.as_mut()).await.is_ok() {
                    break;
                }
            }
        }
    }
}
