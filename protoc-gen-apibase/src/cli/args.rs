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
    /// Refuses changes of protos that break clients of what is generated; 0 when there are none
    #[command(after_help = BREAKING)]
    Breaking(Breaking),
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
pub(super) struct Breaking {
    /// A directory from which imports start; may repeat, the first that has a file wins
    #[arg(
        short = 'I',
        long = "include",
        value_name = "DIR",
        required_unless_present = "descriptor_set"
    )]
    pub(super) includes: Vec<PathBuf>,

    /// What it was: a git revision, a folder that stands for the include directories, or a file
    /// with a descriptor set
    #[arg(long, value_name = "OLD")]
    pub(super) against: String,

    /// Compare this descriptor set, in place of protos, with another one
    #[arg(long, value_name = "FILE", conflicts_with_all = ["includes", "files"])]
    pub(super) descriptor_set: Option<PathBuf>,

    /// The protos to compare: paths, or names as an import would have them
    #[arg(value_name = "FILE", required_unless_present = "descriptor_set")]
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

/// The list stands, with its reasons, in `breaking/mod.rs`.
const BREAKING: &str = "\
What breaks clients:
  errors    a reason, a metadata key or a whole catalogue that is gone or renamed; another code,
            another domain; `redacted` where there is metadata; a service that names another
            catalogue, or none any more
  entities  a field or oneof that can't be left out any more (`required`, a new field with it,
            `empty_is_absent` that is gone); another `format` or `length`, `nonzero`,
            `unknown: REJECT`; in an entity with `patch`: `immutable`, `identifier`, `ignore`
  methods   less idempotency; auth where there was none, more scopes; a `deadline_cap` that is new
            or lower, a `rate_limit` that is new or stricter; `detached` that is gone

What breaks the wire itself (a removed field or method, another type or number) is for `buf
breaking`, and nothing is said about it here.

Findings go to stdout. The exit code is 0 when there are none, 1 when there are some or the protos
can't be read, and 2 when the arguments make no sense.

  protoc-gen-apibase breaking -I protos --against main protos/examples/items.proto
  protoc-gen-apibase breaking -I protos --against released/protos protos/examples/items.proto
  protoc-gen-apibase breaking --descriptor-set now.binpb --against released.binpb

OLD is a file or a folder when there is one of that name; `git:main` is always a revision.";

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
  compare  protoc-gen-apibase breaking -I protos --against main examples/items.proto
           (what breaks clients beyond the wire; `buf breaking` is for the wire)
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
