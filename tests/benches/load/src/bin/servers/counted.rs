//! Allocations of a call, and their bytes.

use std::error::Error;

use bench_load::{Count, Ending, Server, run};

use crate::options::{Options, Row};
use crate::server::Side;

/// Enough that what happens now and then, a timer for example, is not seen.
const CALLS: u64 = 20_000;

pub(crate) fn measure(options: &Options) -> Result<(), Box<dyn Error>> {
    println!("| call, connections×streams | server | allocations a call | bytes a call |");
    println!("|---|---|---|---|");
    for row in &options.rows {
        for side in options.sides_for(row.call) {
            let mut server = side.start_counted()?;
            let calls = options.calls_of(row, CALLS);
            // The difference is free of what a connection costs.
            let fewer = count(&mut server, side, row, calls)?;
            let more = count(&mut server, side, row, 2 * calls)?;
            let of = |more: u64, fewer: u64| (more as f64 - fewer as f64) / calls as f64;
            println!(
                "| {row} | {} | {:.2} | {:.0} |",
                side.name,
                of(more.allocations, fewer.allocations),
                of(more.bytes, fewer.bytes),
            );
        }
    }
    Ok(())
}

fn count(server: &mut Server, side: &Side, row: &Row, calls: u64) -> Result<Count, Box<dyn Error>> {
    let before = server.count()?;
    run(
        server.address,
        side.call(row.call),
        row.shape,
        Ending::Calls(calls),
    )?;
    let after = server.count()?;
    Ok(Count {
        allocations: after.allocations - before.allocations,
        bytes: after.bytes - before.bytes,
        live: after.live,
    })
}
