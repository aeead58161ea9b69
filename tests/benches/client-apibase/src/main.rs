//! The client, as it is measured.

use std::process::ExitCode;

fn main() -> ExitCode {
    bench_load::client::<bench_client_apibase::Apibase>()
}
