//! Streams of a servicer: [`Inbound`], what comes in, and [`Streamed`], what goes out.

mod inbound;
mod streamed;

pub(crate) use self::inbound::decode;
pub use self::inbound::{Inbound, InboundError};
pub use self::streamed::{Closed, StreamSender, Streamed};
