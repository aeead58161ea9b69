//! The client with a deadline on each call.

use std::process::ExitCode;

fn main() -> ExitCode {
    bench_load::client::<bench_client_tonic::Tonic<true>>()
}
