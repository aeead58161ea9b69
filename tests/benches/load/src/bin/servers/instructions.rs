//! Instructions of a call, in user mode, by callgrind.

use std::error::Error;

use bench_load::{Callgrind, Ending, Server, run};

use crate::options::{Options, Row};
use crate::server::Side;

const CALLS: u64 = 2_000;

pub(crate) fn measure(options: &Options) -> Result<(), Box<dyn Error>> {
    println!("| call, connections×streams | server | instructions a call |");
    println!("|---|---|---|");
    for row in &options.rows {
        for side in options.sides_for(row.call) {
            let calls = options.calls_of(row, CALLS);
            // The difference is free of what a process and a connection cost.
            let fewer = count(side, row, calls)?;
            let more = count(side, row, 2 * calls)?;
            let each = (more - fewer) / calls as f64;
            println!("| {row} | {} | {each:.0} |", side.name);
        }
    }
    Ok(())
}

fn count(side: &Side, row: &Row, calls: u64) -> Result<f64, Box<dyn Error>> {
    let (command, counted) = Callgrind::of(&side.binary);
    let mut server =
        Server::start(command).map_err(|error| format!("{error} (apt-get install valgrind)"))?;
    let call = side.call(row.call);
    run(server.address, call, row.shape, Ending::Calls(calls))?;
    server.stop();
    counted.total()
}
