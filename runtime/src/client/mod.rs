//! The client: from a stub's method to the wire and back.
//!
//! A call goes straight through: the stub names its [`Method`](crate::Method), the [`Caller`]
//! encodes the request and holds deadline and cancellation around it, a [`Transport`] carries it,
//! and what comes back is read into the reply, [`Replies`] or a [`CallError`].

mod attempt;
mod attempts;
mod backoff;
#[cfg(feature = "client")]
mod balance;
mod body;
mod breaker;
mod caller;
#[cfg(feature = "client")]
mod channel;
#[cfg(not(feature = "client"))]
#[path = "channel/disabled.rs"]
mod channel;
mod config;
mod credentials;
mod effective;
mod error;
#[cfg(feature = "client")]
mod factory;
mod failure;
mod fallback;
#[cfg(feature = "client")]
mod health;
#[cfg(feature = "client")]
mod incoming;
mod info;
mod options;
mod outgoing;
#[cfg(feature = "client")]
mod over;
mod passage;
mod reader;
mod replay;
mod replies;
mod requests;
#[cfg(feature = "client")]
mod resolve;
mod runtime;
mod setback;
mod sync;
mod target;
mod throttle;
#[cfg(all(feature = "client", feature = "tls"))]
mod tls;
mod trace;
mod transport;
mod upstream;
#[cfg(feature = "client")]
#[cfg_attr(
    not(feature = "prometheus"),
    allow(dead_code, reason = "it is metrics that look")
)]
mod view;

pub use self::attempt::{Attempt, Reached};
#[cfg(feature = "client")]
pub use self::balance::OutlierEjection;
pub use self::body::RequestStream;
pub use self::breaker::{BreakerState, BreakerTransition, CircuitBreaker, TransitionReason};
pub use self::caller::{Caller, MappedCaller};
pub use self::channel::Channel;
#[cfg(feature = "client")]
pub use self::channel::{Connecting, Connector, IoStream};
pub use self::config::Balance;
pub use self::credentials::{Credentials, Token};
pub use self::error::CallError;
#[cfg(feature = "client")]
pub use self::factory::ClientFactory;
pub use self::failure::{Failure, FailureKind};
pub use self::fallback::OrFallback;
pub use self::info::CallInfo;
pub use self::options::CallOptions;
#[cfg(feature = "client")]
pub use self::over::Over;
pub use self::replies::Replies;
#[cfg(feature = "client")]
pub use self::resolve::{Addresses, EndpointAddress, Resolver, Resolving};
pub use self::target::{ConnectError, Target};
#[cfg(all(feature = "client", feature = "tls"))]
pub use self::tls::ClientTls;
pub use self::trace::{AttemptRecord, AttemptTrace, Verdict};
#[cfg(feature = "testing")]
pub(crate) use self::transport::next_event;
pub use self::transport::{Transport, TransportError};
pub use self::upstream::Upstream;
#[cfg(all(feature = "client", feature = "admin"))]
pub(crate) use self::view::ClientState;
#[cfg(feature = "client")]
pub(crate) use self::view::{ClientView, EndpointState};
