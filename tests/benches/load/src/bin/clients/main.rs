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

mod counted;
mod options;
mod side;
mod timed;

use std::error::Error;
use std::process::ExitCode;

use options::{Mode, Options};

fn main() -> ExitCode {
    match measure() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("clients: {error}");
            ExitCode::FAILURE
        }
    }
}

fn measure() -> Result<(), Box<dyn Error>> {
    let options = Options::parse(std::env::args().skip(1))?;
    match options.mode {
        Mode::Time => timed::measure(&options),
        Mode::Allocations => counted::allocations(&options),
        Mode::Instructions => counted::instructions(&options),
    }
}
