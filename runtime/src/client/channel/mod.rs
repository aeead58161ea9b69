//! [`Channel`]: our own transport, HTTP/2 connections to all endpoints of a target.
//!
//! ```text
//! Channel ─▶ cluster (picks among the endpoints that are ready, or waits for one)
//!         ─▶ endpoint (one address: dials, backs off, keeps its connections)
//!         ─▶ connection (one of HTTP/2: its places, its keepalive) ─▶ exchange ─▶ Answer
//! ```
//!
//! A call on the healthy path takes no lock of ours but that of the connection it is sent on, and its
//! request is handed to HTTP/2 by the task that makes the call.

#[cfg(feature = "client")]
mod answer;
#[cfg(feature = "client")]
mod backoff;
#[cfg(feature = "client")]
mod cluster;
#[cfg(feature = "client")]
mod connection;
#[cfg(feature = "client")]
mod dial;
#[cfg(not(feature = "client"))]
mod disabled;
#[cfg(feature = "client")]
mod endpoint;
#[cfg(feature = "client")]
mod exchange;
#[cfg(feature = "client")]
mod keepalive;
#[cfg(feature = "client")]
mod line;
#[cfg(feature = "client")]
mod open;
#[cfg(feature = "client")]
mod options;
#[cfg(feature = "client")]
mod pump;
#[cfg(feature = "client")]
mod queue;
#[cfg(all(test, feature = "client"))]
mod tests;
#[cfg(feature = "client")]
mod watched;

#[cfg(not(feature = "client"))]
pub use self::disabled::Channel;
#[cfg(feature = "client")]
pub use self::open::Channel;
#[cfg(feature = "client")]
pub(in crate::client) use self::open::WeakChannel;
#[cfg(feature = "client")]
pub(crate) use self::options::{ChannelOptions, Secure};
#[cfg(feature = "client")]
pub use self::options::{Connecting, Connector, IoStream};
