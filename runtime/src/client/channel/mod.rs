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

mod answer;
mod cluster;
mod connection;
mod dial;
mod endpoint;
mod exchange;
mod keepalive;
mod line;
mod open;
mod options;
mod pump;
mod queue;
mod redial;
#[cfg(test)]
mod tests;
mod watched;

pub use self::open::Channel;
pub(in crate::client) use self::open::WeakChannel;
pub(crate) use self::options::{ChannelOptions, Secure};
pub use self::options::{Connecting, Connector, IoStream};
