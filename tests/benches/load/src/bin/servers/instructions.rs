//! Instructions of a call, in user mode, by callgrind.

use std::error::Error;
use std::fs;
use std::path::Path;
use std::process::Command;

use bench_load::{Ending, Server, run};

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
    let file = std::env::temp_dir().join(format!("callgrind.{}", std::process::id()));
    let mut command = Command::new("valgrind");
    command
        .args(["--quiet", "--tool=callgrind"])
        .arg(format!("--callgrind-out-file={}", file.display()))
        .arg(&side.binary);
    let mut server =
        Server::start(command).map_err(|error| format!("{error} (apt-get install valgrind)"))?;
    let call = side.call(row.call);
    run(server.address, call, row.shape, Ending::Calls(calls))?;
    server.stop();
    let counted = total(&file);
    fs::remove_file(&file)?;
    counted
}

fn total(file: &Path) -> Result<f64, Box<dyn Error>> {
    let text = fs::read_to_string(file)?;
    let total = text.lines().find_map(|line| {
        let line = line
            .strip_prefix("summary:")
            .or(line.strip_prefix("totals:"));
        line?.trim().parse().ok()
    });
    Ok(total.ok_or("callgrind wrote no total")?)
}
