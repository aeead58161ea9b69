//! The client: from a stub's method to the wire and back.
//!
//! A call goes straight through: the stub names its [`Method`](crate::Method), the [`Caller`]
//! encodes the request and holds deadline and cancellation around it, a [`Transport`] carries it,
//! and what comes back is read into the reply, [`Replies`] or a [`CallError`].

mod attempt;
#[allow(dead_code, reason = "the client that waits so is being built")]
mod backoff;
mod body;
#[allow(dead_code, reason = "the client that asks it is being built")]
mod breaker;
mod caller;
mod channel;
#[allow(dead_code, reason = "what acts upon the settings is being wired")]
mod config;
#[allow(dead_code, reason = "what acts upon the settings is being wired")]
mod effective;
mod error;
mod failure;
mod info;
mod options;
mod outgoing;
mod reader;
mod replies;
mod sync;
mod target;
#[allow(dead_code, reason = "the client that asks it is being built")]
mod throttle;
mod transport;

pub use self::attempt::{Attempt, Reached};
pub use self::body::RequestStream;
pub use self::breaker::{BreakerState, BreakerTransition, CircuitBreaker, TransitionReason};
pub use self::caller::{Caller, MappedCaller};
pub use self::channel::Channel;
pub use self::config::Balance;
pub use self::error::CallError;
pub use self::failure::{Failure, FailureKind};
pub use self::info::CallInfo;
pub use self::options::CallOptions;
pub use self::replies::Replies;
pub use self::target::{ConnectError, Target};
pub use self::transport::{Transport, TransportError};
