//! Runs the generated mappers.

use std::process::ExitCode;

fn main() -> ExitCode {
    bench_mappers_apibase::main()
}
