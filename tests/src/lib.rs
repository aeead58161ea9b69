//! What the generator and the runtime promise together: the layer of every fixture, compiled as
//! strictly as a user could ask for, and under `tests/` what it does.

#![deny(warnings, missing_docs, clippy::all, unused_qualifications)]
#![allow(
    clippy::doc_markdown,
    reason = "the comments of protos are not written for rustdoc"
)]

pub mod domain;
#[macro_use]
mod fixtures;
pub mod translated;
pub mod whole;

pub use apibase::codegen::prost_types::Timestamp;

macro_rules! modules {
    ($($group:ident { $($(#[$doc:meta])* $name:ident,)* })*) => {
        $($(
            $(#[$doc])*
            #[allow(clippy::module_inception, reason = "fixtures are named like their packages")]
            pub mod $name {
                include!(concat!(env!("OUT_DIR"), "/", stringify!($name), "/mod.rs"));
            }
        )*)*
    };
}

fixtures!(modules);

modules! {
    imported {
        /// What `extern_path` takes from elsewhere.
        money,
    }
}
