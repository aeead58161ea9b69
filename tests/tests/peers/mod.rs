//! Peers of another library: Python's grpcio and other programs, where there are such, and what they talk
//! to.

#![allow(
    dead_code,
    unused_imports,
    clippy::unwrap_used,
    clippy::panic,
    reason = "each test file uses a part of it, and a test fails by panicking, its helpers too"
)]

mod parcels;
mod plain_http;
mod tools;

use std::env;
use std::io::{self, Write as _};
use std::path::Path;
use std::process::{Command as Blocking, Stdio};

use tokio::process::Command;

pub(crate) use self::parcels::{Parcels, STRANGE};
pub(crate) use self::plain_http::get;
pub(crate) use self::tools::{said, tool};

/// What the scripts import.
const IMPORTS: &str =
    "import grpc, grpc_tools.protoc, grpc_status.rpc_status, google.rpc.error_details_pb2";

/// `script` of `tests/interop` in a Python that has grpcio; `None` where there is no such Python, which
/// is said.
///
/// It is the one that `APIBASE_PYTHON` names, which must be one, else `python3` if it happens to be.
pub(crate) fn python(script: &str) -> Option<Command> {
    let named = env::var_os("APIBASE_PYTHON");
    let python = named.clone().unwrap_or_else(|| "python3".into());
    let has_grpc = Blocking::new(&python)
        .args(["-c", IMPORTS])
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success());
    if !has_grpc {
        assert!(
            named.is_none(),
            "APIBASE_PYTHON is {}, which has no grpcio, grpcio-tools and grpcio-status",
            python.display()
        );
        say(&format!(
            "\n!!! SKIPPED: {script}: python3 has no grpcio, grpcio-tools and grpcio-status; set \
             APIBASE_PYTHON to one that has\n"
        ));
        return None;
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("interop")
        .join(script);
    let mut command = Command::new(python);
    // A compiled copy of the scripts would stay among the sources.
    command.arg("-B").arg(path).kill_on_drop(true);
    Some(command)
}

/// Past the test harness, which keeps to itself what passing tests print.
fn say(text: &str) {
    let _ = io::stderr().write_all(text.as_bytes());
}
