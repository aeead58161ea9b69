//! [`BoundServer`]: accepts connections, and stops.

use std::fmt;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::address::Address;
#[cfg(feature = "admin")]
use super::admin::Watch;
use super::connection::{self, Admission, Admitted, Arrived, Full, Shared, Stop};
use super::in_flight::{CallInFlight, InFlight};
use super::limits;
use super::signal::{self, Asked};
use super::socket::{Listening, Socket};
#[cfg(feature = "tls")]
use super::tls::Reload;
#[cfg(feature = "admin")]
use crate::admin::{AdminPort, Board, ServerStatus, StageName};
use crate::context::Peer;
use crate::health::Health;
use crate::observe::ConnectionChange;
#[cfg(feature = "reflection")]
use crate::reflection::Reflection;

/// How long `accept` pauses after an error that isn't one connection's, the file descriptors being
/// spent for example: without a pause it would spin. Twice as long each time, up to the longest.
const ACCEPT_PAUSE: Duration = Duration::from_millis(5);
const LONGEST_ACCEPT_PAUSE: Duration = Duration::from_secs(1);

/// How long tasks have to end after they were cut off. They end at once unless one of them blocks
/// its thread.
const CUT_OFF: Duration = Duration::from_secs(1);

/// How many of the calls that are cut off have a line in the log: the oldest ones.
const MOST_LINES: usize = 50;

/// One line a call.
macro_rules! log {
    ($level:ident, $call:expr, $message:literal) => {
        tracing::$level!(
            method = $call.method.path(),
            peer = ?$call.peer,
            age = ?$call.age,
            remaining = ?$call.remaining,
            phase = ?$call.phase,
            correlation_id = $call.correlation_id,
            $message
        )
    };
}

/// A server that listens but doesn't answer yet.
pub struct BoundServer {
    pub(super) listening: Listening,
    pub(super) address: Address,
    pub(super) shared: Arc<Shared>,
    pub(super) stopping: Stopping,
    /// Keeps certificates fresh.
    #[cfg(feature = "tls")]
    pub(super) reload: Option<Reload>,
    #[cfg(feature = "admin")]
    pub(super) board: Arc<Board>,
    /// None where it has none, and once it runs.
    #[cfg(feature = "admin")]
    pub(super) admin: Option<AdminPort>,
}

/// How a server stops, and what it tells meanwhile.
#[derive(Debug)]
pub(super) struct Stopping {
    /// How long calls are still taken, while health says that they will not be for long.
    pub(super) lame_duck: Duration,
    /// How long calls have to end.
    pub(super) grace: Duration,
    /// SIGUSR1 has the calls that run logged.
    pub(super) tells_calls: bool,
    /// What is told first, and whose streams would never end by themselves.
    pub(super) health: Option<Health>,
    #[cfg(feature = "reflection")]
    pub(super) reflection: Option<Reflection>,
}

impl BoundServer {
    /// What is asked while it serves.
    #[must_use]
    pub fn handle(&self) -> ServerHandle {
        ServerHandle {
            in_flight: Arc::clone(&self.shared.in_flight),
            #[cfg(feature = "admin")]
            board: Arc::clone(&self.board),
        }
    }

    /// The TCP address that it listens on; its port is the real one where 0 was asked for. Of a Unix
    /// socket, which has none, `0.0.0.0:0`: [`address`](Self::address) has its path.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        match &self.address {
            Address::Tcp(address) => *address,
            Address::Unix(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
        }
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// Serves until `signal` is there. Health then says `NOT_SERVING`; after the lame-duck time no new
    /// call is taken, those that run have the grace to end, and what is left is cut off.
    pub async fn serve_until(
        #[cfg_attr(
            not(any(feature = "admin", feature = "tls")),
            allow(unused_mut, reason = "for TLS and the admin port")
        )]
        mut self,
        signal: impl Future<Output = ()>,
    ) {
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
        tracing::info!(addr = %self.address, "serving gRPC");
        let limiters = self.shared.limiters();
        if !limiters.is_empty() {
            let drain = stop.drain.clone();
            tracker.spawn(async move { drain.run_until_cancelled(limits::sweep(limiters)).await });
        }
        let limits = self.shared.limits;
        let doors = Doors {
            admission: Admission::new(limits.connections, limits.connections_per_peer),
            shared: Arc::clone(&self.shared),
            tracker: tracker.clone(),
            stop: stop.clone(),
        };
        let handle = self.handle();
        #[cfg(feature = "admin")]
        let watch = Watch::begin(self.admin.take(), &self.board);
        if let Some(health) = &self.stopping.health {
            // Ends when health does, and with the server at the latest.
            let (run, kill) = (health.run(), stop.kill.clone());
            tracker.spawn(async move { kill.run_until_cancelled(run).await });
        }
        #[cfg(feature = "tls")]
        if let Some(reload) = self.reload.take() {
            // Whoever is still being served has made its handshake.
            let drain = stop.drain.clone();
            tracker.spawn(async move { drain.run_until_cancelled(reload.run()).await });
        }
        let is_told = async {
            signal.await;
            #[cfg(feature = "admin")]
            self.board.enter(StageName::LameDuck);
            self.stopping.lame_duck().await;
        };
        tokio::select! {
            // The signal first: under a flood of connections it must still be heard.
            biased;
            () = is_told => {}
            () = tell_calls(&handle, self.stopping.tells_calls) => {}
            () = doors.open(&self.listening) => {}
        }
        #[cfg(feature = "admin")]
        self.board.enter(StageName::Draining);
        self.stopping.end_streams();
        let grace = self.stopping.grace;
        // Closes the listener: who connects now is refused and goes elsewhere.
        drop((self, doors));
        drain(&tracker, &stop, grace, &handle).await;
        #[cfg(feature = "admin")]
        watch.end().await;
    }
}

impl fmt::Debug for BoundServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BoundServer")
            .field("address", &self.address)
            .field("stopping", &self.stopping)
            .finish_non_exhaustive()
    }
}

impl Stopping {
    /// Says that the server will stop, and gives who hears it the time to go elsewhere. A second
    /// signal ends that too.
    async fn lame_duck(&self) {
        if let Some(health) = &self.health {
            health.drain();
        }
        if self.lame_duck.is_zero() {
            return;
        }
        tracing::info!(time = ?self.lame_duck, "serving on for the lame-duck time");
        tokio::select! {
            () = sleep(self.lame_duck) => {}
            () = signal::again() => {}
        }
    }

    /// Ends the streams of the server's own services: who watches health never leaves by itself.
    fn end_streams(&self) {
        if let Some(health) = &self.health {
            health.shut_down();
        }
        #[cfg(feature = "reflection")]
        if let Some(reflection) = &self.reflection {
            reflection.shut_down();
        }
    }
}

/// Asks a server that serves; clones ask the same one.
#[derive(Clone, Debug)]
pub struct ServerHandle {
    in_flight: Arc<InFlight>,
    #[cfg(feature = "admin")]
    board: Arc<Board>,
}

impl ServerHandle {
    /// The calls that run now, the oldest first.
    #[must_use]
    pub fn calls(&self) -> Vec<CallInFlight> {
        self.in_flight.list()
    }

    /// What the server is like now: what the status page of an [`Admin`](crate::Admin) shows, whether it
    /// has a port or not. A server without an admin counts no refusals and no connections.
    #[cfg(feature = "admin")]
    #[must_use]
    pub fn status(&self) -> ServerStatus {
        self.board.look()
    }
}

/// Logs the calls that run whenever somebody asks by SIGUSR1, for ever.
async fn tell_calls(handle: &ServerHandle, is_wanted: bool) {
    let mut asked = Asked::listen(is_wanted);
    loop {
        asked.next().await;
        let calls = handle.calls();
        tracing::info!(calls = calls.len(), "asked for the calls in flight");
        for call in calls {
            log!(info, call, "a call is in flight");
        }
    }
}

/// Takes connections in, and gives each a task.
struct Doors {
    admission: Arc<Admission>,
    shared: Arc<Shared>,
    tracker: TaskTracker,
    stop: Stop,
}

impl Doors {
    /// Takes connections in for ever.
    async fn open(&self, listening: &Listening) {
        let mut pause = ACCEPT_PAUSE;
        let mut was_full = false;
        loop {
            match listening.accept().await {
                Ok((socket, peer)) => {
                    if pause > ACCEPT_PAUSE {
                        tracing::info!("connections are accepted again");
                        pause = ACCEPT_PAUSE;
                    }
                    match self.admission.admit(&peer) {
                        Ok(admitted) => {
                            was_full = false;
                            self.spawn(socket, peer, admitted);
                        }
                        Err(full) => {
                            self.shared.tell(&peer, ConnectionChange::Refused);
                            // Once, and not for each connection of a flood.
                            match std::mem::replace(&mut was_full, true) {
                                false => refused(full, &peer, &self.shared),
                                true => tracing::debug!(?full, ?peer, "a connection was refused"),
                            }
                        }
                    }
                }
                Err(error) if is_one_connections(&error) => {}
                Err(error) => {
                    if pause == ACCEPT_PAUSE {
                        tracing::warn!(%error, "cannot accept connections, trying again");
                    }
                    sleep(pause).await;
                    pause = (pause * 2).min(LONGEST_ACCEPT_PAUSE);
                }
            }
        }
    }

    fn spawn(&self, socket: Socket, peer: Peer, admitted: Admitted) {
        let arrived = Arrived {
            peer,
            shared: Arc::clone(&self.shared),
            tracker: self.tracker.clone(),
            stop: self.stop.clone(),
            _admitted: admitted,
        };
        self.tracker.spawn(connection::serve(socket, arrived));
    }
}

fn refused(full: Full, peer: &Peer, shared: &Shared) {
    match full {
        Full::All => tracing::warn!(
            ?peer,
            limit = shared.limits.connections,
            "a connection was refused, and so are those that follow: there are too many"
        ),
        Full::OfPeer => tracing::warn!(
            ?peer,
            limit = shared.limits.connections_per_peer,
            "a connection was refused, and so are those that follow: the peer has too many"
        ),
    }
}

/// Lets calls end within the grace, then cuts off what is left.
///
/// What is left is logged before, call by call: it is what held the server up.
async fn drain(tracker: &TaskTracker, stop: &Stop, grace: Duration, handle: &ServerHandle) {
    tracker.close();
    stop.drain.cancel();
    let why = tokio::select! {
        () = tracker.wait() => return,
        () = sleep(grace) => "the grace is over",
        () = signal::again() => "another signal came",
    };
    let calls = handle.calls();
    tracing::warn!(
        calls = calls.len(),
        tasks = tracker.len(),
        why,
        "cutting off what is left"
    );
    for call in calls.into_iter().take(MOST_LINES) {
        log!(warn, call, "a call is cut off");
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
