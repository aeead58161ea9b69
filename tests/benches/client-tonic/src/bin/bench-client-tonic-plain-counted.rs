//! The same client with its allocations counted.

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: bench_harness::Counting = bench_harness::Counting;

fn main() -> ExitCode {
    bench_load::client::<bench_client_tonic::Tonic<false>>()
}
