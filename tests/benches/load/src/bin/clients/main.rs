//! Measures clients in turn, A B A B …, and prints Markdown tables of the first beside each other one. All
//! call the same server.
//!
//! ```text
//! clients [MODE] --bin FOLDER [--sides A,B] [--rows ROWS] [--rounds N] [--seconds S] [--calls N]
//! ```
//!
//! MODE is `time` (the default), `allocations` or `instructions`. A side is a name, whose binary is
//! `FOLDER/bench-client-NAME`, or `NAME=BINARY`, to compare two builds of one client. A row is a call, the
//! size of its messages and how many callers there are, `say-1024x8`, with `/4` for four servers. The
//! client has core 1, its servers share core 0.

mod measured;
mod row;
mod servers;

use std::process::ExitCode;

use bench_load::compare::{Column, Comparison};
use row::Row;

const CLIENTS: Comparison<Row> = Comparison {
    kind: "client",
    row: "call×callers",
    sides: "apibase,tonic,tonic-plain",
    rows: "say-16x1,say-16x8,say-16x64,say-1024x1,say-1024x8,say-1024x64,say-65536x1,say-65536x8,\
           say-65536x64,list-100x1,list-100x8,upload-100x1,upload-100x8,chat-100x1,chat-100x8,\
           say-16x1/4,say-16x64/4",
    counted_rows: "say-16x1,say-16x8,say-1024x1,say-65536x1,list-100x1,upload-100x1,chat-100x1",
    columns: &[
        Column::Medians("CPU µs", |one| one.load_cpu, 2),
        Column::Medians("time µs", |one| 1e6 / one.rate, 2),
        Column::Latencies,
        Column::Ratio("p99", |one| one.latencies[2]),
    ],
    // How a client writes and what it announces can be seen there.
    below: ("CPU µs of the server per call", |one| one.server_cpu),
    check: |_| Ok(()),
    more_modes: &[],
};

fn main() -> ExitCode {
    CLIENTS.main()
}
