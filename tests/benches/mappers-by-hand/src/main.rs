//! Runs the mappers that were written by hand.

use std::process::ExitCode;

fn main() -> ExitCode {
    bench_mappers_by_hand::main()
}
