//! Tables of calls that are tried again: a server by script, and rows that are played against it.

mod case;
mod server;

use apibase::Code;

pub(crate) use self::case::{Case, hold};
pub(crate) use self::server::{Attempt, ScriptedServer, Step};

pub(crate) fn request(payload: &str) -> Step {
    Step::Request(payload.as_bytes().to_vec())
}

pub(crate) fn status(code: Code) -> Step {
    Step::Status(code)
}
