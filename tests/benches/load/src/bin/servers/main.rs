//! Measures servers in turn, A B A B …, and prints Markdown tables of the first beside each other one.
//!
//! ```text
//! servers [MODE] --bin FOLDER [--sides A,B] [--rows ROWS] [--rounds N] [--seconds S] [--calls N]
//! ```
//!
//! MODE is `time` (the default), `allocations`, `instructions` or `memory`. A side is a name, whose
//! binary is `FOLDER/bench-server-NAME`, or `NAME=BINARY`, to compare two builds of one server. A row is
//! a call and a shape, `get-8x64` or short `8x64`, with `/2` for a server of two workers that has all
//! cores; with one worker it has core 0 and the generator core 1.

mod answers;
mod measured;
mod memory;
mod row;
mod server;

use std::process::ExitCode;

use bench_load::compare::{Column, Comparison};
use row::Row;

const SERVERS: Comparison<Row> = Comparison {
    kind: "server",
    row: "call, connections×streams",
    sides: "apibase,tonic,axum",
    rows: "1x1,1x2,1x4,1x8,1x64,2x2,8x1,8x8,16x4,32x2,8x8/2,list-1x1,list-1x8,sync-1x1,sync-1x8",
    counted_rows: "1x1,8x8,list-1x1,sync-1x1",
    columns: &[
        Column::Medians("calls/s", |one| one.rate, 0),
        Column::Medians("CPU µs", |one| one.server_cpu, 2),
        Column::Latencies,
    ],
    // How far the generator's own cost could be seen.
    below: (
        "CPU of the generator beside the server's, per call",
        |one| one.load_cpu / one.server_cpu,
    ),
    check: answers::compare,
    more_modes: &[("memory", memory::measure)],
};

fn main() -> ExitCode {
    SERVERS.main()
}
