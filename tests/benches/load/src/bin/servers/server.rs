//! The server of a side.

use std::error::Error;
use std::process::Command;

use bench_load::compare::Side;
use bench_load::{Call, Request, Server, on_core};

/// Whether this side answers by JSON.
pub(crate) fn is_json(side: &Side) -> bool {
    side.name.starts_with("axum")
}

/// Whether this side has the call: JSON is for one only.
pub(crate) fn has(side: &Side, request: Request) -> bool {
    request == Call::Get.into() || !is_json(side)
}

/// What this request is to this side.
pub(crate) fn request(side: &Side, request: Request) -> Request {
    if is_json(side) {
        Call::Json.into()
    } else {
        request
    }
}

/// A server with so many workers; one has a core for itself.
pub(crate) fn start(side: &Side, workers: usize) -> Result<Server, Box<dyn Error>> {
    let mut command = match workers {
        1 => on_core(0, &side.binary),
        _ => Command::new(&side.binary),
    };
    command.arg(workers.to_string());
    Server::start(command)
}

/// A server that counts its allocations.
pub(crate) fn start_counted(side: &Side) -> Result<Server, Box<dyn Error>> {
    Server::start(Command::new(side.counting()))
}
