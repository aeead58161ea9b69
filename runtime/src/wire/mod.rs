//! What stands on the wire: frames, statuses and timeouts, as gRPC over HTTP/2 has them.

pub(crate) mod boxed;
pub(crate) mod encode;
pub(crate) mod frames;
pub(crate) mod headers;
pub(crate) mod status;
pub(crate) mod timeout;

/// The length of a message's prefix: one byte of flags, four of length.
pub(crate) const PREFIX: usize = 5;

/// The largest message that is read unless a setting says otherwise: 4 MiB, as in every gRPC library.
pub(crate) const DEFAULT_MAX_MESSAGE_SIZE: usize = 4 * 1024 * 1024;
