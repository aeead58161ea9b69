//! Runs the calls of this side.

use std::process::ExitCode;

fn main() -> ExitCode {
    bench_errors_tonic::main()
}
