//! The client without deadlines.

use std::process::ExitCode;

fn main() -> ExitCode {
    bench_load::client::<bench_client_tonic::Tonic<false>>()
}
