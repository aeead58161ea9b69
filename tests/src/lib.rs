//! What the generator and the runtime promise together: the layer of every fixture, compiled as
//! strictly as a user could ask for, and under `tests/` what it does.

#![deny(warnings, missing_docs, clippy::all, unused_qualifications)]
#![allow(
    clippy::doc_markdown,
    reason = "the comments of protos are not written for rustdoc"
)]

pub use apibase::codegen::prost_types::Timestamp;

macro_rules! fixtures {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        $(
            $(#[$doc])*
            #[allow(clippy::module_inception, reason = "fixtures are named like their packages")]
            pub mod $name {
                include!(concat!(env!("OUT_DIR"), "/", stringify!($name), "/mod.rs"));
            }
        )*
    };
}

fixtures! {
    /// Names beside the layer's own: a message `Api`, a package `foo.api`.
    api_names,
    /// Comments with all that rustdoc could stumble over.
    comments,
    /// What compilers of protos could write down in different ways.
    corners,
    /// Custom options on everything.
    custom_options,
    /// Deprecated methods, messages, fields and enums.
    deprecated,
    /// Enums with prefixes, digits and aliases.
    enums,
    /// Messages that another module has.
    extern_path,
    /// Names that don't fit on a line.
    formatting,
    /// Names that are words of Rust.
    keywords,
    /// The four kinds of methods.
    kinds,
    /// What `extern_path` takes from elsewhere.
    money,
    /// No package at all.
    no_package,
    /// Parameters that change messages.
    parameters,
    /// Messages named like what Rust's prelude has.
    prelude,
    /// The older syntax.
    proto2,
    /// The protos of the specification.
    protos,
    /// Methods named like what the layer has.
    rpc_names,
    /// Nested, recursive and foreign types of methods.
    rpc_types,
    /// Names of services.
    service_names,
    /// Files with services alone.
    services_only,
    /// Messages of every shape.
    shapes,
    /// Packages of several files.
    split_files,
    /// The service of the end-to-end tests, with tonic's modules beside ours.
    tonic_echo,
    /// Methods named like what tonic has.
    tonic_names,
    /// Unary methods alone.
    unary,
    /// Versions of a service.
    versions,
    /// What prost-types has, in every position.
    well_known,
}
