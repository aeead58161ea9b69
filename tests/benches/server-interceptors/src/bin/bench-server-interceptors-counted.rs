//! The same server with its allocations counted.

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: bench_harness::Live = bench_harness::Live;

fn main() -> ExitCode {
    bench_harness::serve(bench_server_interceptors::listen)
}
