//! All that generated code names. Not for people: it may change with the generator.

pub use std::future::Future;

pub use futures_core::Stream;
pub use prost_types;

pub use crate::client::{
    CallError, CallOptions, Caller, Channel, ConnectError, Replies, Target, Transport,
};
pub use crate::context::Context;
pub use crate::errors::DomainError;
pub use crate::method::Method;
pub use crate::server::{Call, ChainError, Dispatcher, Interceptors, Reply, Service, TowerService};
pub use crate::stream::{Inbound, Streamed};

/// One constant per surface that generated files were written against: a file that names one which
/// this runtime doesn't have fails to compile.
pub mod surface {
    /// The surface of 0.1.
    pub const R1: () = ();
}
