//! A load generator for servers of the items service that costs a fraction of what they do.
//!
//! Requests are bytes that are there from the start, and of the answers no more is read than frames,
//! ends of streams and `grpc-status`. Mostly it is a closed loop: every stream of every connection has one
//! call, and the next one when that has ended. What a server takes is read from `/proc`.
//!
//! [`client`] is the other way round: the `main` of a client that is measured itself. [`compare`] measures
//! clients or servers in turn, and prints tables.

mod callgrind;
mod calls;
mod client;
pub mod compare;
mod connection;
mod cpu;
mod h2;
mod hpack;
mod http1;
mod latency;
mod open_loop;
mod peer;
mod run;
mod server;

pub use callgrind::Callgrind;
pub use calls::{Call, Request};
pub use client::{BoxError, Client, Work, client};
pub use hpack::Code;
pub use open_loop::{Offered, Outcome, offer};
pub use run::{Ending, Figures, Shape, idle, once, run};
pub use server::{Server, on_core};
