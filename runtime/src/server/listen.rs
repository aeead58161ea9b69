//! [`BoundServer`]: accepts connections, and stops.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::connection::{self, Shared, Stop};
use crate::context::Peer;

/// How long `accept` pauses after an error that isn't one connection's, the file descriptors being
/// spent for example: without a pause it would spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// How long tasks have to end after they were cut off. They end at once unless one of them blocks
/// its thread.
const CUT_OFF: Duration = Duration::from_secs(1);

/// A server that listens but doesn't answer yet.
pub struct BoundServer {
    listener: TcpListener,
    local_addr: SocketAddr,
    shared: Arc<Shared>,
    grace: Duration,
}

impl BoundServer {
    pub(super) fn new(
        listener: TcpListener,
        local_addr: SocketAddr,
        shared: Shared,
        grace: Duration,
    ) -> Self {
        Self {
            listener,
            local_addr,
            shared: Arc::new(shared),
            grace,
        }
    }

    /// The address that it listens on; its port is the real one where 0 was asked for.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// Serves until `signal` is there. Then no new call is taken, those that run have the grace to
    /// end, and what is left is cut off.
    pub async fn serve_until(self, signal: impl Future<Output = ()>) {
        let tracker = TaskTracker::new();
        let stop = Stop {
            drain: CancellationToken::new(),
            kill: CancellationToken::new(),
        };
        // Whoever drops this future stops the server: nothing of it runs on.
        let _dropped = (
            stop.drain.clone().drop_guard(),
            stop.kill.clone().drop_guard(),
        );
        tracing::info!(addr = %self.local_addr, "serving gRPC");
        let mut signal = std::pin::pin!(signal);
        loop {
            let accepted = tokio::select! {
                // The signal first: under a flood of connections it must still be heard.
                biased;
                () = signal.as_mut() => break,
                accepted = self.listener.accept() => accepted,
            };
            match accepted {
                Ok((stream, addr)) => self.spawn(stream, addr, &tracker, &stop),
                Err(error) if is_one_connections(&error) => {}
                Err(error) => {
                    tracing::warn!(%error, "cannot accept connections, trying again");
                    sleep(ACCEPT_PAUSE).await;
                }
            }
        }
        let grace = self.grace;
        // Closes the listener: who connects now is refused and goes elsewhere.
        drop(self);
        drain(&tracker, &stop, grace).await;
    }

    fn spawn(&self, stream: TcpStream, addr: SocketAddr, tracker: &TaskTracker, stop: &Stop) {
        let shared = Arc::clone(&self.shared);
        let peer = Peer::Tcp(addr);
        tracker.spawn(connection::serve(
            stream,
            peer,
            shared,
            tracker.clone(),
            stop.clone(),
        ));
    }
}

impl fmt::Debug for BoundServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BoundServer")
            .field("local_addr", &self.local_addr)
            .field("grace", &self.grace)
            .finish_non_exhaustive()
    }
}

/// Lets calls end within the grace, then cuts off what is left.
async fn drain(tracker: &TaskTracker, stop: &Stop, grace: Duration) {
    tracker.close();
    stop.drain.cancel();
    if timeout(grace, tracker.wait()).await.is_ok() {
        return;
    }
    stop.kill.cancel();
    if timeout(CUT_OFF, tracker.wait()).await.is_err() {
        let tasks = tracker.len();
        tracing::warn!(tasks, "tasks are left that block their threads");
    }
}

/// Whether an error of `accept` concerns the one connection that it would have returned.
fn is_one_connections(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionRefused
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::Interrupted
    )
}
