//! What stands on the wire: frames, statuses and timeouts, as gRPC over HTTP/2 has them.

pub(crate) mod boxed;
pub(crate) mod compression;
pub(crate) mod encode;
pub(crate) mod frames;
pub(crate) mod headers;
pub(crate) mod status;
pub(crate) mod timeout;

/// The length of a message's prefix: one byte of flags, four of length.
pub(crate) const PREFIX: usize = 5;

/// How much of one stream a server takes in before its servicer reads it, in bytes.
#[cfg(feature = "server")]
pub(crate) const SERVER_STREAM_WINDOW: u32 = 512 * 1024;

/// The same for a client: more, since it is the one that asked.
#[cfg(feature = "client")]
pub(crate) const CLIENT_STREAM_WINDOW: u32 = 1024 * 1024;

/// A connection's window in its streams'.
///
/// h2 takes a peer for an attacker, and closes the connection, when the small DATA frames that wait
/// to be read have cost it half of the connection's window, at up to 250 bytes each (its answer to
/// floods of tiny frames). An honest stream of messages from 24 bytes on, read by nobody for a
/// while, must meet its own window before that.
#[cfg(any(feature = "server", feature = "client"))]
pub(crate) const CONNECTION_TO_STREAM: u32 = 16;

/// The largest message that is read unless a setting says otherwise: 4 MiB, as in every gRPC library.
pub(crate) const DEFAULT_MAX_MESSAGE_SIZE: usize = 4 * 1024 * 1024;

/// What a server takes of metadata unless it is set otherwise, in bytes: what hyper and most gRPC
/// servers take.
#[cfg(feature = "server")]
pub(crate) const DEFAULT_MAX_METADATA_SIZE: usize = 16 * 1024;
