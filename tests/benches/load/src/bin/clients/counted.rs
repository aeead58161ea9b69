//! What is exact: allocations and instructions of a call.

use std::error::Error;
use std::process::Command;

use bench_load::Callgrind;

use crate::options::{Options, Row};
use crate::side::{Servers, Side};

/// Enough that what happens now and then, a timer for example, is not seen.
const ALLOCATING: u64 = 20_000;
const INSTRUCTED: u64 = 2_000;

pub(crate) fn allocations(options: &Options) -> Result<(), Box<dyn Error>> {
    println!("| call×callers | client | allocations a call | bytes a call |");
    println!("|---|---|---|---|");
    for row in &options.rows {
        for side in &options.sides {
            let calls = options.calls_of(row, ALLOCATING);
            let servers = Servers::start(options, row)?;
            let client = Command::new(side.counting());
            let said = servers.called_by(client, row, &["calls", &calls.to_string()])?;
            let figures: Result<Vec<f64>, _> = said.split_whitespace().map(str::parse).collect();
            let [allocations, bytes] = *figures? else {
                return Err(format!("a client counted {said:?}").into());
            };
            let (allocations, bytes) = (allocations / calls as f64, bytes / calls as f64);
            println!("| {row} | {} | {allocations:.2} | {bytes:.0} |", side.name);
        }
    }
    Ok(())
}

pub(crate) fn instructions(options: &Options) -> Result<(), Box<dyn Error>> {
    println!("| call×callers | client | instructions a call |");
    println!("|---|---|---|");
    for row in &options.rows {
        for side in &options.sides {
            let calls = options.calls_of(row, INSTRUCTED);
            // The difference is free of what a process and a connection cost.
            let fewer = count(options, side, row, calls)?;
            let more = count(options, side, row, 2 * calls)?;
            let each = (more - fewer) / calls as f64;
            println!("| {row} | {} | {each:.0} |", side.name);
        }
    }
    Ok(())
}

fn count(options: &Options, side: &Side, row: &Row, calls: u64) -> Result<f64, Box<dyn Error>> {
    let servers = Servers::start(options, row)?;
    let (client, counted) = Callgrind::of(&side.binary);
    servers
        .called_by(client, row, &["calls", &calls.to_string()])
        .map_err(|error| format!("{error} (apt-get install valgrind)"))?;
    counted.total()
}
