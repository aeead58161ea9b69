//! What the generator and the runtime promise together: the layer of every fixture, compiled as
//! strictly as a user could ask for, and under `tests/` what it does.

#![deny(warnings, missing_docs, clippy::all)]

macro_rules! fixtures {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        $(
            $(#[$doc])*
            pub mod $name {
                include!(concat!(env!("OUT_DIR"), "/", stringify!($name), "/mod.rs"));
            }
        )*
    };
}

fixtures! {
    /// The protos of the specification.
    protos,
    /// The service of the end-to-end tests, with tonic's modules beside ours.
    tonic_echo,
}
