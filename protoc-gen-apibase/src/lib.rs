//! Generates the service layer of Rust gRPC from protobuf descriptors: servicer traits, server
//! types, client stubs and method constants, beside prost's messages.
//!
//! A build script uses [`configure`]:
//!
//! ```no_run
//! # fn main() -> Result<(), protoc_gen_apibase::Error> {
//! protoc_gen_apibase::configure().compile(&["protos/examples/items.proto"], &["protos"])
//! # }
//! ```
//!
//! protoc and buf run the binary `protoc-gen-apibase`, and `protoc-gen-apibase generate` needs
//! neither. All three call [`generate`], so that they write the same bytes.

#[cfg(feature = "cli")]
mod breaking;
mod builder;
mod comments;
mod descriptors;
mod emit;
mod error;
mod layout;
#[cfg_attr(
    not(feature = "cli"),
    allow(
        dead_code,
        reason = "the pages of `emit=docs`, which need `cli`, read the rest"
    )
)]
mod model;
mod names;
mod options;
#[cfg(feature = "cli")]
mod plugin;
mod service_config;

#[cfg(feature = "cli")]
pub mod cli;

use descriptors::Descriptors;
use model::Model;

pub use builder::{Builder, configure};
pub use error::{Diagnostic, Diagnostics, Error};
pub use options::{DurationLibrary, Emit, Options, Time};

/// What to generate for.
#[derive(Clone, Debug)]
pub struct Request {
    /// An encoded `google.protobuf.FileDescriptorSet` with all imports. Custom options and
    /// source information are used where it has them.
    pub descriptor_set: Vec<u8>,
    /// The files asked for, named as `import` names them.
    pub files: Vec<String>,
    /// What happens to packages that are only imported.
    pub imports: Imports,
    /// The rest of what a caller may choose.
    pub options: Options,
}

/// What happens to packages that are only imported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Imports {
    /// Those whose messages are in the ones asked for are generated too, so that the output is
    /// complete. Those that are imported for their options are not.
    Generate,
    /// Nothing is written for them: another run does, as with protoc and buf.
    Skip,
}

/// What [`generate`] gives.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Output {
    /// The files, none of which is written anywhere yet.
    pub files: Vec<GeneratedFile>,
    /// What is odd, yet no error.
    pub warnings: Vec<Diagnostic>,
}

/// A file of the output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GeneratedFile {
    /// Its name, which has no folders in it.
    pub name: String,
    /// All of its text.
    pub content: String,
}

/// Generates all files for a request. The same request gives the same bytes, in whatever order
/// its files come and whichever compiler wrote the descriptors.
///
/// # Errors
///
/// When the options or the descriptors can't be used, or the schema has names that clash in
/// Rust. Everything that is wrong with the schema is reported together, and nothing is generated.
pub fn generate(request: &Request) -> Result<Output, Error> {
    request.options.validate()?;
    let descriptors = Descriptors::load(&request.descriptor_set)?;
    let model = Model::build(&descriptors, request)?;
    let files = emit::files(&model, &descriptors, &request.options)?;
    Ok(Output {
        files,
        warnings: model.warnings,
    })
}
