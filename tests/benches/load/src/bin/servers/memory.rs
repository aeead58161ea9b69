//! Memory of connections on which nothing happens.

use std::error::Error;
use std::thread;
use std::time::Duration;

use bench_load::compare::{Options, Side};
use bench_load::{Call, Server, idle, once};

use crate::row::Row;
use crate::server;

const CONNECTIONS: u64 = 2_000;

pub(crate) fn measure(options: &Options<Row>) -> Result<(), Box<dyn Error>> {
    let connections = options.calls.unwrap_or(CONNECTIONS);
    println!("{connections} connections, each after one call\n");
    println!("| server | heap of a connection, bytes | resident memory, bytes |");
    println!("|---|---|---|");
    for side in &options.sides {
        let heap = grown(server::start_counted(side)?, side, connections, |server| {
            Ok(server.count()?.live)
        })?;
        let resident = grown(server::start(side, 1)?, side, connections, |server| {
            server.resident()
        })?;
        println!("| {} | {heap:.0} | {resident:.0} |", side.name);
    }
    Ok(())
}

/// How much more of it there is for each connection.
fn grown(
    mut server: Server,
    side: &Side,
    connections: u64,
    of: impl Fn(&mut Server) -> Result<u64, Box<dyn Error>>,
) -> Result<f64, Box<dyn Error>> {
    let request = server::request(side, Call::Get.into());
    once(server.address, request)?;
    settle();
    let before = of(&mut server)?;
    let held = idle(server.address, request, connections as usize)?;
    settle();
    let after = of(&mut server)?;
    drop(held);
    Ok((after as f64 - before as f64) / connections as f64)
}

/// What a server still does when a call has been answered.
fn settle() {
    thread::sleep(Duration::from_millis(500));
}
