//! What the servers of a comparison share: how they are started, asked and ended from outside.

use std::fs::File;
use std::io::{self, BufRead, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::process::ExitCode;

use tokio::runtime::Builder;

use crate::count;

/// The `main` of a server: `[WORKERS]`, 1 if there is none, are the threads of its runtime.
///
/// Prints the address that it listens on. For each line of its input it prints the allocations until
/// then, their bytes, and the bytes that are allocated, which are 0 where nothing counts them; when its
/// input ends it does, so that no server outlives who started it.
///
/// `listen` is given a socket that listens and doesn't block.
pub fn serve<F: Future<Output = ()>>(listen: impl FnOnce(TcpListener) -> F) -> ExitCode {
    match start(listen) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn start<F: Future<Output = ()>>(
    listen: impl FnOnce(TcpListener) -> F,
) -> Result<(), Box<dyn std::error::Error>> {
    let workers = match std::env::args().nth(1) {
        Some(workers) => workers.parse()?,
        None => 1,
    };
    let runtime = Builder::new_multi_thread()
        .worker_threads(workers)
        .enable_all()
        .build()?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    listener.set_nonblocking(true)?;
    println!("{}", listener.local_addr()?);
    std::thread::spawn(answer);
    runtime.block_on(listen(listener));
    Ok(())
}

/// A file for the log of a server, which is gone when the server is.
///
/// # Errors
///
/// When it can't be made.
pub fn log_file() -> io::Result<File> {
    let path = std::env::temp_dir().join(format!("bench-{}.log", std::process::id()));
    let file = File::create(&path)?;
    // It has no name from here on; what is written is written all the same.
    std::fs::remove_file(path)?;
    Ok(file)
}

/// Tells what is counted until the input ends, and ends the process then.
fn answer() {
    for line in io::stdin().lock().lines() {
        let count = count::now();
        let answer = format!("{} {} {}", count.allocations, count.bytes, count.live);
        if line.is_err() || writeln!(io::stdout(), "{answer}").is_err() {
            break;
        }
    }
    std::process::exit(0);
}
