//! What the command line understands.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::options::Options;

/// The whole command line.
#[derive(Debug, Parser)]
#[command(
    name = "protoc-gen-apibase",
    version,
    about = "Generates the service layer of Rust gRPC services from protobuf",
    after_help = after_help()
)]
pub(super) struct Cli {
    #[command(subcommand)]
    pub(super) command: Option<Command>,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Generates from proto files; needs neither protoc nor buf
    #[command(after_help = parameters())]
    Generate(Generate),
    /// Writes the options that protos import as apibase/v1/options.proto, for protoc and buf
    Protos(Protos),
}

#[derive(Debug, Args)]
pub(super) struct Generate {
    /// A directory from which imports start; may repeat, the first that has a file wins
    #[arg(short = 'I', long = "include", value_name = "DIR", required = true)]
    pub(super) includes: Vec<PathBuf>,

    /// The directory to write to; made when it doesn't exist
    #[arg(long, value_name = "DIR")]
    pub(super) out: PathBuf,

    /// A parameter; may repeat, and commas in it need no backslash
    #[arg(long = "opt", value_name = "KEY=VALUE")]
    pub(super) options: Vec<String>,

    /// Write nothing; fail with a diff when the directory is not up to date
    #[arg(long)]
    pub(super) check: bool,

    /// The protos to generate for: paths, or names as an import would have them
    #[arg(value_name = "FILE", required = true)]
    pub(super) files: Vec<PathBuf>,
}

#[derive(Debug, Args)]
pub(super) struct Protos {
    /// The directory from which your imports start; apibase/v1/options.proto is made below it
    #[arg(long, value_name = "DIR")]
    pub(super) out: PathBuf,

    /// Write nothing; fail when the file is not that of this version
    #[arg(long)]
    pub(super) check: bool,
}

fn after_help() -> String {
    format!(
        "\
Ways to use it:
  protoc   protoc -I protos --apibase_out=gen --apibase_opt=include_file=mod.rs \\
             examples/items.proto common/errors.proto
           (found in PATH, or by --plugin=protoc-gen-apibase=PATH; a plugin writes only what it
           is asked for, so name imported files too, all files of a package in one run)
  buf      plugins: [{{local: protoc-gen-apibase, out: gen, opt: [tonic]}}] in buf.gen.yaml
           (with include_file, or a package in several directories, add `strategy: all`)
  by hand  protoc-gen-apibase generate -I protos --out gen --opt include_file=mod.rs \\
             examples/items.proto
  options  protoc-gen-apibase protos --out protos
           (protoc and buf need apibase/v1/options.proto on disk; generate and build.rs bring it)
  build.rs protoc_gen_apibase::configure().compile(&[\"protos/examples/items.proto\"], &[\"protos\"])

{}",
        parameters()
    )
}

fn parameters() -> String {
    format!(
        "Parameters (of --apibase_opt, opt: and --opt):\n{}",
        Options::help()
    )
}
