//! The same server with a limit of calls, for those that take a while.

use std::process::ExitCode;

fn main() -> ExitCode {
    bench_harness::serve(bench_server_apibase::listen_limited)
}
