//! The server: from an HTTP/2 request to the servicer and back.
//!
//! A request goes straight through: [`accept`] checks its head and makes the [`Context`], the
//! service's dispatch finds the method and reads the message ([`Call`]), [`serving`] holds deadline
//! and panics around it, and [`ReplyBody`] carries what comes back to its last trailer.
//!
//! [`Context`]: crate::Context

pub(crate) mod accept;
mod body;
mod call;
mod chained;
mod deadline;
mod detached;
mod guard;
#[cfg(feature = "auth")]
mod lifetime;
mod mount;
mod request;
mod service;
mod serving;
mod trailers;

#[cfg(feature = "server")]
mod address;
#[cfg(feature = "admin")]
mod admin;
#[cfg(feature = "server")]
mod config;
#[cfg(feature = "server")]
mod connection;
#[cfg(feature = "server")]
mod error;
#[cfg(feature = "server")]
mod in_flight;
#[cfg(feature = "server")]
mod layered;
#[cfg(feature = "server")]
mod limits;
#[cfg(feature = "server")]
mod listen;
#[cfg(feature = "server")]
mod settings;
#[cfg(feature = "server")]
mod signal;
#[cfg(feature = "server")]
mod socket;
#[cfg(feature = "server")]
mod start;
#[cfg(all(feature = "server", feature = "tls"))]
mod tls;

pub use self::body::ReplyBody;
pub use self::call::{Call, Reply};
pub use self::mount::TowerService;
pub(crate) use self::request::{Over, RequestBody};
pub use self::service::{Dispatcher, Service};

#[cfg(feature = "server")]
pub use self::address::Address;
#[cfg(feature = "server")]
pub use self::error::ServerError;
#[cfg(feature = "server")]
pub(crate) use self::in_flight::AtomicPhase;
#[cfg(feature = "admin")]
pub(crate) use self::in_flight::InFlight;
#[cfg(feature = "server")]
pub use self::in_flight::{CallInFlight, Phase};
#[cfg(feature = "server")]
pub use self::layered::RequestService;
#[cfg(feature = "server")]
pub(crate) use self::limits::RateKey;
#[cfg(feature = "server")]
pub use self::listen::{BoundServer, ServerHandle};
#[cfg(feature = "server")]
pub use self::request::IncomingBody;
#[cfg(feature = "server")]
pub use self::settings::Server;
#[cfg(feature = "server")]
pub use self::signal::shutdown_signal;
#[cfg(feature = "server")]
pub use self::socket::Listener;
#[cfg(all(feature = "server", feature = "tls"))]
pub use self::tls::Tls;
