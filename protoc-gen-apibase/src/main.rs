//! The binary: a protoc plugin, and a command line of its own.

use std::process::ExitCode;

fn main() -> ExitCode {
    protoc_gen_apibase::cli::main()
}
