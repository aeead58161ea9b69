//! One connection: HTTP/2, and each of its requests to its service.

mod admission;
mod chatter;
mod executor;
mod guarded;
mod http2;
mod opening;
mod preface;
mod requests;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use h2::server::Builder;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub(super) use self::admission::{Admission, Admitted, Full};
use self::executor::Driver;
pub(super) use self::executor::Load;
use self::guarded::Guarded;
use self::http2::{Failed, Heard, Http2, Patience};
use self::opening::Opened;
pub(super) use self::requests::Drain;
pub(super) use self::requests::Requests;
use super::detached::Workshop;
use super::in_flight::InFlight;
use super::layered::Layered;
use super::limits::{Limiter, Limits, MethodLimits, Places};
use super::service::ErasedService;
use super::socket::Socket;
#[cfg(feature = "tls")]
use super::tls::Handshake;
use crate::Method;
use crate::context::Peer;
use crate::interceptors::{Interceptors, MethodChain};
use crate::observe::{ConnectionChange, Event};
use crate::wire::{CONNECTION_TO_STREAM, SERVER_STREAM_WINDOW};

/// A peer that resets streams before we have seen them is cut off after this many (the rapid reset
/// attack), and so is one that makes us reset them (`MadeYouReset`).
const MAX_RESETS: usize = 1024;

/// What a stream may have buffered before it has to wait, in bytes.
const MAX_SENDING: usize = 400 * 1024;

/// What all connections of a server share.
pub(super) struct Shared {
    pub(super) routes: HashMap<&'static str, Arc<Route>>,
    pub(super) chain: Interceptors,
    /// What stands around the calls of methods that there are none of; None where nothing does.
    pub(super) unknown: Option<Arc<MethodChain>>,
    /// What is put around all requests; None where nothing is.
    pub(super) layer: Option<Arc<dyn Layered>>,
    pub(super) places: Arc<Places>,
    pub(super) limits: Limits,
    pub(super) in_flight: Arc<InFlight>,
    pub(super) load: Arc<Load>,
    pub(super) drain: Drain,
    /// None where connections are plaintext.
    #[cfg(feature = "tls")]
    pub(super) tls: Option<Arc<Handshake>>,
}

/// Where a path leads.
pub(super) struct Route {
    pub(super) service: Arc<dyn ErasedService>,
    pub(super) method: &'static Method,
    /// Its place among the server's routes.
    pub(super) index: usize,
    /// Whether its calls count among those that may run at once, and have the server's cap on
    /// deadlines.
    pub(super) is_limited: bool,
    /// What a message may be long.
    pub(super) max_message_size: usize,
    /// Its method's own.
    pub(super) limits: MethodLimits,
    /// What stands around its calls; None where nothing does.
    pub(super) chain: Option<Arc<MethodChain>>,
}

impl Shared {
    /// The rate limits of all methods.
    pub(super) fn limiters(&self) -> Vec<Arc<Limiter>> {
        let rates = self.routes.values().filter_map(|route| route.limits.rate());
        rates.map(Arc::clone).collect()
    }

    /// Something has happened to a connection.
    pub(super) fn tell(&self, peer: &Peer, change: ConnectionChange) {
        if let Some(chain) = self.chain.chain() {
            let event = Event::Connection { peer, change };
            chain.observers.observe(&event);
        }
    }
}

/// What tells a connection to stop, softly and hard.
#[derive(Clone)]
pub(super) struct Stop {
    /// No new calls; end when those that run have ended.
    pub(super) drain: CancellationToken,
    /// End now.
    pub(super) kill: CancellationToken,
}

/// A connection that was accepted.
pub(super) struct Arrived {
    pub(super) peer: Peer,
    pub(super) shared: Arc<Shared>,
    pub(super) tracker: TaskTracker,
    pub(super) stop: Stop,
    /// Its place among the connections.
    pub(super) _admitted: Admitted,
}

/// Serves one connection until its peer closes it, it is too old, or it is told to stop.
///
/// A future keeps room for all that was ever moved out of it, and most connections are idle: what is
/// for the beginning alone is in boxes, which go.
pub(super) fn serve(socket: Socket, arrived: Arrived) -> impl Future<Output = ()> + Send {
    let opening = Box::pin(opening::open(socket, Arc::clone(&arrived.shared)));
    async move {
        let _told = Told::of(&arrived);
        let (peer, stop) = (&arrived.peer, &arrived.stop);
        let opened = tokio::select! {
            opened = opening => opened,
            // Nothing was asked for yet, so nothing is lost.
            () = stop.drain.cancelled() => return,
        };
        match opened {
            Ok(opened) => arrived.serve(opened).await.log(peer),
            Err(error) => tracing::debug!(%error, ?peer, "a connection was closed"),
        }
    }
}

impl Arrived {
    async fn serve(&self, opened: Box<Opened>) -> Ended {
        let (limits, stop) = (&self.shared.limits, &self.stop);
        let mut connection = std::pin::pin!(self.http2(*opened));
        let grace = tokio::select! {
            ended = connection.as_mut() => return Ended::of(ended),
            () = stop.drain.cancelled() => {
                self.shared.drain.begin();
                // The server's own: it kills when that is over.
                None
            }
            () = after(limits.own_age()) => Some(limits.age_grace),
        };
        connection.as_mut().connection().graceful_shutdown();
        tokio::select! {
            ended = connection.as_mut() => Ended::of(ended),
            () = stop.kill.cancelled() => Ended::Stopped,
            () = after(grace) => Ended::TooOld,
        }
    }

    /// The connection with all its requests.
    fn http2(&self, opened: Opened) -> Driver<Http2> {
        let shared = &self.shared;
        let requests = Requests {
            places: shared.limits.places_of_connection(),
            shared: Arc::clone(shared),
            peer: self.peer.clone(),
            running: shared.in_flight.table(),
            workshop: Workshop {
                tracker: self.tracker.clone(),
                kill: self.stop.kill.clone(),
            },
            #[cfg(feature = "tls")]
            certificate: opened.certificate,
        };
        let (peer, stall) = (self.peer.clone(), shared.limits.stall());
        let asks = shared.limits.keepalive.map(|interval| {
            let timeout = shared.limits.keepalive_timeout;
            (Patience { interval, timeout }, Heard::new())
        });
        let heard = asks.as_ref().map(|(_, heard)| Arc::clone(heard));
        let io = Guarded::new(opened.io, peer, preface::LENGTH, stall).heard_by(heard);
        let http2 = Http2::new(&http2(shared), io, Arc::new(requests), asks);
        Driver::new(http2, Arc::clone(&shared.load), self.tracker.clone())
    }
}

/// A connection that observers have heard of. They hear of its end when this is dropped.
struct Told<'a>(&'a Arrived);

impl<'a> Told<'a> {
    fn of(arrived: &'a Arrived) -> Self {
        arrived.shared.tell(&arrived.peer, ConnectionChange::Opened);
        Self(arrived)
    }
}

impl Drop for Told<'_> {
    fn drop(&mut self) {
        self.0.shared.tell(&self.0.peer, ConnectionChange::Closed);
    }
}

/// How a connection ended.
enum Ended {
    Well,
    Failed(Failed),
    /// The server stops, and its grace is over.
    Stopped,
    /// It is too old, and the grace of that is over.
    TooOld,
}

impl Ended {
    fn of(ended: Result<(), Failed>) -> Self {
        ended.map_or_else(Self::Failed, |()| Self::Well)
    }

    fn log(&self, peer: &Peer) {
        match self {
            Self::Well => {}
            Self::Failed(error) => tracing::debug!(%error, ?peer, "a connection failed"),
            Self::Stopped => tracing::warn!(
                ?peer,
                "a connection was cut off: its calls outlasted the grace"
            ),
            Self::TooOld => tracing::info!(
                ?peer,
                "a connection was cut off: its calls outlasted its age and the grace of that"
            ),
        }
    }
}

/// In a box where there is a time at all: a connection has two of them, and mostly neither.
async fn after(time: Option<Duration>) {
    match time {
        Some(time) => Box::pin(sleep(time)).await,
        None => std::future::pending().await,
    }
}

fn http2(shared: &Shared) -> Builder {
    // One stream more than calls, so that it is our refusal that a peer gets.
    let streams = shared.places.max().saturating_add(1).max(200);
    // Where a connection has a limit of its own, it is what the peer is told: honest ones wait.
    let offered = shared.limits.rpcs_per_connection.unwrap_or(streams);
    let mut builder = Builder::new();
    builder
        .max_concurrent_streams(u32::try_from(offered).unwrap_or(u32::MAX))
        .max_header_list_size(shared.limits.header_list())
        .max_send_buffer_size(MAX_SENDING)
        // A caller may give up all its calls at once, before we have seen them. h2 would take more than 20
        // of them for an attack, and close the connection under the other calls.
        .max_pending_accept_reset_streams(streams.min(MAX_RESETS))
        .max_local_error_reset_streams(Some(MAX_RESETS))
        .initial_window_size(SERVER_STREAM_WINDOW)
        .initial_connection_window_size(SERVER_STREAM_WINDOW * CONNECTION_TO_STREAM);
    builder
}
