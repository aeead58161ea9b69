//! Asking a server that says nothing whether it is still there.

use std::sync::Arc;
use std::time::Duration;

use h2::{Ping, PingPong};
use tokio::task::AbortHandle;
use tokio::time::{sleep, timeout};

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
            sleep(self.interval).await;
            // Whatever the server says shows that it is there, and pings with no call in flight look
            // like an attack to it (gRFC A8).
            if line.take_heard() || !(self.while_idle || line.in_flight() > 0) {
                continue;
            }
            if pings.send_ping(Ping::opaque()).is_err() {
                continue;
            }
            let mut pong = std::pin::pin!(std::future::poll_fn(|cx| pings.poll_pong(cx)));
            loop {
                match timeout(self.timeout, pong.as_mut()).await {
                    Ok(_) => break,
                    Err(_) if line.take_heard() => {}
                    Err(_) => return,
                }
            }
        }
    }
}
