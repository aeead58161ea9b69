//! Calls a server, from one thread.
//!
//! ```text
//! load time ADDRESS CALL SHAPE SECONDS PID   calls for this time; PID is the server's
//! load calls ADDRESS CALL SHAPE CALLS        calls this often
//! load once ADDRESS CALL                     prints the bytes of one answer
//! load idle ADDRESS CALL CONNECTIONS         calls once on each, and holds them until its input ends
//! ```
//!
//! CALL is `get`, `list`, `sync` or `json`, or `get+token` and so on; SHAPE is connections and calls at once on each, `8x64`.
//! `time` and `calls` print what [`Figures`](bench_load::Figures) has, in its order.

use std::error::Error;
use std::io::Write as _;
use std::process::ExitCode;
use std::time::Duration;

use bench_load::{Ending, Request, idle, once, run};

fn main() -> ExitCode {
    match load() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("load: {error}");
            ExitCode::FAILURE
        }
    }
}

fn load() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let call = |name: &str| name.parse::<Request>();
    match *arguments {
        ["time", address, name, shape, seconds, pid] => {
            let time = Duration::try_from_secs_f64(seconds.parse()?)?;
            let ending = Ending::After(time, pid.parse()?);
            let figures = run(address.parse()?, call(name)?, shape.parse()?, ending)?;
            println!("{figures}");
        }
        ["calls", address, name, shape, calls] => {
            let ending = Ending::Calls(calls.parse()?);
            let figures = run(address.parse()?, call(name)?, shape.parse()?, ending)?;
            println!("{figures}");
        }
        ["once", address, name] => {
            let answer = once(address.parse()?, call(name)?)?;
            std::io::stdout().write_all(&answer)?;
        }
        ["idle", address, name, connections] => {
            let held = idle(address.parse()?, call(name)?, connections.parse()?)?;
            println!("open");
            std::io::stdin().read_line(&mut String::new())?;
            drop(held);
        }
        _ => return Err("see the top of src/bin/load.rs for its arguments".into()),
    }
    Ok(())
}
