//! The server, as it is measured.

use std::process::ExitCode;

fn main() -> ExitCode {
    bench_harness::serve(bench_server_usual::listen)
}
