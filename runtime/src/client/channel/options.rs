//! [`ChannelOptions`]: what a channel is set to, and what can be put in its place.

use std::fmt;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};

use crate::client::balance::OutlierEjection;
use crate::client::config::Balance;
use crate::client::resolve::Resolver;
use crate::observe::Observers;

/// Bytes in both directions: what a connection is made on.
pub trait IoStream: AsyncRead + AsyncWrite + Send + Unpin + 'static {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin + 'static> IoStream for T {}

/// A connection that is being made: what a [`Connector`] answers.
pub type Connecting<'a> = Pin<Box<dyn Future<Output = io::Result<Box<dyn IoStream>>> + Send + 'a>>;

/// Makes the connections of a channel, in place of TCP and Unix sockets: a proxy, a tunnel, a network
/// that a test simulates.
///
/// A function from an endpoint's name to a boxed future is one.
pub trait Connector: Send + Sync + 'static {
    /// Connects to `endpoint`: `10.0.0.7:50051`, `unix:/run/items.sock`, or `items:50051` where nothing
    /// resolves names. The future is dropped when that takes too long.
    fn connect<'a>(&'a self, endpoint: &'a str) -> Connecting<'a>;
}

impl<F> Connector for F
where
    F: for<'a> Fn(&'a str) -> Connecting<'a> + Send + Sync + 'static,
{
    fn connect<'a>(&'a self, endpoint: &'a str) -> Connecting<'a> {
        self(endpoint)
    }
}

/// Makes TLS of a connection.
pub(crate) trait Secure: Send + Sync {
    /// Shakes hands with the server of this name, which must speak HTTP/2.
    fn handshake<'a>(&'a self, name: &'a str, stream: Box<dyn IoStream>) -> Connecting<'a>;
}

/// What a channel is set to.
#[derive(Clone)]
pub(crate) struct ChannelOptions {
    /// How it chooses among endpoints.
    pub(crate) balance: Balance,
    /// Which endpoints it leaves out for a while.
    pub(crate) ejection: OutlierEjection,
    /// Hear what happens to endpoints.
    pub(crate) observers: Observers,
    /// Picks only endpoints that say that this service is SERVING; empty is the server as a whole.
    pub(crate) health_check: Option<String>,
    /// How many connections an endpoint has at most, once its server takes no more calls on one.
    pub(crate) max_connections: usize,
    /// How long making a connection may take, whatever a call's deadline: from its first packet to the
    /// server's SETTINGS frame. To be ready a channel takes no longer, with the resolving of its name.
    pub(crate) connect_timeout: Duration,
    /// A server that says nothing for this long is asked whether it is there. None asks never.
    pub(crate) keepalive_interval: Option<Duration>,
    /// How long it may take to answer that.
    pub(crate) keepalive_timeout: Duration,
    /// Whether it is asked too while no call is in flight, which servers may take for an attack.
    pub(crate) keepalive_while_idle: bool,
    /// How many calls may wait for a place on a connection, on all endpoints together.
    pub(crate) max_waiting: usize,
    /// Makes the connections, in place of sockets.
    pub(crate) connector: Option<Arc<dyn Connector>>,
    /// Resolves names, in place of the system. With a connector and none of these, names are the
    /// connector's.
    pub(crate) resolver: Option<Arc<dyn Resolver>>,
    /// Whether a target that doesn't say is TLS.
    pub(crate) secure: bool,
    /// Makes TLS of them.
    pub(crate) tls: Option<Arc<dyn Secure>>,
}

impl Default for ChannelOptions {
    fn default() -> Self {
        Self {
            balance: Balance::default(),
            ejection: OutlierEjection::default(),
            observers: Observers::default(),
            health_check: None,
            max_connections: 4,
            // gRPC's own bound (connection-backoff.md, `MIN_CONNECT_TIMEOUT`).
            connect_timeout: Duration::from_secs(20),
            keepalive_interval: Some(Duration::from_secs(10)),
            keepalive_timeout: Duration::from_secs(5),
            keepalive_while_idle: false,
            max_waiting: 1000,
            connector: None,
            resolver: None,
            secure: true,
            tls: None,
        }
    }
}

impl fmt::Debug for ChannelOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChannelOptions")
            .field("balance", &self.balance)
            .field("max_connections", &self.max_connections)
            .finish_non_exhaustive()
    }
}
